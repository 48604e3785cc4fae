"""The outbox's files: the one in use, and damaged ones that were set aside.

`outbox.sqlite.damaged-TIME` is still to be recovered, `outbox.sqlite.recovered-TIME` is kept for inspection.
"""

import contextlib
import logging
import sqlite3
from datetime import datetime
from pathlib import Path

from edge_app.newer_python import UTC
from edge_app.outbox import disk
from edge_app.outbox.queue import TABLES, Queue

log = logging.getLogger(__name__)

_CHECKPOINT_PAGES = 250
"""Pages of 4 KiB in the write-ahead log before they are folded into the file: 1 MB, so that the log stays small."""

_MOST_RECOVERED = 3
"""Recovered files that are kept."""


def open_queue(path: Path, max_bytes: int, wait_seconds: float) -> Queue:
    """The queue in this file, made if there is none, after a check of all of it.

    `wait_seconds` is for a process that still uses it. Raises `sqlite3.Error` or `OSError`: the file is damaged, or it
    is the disk, a permission, or another process.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists() and (damaged := damaged_files(path)):
        _rename(path, damaged[-1])  # the power went before its journal followed it: SQLite must not use that for ours
    lacks_journal = _mark(path).exists() and not has_journal(path)
    database = sqlite3.connect(path, timeout=wait_seconds, isolation_level=None, check_same_thread=False)
    try:
        database.execute("PRAGMA locking_mode = EXCLUSIVE")  # one daemon a file; the first access takes the lock
        database.execute("PRAGMA journal_mode = WAL")
        database.execute("PRAGMA synchronous = FULL")
        database.execute("PRAGMA secure_delete = ON")  # what is deleted shall not stay in the file's free pages
        database.execute(f"PRAGMA wal_autocheckpoint = {_CHECKPOINT_PAGES}")
        database.execute(f"PRAGMA journal_size_limit = {_CHECKPOINT_PAGES * 4096}")
        if database.execute("PRAGMA user_version").fetchone() == (0,):
            database.executescript(TABLES)
        queue = _checked(database, max_bytes)
    except sqlite3.Error:
        database.close()
        raise
    queue.lacks_journal = lacks_journal
    with contextlib.suppress(OSError):
        _mark(path).touch()
    return queue


def close_queue(path: Path, queue: Queue) -> None:
    """Close a queue that `open_queue` has opened: SQLite folds its journal into the file and deletes it."""
    with contextlib.suppress(OSError):
        _mark(path).unlink(missing_ok=True)
    queue.close()


def identity(path: Path) -> tuple[int, int] | None:
    """What tells a file from another of the same name; None if there is none."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino


def has_journal(path: Path) -> bool:
    """Whether the write-ahead log is there: SQLite keeps it as long as the file is open for writing."""
    return _journal(path).exists()


def write_anew(path: Path, queue: Queue, own: tuple[int, int] | None) -> None:
    """Write a queue whose file, `own`, is open and lost its name or its journal to its place, and close it.

    Another file there is set aside. Raises `sqlite3.Error` or `OSError`, with which the queue stays open.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    copy = path.with_name(f"{path.name}.new")
    copy.unlink(missing_ok=True)
    queue.copy_to(copy)
    if identity(path) not in (None, own):
        path.rename(_aside(path))
    copy.rename(path)
    close_queue(path, queue)


def open_read_only(path: Path) -> Queue:
    """The queue in a file that cannot be written. Raises as `open_queue`."""
    database = connect_read_only(path)
    try:
        return _checked(database, 0)
    except sqlite3.Error:
        database.close()
        raise


def in_memory(max_bytes: int) -> Queue:
    """A queue that ends with the process."""
    database = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
    database.executescript(TABLES)
    return Queue(database, max_bytes)


def connect_read_only(path: Path) -> sqlite3.Connection:
    """A file that nobody can write, or nobody may.

    SQLite wants to write locks even in order to read a write-ahead log, so its locks are left out.
    """
    uri = f"{path.absolute().as_uri()}?mode=ro&vfs=unix-none"
    if not has_journal(path):
        uri += "&immutable=1"  # or SQLite wants to make a write-ahead log
    database = sqlite3.connect(uri, uri=True, isolation_level=None, check_same_thread=False)
    database.execute("PRAGMA locking_mode = EXCLUSIVE")
    return database


def set_aside(path: Path) -> Path:
    """Rename a damaged file; its new name."""
    return _rename(path, _aside(path))


def mark_recovered(path: Path, max_bytes: int) -> Path:
    """Rename a file that was set aside, and delete old ones: few are kept, together no larger than an outbox."""
    marked = _rename(path, path.with_name(path.name.replace(".damaged-", ".recovered-")))
    kept = recovered_files(path.with_name(path.name.partition(".damaged-")[0]))
    while len(kept) > 1 and (len(kept) > _MOST_RECOVERED or sum(map(_size_bytes, kept)) > max_bytes):
        _delete(kept.pop(0))
    return marked


def damaged_files(path: Path) -> list[Path]:
    """Files that were set aside and are not recovered yet, the oldest first."""
    return _beside(path, "damaged")


def recovered_files(path: Path) -> list[Path]:
    """Files that were set aside and recovered, the oldest first."""
    return _beside(path, "recovered")


def make_room(path: Path, wanted_bytes: float) -> bool:
    """Whether this much is free, once recovered files that were kept have gone for it, the oldest first."""
    for old in recovered_files(path):
        if disk.free_bytes(path.parent) >= wanted_bytes:
            break
        _delete(old)
        log.warning("the disk of the outbox is short: %s that was kept is deleted", old.name)
    return disk.free_bytes(path.parent) >= wanted_bytes


def delete_set_aside(path: Path, before_unix_seconds: float) -> None:
    """Delete files that were set aside and not written to since, if the disk allows it."""
    with contextlib.suppress(OSError):
        for old in (*damaged_files(path), *recovered_files(path)):
            if old.stat().st_mtime < before_unix_seconds:
                _delete(old)
                log.info("%s has been kept for as long as it may be: deleted", old.name)


def _checked(database: sqlite3.Connection, max_bytes: int) -> Queue:
    queue = Queue(database, max_bytes)
    queue.check()
    return queue


def _beside(path: Path, kind: str) -> list[Path]:
    names = path.parent.glob(f"{path.name}.{kind}-*")
    return sorted(name for name in names if not name.name.endswith(("-wal", "-shm")))


def _rename(path: Path, to: Path) -> Path:
    for old, new in zip(_parts(path), _parts(to), strict=True):
        if old.exists():
            old.rename(new)
    return to


def _size_bytes(path: Path) -> int:
    return sum(each.stat().st_size for each in _parts(path) if each.exists())


def _delete(path: Path) -> None:
    for each in _parts(path):
        each.unlink(missing_ok=True)


def _aside(path: Path) -> Path:
    return path.with_name(f"{path.name}.damaged-{datetime.now(UTC):%Y%m%dT%H%M%S.%f}")


def _journal(path: Path) -> Path:
    return path.with_name(f"{path.name}-wal")


def _mark(path: Path) -> Path:
    """An empty file that is there as long as the database is open for writing, and so has a journal.

    Left by a process that was killed, or by a power cut, without the journal: somebody has removed that.
    """
    return path.with_name(f"{path.name}.in-use")


def _parts(path: Path) -> list[Path]:
    """The database, its journal and the journal's index."""
    return [path.with_name(path.name + suffix) for suffix in ("", "-wal", "-shm")]
