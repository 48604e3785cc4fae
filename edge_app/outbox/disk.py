"""How the disk under the outbox is: it fills up, wears out, or is made read-only by a kernel that found it faulty."""

import errno
import os
import sqlite3
import sys
from pathlib import Path

from edge_app.events.disk_state import DiskState

_BY_ERRNO = {
    errno.ENOSPC: DiskState.FULL,
    errno.EDQUOT: DiskState.FULL,
    errno.EROFS: DiskState.READ_ONLY,
    errno.EIO: DiskState.FAILING,
    errno.ENOENT: DiskState.MISSING,
}

# SQLite's primary result codes (https://sqlite.org/rescode.html); Python has names for them from 3.11 on.
SQLITE_ERROR, SQLITE_BUSY, SQLITE_READONLY, SQLITE_IOERR, SQLITE_CORRUPT, SQLITE_FULL = 1, 5, 8, 10, 11, 13
SQLITE_CANTOPEN, SQLITE_NOTADB = 14, 26

_BY_SQLITE_CODE = {
    SQLITE_FULL: DiskState.FULL,
    SQLITE_READONLY: DiskState.READ_ONLY,
    SQLITE_IOERR: DiskState.FAILING,
    SQLITE_BUSY: DiskState.LOCKED,
}
_BY_SQLITE_WORDS = {
    "attempt to write a readonly database": SQLITE_READONLY,
    "disk I/O error": SQLITE_IOERR,
    "database disk image is malformed": SQLITE_CORRUPT,
    "database or disk is full": SQLITE_FULL,
    "unable to open database file": SQLITE_CANTOPEN,
    "file is not a database": SQLITE_NOTADB,
    "database is locked": SQLITE_BUSY,
}
"""For Python 3.10, whose errors carry no code: the words of `sqlite3_errstr`, which has not changed in ten years."""
_WORDS_OF_ERROR = ("no such table", "no such column", "malformed database schema", "table ", "near ")
_DAMAGE = {SQLITE_CORRUPT, SQLITE_NOTADB, SQLITE_ERROR}
"""The last: a statement that is right does not fit the tables, whose definitions stand in the file."""


def is_read_only(folder: Path) -> bool:
    """Whether its file system takes nothing at present."""
    return _exists(folder) and bool(os.statvfs(folder).f_flag & os.ST_RDONLY)


def free_bytes(folder: Path) -> int:
    """What a process without privileges may still write."""
    status = os.statvfs(folder)
    return status.f_bavail * status.f_frsize


def blame(error: sqlite3.Error | OSError, folder: Path) -> DiskState | None:
    """The state of the disk that an error shows; None if the disk is not to blame."""
    if isinstance(error, OSError):
        return _BY_ERRNO.get(error.errno or 0)
    if sqlite_code(error) in (SQLITE_IOERR, SQLITE_CANTOPEN) and is_read_only(folder):
        return DiskState.READ_ONLY  # SQLite reports only that a lock or a journal could not be had
    if is_damage(error):
        return DiskState.FAILING
    return _BY_SQLITE_CODE.get(sqlite_code(error))


def is_damage(error: sqlite3.Error | OSError) -> bool:
    """Whether what is in the file is wrong, rather than the disk."""
    return isinstance(error, sqlite3.Error) and sqlite_code(error) in _DAMAGE


def sqlite_code(error: sqlite3.Error) -> int:
    """The primary result code; 0 if Python's module itself complains."""
    code: int | None = getattr(error, "sqlite_errorcode", None)
    if code is not None:
        return code & 0xFF
    return 0 if sys.version_info >= (3, 11) else code_of_words(str(error))


def code_of_words(words: str) -> int:
    """The result code that an error's text belongs to; 0 for a text that is not SQLite's."""
    return _BY_SQLITE_WORDS.get(words, SQLITE_ERROR if words.startswith(_WORDS_OF_ERROR) else 0)


def _exists(folder: Path) -> bool:
    try:
        return folder.exists()
    except OSError:
        return False
