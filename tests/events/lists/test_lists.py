"""Which entries match a plate, and files that change while they are used."""

import logging
import os
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from edge_app.config import ListSettings
from edge_app.errors import ConfigurationError
from edge_app.events.lists.lists import Lists
from edge_app.recognition.plate_formats import PlateFormats
from edge_app.records import ListMatch

INDIA = PlateFormats.load(["in"])
NOBODY = 65534


class Desk:
    """Lists in files."""

    def __init__(self, folder: Path, max_cost: float = 0.5, only_listed: bool = False, **plates: str) -> None:
        self.folder = folder
        settings = []
        for kind, content in plates.items():
            self.write(kind, content)
            settings.append(ListSettings(f"{kind}-list", kind, folder / f"{kind}.csv", max_cost))
        self.lists = Lists(settings, lambda text: INDIA.match(text).valid, only_listed)

    def write(self, kind: str, content: str) -> None:
        """Put other plates into a file, by a rename as careful programs do."""
        (self.folder / "new").write_text("plate\n" + content.replace(" ", "\n"))
        (self.folder / "new").rename(self.folder / f"{kind}.csv")

    def tend(self, times: int = 2) -> None:
        """Check the files this number of times."""
        for _ in range(times):
            self.lists.tend()

    def kinds(self, text: str) -> list[str] | None:
        """What the plate is."""
        matches = self.lists.match(text)
        return None if matches is None else [match.kind for match in matches]


def test_a_plate_on_a_list_matches_with_the_entry_and_its_cost(tmp_path: Path) -> None:
    desk = Desk(tmp_path, allow="MH12AB1234 DL8CAF5030")

    assert desk.lists.match("DL8CAF5030") == (ListMatch("allow-list", "allow", "DL8CAF5030", 0.0),)
    assert desk.lists.match("KA01MB1234") == ()


@pytest.mark.parametrize(
    ("text", "cost"),
    [("MH12A81234", 0.5), ("MHI2AB1234", 0.25), ("MH12ABI234", 0.25), ("MH12AB1Z34", 0.5), ("MHIZAB1234", None)],
)
def test_a_misread_text_is_near_by_what_may_be_confused(tmp_path: Path, text: str, cost: float | None) -> None:
    desk = Desk(tmp_path, watch="MH12AB1234")

    matches = desk.lists.match(text)

    assert matches == (() if cost is None else (ListMatch("watch-list", "watch", "MH12AB1234", cost),))


@pytest.mark.parametrize("text", ["MH12AB1235", "MH12AB123", "MH12AB12345", "MH12AC1234", "MH21AB1234"])
def test_no_other_difference_is_overlooked(tmp_path: Path, text: str) -> None:
    assert Desk(tmp_path, max_cost=3.0, deny="MH12AB1234").lists.match(text) == ()


def test_two_plates_that_both_exist_are_two_plates(tmp_path: Path) -> None:
    series_zab_of_district_1, series_ab_of_district_12 = "MH1ZAB1234", "MH12AB1234"
    desk = Desk(tmp_path, max_cost=3.0, deny=series_zab_of_district_1)

    kinds = desk.kinds(series_ab_of_district_12)

    assert kinds == []
    assert desk.kinds(series_zab_of_district_1) == ["deny"]


def test_the_plate_itself_beats_every_near_one(tmp_path: Path) -> None:
    desk = Desk(tmp_path, deny="AB0B", allow="ABOB", ignore="A80B")

    assert desk.kinds("ABOB") == ["allow"]
    assert desk.kinds("AB0B") == ["deny"]
    assert desk.kinds("A80B") is None


def test_the_nearer_entry_counts_and_among_equals_a_deny_list_overrules_allow_lists(tmp_path: Path) -> None:
    desk = Desk(tmp_path, max_cost=1.0, allow="AB0X QQ1Y QQ2Y", watch="QQ1Y QQ2Y", deny="A80X QQ1Y")

    assert desk.kinds("ABOX") == ["allow"]
    assert desk.kinds("QQ1Y") == ["deny", "watch"]
    assert desk.kinds("QQ2Y") == ["allow", "watch"]


def test_with_no_cost_allowed_a_list_wants_the_plate_exactly(tmp_path: Path) -> None:
    desk = Desk(tmp_path, max_cost=0.0, allow="MH12AB1234")

    assert desk.kinds("MH12A81234") == []
    assert desk.kinds("MH12AB1234") == ["allow"]


def test_a_plate_to_ignore_must_not_be_stored_even_if_another_list_has_it(tmp_path: Path) -> None:
    desk = Desk(tmp_path, ignore="MH12AB1234", deny="MH12AB1234")

    assert desk.kinds("MH12AB1234") is None


def test_other_plates_must_not_be_stored_if_only_lists_count(tmp_path: Path) -> None:
    desk = Desk(tmp_path, only_listed=True, watch="MH12AB1234")

    assert desk.kinds("MH12AB1234") == ["watch"]
    assert desk.kinds("KA01MB1234") is None


def test_a_changed_file_is_read_again_once_it_rests(tmp_path: Path) -> None:
    desk = Desk(tmp_path, deny="MH12AB1234")

    desk.write("deny", "KA01MB1234")
    desk.tend(1)
    before = desk.kinds("KA01MB1234")
    desk.tend(1)

    assert before == []
    assert desk.kinds("KA01MB1234") == ["deny"]
    assert desk.kinds("MH12AB1234") == []


def test_a_file_gone_wrong_keeps_the_last_good_list_is_logged_once_and_can_be_corrected(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    desk = Desk(tmp_path, deny="MH12AB1234")

    desk.write("deny", "KA01MB1234 MH12*9999")
    desk.tend(5)
    (wrong,) = desk.lists.state()
    kinds_while_wrong = desk.kinds("MH12AB1234")
    desk.write("deny", "KA01MB1234 DL8CAF5030")
    desk.tend()
    (mended,) = desk.lists.state()

    assert kinds_while_wrong == ["deny"]
    assert wrong.fault is not None
    assert "deny.csv:3: no plate comes first" in wrong.fault
    assert (wrong.plates, mended.plates, mended.fault) == (1, 2, None)
    assert [record.levelname for record in caplog.records] == ["ERROR", "INFO"]
    assert "MH12" not in caplog.text


def test_a_file_that_vanishes_and_comes_back_as_it_was_is_logged_and_no_longer_missed(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    desk = Desk(tmp_path, deny="MH12AB1234")
    (tmp_path / "deny.csv").rename(tmp_path / "away.csv")

    desk.tend(5)
    (gone,) = desk.lists.state()
    kinds_while_gone = desk.kinds("MH12AB1234")
    (tmp_path / "away.csv").rename(tmp_path / "deny.csv")
    desk.tend()

    assert kinds_while_gone == desk.kinds("MH12AB1234") == ["deny"]
    assert gone.fault is not None
    assert caplog.text.count("the last good one, of 1 plate, holds") == 1
    assert desk.lists.state()[0].fault is None


def test_a_file_that_could_not_be_read_for_a_while_is_read_once_it_can_be(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    desk = Desk(tmp_path, deny="MH12AB1234")

    desk.write("deny", "KA01MB1234")
    with no_more_files():
        desk.tend(5)
    (unread,) = desk.lists.state()
    desk.tend()

    assert unread.fault is not None
    assert "the list cannot be read (Too many open files)" in unread.fault
    assert desk.kinds("KA01MB1234") == ["deny"]
    assert desk.lists.state()[0].fault is None
    assert caplog.text.count("the last good one, of 1 plate, holds") == 1


@contextmanager
def no_more_files() -> Iterator[None]:
    """Let this process open none, though it be root's."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (0, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@contextmanager
def no_privileges() -> Iterator[None]:
    """Let this process read no file of others, though it be root's."""
    user = os.geteuid()
    if user == 0:
        os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(user)


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that everybody may enter."""
    with TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


def test_a_file_without_the_right_to_read_it_is_read_once_there_is_one(open_folder: Path) -> None:
    desk = Desk(open_folder, deny="MH12AB1234")

    desk.write("deny", "KA01MB1234")
    (open_folder / "deny.csv").chmod(0)
    with no_privileges():
        desk.tend(5)
    (unread,) = desk.lists.state()
    (open_folder / "deny.csv").chmod(0o644)
    desk.tend()

    assert "Permission denied" in str(unread.fault)
    assert desk.kinds("KA01MB1234") == ["deny"]


def test_a_change_that_keeps_size_and_time_of_the_file_is_seen(tmp_path: Path) -> None:
    desk = Desk(tmp_path, deny="MH12AB1234")
    file = tmp_path / "deny.csv"
    before = file.stat()

    file.write_text("plate\nKA01MB1234")
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
    desk.tend()

    assert file.stat().st_size == before.st_size
    assert desk.kinds("KA01MB1234") == ["deny"]


def test_at_the_start_a_wrong_file_is_wrong_configuration(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"deny.csv:3: no plate comes first"):
        Desk(tmp_path, deny="MH12AB1234 ?")


def test_ten_thousand_plates_are_matched_at_once(tmp_path: Path) -> None:
    desk = Desk(tmp_path, deny=" ".join(f"MH12AB{number:04}" for number in range(10_000)))

    assert desk.lists.state()[0].plates == 10_000
    assert desk.kinds("MH12AB7777") == ["deny"]
