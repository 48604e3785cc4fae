"""The outbox on disks that are full, read-only or have damaged it."""

import os
import shutil
import sqlite3
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from edge_app.config import EvidenceSettings, ListSettings
from edge_app.errors import OutboxError
from edge_app.events.disk_state import DiskState
from edge_app.events.event import PlateEvent, encode
from edge_app.events.evidence import keys
from edge_app.events.evidence.seal import Sealer
from edge_app.events.hash_keys import HashKey, HashKeys
from edge_app.events.left_overs import LeftOvers
from edge_app.events.lists.lists import Lists
from edge_app.outbox.disk_queue import CHECK_AGAIN_SECONDS, RETRY_SECONDS
from edge_app.outbox.outbox import Outbox, Revise
from edge_app.outbox.queue import Losses, Notes
from edge_app.outbox.retention import Retention
from edge_app.outbox.spilling_queue import MOST_IN_JOURNAL, SETTLE_AGAIN_SECONDS, Limits
from tests.events.passes import event
from tests.outbox.disks import largest_file

MEGABYTE = 1_000_000


class Clock:
    """A clock that a test sets."""

    seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of two megabytes, of its own."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", folder], check=False, capture_output=True
    )
    if mounted.returncode != 0:
        pytest.skip("this user may not mount a tmpfs")
    yield folder
    subprocess.run(["umount", "--lazy", folder], check=True)


def remount(folder: Path, how: str) -> None:
    subprocess.run(["mount", "-o", f"remount,{how}", folder], check=True)


@contextmanager
def not_mounted(folder: Path) -> Iterator[None]:
    """What is in the folder cannot be seen, and nothing can be written there."""
    subprocess.run(["mount", "-t", "tmpfs", "-o", "ro", "tmpfs", folder], check=True)
    yield
    subprocess.run(["umount", folder], check=True)


def leave_free(folder: Path, room_bytes: int) -> Path:
    """Fill a disk up to some space; the file that does."""
    somebody = folder / "somebody else's"
    somebody.write_bytes(bytes(shutil.disk_usage(folder).free - room_bytes))
    return somebody


Open = Callable[..., Outbox]


@pytest.fixture
def opened(clock: Clock) -> Iterator[Open]:
    """Opens outboxes, and closes what is left open."""
    boxes = []

    def open_at(path: Path, revise: Revise | None = None, retention: Retention | None = None, **limits: Any) -> Outbox:
        boxes.append(Outbox(path, Limits(10 * MEGABYTE, **limits), retention, revise, clock))
        return boxes[-1]

    yield open_at
    for box in boxes:
        with suppress(OutboxError, sqlite3.ProgrammingError):  # the last: it was closed already
            box.close()


def database_of(outbox: Outbox) -> sqlite3.Connection:
    """What the file is open in."""
    assert outbox._queue.file.queue is not None
    return outbox._queue.file.queue._database


def later(outbox: Outbox, clock: Clock) -> None:
    """Let the outbox try its disk again."""
    clock.seconds += RETRY_SECONDS
    outbox.tend()


def numbers(outbox: Outbox) -> list[int]:
    return [each.sequence for each in outbox.pending(10_000)]


def drain(outbox: Outbox) -> None:
    outbox.done((each.position, each.event_id, None) for each in outbox.pending(10_000))


def crash(outbox: Outbox) -> None:
    """Leave the file as the death of the process would: its write-ahead log is not folded in."""
    path = outbox._path
    copies = {each: each.with_name(f"copy of {each.name}") for each in (path, path.with_name(f"{path.name}-wal"))}
    for original, copy in copies.items():
        shutil.copy(original, copy)
    outbox._queue.file.close()
    for original, copy in copies.items():
        copy.rename(original)


def test_on_a_full_disk_events_wait_in_memory_until_there_is_room(
    small_disk: Path, clock: Clock, opened: Open, caplog: pytest.LogCaptureFixture
) -> None:
    outbox = opened(small_disk / "outbox.sqlite")
    outbox.put(event())
    somebody = small_disk / "somebody else's"
    somebody.write_bytes(bytes(shutil.disk_usage(small_disk).free))

    for _ in range(30):
        outbox.put(event())
    full = outbox.state()
    somebody.unlink()
    later(outbox, clock)

    assert full.disk is DiskState.FULL
    assert full.in_memory > 0
    assert numbers(outbox) == list(range(1, 32))
    assert (outbox.state().disk, outbox.state().in_memory) == (DiskState.GOOD, 0)
    assert caplog.text.count("the disk of the outbox is full") == 1
    assert "the disk of the outbox takes events again" in caplog.text


def test_what_waits_in_memory_can_be_sent_and_forgotten(small_disk: Path, opened: Open) -> None:
    outbox = opened(small_disk / "outbox.sqlite", keep_free_bytes=MEGABYTE)
    (small_disk / "somebody else's").write_bytes(bytes(1_200_000))

    outbox.put(event(), event())
    waiting = numbers(outbox)
    drain(outbox)

    assert outbox.disk is DiskState.FULL
    assert waiting == [1, 2]
    assert outbox.state().events == 0


def test_a_disk_that_stays_full_is_called_full_and_no_number_is_given_twice(
    small_disk: Path, clock: Clock, opened: Open
) -> None:
    with closing(
        Outbox(small_disk / "outbox.sqlite", Limits(10 * MEGABYTE, MEGABYTE, MEGABYTE), clock=clock)
    ) as outbox:
        (small_disk / "somebody else's").write_bytes(bytes(1_200_000))
        outbox.put(event(), event())
        drain(outbox)
        later(outbox, clock)
        later(outbox, clock)
        disk = outbox.disk

    assert disk is DiskState.FULL
    assert opened(small_disk / "outbox.sqlite", keep_free_bytes=MEGABYTE).put(event()) == [3]


def test_an_outbox_that_filled_the_disk_by_itself_goes_on_once_it_is_drained(
    small_disk: Path, clock: Clock, opened: Open
) -> None:
    outbox = opened(small_disk / "outbox.sqlite", keep_free_bytes=300_000)
    while outbox.disk is DiskState.GOOD:
        outbox.put(event())
    filled = len(numbers(outbox))

    drain(outbox)
    later(outbox, clock)
    later(outbox, clock)
    (sequence,) = outbox.put(event())

    assert filled > 50
    assert (outbox.disk, outbox.state().in_memory) == (DiskState.GOOD, 0)
    assert (sequence, numbers(outbox)) == (filled + 1, [filled + 1])


def test_memory_is_bounded_in_the_same_order_of_sacrifice(small_disk: Path, clock: Clock, opened: Open) -> None:
    read_bytes = len(event().payload())
    outbox = opened(small_disk / "outbox.sqlite", keep_free_bytes=MEGABYTE, memory_bytes=3 * read_bytes + 100)
    somebody = small_disk / "somebody else's"
    somebody.write_bytes(bytes(1_200_000))

    for _ in range(5):
        outbox.put(event())
    somebody.unlink()
    later(outbox, clock)

    assert numbers(outbox) == [3, 4, 5]
    assert outbox.state().losses == Losses(images_sacrificed=5, reads_sacrificed=2)


def test_a_disk_that_is_full_from_the_start_is_no_crash_loop(small_disk: Path, clock: Clock, opened: Open) -> None:
    somebody = small_disk / "somebody else's"
    somebody.write_bytes(bytes(shutil.disk_usage(small_disk).free))

    outbox = opened(small_disk / "state" / "outbox.sqlite")
    outbox.put(event())
    full = outbox.disk
    somebody.unlink()
    later(outbox, clock)

    assert full is DiskState.FULL
    assert (outbox.disk, numbers(outbox), outbox.state().in_memory) == (DiskState.GOOD, [1], 0)


def test_a_read_only_disk_still_gives_what_was_committed_and_takes_over_when_it_is_mended(
    small_disk: Path, clock: Clock, opened: Open
) -> None:
    before = opened(small_disk / "outbox.sqlite")
    before.put(event(), event())
    crash(before)
    remount(small_disk, "ro")

    outbox = opened(small_disk / "outbox.sqlite")
    outbox.put(event())
    waiting = outbox.pending(10)
    outbox.done([(1, waiting[0].event_id, None)])
    read_only = outbox.state()
    remount(small_disk, "rw")
    later(outbox, clock)

    assert [(each.sequence, each.left_over) for each in waiting] == [(1, True), (2, True), (3, False)]
    assert (read_only.disk, read_only.events, read_only.in_memory) == (DiskState.READ_ONLY, 2, 1)
    assert (outbox.disk, numbers(outbox), outbox.state().in_memory) == (DiskState.GOOD, [2, 3], 0)


def test_a_read_only_disk_gives_nothing_that_has_waited_for_as_long_as_it_may(
    small_disk: Path, clock: Clock, opened: Open
) -> None:
    before = opened(small_disk / "outbox.sqlite")
    before.put(event(), event())
    made_at = time.monotonic()
    crash(before)
    remount(small_disk, "ro")

    outbox = opened(small_disk / "outbox.sqlite", retention=Retention(3600, monotonic=clock))
    clock.seconds = made_at + 3500
    at_first = numbers(outbox)
    clock.seconds = made_at + 3700
    then, read_only = numbers(outbox), outbox.state()
    remount(small_disk, "rw")
    later(outbox, clock)

    assert (at_first, then) == ([1, 2], [])
    assert (read_only.disk, read_only.events, read_only.expired) == (DiskState.READ_ONLY, 0, 2)
    assert (outbox.disk, outbox.state().events, outbox.state().expired) == (DiskState.GOOD, 0, 2)


def test_a_file_that_turns_read_only_under_way_is_named(tmp_path: Path, clock: Clock, opened: Open) -> None:
    outbox = opened(tmp_path / "outbox.sqlite")
    outbox.put(event())
    database_of(outbox).execute("PRAGMA query_only = ON")  # SQLite then fails as on a disk that turned read-only

    outbox.put(event())
    read_only = outbox.disk
    later(outbox, clock)

    assert read_only is DiskState.READ_ONLY
    assert (outbox.disk, numbers(outbox)) == (DiskState.GOOD, [1, 2])


def test_of_a_damaged_file_on_a_read_only_disk_what_can_be_read_is_sent(
    small_disk: Path, clock: Clock, opened: Open
) -> None:
    filled(small_disk / "outbox.sqlite", 200)
    truncate(small_disk / "outbox.sqlite", 0.7)
    remount(small_disk, "ro")

    outbox = opened(small_disk / "outbox.sqlite")
    read_only, sent = outbox.disk, numbers(outbox)
    drain(outbox)
    remount(small_disk, "rw")
    later(outbox, clock)

    assert read_only is DiskState.READ_ONLY
    assert len(sent) > 50
    assert (outbox.disk, numbers(outbox), outbox.put(event())) == (DiskState.GOOD, [], [201])


def test_a_damaged_file_on_a_disk_that_comes_late_is_mended_without_mixing_up_numbers(
    small_disk: Path, clock: Clock, opened: Open
) -> None:
    made = filled(small_disk / "outbox.sqlite", 20)
    truncate(small_disk / "outbox.sqlite", 0.9)

    with not_mounted(small_disk):
        outbox = opened(small_disk / "outbox.sqlite")
        (first,) = outbox.put(event())
        sent = outbox.pending(1)
    later(outbox, clock)
    outbox.done([(sent[0].position, sent[0].event_id, None)])
    later(outbox, clock)

    assert first == 1
    assert made[0].event_id in [each.event_id for each in outbox.pending(100)]
    assert outbox.state().in_memory == 0


def damage(path: Path, made: PlateEvent) -> None:
    """Turn some bits of a read, in the file as it is."""
    with path.open("r+b") as file:
        file.seek(path.read_bytes().index(f'"event_id":"{made.event_id}'.encode()) + 3)
        file.write(b"\x5a")


def truncate(path: Path, share: float) -> None:
    os.truncate(path, int(path.stat().st_size * share))


def filled(path: Path, count: int, sealer: Sealer | None = None) -> list[PlateEvent]:
    outbox = Outbox(path)
    made = [event(signer=sealer) for _ in range(count)]
    outbox.put(*made)
    outbox.close()
    return made


def test_a_read_with_a_flipped_bit_is_lost_alone_and_counted(
    tmp_path: Path, opened: Open, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "outbox.sqlite"
    made = filled(path, 20)
    damage(path, made[4])

    outbox = opened(path)
    waiting, losses_at_once = numbers(outbox), outbox.state().losses
    outbox.tend()
    outbox.tend()

    assert waiting == [each for each in range(1, 21) if each != 5]
    assert outbox.put(event()) == [21]
    assert outbox.state().losses == losses_at_once == Losses(reads_damaged=1)
    assert outbox.state().events == 20
    assert outbox.state().bytes == sum(
        len(encode(each.read)) + len(each.image_jpeg or b"") for each in outbox.pending(100)
    )
    assert caplog.text.count("1 reads and 0 pictures in the outbox are damaged and lost; check the disk") == 1


@pytest.mark.parametrize(
    "change",
    [
        "boot_id = 'another'",
        "boot_id = CAST(X'ff6e' AS TEXT)",
        "event_id = CAST(X'ff' AS TEXT)",
        "event_id = 7",
        "monotonic_ns = X'01'",
        "made_at_ms = made_at_ms + 1024",
        "clock_synchronized = 2",
    ],
)
def test_a_flipped_bit_beside_the_read_loses_it_alone_too(tmp_path: Path, opened: Open, change: str) -> None:
    path = tmp_path / "outbox.sqlite"
    filled(path, 5)
    with closing(sqlite3.connect(path)) as database, database:
        database.execute(f"UPDATE events SET {change} WHERE position = 2")

    outbox = opened(path)

    assert numbers(outbox) == [1, 3, 4, 5]
    assert outbox.state().losses == Losses(reads_damaged=1)


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE notes SET crc32 = crc32 + 1",
        "UPDATE notes SET json = CAST(X'ff6e' AS TEXT)",
        "UPDATE notes SET json = 1",
        "DROP TABLE notes",
    ],
)
def test_a_flipped_bit_beside_the_events_costs_none_and_does_not_end_the_service(
    tmp_path: Path, opened: Open, change: str
) -> None:
    path = tmp_path / "outbox.sqlite"
    keys.make(tmp_path / "evidence.key")
    sealer = Sealer(keys.load(EvidenceSettings(enabled=True, key_file=tmp_path / "evidence.key")))
    filled(path, 5, sealer)
    with closing(sqlite3.connect(path)) as database, database:
        database.execute(change)

    outbox = opened(path)

    assert (outbox.disk, outbox.put(event()), numbers(outbox)) == (DiskState.GOOD, [6], [1, 2, 3, 4, 5, 6])
    assert outbox.state().losses == Losses()
    assert len(list(tmp_path.glob("outbox.sqlite.recovered-*"))) == 1


def test_a_picture_with_a_flipped_bit_is_lost_without_its_read(tmp_path: Path, opened: Open) -> None:
    path = tmp_path / "outbox.sqlite"
    made = filled(path, 3)
    path.write_bytes(path.read_bytes().replace(made[1].image_jpeg or b"", bytes(len(made[1].image_jpeg or b"")), 1))

    outbox = opened(path)
    images = [each.image_jpeg for each in outbox.pending(10)]

    outbox.tend()

    assert sum(image is None for image in images) == len(images) - 2 == 1
    assert [each.image_jpeg for each in outbox.pending(10)] == images
    assert outbox.state().losses == Losses(images_damaged=1)


def test_of_a_truncated_file_what_is_left_goes_on(tmp_path: Path, opened: Open) -> None:
    path = tmp_path / "outbox.sqlite"
    made = filled(path, 200)
    truncate(path, 0.7)
    damaged = path.read_bytes()

    outbox = opened(path)
    saved = outbox.pending(1000)

    assert 50 < len(saved) < 200
    assert [each.event_id for each in saved] == [made[each.sequence - 1].event_id for each in saved]
    assert outbox.put(event()) == [201]
    (aside,) = tmp_path.glob("outbox.sqlite.recovered-*")
    assert aside.read_bytes() == damaged


def test_numbers_that_never_stood_in_a_damaged_file_are_not_counted_as_lost(tmp_path: Path, opened: Open) -> None:
    path = tmp_path / "outbox.sqlite"
    made = [event() for _ in range(300)]
    with closing(Outbox(path)) as before:
        before._queue.position = 20_000
        before._queue.notes = Notes(last_sequence=20_000)
        before.put(*made)
    leftmost = first_leaf(path, made)
    with path.open("r+b") as file:
        file.seek(leftmost)
        file.write(bytes(4096))

    outbox = opened(path)
    waiting = numbers(outbox)

    assert 250 < len(waiting) < 300
    assert waiting == list(range(20_301 - len(waiting), 20_301))
    assert outbox.state().losses.reads_damaged == 0
    assert outbox.put(event()) == [20_301]


def first_leaf(path: Path, made: list[PlateEvent]) -> int:
    """Where the page begins on which the first event stands: its id before its JSON has it again."""
    return path.read_bytes().index(made[0].event_id.encode()) // 4096 * 4096


def test_a_file_whose_beginning_is_gone_is_replaced_and_kept(tmp_path: Path, opened: Open) -> None:
    path = tmp_path / "outbox.sqlite"
    filled(path, 20)
    content = b"\xa5" * 8192 + path.read_bytes()[8192:]
    path.write_bytes(content)

    outbox = opened(path)
    outbox.put(event())

    assert len(outbox.pending(10)) == 1
    assert [each.read_bytes() for each in tmp_path.glob("outbox.sqlite.recovered-*")] == [content]


def test_a_flipped_bit_in_the_definition_of_a_table_does_not_end_the_service(tmp_path: Path, opened: Open) -> None:
    path = tmp_path / "outbox.sqlite"
    filled(path, 20)
    content = path.read_bytes().replace(b"read BLOB", b"rezd BLOB", 1)
    path.write_bytes(content)

    outbox = opened(path)

    assert (outbox.disk, outbox.put(event()), numbers(outbox)) == (DiskState.GOOD, [21], [21])
    assert outbox.state().losses == Losses(reads_damaged=20)
    assert [each.read_bytes() for each in tmp_path.glob("outbox.sqlite.recovered-*")] == [content]


def test_what_stands_in_the_write_ahead_log_of_a_damaged_file_is_saved_too(tmp_path: Path, opened: Open) -> None:
    path = tmp_path / "outbox.sqlite"
    filled(path, 30)
    before = opened(path)
    before.put(event())
    crash(before)
    truncate(path, 0.8)

    outbox = opened(path)

    assert 31 in numbers(outbox)


def test_damage_that_comes_to_light_under_way_does_not_end_the_service(tmp_path: Path, opened: Open) -> None:
    path = tmp_path / "outbox.sqlite"
    made = filled(path, 20)
    outbox = opened(path)
    assert len(outbox.pending(3)) == 3
    damage(path, made[10])
    database_of(outbox).execute("PRAGMA shrink_memory")

    waiting = numbers(outbox)

    assert waiting == [each for each in range(1, 21) if each != 11]
    assert outbox.disk is DiskState.GOOD


def test_a_damaged_read_is_deleted_where_there_is_no_room_for_a_copy(small_disk: Path, opened: Open) -> None:
    path = small_disk / "outbox.sqlite"
    made = filled(path, 200)
    damage(path, made[4])
    leave_free(small_disk, 100_000)
    file = path.stat().st_ino

    outbox = opened(path)
    waiting = numbers(outbox)
    outbox.tend()

    assert waiting == [each for each in range(1, 201) if each != 5]
    assert (outbox.disk, outbox.state().events) == (DiskState.GOOD, 199)
    assert path.stat().st_ino == file
    outbox.close()
    assert opened(path).state().losses == Losses(reads_damaged=1)


def test_a_damaged_read_that_cannot_even_be_deleted_holds_up_no_other(
    small_disk: Path, clock: Clock, opened: Open
) -> None:
    path = small_disk / "outbox.sqlite"
    made = filled(path, 200)
    damage(path, made[0])
    somebody = leave_free(small_disk, 0)

    outbox = opened(path)
    waiting = numbers(outbox)[:3]
    outbox.tend()
    full, waiting_then = outbox.disk, numbers(outbox)[:3]
    somebody.unlink()
    later(outbox, clock)
    outbox.tend()

    assert waiting == waiting_then == [2, 3, 4]
    assert full is DiskState.FULL
    assert (outbox.disk, outbox.state().events) == (DiskState.GOOD, 199)
    assert outbox.state().losses == Losses(reads_damaged=1)


def test_a_damaged_read_in_a_file_that_is_damaged_too_has_the_file_recovered(
    tmp_path: Path, clock: Clock, opened: Open
) -> None:
    path = tmp_path / "outbox.sqlite"
    made = filled(path, 200)
    outbox = opened(path)
    damage(path, made[1])
    path.write_bytes(path.read_bytes()[:-4096] + bytes(4096))
    database_of(outbox).execute("PRAGMA shrink_memory")
    clock.seconds += CHECK_AGAIN_SECONDS

    waiting = [each.sequence for each in outbox.pending(2)]

    assert waiting == [1, 3]
    assert len(list(tmp_path.glob("outbox.sqlite.recovered-*"))) == 1
    assert 100 < len(numbers(outbox)) < 199


def test_a_damaged_file_without_room_for_a_copy_is_recovered_in_parts(
    small_disk: Path, clock: Clock, opened: Open, caplog: pytest.LogCaptureFixture
) -> None:
    path = small_disk / "outbox.sqlite"
    filled(path, 200)
    truncate(path, 0.7)
    damaged = path.read_bytes()
    leave_free(small_disk, 1_350_000)

    outbox = opened(path, keep_free_bytes=1_100_000)
    (aside,) = small_disk.glob("outbox.sqlite.damaged-*")
    outbox.put(event())
    parts: list[list[int]] = [[]]
    while outbox.pending(1):
        while events := outbox.pending(5):
            parts[-1] += [each.sequence for each in events]
            outbox.done((each.position, each.event_id, None) for each in events)
            later(outbox, clock)
        clock.seconds += SETTLE_AGAIN_SECONDS
        outbox.tend()
        parts.append([])

    (kept,) = small_disk.glob("outbox.sqlite.recovered-*")
    sent = [each for part in parts for each in part]
    assert len(parts) > 3
    assert kept.read_bytes() == damaged
    assert aside.name.endswith(kept.name.partition("recovered-")[2])
    assert sorted(sent) == sorted(set(sent)), "no part is recovered twice"
    assert len(sent) == 138
    assert 201 in sent
    assert outbox.disk is DiskState.GOOD
    assert "the disk does not take all of it; it is tried again" in caplog.text


def test_what_found_no_room_is_recovered_by_the_next_run(small_disk: Path, clock: Clock, opened: Open) -> None:
    path = small_disk / "outbox.sqlite"
    filled(path, 200)
    truncate(path, 0.7)
    somebody = leave_free(small_disk, 0)
    before = opened(path)
    full, at_first = before.disk, numbers(before)
    before.close()
    somebody.unlink()

    outbox = opened(path)

    assert (full, at_first) == (DiskState.FULL, [])
    assert len(numbers(outbox)) > 50
    assert outbox.put(event()) == [201]


def test_what_a_failing_disk_does_not_take_of_a_damaged_file_is_recovered_later(
    tmp_path: Path, clock: Clock, opened: Open
) -> None:
    path = tmp_path / "outbox.sqlite"
    filled(path, 200)
    truncate(path, 0.7)

    with largest_file(200_000):
        outbox = opened(path)
        failing, waiting = outbox.disk, numbers(outbox)
    clock.seconds += CHECK_AGAIN_SECONDS
    outbox.tend()

    assert failing is DiskState.FAILING
    assert 0 < len(waiting) < 137
    assert outbox.disk is DiskState.GOOD
    assert len(numbers(outbox)) == 137
    assert numbers(outbox)[: len(waiting)] == waiting


def test_a_failing_disk_is_not_checked_every_second(
    tmp_path: Path, clock: Clock, opened: Open, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "outbox.sqlite"
    filled(path, 500)
    outbox = opened(path)
    clock.seconds = 0.5
    files = [outbox._queue.file.queue]

    with largest_file(4096):
        outbox.put(event())
        failing = outbox.disk
        for _ in range(2 * int(CHECK_AGAIN_SECONDS) - 1):
            later(outbox, clock)
            files += [outbox._queue.file.queue] if outbox._queue.file.queue is not files[-1] else []
    later(outbox, clock)

    assert failing is DiskState.FAILING
    assert len(files) == 2
    assert caplog.text.count("the disk of the outbox is failing") == 1
    assert (outbox.disk, outbox.state().in_memory, len(numbers(outbox))) == (DiskState.GOOD, 0, 501)


def test_a_disk_that_failed_for_a_moment_has_the_reads_a_second_later(
    tmp_path: Path, clock: Clock, opened: Open
) -> None:
    path = tmp_path / "outbox.sqlite"
    filled(path, 5)
    outbox = opened(path)
    clock.seconds = CHECK_AGAIN_SECONDS
    file = outbox._queue.file.queue

    with largest_file(4096):
        outbox.put(event())
        failing = outbox.state()
    later(outbox, clock)

    assert (failing.disk, failing.in_memory) == (DiskState.FAILING, 1)
    assert (outbox.disk, outbox.state().in_memory, numbers(outbox)) == (DiskState.GOOD, 0, [1, 2, 3, 4, 5, 6])
    assert outbox._queue.file.queue is file


def test_only_the_newest_damaged_files_are_kept(tmp_path: Path, opened: Open) -> None:
    path = tmp_path / "outbox.sqlite"
    for _ in range(5):
        path.write_bytes(b"this is no database" * 1000)
        opened(path).close()

    assert len(list(tmp_path.glob("outbox.sqlite.recovered-*"))) == 3


def test_damaged_files_that_are_kept_are_together_no_larger_than_an_outbox(tmp_path: Path) -> None:
    path = tmp_path / "outbox.sqlite"
    for size in (100_000, 300_000, 150_000):
        path.write_bytes(b"?" * size)
        Outbox(path, Limits(500_000)).close()

    assert sorted(each.stat().st_size for each in tmp_path.glob("outbox.sqlite.recovered-*")) == [150_000, 300_000]


def test_of_the_damaged_files_the_newest_is_kept_however_large(tmp_path: Path) -> None:
    path = tmp_path / "outbox.sqlite"
    for size in (100_000, 600_000):
        path.write_bytes(b"?" * size)
        Outbox(path, Limits(500_000)).close()

    assert [each.stat().st_size for each in tmp_path.glob("outbox.sqlite.recovered-*")] == [600_000]


def test_a_read_takes_the_place_of_a_damaged_file_that_was_kept(
    small_disk: Path, opened: Open, caplog: pytest.LogCaptureFixture
) -> None:
    path = small_disk / "outbox.sqlite"
    aside = path.with_name(f"{path.name}.recovered-20260131T120000.000000")
    aside.write_bytes(bytes(500_000))
    outbox = opened(path, keep_free_bytes=200_000)
    leave_free(small_disk, 100_000)

    outbox.put(event())

    assert (outbox.disk, outbox.state().in_memory) == (DiskState.GOOD, 0)
    assert not aside.exists()
    assert "the disk of the outbox is short" in caplog.text


def test_a_damaged_file_that_was_kept_makes_room_for_what_is_saved_of_the_next(small_disk: Path, opened: Open) -> None:
    path = small_disk / "outbox.sqlite"
    filled(path, 200)
    truncate(path, 0.7)
    path.with_name(f"{path.name}.recovered-20260131T120000.000000").write_bytes(bytes(700_000))
    leave_free(small_disk, 100_000)

    outbox = opened(path)

    assert outbox.disk is DiskState.GOOD
    assert len(numbers(outbox)) > 50
    assert len(list(small_disk.glob("outbox.sqlite.recovered-*"))) == 1
    outbox.close()
    assert len(numbers(opened(path))) > 50


def test_power_that_goes_before_the_journal_of_a_damaged_file_follows_it_costs_nothing(
    tmp_path: Path, opened: Open
) -> None:
    path = tmp_path / "outbox.sqlite"
    filled(path, 3)
    damaged = opened(path)
    damaged.put(*(event() for _ in range(50)))
    crash(damaged)
    path.rename(tmp_path / "outbox.sqlite.damaged-20260131T120000.000000")

    outbox = opened(path)

    assert numbers(outbox) == list(range(1, 54))
    assert (tmp_path / "outbox.sqlite.recovered-20260131T120000.000000-wal").exists()


def test_power_that_goes_while_a_damaged_file_is_recovered_costs_nothing(tmp_path: Path, opened: Open) -> None:
    path = tmp_path / "outbox.sqlite"
    made = filled(path, 30)
    path.rename(tmp_path / "outbox.sqlite.damaged-20260131T120000.000000")
    half = opened(path)
    half.done([(20, made[19].event_id, None)])
    half.close()
    (tmp_path / "outbox.sqlite.recovered-20260131T120000.000000").rename(
        tmp_path / "outbox.sqlite.damaged-20260131T120000.000000"
    )

    outbox = opened(path)

    assert numbers(outbox) == list(range(1, 31)), "what was sent in between is sent again"
    assert outbox.put(event()) == [31]


def test_a_disk_error_of_sqlite_is_not_taken_for_damage(tmp_path: Path, clock: Clock, opened: Open) -> None:
    outbox = opened(tmp_path / "outbox.sqlite")
    outbox.put(event())
    pages = database_of(outbox).execute("PRAGMA page_count").fetchone()[0]
    database_of(outbox).execute(f"PRAGMA max_page_count = {pages}")  # what SQLite does when the disk is full

    for _ in range(50):
        outbox.put(event())
    full = outbox.disk
    database_of(outbox).execute("PRAGMA max_page_count = 1000000")
    later(outbox, clock)

    assert full is DiskState.FULL
    assert numbers(outbox) == list(range(1, 52))


KEY = HashKey(b"k" * 32)
HASHED = LeftOvers(Lists((), lambda _: True), HashKeys(KEY, 0), takes_pictures=False).revise
CLEAR = "MH12AB1234"


def texts(outbox: Outbox) -> list[str]:
    """The plates that would be sent."""
    return [each.read.plate.text for each in outbox.pending(10_000)]


def names(outbox: Outbox) -> list[str]:
    """Of the files that the outbox uses, those in which the plate stands."""
    files = outbox._path.parent.glob(f"{outbox._path.name}*")
    return [each.name for each in files if CLEAR.encode() in each.read_bytes()]


def test_what_an_earlier_run_left_in_a_file_that_can_be_read_only_later_is_sent_hashed(
    small_disk: Path, clock: Clock, opened: Open
) -> None:
    path = small_disk / "outbox.sqlite"
    filled(path, 20)
    truncate(path, 0.9)

    with not_mounted(small_disk):
        outbox = opened(path, revise=HASHED)
        at_first = numbers(outbox)
    later(outbox, clock)
    outbox.tend()

    assert at_first == []
    assert len(texts(outbox)) > 10
    assert set(texts(outbox)) == {KEY.hash(CLEAR)}
    assert all(each.left_over for each in outbox.pending(100))
    (aside,) = small_disk.glob("outbox.sqlite.recovered-*")
    assert names(outbox) == [aside.name]


def test_what_may_not_be_sent_of_a_read_only_disk_is_not(small_disk: Path, clock: Clock, opened: Open) -> None:
    before = opened(small_disk / "outbox.sqlite")
    before.put(event(), event("DL8CAF5030"))
    crash(before)
    (small_disk / "ours.csv").write_text(CLEAR)
    ours = Lists([ListSettings("ours", "ignore", small_disk / "ours.csv")], lambda _: True)
    remount(small_disk, "ro")

    revise = LeftOvers(ours, HashKeys(KEY, 0), takes_pictures=False).revise
    outbox = opened(small_disk / "outbox.sqlite", revise=revise)
    sendable = outbox.pending(1)
    read_only = outbox.state()
    remount(small_disk, "rw")
    later(outbox, clock)
    outbox.tend()

    assert [each.sequence for each in sendable] == [2]
    assert (read_only.disk, read_only.events, read_only.withheld) == (DiskState.READ_ONLY, 1, 1)
    assert texts(outbox) == [KEY.hash("DL8CAF5030")]
    assert outbox.state().withheld == 1
    assert names(outbox) == []


def test_a_full_disk_neither_ends_the_service_nor_lets_a_clear_plate_out(
    small_disk: Path, clock: Clock, opened: Open
) -> None:
    path = small_disk / "outbox.sqlite"
    filled(path, 200)
    somebody = small_disk / "somebody else's"
    somebody.write_bytes(bytes(shutil.disk_usage(small_disk).free))

    outbox = opened(path, revise=HASHED)
    full = outbox.disk
    sent_meanwhile = set(texts(outbox))
    somebody.unlink()
    clock.seconds += SETTLE_AGAIN_SECONDS
    for _ in range(10):
        later(outbox, clock)

    assert full is DiskState.FULL
    assert sent_meanwhile == {KEY.hash(CLEAR)}
    assert outbox.disk is DiskState.GOOD
    assert numbers(outbox) == list(range(1, 201))
    assert names(outbox) == []


def test_an_outbox_is_rewritten_on_a_disk_with_room_for_a_part_of_it_only(
    small_disk: Path, clock: Clock, opened: Open
) -> None:
    path = small_disk / "outbox.sqlite"
    filled(path, 330)
    room = 200_000
    assert path.stat().st_size > 3 * room
    (small_disk / "somebody else's").write_bytes(bytes(shutil.disk_usage(small_disk).free - room))

    outbox = opened(path, revise=HASHED)
    for _ in range(10):
        later(outbox, clock)

    assert outbox.disk is DiskState.GOOD
    assert names(outbox) == []


def test_a_disk_that_is_too_full_for_the_rewriting_is_not_logged_every_second(
    small_disk: Path, clock: Clock, opened: Open, caplog: pytest.LogCaptureFixture
) -> None:
    path = small_disk / "outbox.sqlite"
    filled(path, 200)
    somebody = small_disk / "somebody else's"
    somebody.write_bytes(bytes(shutil.disk_usage(small_disk).free - 40_000))

    outbox = opened(path, revise=HASHED)
    for _ in range(30):
        later(outbox, clock)
    logged = caplog.text.count("the disk of the outbox is full")
    somebody.unlink()
    clock.seconds += SETTLE_AGAIN_SECONDS
    for _ in range(10):
        later(outbox, clock)

    assert logged == 1
    assert names(outbox) == []


def test_what_is_withheld_is_counted_once_though_a_full_disk_does_not_let_it_be_deleted_at_first(
    small_disk: Path, clock: Clock, opened: Open
) -> None:
    path = small_disk / "outbox.sqlite"
    filled(path, 120)
    somebody = leave_free(small_disk, 0)

    outbox = opened(path, revise=lambda _: None)
    full = outbox.disk
    for _ in range(3):
        later(outbox, clock)
    at_first = outbox.state()
    somebody.unlink()
    clock.seconds += SETTLE_AGAIN_SECONDS
    for _ in range(10):
        later(outbox, clock)
    state = outbox.state()

    assert full is DiskState.FULL
    assert (at_first.events, at_first.withheld) == (120, 0)
    assert (state.disk, state.events, state.withheld) == (DiskState.GOOD, 0, 120)


def test_damage_met_while_rewriting_lets_no_clear_plate_out(tmp_path: Path, clock: Clock, opened: Open) -> None:
    path = tmp_path / "outbox.sqlite"
    made = filled(path, 120)
    outbox = opened(path)
    damage(path, made[70])
    database_of(outbox).execute("PRAGMA shrink_memory")

    outbox._revise = HASHED
    clock.seconds += 1
    outbox._revise_file()
    for _ in range(5):
        later(outbox, clock)

    assert numbers(outbox) == [each for each in range(1, 121) if each != 71]
    assert set(texts(outbox)) == {KEY.hash(CLEAR)}


@pytest.mark.parametrize("lost", ["folder", "file", "journal", "all but the journal"])
def test_what_is_deleted_under_the_running_service_is_written_anew(
    tmp_path: Path, clock: Clock, opened: Open, caplog: pytest.LogCaptureFixture, lost: str
) -> None:
    path = tmp_path / "state" / "outbox.sqlite"
    outbox = opened(path)
    outbox.put(event(), event())
    outbox.done([(1, outbox.pending(1)[0].event_id, None)])
    for each in list(path.parent.iterdir()):
        if lost == "folder" or (lost == "journal") == each.name.endswith("-wal"):
            each.unlink()
    if lost == "folder":
        path.parent.rmdir()

    outbox.put(event())
    outbox.tend()

    assert outbox.disk is DiskState.GOOD
    assert caplog.text.count("written anew, with all that it held") == 1
    crash(outbox)
    again = opened(path)
    assert numbers(again) == [2, 3]
    assert again.put(event()) == [4]


def test_a_folder_that_cannot_be_made_anew_has_events_wait_in_memory_until_it_is_there(
    tmp_path: Path, clock: Clock, opened: Open, caplog: pytest.LogCaptureFixture
) -> None:
    folder, away = tmp_path / "state", tmp_path / "away"
    outbox = opened(folder / "outbox.sqlite")
    outbox.put(event())
    folder.rename(away)
    folder.write_text("in the way")

    outbox.put(event())

    assert outbox.disk is DiskState.MISSING
    assert numbers(outbox) == [1, 2]
    later(outbox, clock)
    folder.unlink()
    later(outbox, clock)
    assert outbox.state().disk is DiskState.GOOD
    assert outbox.state().in_memory == 0
    assert numbers(outbox) == [1, 2]
    assert caplog.text.count("cannot be written anew") == 1


def test_events_of_a_folder_that_stays_deleted_are_reported_as_lost(tmp_path: Path, opened: Open) -> None:
    folder = tmp_path / "state"
    outbox = opened(folder / "outbox.sqlite")
    outbox.put(event())
    shutil.rmtree(folder)
    folder.write_text("in the way")
    outbox.put(event())

    with pytest.raises(OutboxError, match=r"2 events .* are lost, for it is missing"):
        outbox.close()


def test_another_outbox_put_into_the_place_of_the_one_in_use_is_taken_in(tmp_path: Path, opened: Open) -> None:
    path, other = tmp_path / "outbox.sqlite", tmp_path / "other.sqlite"
    foreign = opened(other)
    foreign.put(event())
    foreign.close()
    outbox = opened(path)
    outbox.put(event())
    other.rename(path)

    outbox.put(event())

    assert sorted(numbers(outbox)) == [1, 1, 2]


def test_a_journal_that_was_removed_after_a_crash_is_noticed_and_no_number_is_given_twice(
    tmp_path: Path, opened: Open, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "outbox.sqlite"
    outbox = opened(path)
    outbox.put(event())
    outbox._queue.fold()
    outbox.put(event())
    crash(outbox)
    path.with_name(f"{path.name}-wal").unlink()
    path.with_name(f"{path.name}.in-use").touch()

    again = opened(path)

    assert "outbox.sqlite-wal, was removed: the reads committed last are lost" in caplog.text
    assert numbers(again) == [1]
    assert again.put(event()) == [1 + MOST_IN_JOURNAL + 1]
    again.close()
    caplog.clear()
    assert opened(path).put(event()) == [1 + MOST_IN_JOURNAL + 2]
    assert "removed" not in caplog.text


def test_neither_a_crash_nor_a_clean_end_is_taken_for_a_removed_journal(
    tmp_path: Path, opened: Open, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "outbox.sqlite"
    for end in (crash, Outbox.close, crash):
        outbox = opened(path)
        outbox.put(event())
        end(outbox)

    assert numbers(opened(path)) == [1, 2, 3]
    assert "removed" not in caplog.text
