"""What can be read of an outbox's file that cannot be written: it is damaged, or its disk does not take anything."""

import contextlib
import sqlite3
from collections.abc import Callable, Collection, Iterable
from pathlib import Path
from typing import TypeVar

from edge_app.events.event import WaitingEvent
from edge_app.outbox import event_store
from edge_app.outbox.event_store import Links, Losses

_MOST_GUESSED = 10_000
"""Numbers that are tried where a damaged file cannot be walked: more than stand on several pages."""

_READ_BYTES = "SELECT length(payload) FROM events WHERE sequence = ?"
_IMAGE_BYTES = "SELECT length(jpeg) FROM images WHERE sequence = ?"

Result = TypeVar("Result")


class Remnant:
    """A file read event by event, around what is damaged; it stays as it is.

    SQLite wants to write locks even in order to read a write-ahead log, so its locks are left out: a file is read so
    where nobody can write it or nobody may.

    Raises:
        sqlite3.Error: there is no file, or none that can be opened.
    """

    def __init__(self, path: Path) -> None:
        uri = f"{path.absolute().as_uri()}?mode=ro&vfs=unix-none"
        if not path.with_name(f"{path.name}-wal").exists():
            uri += "&immutable=1"  # or SQLite wants to make a write-ahead log
        self._database = sqlite3.connect(uri, uri=True, isolation_level=None, check_same_thread=False)
        self._sizes: dict[int, int] = {}
        self._lost: dict[int, Losses] = {}
        try:
            self._database.execute("PRAGMA locking_mode = EXCLUSIVE")
            self._database.execute("PRAGMA writable_schema = ON")  # or nothing is read of a file that was cut short
            self._find()
        except sqlite3.Error:
            self.close()
            raise

    @property
    def stored_bytes(self) -> int:
        """Payloads and pictures."""
        return self.bytes()

    def bytes(self, skipping: Collection[int] = ()) -> int:
        """Payloads and pictures of the events that are not to be skipped."""
        return sum(size for sequence, size in self._sizes.items() if sequence not in skipping)

    def count(self, skipping: Collection[int] = ()) -> int:
        """How many events there are, less those that are to be skipped."""
        return sum(sequence not in skipping for sequence in self._sizes)

    def pending(self, limit: int, after: int = 0, skipping: Collection[int] = ()) -> list[WaitingEvent]:
        """The oldest events with sequence numbers above `after` that are not to be skipped, in order."""
        found: list[WaitingEvent] = []
        for sequence in [each for each in self._sizes if each > after and each not in skipping]:
            if len(found) >= limit:
                break
            found += self._read(sequence)
        return found

    def known_lost(self) -> Losses:
        """What is known not to be readable, as far as it was tried."""
        return sum(self._lost.values(), Losses())

    def losses(self) -> Losses:
        """The same, and what was lost before."""
        known = self.known_lost()
        return self._try(lambda: event_store.read_losses(self._database) + known, known)

    def last_sequence(self) -> int:
        """The highest number that was ever given, as far as can be known."""
        given = self._try(lambda: event_store.read_last_sequence(self._database), 0)
        return max(given, *self._sizes, 0)

    def links(self) -> Links:
        """Where the chain goes on."""
        return self._try(lambda: event_store.read_links(self._database), Links())

    def close(self) -> None:
        """Close the file."""
        self._database.close()

    def _find(self) -> None:
        walked, guessed = _numbers(self._database)
        for sequence in sorted({*walked, *guessed}):
            try:
                size = self._size(_READ_BYTES, sequence)
            except sqlite3.Error:
                if sequence in walked:  # else nobody knows that there was such a read
                    self._lost[sequence] = Losses(reads_damaged=1)
                continue
            if size is not None:
                self._sizes[sequence] = size
        for sequence in self._sizes:
            with contextlib.suppress(sqlite3.Error):
                self._sizes[sequence] += self._size(_IMAGE_BYTES, sequence) or 0

    def _size(self, query: str, sequence: int) -> int | None:
        """None where there is no such row."""
        row = self._database.execute(query, (sequence,)).fetchone()
        return (row[0] or 0) if row else None

    def _read(self, sequence: int) -> Iterable[WaitingEvent]:
        event, losses = event_store.read_whole(self._database, sequence, sqlite3.Error)
        if losses:
            self._lost[sequence] = losses
        if event is None:
            del self._sizes[sequence]
            return ()
        return (event,)

    @staticmethod
    def _try(read: Callable[[], Result], otherwise: Result) -> Result:
        try:
            return read()
        except (sqlite3.Error, TypeError):  # TypeError: nothing stands where something must
            return otherwise


def _numbers(database: sqlite3.Connection) -> tuple[set[int], range]:
    """The numbers that events have, found from both ends up to the damage, and those between that some may have."""
    rising = _walk(database, "SELECT min(sequence) FROM events WHERE sequence > ?", 0)
    falling = _walk(database, "SELECT max(sequence) FROM events WHERE sequence < ?", 2**63 - 1)
    if not falling:
        return set(rising), range(0)
    first_beyond = max(rising[-1] + 1 if rising else 1, falling[0] - _MOST_GUESSED)
    return {*rising, *falling}, range(first_beyond, falling[0])


def _walk(database: sqlite3.Connection, query: str, start: int) -> list[int]:
    """Number by number, for a cursor that meets damage would not give the row before it either."""
    found: dict[int, None] = {}
    with contextlib.suppress(sqlite3.Error):
        # In a damaged file the way can lead in circles.
        while (number := database.execute(query, (start,)).fetchone()[0]) is not None and number not in found:
            found[number] = None
            start = number
    return sorted(found)
