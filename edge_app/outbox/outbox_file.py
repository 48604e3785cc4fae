"""The outbox's SQLite file: opened, checked, made and, where it is damaged, replaced by what can be saved of it."""

import contextlib
import errno
import logging
import sqlite3
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

from edge_app.newer_python import UTC
from edge_app.outbox import disk, event_store
from edge_app.outbox.event_store import EventStore
from edge_app.outbox.remnant import Remnant

log = logging.getLogger(__name__)

_BUSY_SECONDS = 5.0
"""How long to wait for a predecessor that is still ending."""

_CHECKPOINT_PAGES = 250
"""Pages of 4 KiB in the write-ahead log before they are folded into the file: 1 MB, so that the log stays small."""

_MOST_SET_ASIDE = 3
"""Damaged files that are kept."""

_SAVED_TOGETHER = 200
"""Events in one transaction while a damaged file is saved from."""

_SHARE_OF_COPY = 1.5
"""Of what is saved, the space that it takes in a new file."""


def open_store(path: Path, max_bytes: int) -> EventStore:
    """The store in this file, made where there is none, after a look through all of it.

    Raises:
        sqlite3.Error: it is damaged, or the disk, a permission, or another process that uses it.
        OSError: likewise.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.exists():
        _delete(_fresh(path))  # half made when the power went
    elif _fresh(path).exists():
        _take_place(path, [_new_name(path), *set_aside(path)][-1])  # here the power went
    return _open(path, max_bytes)


def open_remnant(path: Path) -> Remnant | None:
    """What can be read of a file that cannot be written."""
    try:
        return Remnant(path)
    except sqlite3.Error:
        return None


def replace(
    path: Path, remnant: Remnant, reason: Exception, max_bytes: int, forgotten: Mapping[int, str]
) -> EventStore:
    """Put a new file in the place of a damaged one, with every event that can be read; the old one is kept aside.

    `remnant` is what can be read of it. What is `forgotten`, by number and id, is left out.

    Raises: as `open_store`, also where there is no room; the damaged file is then where it was.
    """
    fresh = _fresh(path)
    _delete(fresh)
    wanted_bytes = remnant.bytes(forgotten) * _SHARE_OF_COPY
    if not make_room(path, wanted_bytes):
        raise OSError(errno.ENOSPC, f"free {wanted_bytes / 1e6:.1f} MB on its disk for what can be saved of it")
    try:
        saved = _save(remnant, fresh, forgotten)
    except BaseException:
        _delete(fresh)
        raise
    losses = remnant.known_lost()
    aside = path.rename(_new_name(path))
    _take_place(path, aside)
    _let_go_of_old(path, max_bytes)
    log.error(
        "the outbox %s cannot be used (%s): set aside as %s; %d events saved, %d reads and %d pictures known lost",
        path, reason, aside.name, saved, losses.reads_damaged, losses.images_damaged,
    )  # fmt: skip
    return _open(path, max_bytes)


def set_aside(path: Path) -> list[Path]:
    """The damaged files that were kept, the oldest first."""
    names = path.parent.glob(f"{path.name}.[0-9]*")
    return sorted(name for name in names if not name.name.endswith(("-wal", "-shm")))


def make_room(path: Path, wanted_bytes: float) -> bool:
    """Whether so much is free, once damaged files that were kept have gone for it, the oldest first."""
    for old in set_aside(path):
        if disk.free_bytes(path.parent) >= wanted_bytes:
            break
        _delete(old)
        log.warning("the disk of the outbox is short: the damaged outbox %s that was kept is deleted", old.name)
    return disk.free_bytes(path.parent) >= wanted_bytes


def delete_set_aside(path: Path, before_unix_seconds: float) -> None:
    """Delete the damaged files that were kept and not written to since, where the disk allows it."""
    with contextlib.suppress(OSError):
        for old in set_aside(path):
            if old.stat().st_mtime < before_unix_seconds:
                _delete(old)
                log.info("the damaged outbox %s has been kept for as long as it may be: deleted", old.name)


def _open(path: Path, max_bytes: int, journal: str = "WAL") -> EventStore:
    database = sqlite3.connect(path, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False)
    try:
        database.execute("PRAGMA locking_mode = EXCLUSIVE")  # one daemon an outbox; the first access takes the lock
        database.execute(f"PRAGMA journal_mode = {journal}")
        database.execute("PRAGMA synchronous = FULL")
        database.execute("PRAGMA secure_delete = ON")  # what is deleted shall not stay in the file's free pages
        database.execute(f"PRAGMA wal_autocheckpoint = {_CHECKPOINT_PAGES}")
        database.execute(f"PRAGMA journal_size_limit = {_CHECKPOINT_PAGES * 4096}")
        if database.execute("PRAGMA user_version").fetchone() == (0,):
            event_store.make_tables(database)
        event_store.check(database)
        return EventStore(database, max_bytes)
    except sqlite3.Error:
        database.close()
        raise


def _save(remnant: Remnant, fresh: Path, forgotten: Mapping[int, str]) -> int:
    """Copy every event that can be read into a new file: how many."""
    saved, after = 0, 0
    # A copy that fails is deleted, so it needs no journal on a disk that may be short.
    with contextlib.closing(_open(fresh, max_bytes=2**63, journal="MEMORY")) as store:
        while events := remnant.pending(_SAVED_TOGETHER, after):
            after = events[-1].sequence
            wanted = [each for each in events if forgotten.get(each.sequence) != each.event_id]
            saved += len(wanted)
            with store.transaction():
                store.put(wanted)
        with store.transaction():
            store.add(remnant.losses())
            store.continue_after(max(store.last_sequence(), remnant.last_sequence()))
            store.keep(remnant.links())
    return saved


def _fresh(path: Path) -> Path:
    return path.with_name(f"{path.name}-fresh")


def _new_name(path: Path) -> Path:
    """Where a damaged file goes now."""
    return path.with_name(f"{path.name}.{datetime.now(UTC):%Y%m%dT%H%M%S.%f}")


def _take_place(path: Path, aside: Path) -> None:
    """Put the new file in the place of the one that was set aside.

    That one's journal follows it before, or SQLite would apply it to the new file.
    """
    for beside, follower in zip(_parts(path)[1:], _parts(aside)[1:], strict=True):
        if beside.exists():
            beside.rename(follower)
    _fresh(path).rename(path)


def _let_go_of_old(path: Path, max_bytes: int) -> None:
    """Of the damaged files, keep the newest, and others while all are few and together no larger than an outbox."""
    kept = set_aside(path)
    while len(kept) > 1 and (len(kept) > _MOST_SET_ASIDE or sum(map(_bytes, kept)) > max_bytes):
        _delete(kept.pop(0))


def _bytes(path: Path) -> int:
    """Of the file and its journal."""
    return sum(each.stat().st_size for each in _parts(path) if each.exists())


def _delete(path: Path) -> None:
    for each in _parts(path):
        each.unlink(missing_ok=True)


def _parts(path: Path) -> list[Path]:
    return [path.with_name(path.name + suffix) for suffix in ("", "-wal", "-shm")]
