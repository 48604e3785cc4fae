"""A queue's file on a disk that is not always well."""

import contextlib
import logging
import math
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from edge_app.errors import OutboxError
from edge_app.events.disk_state import DiskState
from edge_app.outbox import disk, files
from edge_app.outbox.queue import Queue

log = logging.getLogger(__name__)

Result = TypeVar("Result")

BUSY_SECONDS = 5.0
"""How long to wait, at first, for a predecessor that is still ending."""

RETRY_SECONDS = 1.0
"""A disk that took nothing is tried again after this time, with what waits in memory: a power cut would cost that."""

CHECK_AGAIN_SECONDS = 300.0
"""Least time between two checks or replacements of a file: they take long, and wear an SD card."""


class DiskQueue:
    """The file, and in `state` how its disk is, as far as it was tried.

    A damaged file is set aside and a new one begun. One that is deleted, or replaced by another, under way is written
    anew: SQLite still has it open. `opened` is called with every file that is opened, before it is
    used. Every method raises `OutboxError` if something else than the disk is wrong, as a missing permission.
    """

    def __init__(
        self, path: Path, max_bytes: int, clock: Callable[[], float], opened: Callable[[Queue], object]
    ) -> None:
        self.state = DiskState.GOOD
        self.queue: Queue | None = None
        """None if the file cannot even be read."""
        self.is_writable = False
        self.path = path
        self._max_bytes = max_bytes
        self._clock = clock
        self._opened = opened
        self._identity: tuple[int, int] | None = None
        self._retry_at = self._check_at = self._replace_at = -math.inf

    def open(self, wait_seconds: float = 0.0) -> None:
        """Open the file for writing or, if that cannot be, for reading."""
        self.close()
        self._check_at = self._clock() + CHECK_AGAIN_SECONDS
        try:
            self._begin(files.open_queue(self.path, self._max_bytes, wait_seconds), is_writable=True)
        except (sqlite3.Error, OSError) as error:
            if disk.is_damage(error):
                self._replace(error)
            else:
                self._blame(error)
                self._open_read_only()

    def read(self, query: Callable[[Queue], Result], otherwise: Result) -> Result:
        """What `query` finds in the file; `otherwise` if it cannot be read now."""
        while self.queue is not None:
            try:
                return query(self.queue)
            except (sqlite3.Error, OSError) as error:
                if not disk.is_damage(error):
                    self._blame(error)
                    break
                self._replace(error)
        return otherwise

    def write(self, work: Callable[[Queue], Result]) -> Result | None:
        """The result of `work`, done in one transaction; None if the disk cannot do it now."""
        if not self.keep_place():
            return None

        def whole(queue: Queue) -> Result:
            with queue.transaction():
                return work(queue)

        return self.read(whole, None)

    def keep_place(self) -> bool:
        """Write the file anew if it is not where it was; False if that cannot be."""
        if self.queue is None or not self.is_writable:
            return True
        if files.identity(self.path) == self._identity and files.has_journal(self.path):
            return True
        try:
            files.write_anew(self.path, self.queue, self._identity)
        except (sqlite3.Error, OSError) as error:
            self.enter(DiskState.MISSING, f"{self.path} was deleted and cannot be written anew: {error}")
            return False
        log.error("the outbox %s was deleted or replaced while in use: written anew, with all that it held", self.path)
        self.queue = None
        self.open()
        return True

    def retry(self, write: Callable[[], bool], at_once: bool = False) -> None:
        """Try a disk again that took nothing; only seldom is an open file opened anew for that, and checked."""
        if self._clock() < self._retry_at and not at_once:
            return
        self._retry_at = self._clock() + RETRY_SECONDS
        if self.state is DiskState.MISSING and not self.keep_place():
            return
        if self.state is DiskState.READ_ONLY and disk.is_read_only(self.path.parent):
            return
        if self.queue is not None and self.state is DiskState.FULL:
            with contextlib.suppress(sqlite3.Error):
                self.queue.fold()  # the write-ahead log gives its room back
        if self.queue is not None and (write() or self.state is DiskState.FULL or self._clock() < self._check_at):
            return
        self.open()
        write()

    def check_again(self) -> None:
        """Check the file again, if that is due: a row in it was found damaged."""
        if self._clock() >= self._check_at:
            self._check_at = self._clock() + CHECK_AGAIN_SECONDS
            self.read(Queue.check, None)

    def enter(self, state: DiskState, why: str = "") -> None:
        """Note how the disk is."""
        if state is not self.state:
            if state is DiskState.GOOD:
                log.warning("the disk of the outbox takes events again")
            else:
                log.error("the disk of the outbox is %s (%s): events wait in memory until it takes them", state, why)
                self._retry_at = self._clock() + RETRY_SECONDS
            if state is DiskState.READ_ONLY:
                self._check_at = self._retry_at  # once it can be written again, a new check helps at once
        self.state = state

    def close(self) -> None:
        """Close the file."""
        if self.queue is not None and self.is_writable:
            files.close_queue(self.path, self.queue)
        elif self.queue is not None:
            self.queue.close()
        self.queue = None

    def _begin(self, queue: Queue, is_writable: bool) -> None:
        self.queue, self.is_writable = queue, is_writable
        self._identity = files.identity(self.path)
        self._opened(queue)

    def _open_read_only(self) -> None:
        if self.state is not DiskState.LOCKED:
            with contextlib.suppress(sqlite3.Error, OSError):
                self._begin(files.open_read_only(self.path), is_writable=False)

    def _replace(self, damage: sqlite3.Error | OSError) -> None:
        """Set the damaged file aside and begin a new one; soon after the last time, the disk is to blame."""
        self.close()
        if self._clock() < self._replace_at:
            self._blame(damage)
            self._retry_at = self._replace_at
            return
        try:
            aside = files.set_aside(self.path)
        except OSError as error:
            self._blame(error)
            return
        self._replace_at = self._clock() + CHECK_AGAIN_SECONDS
        log.error("the outbox %s is damaged (%s): set aside as %s, a new one begins", self.path, damage, aside.name)
        self.open()

    def _blame(self, error: sqlite3.Error | OSError) -> None:
        state = disk.blame(error, self.path.parent)
        if state is None:
            raise OutboxError(f"the outbox {self.path}: {error}; check that its directory is writable") from error
        self.enter(state, str(error))
