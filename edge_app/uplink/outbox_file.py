"""The outbox's SQLite file: opened, checked, made, and set aside where it is damaged."""

import logging
import sqlite3
from datetime import UTC, datetime
from pathlib import Path

from edge_app.errors import OutboxError

log = logging.getLogger(__name__)

SCHEMA_VERSION = 1
"""As `_TABLES` sets it."""

_BUSY_SECONDS = 5.0
"""How long to wait for a predecessor that is still ending."""

_DAMAGED = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}

_TABLES = """
BEGIN IMMEDIATE;
-- AUTOINCREMENT: SQLite never gives a number twice, so the sequence goes on when the table has been emptied
CREATE TABLE events (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    event_id TEXT NOT NULL,
    camera TEXT NOT NULL,
    payload BLOB NOT NULL,
    created_monotonic_ns INTEGER NOT NULL
);
CREATE TABLE images (sequence INTEGER PRIMARY KEY, jpeg BLOB NOT NULL);
CREATE TABLE sacrificed (images INTEGER NOT NULL, reads INTEGER NOT NULL);
INSERT INTO sacrificed VALUES (0, 0);
PRAGMA user_version = 1;
COMMIT;
"""


class _UnusableError(Exception):
    """Nothing can be done with what is in this file."""


def open_or_replace(path: Path) -> sqlite3.Connection:
    """The file's database, made where there is none; what cannot be used is kept under another name.

    Raises:
        OutboxError: it cannot be opened for a reason that another file would not mend.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            return _open(path)
        except _UnusableError as reason:
            aside = _set_aside(path)
            log.error("the outbox %s is %s: set aside as %s, starting an empty one", path, reason, aside.name)
            return _open(path)
    except (sqlite3.Error, OSError) as error:
        raise OutboxError(
            f"{path}: cannot be opened: {error}; check that the directory is writable, that the disk has space, and"
            " that no other edge-anpr uses it"
        ) from error


def _open(path: Path) -> sqlite3.Connection:
    database = sqlite3.connect(path, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False)
    try:
        _prepare(database)
    except sqlite3.DatabaseError as error:
        database.close()
        if getattr(error, "sqlite_errorcode", 0) & 0xFF in _DAMAGED:
            raise _UnusableError(f"damaged ({error})") from error
        raise
    except _UnusableError:
        database.close()
        raise
    return database


def _prepare(database: sqlite3.Connection) -> None:
    database.execute("PRAGMA locking_mode = EXCLUSIVE")  # one daemon an outbox; the first access takes the lock
    database.execute("PRAGMA journal_mode = WAL")
    database.execute("PRAGMA synchronous = FULL")
    (verdict,) = database.execute("PRAGMA quick_check(1)").fetchone()
    if verdict != "ok":
        raise _UnusableError(f"damaged ({verdict})")
    (version,) = database.execute("PRAGMA user_version").fetchone()
    if version == 0:
        database.executescript(_TABLES)
    elif version != SCHEMA_VERSION:
        raise _UnusableError(f"of version {version}, which this software does not know")


def _set_aside(path: Path) -> Path:
    """Rename the file and its journal, so that nothing is lost that somebody could still save."""
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S.%f")
    for suffix in ("-wal", "-shm"):
        beside = path.with_name(path.name + suffix)
        if beside.exists():
            beside.rename(path.with_name(f"{path.name}.{stamp}{suffix}"))
    return path.rename(path.with_name(f"{path.name}.{stamp}"))
