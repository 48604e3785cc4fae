"""An outbox that an earlier run has left, under another privacy."""

import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from edge_app.config import ListSettings
from edge_app.events.event_schema import schema_of
from edge_app.events.hash_keys import HashKey, HashKeys
from edge_app.events.left_overs import LeftOvers
from edge_app.events.lists.lists import Lists
from edge_app.events.messages import ReadMessage
from edge_app.outbox.outbox import REVISE_SECONDS, Outbox
from edge_app.records import ListMatch
from tests.events.passes import factory, plate_pass

KEY = HashKey(b"k" * 32)
DENIED = ListMatch("gate", "deny", "MH12AB1234", 0.0)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """An outbox with two vehicles, one of them on a list, and their pictures."""
    outbox = Outbox(tmp_path / "outbox.sqlite", 10_000_000)
    outbox.put(factory().make(plate_pass(), [DENIED]), factory().make(plate_pass("DL8CAF5030")))
    outbox.close()
    return tmp_path / "outbox.sqlite"


@pytest.fixture
def outbox(path: Path) -> Iterator[Outbox]:
    opened = Outbox(path, 10_000_000)
    yield opened
    opened.close()


def lists(folder: Path, kind: str, only_listed: bool = False) -> Lists:
    (folder / "list.csv").write_text("MH12AB1234\n")
    return Lists([ListSettings("gate", kind, folder / "list.csv")], lambda _: True, only_listed)


NO_LISTS = Lists((), lambda _: True)


def test_with_a_key_it_is_hashed_on_the_disk_and_its_pictures_are_gone(path: Path, outbox: Outbox) -> None:
    outbox.revise(LeftOvers(NO_LISTS, HashKeys(KEY, 0), takes_pictures=False).revise)
    revised = outbox.pending(10)

    read = json.loads(revised[0].payload) | {"sequence": 1, "image": None}
    Draft202012Validator(schema_of(ReadMessage)).validate(read)
    assert (read["plate"]["text"], read["plate"]["hash_key"]) == (KEY.hash("MH12AB1234"), KEY.name)
    assert read["lists"][0]["entry"] == KEY.hash("MH12AB1234")
    assert [(each.sequence, each.image_jpeg) for each in revised] == [(1, None), (2, None)]
    left = everything_in(path.parent)  # while it is open
    assert [word for word in ("MH12", "DL8C", "JFIF") if word in left] == []


def test_what_is_hashed_already_stays_as_it_is(outbox: Outbox) -> None:
    outbox.revise(LeftOvers(NO_LISTS, HashKeys(KEY, 0), takes_pictures=False).revise)
    once = outbox.pending(10)

    outbox.revise(LeftOvers(NO_LISTS, HashKeys(HashKey(b"another" * 8), 0), takes_pictures=False).revise)

    assert outbox.pending(10) == once


def test_plates_to_ignore_are_deleted(tmp_path: Path, outbox: Outbox) -> None:
    outbox.revise(LeftOvers(lists(tmp_path, "ignore"), None, takes_pictures=True).revise)

    assert [each.sequence for each in outbox.pending(10)] == [2]


def test_where_only_lists_count_plates_on_none_are_deleted(tmp_path: Path, outbox: Outbox) -> None:
    outbox.revise(LeftOvers(lists(tmp_path, "watch", only_listed=True), None, takes_pictures=True).revise)

    assert [each.sequence for each in outbox.pending(10)] == [1]


def test_with_nothing_held_back_it_is_sent_as_it_is(tmp_path: Path, outbox: Outbox) -> None:
    before = outbox.pending(10)

    outbox.revise(LeftOvers(lists(tmp_path, "watch"), None, takes_pictures=True).revise)

    assert outbox.pending(10) == before


def test_numbers_and_what_is_stored_stay_right(outbox: Outbox) -> None:
    outbox.revise(LeftOvers(NO_LISTS, HashKeys(KEY, 0), takes_pictures=False).revise)

    (sequence,) = outbox.put(factory(images=False).make(plate_pass()))

    assert sequence == 3
    assert outbox.state().bytes == sum(each.size_bytes for each in outbox.pending(10))


def test_what_is_deleted_is_counted(tmp_path: Path, outbox: Outbox) -> None:
    outbox.revise(LeftOvers(lists(tmp_path, "watch", only_listed=True), None, takes_pictures=True).revise)

    assert outbox.state().withheld == 1


def test_a_large_outbox_is_rewritten_in_parts_and_sent_hashed_at_once(tmp_path: Path) -> None:
    now = 0.0
    path = tmp_path / "outbox.sqlite"
    plates = [f"MH12AB{number:04}" for number in range(330)]
    with closing(Outbox(path, 10_000_000)) as before:
        before.put(*(factory().make(plate_pass(plate)) for plate in plates))

    with closing(Outbox(path, 10_000_000, clock=lambda: now)) as outbox:
        outbox.revise(LeftOvers(NO_LISTS, HashKeys(KEY, 0), takes_pictures=False).revise)
        left_at_first = sum(plate in everything_in(tmp_path) for plate in plates)
        sent = texts(outbox)
        for _ in range(10):
            now += REVISE_SECONDS
            outbox.tend()
        left_in_the_end = [plate for plate in plates if plate in everything_in(tmp_path)]

    assert 0 < left_at_first < len(plates)
    assert sent == [KEY.hash(plate) for plate in plates]
    assert left_in_the_end == []


def texts(outbox: Outbox) -> list[str]:
    """The plates that would be sent."""
    return [json.loads(each.payload)["plate"]["text"] for each in outbox.pending(1000)]


def everything_in(folder: Path) -> str:
    """What can be found on the disk."""
    return b"".join(each.read_bytes() for each in folder.iterdir()).decode("latin-1")
