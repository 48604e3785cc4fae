"""Events on the disk."""

import dataclasses
import logging
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from edge_app.errors import OutboxError
from edge_app.events.disk_state import DiskState
from edge_app.events.event import PlateEvent, WaitingEvent, encode
from edge_app.outbox.outbox import Outbox
from edge_app.outbox.queue import Losses
from edge_app.outbox.retention import Retention
from edge_app.outbox.spilling_queue import FOLD_SECONDS, Limits
from tests.events.passes import event
from tests.outbox.disks import size_bytes

MEGABYTE = 1_000_000


def done(outbox: Outbox, events: list[WaitingEvent]) -> None:
    """The broker acknowledges events."""
    outbox.done((each.position, each.event_id, None) for each in events)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "outbox.sqlite3"


@pytest.fixture
def outbox(path: Path) -> Iterator[Outbox]:
    opened = Outbox(path, Limits(MEGABYTE, commit_seconds=0))
    yield opened
    opened.close()


def test_what_is_put_comes_back_in_order(outbox: Outbox) -> None:
    events = [event() for _ in range(3)]

    sequences = outbox.put(events[0]) + outbox.put(*events[1:])

    waiting = outbox.pending(10)
    assert [each.sequence for each in waiting] == sequences == [1, 2, 3]
    assert [each.event_id for each in waiting] == [each.event_id for each in events]
    assert waiting[0].image_jpeg == events[0].image_jpeg
    assert encode(waiting[0].read) == events[0].payload(sequence=1)
    assert not waiting[0].left_over


def test_pending_goes_on_behind_a_sequence(outbox: Outbox) -> None:
    for _ in range(4):
        outbox.put(event())

    assert [each.sequence for each in outbox.pending(2, after=1)] == [2, 3]


def test_what_is_forgotten_is_gone_and_its_bytes_too(outbox: Outbox) -> None:
    outbox.put(event(), event())

    done(outbox, outbox.pending(10))
    outbox.done([(99, "unknown", None)])

    assert outbox.pending(10) == []
    assert outbox.state().events == outbox.state().bytes == 0


def test_the_sequence_goes_on_after_a_restart_even_of_an_empty_outbox(path: Path) -> None:
    before = Outbox(path)
    before.put(event())
    done(before, before.pending(1))
    before.close()

    after = Outbox(path)

    assert after.put(event()) == [2]
    after.close()


def test_an_event_of_an_earlier_run_is_left_over(path: Path) -> None:
    before = Outbox(path)
    before.put(event())
    before.close()

    after = Outbox(path)
    after.put(event())

    assert [each.left_over for each in after.pending(10)] == [True, False]
    after.close()


def test_what_put_returned_for_survives_the_death_of_the_process(path: Path) -> None:
    script = (
        "import os, sys; from pathlib import Path; from edge_app.outbox.outbox import Outbox;"
        "from tests.events.passes import event;"
        "outbox = Outbox(Path(sys.argv[1])); [outbox.put(event()) for _ in range(5)]; os._exit(9)"
    )
    died = subprocess.run([sys.executable, "-c", script, path], check=False, cwd=Path(__file__).parents[2])
    assert died.returncode == 9

    after = Outbox(path)

    assert [each.sequence for each in after.pending(10)] == [1, 2, 3, 4, 5]
    after.close()


def test_what_is_acknowledged_is_deleted_late_and_together(path: Path) -> None:
    now = 0.0
    outbox = Outbox(path, Limits(MEGABYTE, commit_seconds=0.2), clock=lambda: now)
    outbox.put(event(), event(), event())
    waiting = outbox.pending(3)

    done(outbox, waiting[:1])
    now = 0.1
    done(outbox, waiting[1:2])
    before = outbox.state()
    now = 0.2
    outbox.tend()
    after = outbox.state()

    assert outbox.pending(10) == waiting[2:]
    assert before.events == after.events == 1
    assert before.bytes > 2.9 * after.bytes
    outbox.close()


def test_what_was_acknowledged_waits_again_unless_the_broker_was_heard_long_enough_after_it(path: Path) -> None:
    now = 0.0
    with closing(Outbox(path, Limits(resend_seconds=10), clock=lambda: now)) as outbox:
        outbox.put(event(), event(), event())
        for each in outbox.pending(3)[:2]:
            done(outbox, [each])
            now += 5
        outbox.broker_lives()
        now = 100
        outbox.tend()
        waiting, again = len(outbox.pending(3)), outbox.send_again()

        assert (waiting, again) == (1, 1)
        assert [each.sequence for each in outbox.pending(3)] == [2, 3]


def test_what_was_acknowledged_just_before_a_crash_comes_again(path: Path) -> None:
    crashed = Outbox(path, Limits(MEGABYTE, commit_seconds=60))
    crashed.put(event(), event())
    done(crashed, crashed.pending(1))
    crashed._queue.file.close()

    after = Outbox(path)

    assert [each.sequence for each in after.pending(10)] == [1, 2]
    after.close()


def test_what_is_put_together_is_there_whole_or_not_at_all(outbox: Outbox) -> None:
    good = event()
    nameless = dataclasses.replace(good.origin, monotonic_ns=None)  # type: ignore[arg-type]

    with pytest.raises(OutboxError):
        outbox.put(good, dataclasses.replace(good, origin=nameless))

    assert outbox.pending(10) == []


def test_the_write_ahead_log_stays_small(path: Path) -> None:
    outbox = Outbox(path, Limits(10 * MEGABYTE))

    for _ in range(100):
        outbox.put(*(event() for _ in range(10)))

    assert path.stat().st_size > 2.5 * MEGABYTE
    assert path.with_name(path.name + "-wal").stat().st_size < 1.5 * MEGABYTE
    outbox.close()


def test_when_full_the_oldest_pictures_go_first_and_reads_stay(path: Path) -> None:
    sample = event()
    read_bytes, image_bytes = len(sample.payload()), len(sample.image_jpeg or b"")
    outbox = Outbox(path, Limits(3 * read_bytes + 2 * image_bytes + 100))

    for _ in range(3):
        outbox.put(event())

    assert [each.image_jpeg is not None for each in outbox.pending(10)] == [False, True, True]
    assert outbox.state().losses == Losses(images_sacrificed=1)
    outbox.close()


def test_when_no_picture_is_left_the_oldest_reads_go(path: Path) -> None:
    outbox = Outbox(path, Limits(2 * len(event().payload()) + 100))

    for _ in range(4):
        outbox.put(event())

    assert [each.sequence for each in outbox.pending(10)] == [3, 4]
    assert outbox.state().losses == Losses(images_sacrificed=4, reads_sacrificed=2)
    outbox.close()


def test_the_newest_read_is_kept_however_small_the_outbox(path: Path) -> None:
    outbox = Outbox(path, Limits(1))

    outbox.put(event())
    outbox.put(event())

    assert [each.sequence for each in outbox.pending(10)] == [2]
    outbox.close()


def test_the_bytes_counted_are_the_bytes_kept(path: Path) -> None:
    outbox = Outbox(path, Limits(20_000, commit_seconds=0))
    for _ in range(30):
        outbox.put(event())
    done(outbox, outbox.pending(3))

    kept = size_bytes(outbox)

    assert outbox.state().bytes == kept <= 20_000
    outbox.close()


def test_sacrifices_are_counted_across_restarts(path: Path) -> None:
    before = Outbox(path, Limits(1))
    before.put(event())
    before.close()

    after = Outbox(path, Limits(1))

    assert after.state().losses == Losses(images_sacrificed=1)
    after.close()


@pytest.mark.parametrize("damage", [b"this is no database", b""])
def test_a_file_that_is_no_database_is_set_aside(path: Path, damage: bytes, caplog: pytest.LogCaptureFixture) -> None:
    path.parent.mkdir()
    path.write_bytes(damage + b"\0" * 4096 if damage else damage)

    outbox = Outbox(path)
    outbox.put(event())

    assert len(outbox.pending(10)) == 1
    assert ("set aside" in caplog.text) == bool(damage)
    outbox.close()


def test_a_file_of_newer_software_is_set_aside(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with closing(Outbox(path)) as before:
        before.put(event())
    with sqlite3.connect(path) as database:
        database.execute("ALTER TABLE events ADD COLUMN weather TEXT")
        database.execute("PRAGMA user_version = 99")
    database.close()

    outbox = Outbox(path)

    assert outbox.put(event()) == [2]
    assert len(outbox.pending(10)) == 2
    assert "of version 99" in caplog.text
    outbox.close()


def test_while_another_program_has_the_file_open_events_wait_in_memory(
    path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("edge_app.outbox.spilling_queue.BUSY_SECONDS", 0.05)
    with closing(Outbox(path)) as before:
        before.put(event(), event())
    now = 0.0
    with closing(sqlite3.connect(path)) as another:
        another.execute("BEGIN")
        another.execute("SELECT * FROM events").fetchone()
        outbox = Outbox(path, clock=lambda: now)
        (first,) = outbox.put(event())
        locked, sent = outbox.state(), outbox.pending(10)

    now = 1.0
    outbox.tend()
    (later,) = outbox.put(event())
    free, waiting = outbox.state(), outbox.pending(10)
    outbox.close()

    assert (locked.disk, locked.in_memory, len(sent), first) == (DiskState.LOCKED, 1, 1, 1)
    assert (free.disk, free.in_memory, later) == (DiskState.GOOD, 0, 3)
    assert [(each.sequence, each.left_over) for each in waiting] == [(1, True), (2, True), (1, False), (3, False)]
    assert "the disk of the outbox is locked (database is locked): events wait in memory" in caplog.text


def test_a_directory_in_its_place_is_a_clear_error(path: Path) -> None:
    path.mkdir(parents=True)

    with pytest.raises(OutboxError, match="unable to open"):
        Outbox(path)


def test_threads_do_not_get_in_each_others_way(outbox: Outbox, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.ERROR)
    made = [event() for _ in range(200)]
    taken: list[int] = []
    all_put = threading.Event()

    def put() -> None:
        for each in made:
            outbox.put(each)
        all_put.set()

    def take() -> None:
        while not (all_put.is_set() and outbox.state().events == 0):
            waiting = outbox.pending(7)
            done(outbox, waiting)
            taken.extend(each.sequence for each in waiting)

    threads = [threading.Thread(target=put), threading.Thread(target=take)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)

    outbox.tend()
    assert taken == list(range(1, 201))
    assert outbox.state().bytes == 0


class Clocks:
    """Time that passes when a test sets it, and a time of day that somebody may set, and that may be wrong."""

    synchronized = True

    def __init__(self, up_seconds: float | None = None) -> None:
        self.passed = self.set_forward = 0.0
        self._monotonic = time.monotonic() if up_seconds is None else up_seconds
        self._unix = time.time()

    def monotonic(self) -> float:
        return self._monotonic + self.passed

    def unix(self) -> float:
        return self._unix + self.passed + self.set_forward


def keeping_for(seconds: float, path: Path, clocks: Clocks) -> Outbox:
    """An outbox with a retention."""
    retention = Retention(seconds, clocks.monotonic, clocks.unix, lambda: clocks.synchronized)
    return Outbox(path, Limits(MEGABYTE, commit_seconds=0), retention, clock=clocks.monotonic)


def test_what_has_waited_for_as_long_as_it_may_is_deleted_and_counted(
    path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    clocks = Clocks()
    with closing(keeping_for(3600, path, clocks)) as outbox:
        outbox.put(event(), event())
        clocks.passed = 3500
        outbox.tend()
        before = len(outbox.pending(10))
        clocks.passed = 3700
        outbox.tend()

        state = outbox.state()

    assert before == 2
    assert (state.events, state.bytes, state.expired) == (0, 0, 2)
    assert "2 events have waited for as long as they may be kept: deleted" in caplog.text


def test_what_an_earlier_boot_has_left_is_as_old_as_by_the_clock_that_can_be_set(path: Path) -> None:
    clocks = Clocks()
    with closing(keeping_for(3600, path, clocks)) as before:
        before.put(of_another_boot(clock_synchronized=True))

    clocks.passed = 1800
    with closing(keeping_for(3600, path, clocks)) as outbox:
        outbox.tend()
        waiting_then = outbox.state().events
        clocks.passed = 3700
        outbox.tend()

        assert (waiting_then, outbox.state().events) == (1, 0)


def test_what_an_earlier_run_of_this_boot_has_left_is_as_old_as_by_the_clock_that_cannot_be_set(path: Path) -> None:
    clocks = Clocks()
    with closing(keeping_for(3600, path, clocks)) as before:
        before.put(event())

    clocks.set_forward = 1e8  # as by the network's time, on a board without a clock of its own
    with closing(keeping_for(3600, path, clocks)) as outbox:
        outbox.tend()
        waiting_at_first = outbox.state().events
        clocks.passed = 3700
        outbox.tend()

        assert (waiting_at_first, outbox.state().events) == (1, 0)


def test_what_an_earlier_boot_has_left_that_did_not_know_the_time_is_as_old_as_this_boot(path: Path) -> None:
    clocks = Clocks(up_seconds=60)
    with closing(keeping_for(3600, path, clocks)) as before:
        before.put(of_another_boot(clock_synchronized=False))

    clocks.set_forward = 1e8
    with closing(keeping_for(3600, path, clocks)) as outbox:
        outbox.tend()
        waiting_at_first = outbox.state().events
        clocks.passed = 3700
        outbox.tend()

        assert (waiting_at_first, outbox.state().events) == (1, 0)


def test_a_clock_that_is_not_synchronized_makes_nothing_old(path: Path) -> None:
    clocks = Clocks(up_seconds=60)
    aside = path.with_name(f"{path.name}.recovered-20260131T120000.000000")
    with closing(keeping_for(3600, path, clocks)) as before:
        before.put(of_another_boot(clock_synchronized=True))
    aside.write_bytes(b"MH12AB1234")

    clocks.synchronized, clocks.set_forward = False, 1e8  # a board without a battery, just switched on
    with closing(keeping_for(3600, path, clocks)) as outbox:
        outbox.tend()
        waiting_at_first = (outbox.state().events, aside.exists())
        clocks.synchronized, clocks.set_forward, clocks.passed = True, 0, 1800
        outbox.tend()
        waiting_then = (outbox.state().events, aside.exists())
        clocks.set_forward = 3600
        clocks.passed = 1900
        outbox.tend()

        assert waiting_at_first == waiting_then == (1, True)
        assert (outbox.state().events, aside.exists()) == (0, False)


def test_what_has_waited_since_a_boot_longer_than_it_may_is_old_by_any_clock(path: Path) -> None:
    clocks = Clocks(up_seconds=60)
    clocks.synchronized, clocks.set_forward = False, -1e8
    with closing(keeping_for(3600, path, clocks)) as before:
        before.put(of_another_boot(clock_synchronized=True))

    with closing(keeping_for(3600, path, clocks)) as outbox:
        clocks.passed = 3500
        outbox.tend()
        waiting_then = outbox.state().events
        clocks.passed = 3700
        outbox.tend()

        assert (waiting_then, outbox.state().events) == (1, 0)


def of_another_boot(clock_synchronized: bool) -> PlateEvent:
    made = event()
    origin = dataclasses.replace(made.origin, boot_id="another", clock_synchronized=clock_synchronized)
    return dataclasses.replace(made, message=dataclasses.replace(made.message, boot_id="another"), origin=origin)


def test_more_old_events_than_are_deleted_at_once_go_soon_after_one_another(path: Path) -> None:
    clocks = Clocks()
    with closing(keeping_for(3600, path, clocks)) as outbox:
        outbox.put(*(event(images=False) for _ in range(250)))
        clocks.passed = 3700

        for _ in range(3):
            outbox.tend()

        assert outbox.state().expired == 250


def test_a_damaged_file_that_was_kept_goes_too(path: Path) -> None:
    path.parent.mkdir()
    clocks = Clocks()
    old = [path.with_name(f"{path.name}.recovered-20260131T120000.000000{suffix}") for suffix in ("", "-wal")]
    for each in old:
        each.write_bytes(b"MH12AB1234")
    with closing(keeping_for(3600, path, clocks)) as outbox:
        outbox.tend()
        there_at_first = old[0].exists()
        clocks.passed = 3700
        outbox.tend()

    assert there_at_first
    assert not any(each.exists() for each in old)


def test_without_a_limit_events_wait_for_ever(path: Path) -> None:
    clocks = Clocks()
    with closing(Outbox(path, Limits(MEGABYTE), clock=clocks.monotonic)) as outbox:
        outbox.put(event())
        clocks.passed = 1e8
        outbox.tend()

        assert outbox.state().events == 1


def test_a_plate_that_was_deleted_cannot_be_found_in_the_file(path: Path) -> None:
    with closing(Outbox(path, Limits(MEGABYTE, commit_seconds=0))) as outbox:
        outbox.put(event("KA01ZZ9999"))
        done(outbox, outbox.pending(10))

    assert b"KA01ZZ9999" not in path.read_bytes()


def test_what_was_sent_can_soon_not_be_found_though_the_outbox_is_open(path: Path) -> None:
    clocks = Clocks()
    with closing(Outbox(path, Limits(MEGABYTE, commit_seconds=0), clock=clocks.monotonic)) as outbox:
        outbox.put(*(event(f"KA01ZZ{number:04}") for number in range(60)))
        for _ in range(20):
            done(outbox, outbox.pending(3))
        clocks.passed = FOLD_SECONDS
        outbox.tend()

        assert b"KA01ZZ" not in everything_in(path.parent)


def test_what_has_expired_can_at_once_not_be_found(path: Path) -> None:
    clocks = Clocks()
    with closing(keeping_for(3600, path, clocks)) as outbox:
        outbox.put(event("KA01ZZ9999"))
        clocks.passed = 3700
        outbox.tend()

        assert b"KA01ZZ9999" not in everything_in(path.parent)


def everything_in(folder: Path) -> bytes:
    return b"".join(each.read_bytes() for each in folder.iterdir())


def test_what_was_acknowledged_twice_is_not_sent_a_third_time(path: Path) -> None:
    with closing(Outbox(path, Limits(resend_seconds=10))) as outbox:
        outbox.put(event(), event())
        for _ in range(2):
            done(outbox, outbox.pending(1))
            outbox.send_again()

        assert [each.sequence for each in outbox.pending(2)] == [2]
