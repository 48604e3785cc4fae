"""The outbox's SQLite file: opened, checked, made and, where it is damaged, replaced by what can be saved of it."""

import contextlib
import logging
import sqlite3
from datetime import UTC, datetime
from pathlib import Path

from edge_app.uplink import disk, event_store
from edge_app.uplink.event_store import EventStore, Losses, WaitingEvent

log = logging.getLogger(__name__)

_BUSY_SECONDS = 5.0
"""How long to wait for a predecessor that is still ending."""

_CHECKPOINT_PAGES = 250
"""Pages of 4 KiB in the write-ahead log before they are folded into the file: 1 MB, so that the log stays small."""

_MOST_SET_ASIDE = 3
"""Damaged files that are kept; each may be as large as the outbox."""


_SAVED_TOGETHER = 200
"""Events in one transaction while a damaged file is saved from."""


_MOST_GUESSED = 1_000_000
"""Numbers that are tried where a damaged file cannot be walked."""


class _UnusableError(Exception):
    """Nothing can be done with what is in this file."""


def open_or_replace(path: Path) -> sqlite3.Connection:
    """The file's database, made where there is none; one that is damaged is set aside and saved from.

    Raises:
        sqlite3.Error: the disk, a permission, or another process that uses it.
        OSError: likewise.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = _fresh(path)
    if fresh.exists() and not path.exists():  # the power went while a damaged file was being replaced
        fresh.rename(path)
    try:
        return _open(path)
    except _UnusableError as reason:
        return replace(path, str(reason))


def open_read_only(path: Path) -> sqlite3.Connection | None:
    """The file's database where it cannot be written, or None where there is none that can be read.

    SQLite wants to write locks even in order to read a write-ahead log, so its locks are left out: on a disk that
    takes nothing there is no other writer either.
    """
    database = None
    try:
        database = sqlite3.connect(
            f"{path.absolute().as_uri()}?mode=ro&vfs=unix-none", uri=True, isolation_level=None, check_same_thread=False
        )
        database.execute("PRAGMA locking_mode = EXCLUSIVE")
        _check(database)
    except (sqlite3.Error, _UnusableError):
        if database is not None:
            database.close()
        return None
    return database


def replace(path: Path, reason: str) -> sqlite3.Connection:
    """Put a new file in the place of a damaged one, with every event that can be read; the old one is kept aside.

    Raises: as `open_or_replace`; the damaged file is then where it was.
    """
    fresh = _fresh(path)
    for suffix in ("", "-wal"):
        fresh.with_name(fresh.name + suffix).unlink(missing_ok=True)
    database = _open(fresh)
    try:
        saved, losses = _save(path, database)
    finally:
        database.close()
    aside = _set_aside(path)
    fresh.rename(path)
    log.error(
        "the outbox %s is %s: set aside as %s; %d events saved, %d reads and %d pictures known to be lost",
        path, reason, aside.name, saved, losses.reads_damaged, losses.images_damaged,
    )  # fmt: skip
    return _open(path)


def set_aside(path: Path) -> list[Path]:
    """The damaged files that were kept, the oldest first."""
    names = path.parent.glob(f"{path.name}.[0-9]*")
    return sorted(name for name in names if not name.name.endswith(("-wal", "-shm")))


def delete_set_aside(path: Path, before_unix_seconds: float) -> None:
    """Delete the damaged files that were kept and not written to since, where the disk allows it."""
    with contextlib.suppress(OSError):
        for old in set_aside(path):
            if old.stat().st_mtime < before_unix_seconds:
                _delete(old)
                log.info("the damaged outbox %s has been kept for as long as it may be: deleted", old.name)


def _open(path: Path) -> sqlite3.Connection:
    database = sqlite3.connect(path, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False)
    try:
        database.execute("PRAGMA locking_mode = EXCLUSIVE")  # one daemon an outbox; the first access takes the lock
        database.execute("PRAGMA journal_mode = WAL")
        database.execute("PRAGMA synchronous = FULL")
        database.execute("PRAGMA secure_delete = ON")  # what is deleted shall not stay in the file's free pages
        database.execute(f"PRAGMA wal_autocheckpoint = {_CHECKPOINT_PAGES}")
        database.execute(f"PRAGMA journal_size_limit = {_CHECKPOINT_PAGES * 4096}")
        if database.execute("PRAGMA user_version").fetchone() == (0,):
            event_store.make_tables(database)
        _check(database)
    except sqlite3.DatabaseError as error:
        database.close()
        if disk.is_damage(error):
            raise _UnusableError(f"damaged ({error})") from error
        raise
    except _UnusableError:
        database.close()
        raise
    return database


def _check(database: sqlite3.Connection) -> None:
    (version,) = database.execute("PRAGMA user_version").fetchone()
    if version != event_store.SCHEMA_VERSION:
        raise _UnusableError(f"of version {version}, which this software does not know")
    (verdict,) = database.execute("PRAGMA quick_check(1)").fetchone()
    if verdict != "ok":
        raise _UnusableError(f"damaged ({verdict})")


def _save(path: Path, database: sqlite3.Connection) -> tuple[int, Losses]:
    """Copy every event that can be read: how many, and what is known to be lost."""
    losses, saved = Losses(), 0
    store = EventStore(database, max_bytes=2**63)
    uri = f"{path.absolute().as_uri()}?mode=ro&vfs=unix-none"  # see `open_read_only`; it leaves the file as it is
    with contextlib.closing(sqlite3.connect(uri, uri=True, isolation_level=None)) as damaged:
        damaged.execute("PRAGMA locking_mode = EXCLUSIVE")
        damaged.execute("PRAGMA writable_schema = ON")  # or SQLite reads nothing of a file that was cut short
        numbers = _numbers(damaged)
        for start in range(0, len(numbers), _SAVED_TOGETHER):
            with store.transaction():
                for sequence in numbers[start : start + _SAVED_TOGETHER]:
                    event, lost = _save_event(damaged, sequence)
                    losses += lost
                    store.put([event] if event else [])
                    saved += event is not None
        with store.transaction():
            store.add(losses)
            with contextlib.suppress(sqlite3.Error, TypeError):
                store.add(event_store.read_losses(damaged))
            with contextlib.suppress(sqlite3.Error):
                store.continue_after(max(store.last_sequence(), event_store.read_last_sequence(damaged)))
            with contextlib.suppress(sqlite3.Error, TypeError):
                store.keep(event_store.read_links(damaged))
    return saved, losses


def _numbers(damaged: sqlite3.Connection) -> list[int]:
    """The numbers that events may have: those found from both ends up to the damage, and all between."""
    rising = _walk(damaged, "SELECT min(sequence) FROM events WHERE sequence > ?", 0)
    falling = _walk(damaged, "SELECT max(sequence) FROM events WHERE sequence < ?", 2**63 - 1)
    if not falling:
        return rising
    first_beyond = max(rising[-1] + 1 if rising else 1, falling[0] - _MOST_GUESSED)
    return sorted({*rising, *range(first_beyond, falling[0]), *falling})


def _walk(damaged: sqlite3.Connection, query: str, start: int) -> list[int]:
    """Number by number, for a cursor that meets damage would not give the row before it either."""
    found: dict[int, None] = {}
    with contextlib.suppress(sqlite3.Error):
        # In a damaged file the way can lead in circles.
        while (number := damaged.execute(query, (start,)).fetchone()[0]) is not None and number not in found:
            found[number] = None
            start = number
    return sorted(found)


def _save_event(damaged: sqlite3.Connection, sequence: int) -> tuple[WaitingEvent | None, Losses]:
    images_lost, image = 0, None
    try:
        image = event_store.read_image(damaged, sequence)
    except (sqlite3.Error, TypeError):  # TypeError: what should be bytes is none any more
        images_lost = 1
    try:
        event = event_store.read_event(damaged, sequence, image)
    except (sqlite3.Error, TypeError):
        return None, Losses(images_damaged=images_lost, reads_damaged=1)
    return event, Losses(images_damaged=images_lost) if event else Losses()


def _fresh(path: Path) -> Path:
    return path.with_name(f"{path.name}-fresh")


def _set_aside(path: Path) -> Path:
    """Rename the file and its journal, so that nothing is lost that somebody could still save."""
    for oldest in set_aside(path)[: 1 - _MOST_SET_ASIDE]:
        _delete(oldest)
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S.%f")
    for suffix in ("-wal", "-shm"):
        beside = path.with_name(path.name + suffix)
        if beside.exists():
            beside.rename(path.with_name(f"{path.name}.{stamp}{suffix}"))
    return path.rename(path.with_name(f"{path.name}.{stamp}"))


def _delete(path: Path) -> None:
    for suffix in ("", "-wal", "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)
