"""An outbox that an earlier run has left, under another privacy."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from edge_app.config import ListSettings
from edge_app.events.event import as_plain, encode
from edge_app.events.event_schema import schema_of
from edge_app.events.hash_keys import HashKey, HashKeys
from edge_app.events.left_overs import LeftOvers
from edge_app.events.lists.lists import Lists
from edge_app.events.messages import ReadMessage
from edge_app.outbox.outbox import Outbox
from edge_app.records import ListMatch
from tests.events.passes import factory, plate_pass

KEY = HashKey(b"k" * 32)
DENIED = ListMatch("gate", "deny", "MH12AB1234", 0.0)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """An outbox with two vehicles, one of them on a list, and their pictures."""
    outbox = Outbox(tmp_path / "outbox.sqlite")
    outbox.put(factory().make(plate_pass(), [DENIED]), factory().make(plate_pass("DL8CAF5030")))
    outbox.close()
    return tmp_path / "outbox.sqlite"


Open = Callable[..., Outbox]


@pytest.fixture
def opened(path: Path) -> Iterator[Open]:
    """Opens the outbox again, under the privacy that is set now."""
    with ExitStack() as ending:

        def open_it(*settings: Any) -> Outbox:
            ending.close()
            return ending.enter_context(closing(Outbox(path, revise=LeftOvers(*settings).revise)))

        yield open_it


def lists(folder: Path, kind: str, only_listed: bool = False) -> Lists:
    (folder / "list.csv").write_text("MH12AB1234\n")
    return Lists([ListSettings("gate", kind, folder / "list.csv")], lambda _: True, only_listed)


NO_LISTS = Lists((), lambda _: True)


def test_with_a_key_it_is_hashed_on_the_disk_and_its_pictures_are_gone(path: Path, opened: Open) -> None:
    outbox = opened(NO_LISTS, HashKeys(KEY, 0), False)
    revised = outbox.pending(10)

    read = as_plain(revised[0].read) | {"image": None}
    Draft202012Validator(schema_of(ReadMessage)).validate(read)
    assert (read["plate"]["text"], read["plate"]["hash_key"]) == (KEY.hash("MH12AB1234"), KEY.name)
    assert read["lists"][0]["entry"] == KEY.hash("MH12AB1234")
    assert [(each.sequence, each.image_jpeg) for each in revised] == [(1, None), (2, None)]
    left = everything_in(path.parent)  # while it is open
    assert [word for word in ("MH12", "DL8C", "JFIF") if word in left] == []


def test_what_is_hashed_already_stays_as_it_is(opened: Open) -> None:
    outbox = opened(NO_LISTS, HashKeys(KEY, 0), False)
    once = outbox.pending(10)

    outbox = opened(NO_LISTS, HashKeys(HashKey(b"another" * 8), 0), False)

    assert outbox.pending(10) == once


def test_plates_to_ignore_are_deleted(tmp_path: Path, opened: Open) -> None:
    outbox = opened(lists(tmp_path, "ignore"), None, True)

    assert [each.sequence for each in outbox.pending(10)] == [2]


def test_plates_on_no_list_are_deleted_if_only_lists_count(tmp_path: Path, opened: Open) -> None:
    outbox = opened(lists(tmp_path, "watch", only_listed=True), None, True)

    assert [each.sequence for each in outbox.pending(10)] == [1]


def test_with_nothing_held_back_it_is_sent_as_it_is(tmp_path: Path, opened: Open) -> None:
    before = opened(NO_LISTS, None, True).pending(10)

    outbox = opened(lists(tmp_path, "watch"), None, True)

    assert outbox.pending(10) == before


def test_numbers_and_what_is_stored_stay_right(opened: Open) -> None:
    outbox = opened(NO_LISTS, HashKeys(KEY, 0), False)

    (sequence,) = outbox.put(factory(images=False).make(plate_pass()))

    assert sequence == 3
    assert outbox.state().bytes == sum(
        len(encode(each.read)) + len(each.image_jpeg or b"") for each in outbox.pending(10)
    )


def test_what_is_deleted_is_counted(tmp_path: Path, opened: Open) -> None:
    outbox = opened(lists(tmp_path, "watch", only_listed=True), None, True)

    assert outbox.state().withheld == 1


def test_a_large_outbox_is_rewritten_when_it_is_opened(tmp_path: Path, opened: Open) -> None:
    plates = [f"MH12AB{number:04}" for number in range(330)]
    with closing(Outbox(tmp_path / "outbox.sqlite")) as before:
        before.put(*(factory().make(plate_pass(plate)) for plate in plates))

    outbox = opened(NO_LISTS, HashKeys(KEY, 0), False)

    assert [each.read.plate.text for each in outbox.pending(1000)[2:]] == [KEY.hash(plate) for plate in plates]
    assert [plate for plate in plates if plate in everything_in(tmp_path)] == []


def everything_in(folder: Path) -> str:
    """What can be found on the disk."""
    return b"".join(each.read_bytes() for each in folder.iterdir()).decode("latin-1")
