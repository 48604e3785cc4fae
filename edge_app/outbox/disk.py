"""How the disk under the outbox is: it fills up, wears out, or is made read-only by a kernel that found it faulty."""

import errno
import os
import sqlite3
from pathlib import Path

from edge_app.events.disk_state import DiskState

_BY_ERRNO = {
    errno.ENOSPC: DiskState.FULL,
    errno.EDQUOT: DiskState.FULL,
    errno.EROFS: DiskState.READ_ONLY,
    errno.EIO: DiskState.FAILING,
}
_BY_SQLITE_CODE = {
    sqlite3.SQLITE_FULL: DiskState.FULL,
    sqlite3.SQLITE_READONLY: DiskState.READ_ONLY,
    sqlite3.SQLITE_IOERR: DiskState.FAILING,
    sqlite3.SQLITE_BUSY: DiskState.LOCKED,
}
_DAMAGE = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_ERROR}
"""The last: a statement that is right does not fit the tables, whose definitions stand in the file."""


def is_read_only(folder: Path) -> bool:
    """Whether its file system takes nothing at present."""
    return _exists(folder) and bool(os.statvfs(folder).f_flag & os.ST_RDONLY)


def free_bytes(folder: Path) -> int:
    """What a process without privileges may still write."""
    status = os.statvfs(folder)
    return status.f_bavail * status.f_frsize


def blame(error: sqlite3.Error | OSError, folder: Path) -> DiskState | None:
    """What the error says of the disk; None where the disk is not to blame."""
    if isinstance(error, OSError):
        return _BY_ERRNO.get(error.errno or 0)
    if sqlite_code(error) in (sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN) and is_read_only(folder):
        return DiskState.READ_ONLY  # SQLite says no more than that a lock or a journal could not be had
    if is_damage(error):
        return DiskState.FAILING
    return _BY_SQLITE_CODE.get(sqlite_code(error))


def is_damage(error: sqlite3.Error | OSError) -> bool:
    """Whether what is in the file is wrong, rather than the disk."""
    return isinstance(error, sqlite3.Error) and sqlite_code(error) in _DAMAGE


def sqlite_code(error: sqlite3.Error) -> int:
    """The primary result code (https://sqlite.org/rescode.html); 0 where Python's module itself complains."""
    code: int = getattr(error, "sqlite_errorcode", 0)
    return code & 0xFF


def _exists(folder: Path) -> bool:
    try:
        return folder.exists()
    except OSError:
        return False
