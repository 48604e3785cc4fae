"""What can be read of a damaged file, event by event, around what is damaged; the file stays as it is."""

import contextlib
import logging
import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from edge_app.errors import OutboxError
from edge_app.outbox import files
from edge_app.outbox.queue import NO_LOSSES, Losses, Notes, QueuedEvent, read_entry, read_notes

log = logging.getLogger(__name__)

_MOST_GUESSED = 10_000
"""Positions that are tried if a damaged file cannot be walked: more than fit on several pages."""

_TOGETHER = 20
"""Events that are put back in one write: few, so that a disk with little room takes them."""


@dataclass(slots=True)
class Recovery:
    """How far a file has been recovered."""

    events: int = 0
    """Put back so far."""
    losses: Losses = NO_LOSSES
    """Known to have been in the file, and not readable."""
    up_to: int = 0
    """The last position that was tried."""
    is_done: bool = False


def recover(path: Path, put_back: Callable[[list[QueuedEvent], Losses], bool], done_before: Recovery) -> Recovery:
    """Put what can be read of a file into a queue, by `put_back`, until that takes nothing now.

    Raises `OutboxError` if nothing can be read of it.
    """
    recovery = replace(done_before)
    with _readable(path) as database:
        batch, losses = list[QueuedEvent](), Losses()
        for position, entry in _entries(database, recovery.up_to):
            losses += _lost_of(entry)
            if entry is not None and entry.read:
                batch.append(replace(entry, image_jpeg=entry.image_jpeg or None))
            if len(batch) == _TOGETHER:
                if not put_back(batch, losses):
                    return recovery
                _advance(recovery, batch, losses, position)
                batch, losses = [], Losses()
        if put_back(batch, losses):
            _advance(recovery, batch, losses, 2**63 - 1)
            recovery.is_done = True
    return recovery


def notes_of(path: Path) -> Notes:
    """What a damaged file noted, as far as that can be known."""
    with contextlib.suppress(OutboxError), _readable(path) as database:
        with contextlib.suppress(sqlite3.Error):
            return read_notes(database)
        walked, _ = _positions(database)
        return Notes(last_sequence=max(walked, default=0))  # a position is the sequence number nearly always
    return Notes()


@contextlib.contextmanager
def _readable(path: Path) -> Iterator[sqlite3.Connection]:
    try:
        with contextlib.closing(files.connect_read_only(path)) as database:
            database.execute("PRAGMA writable_schema = ON")  # or nothing is read of a file that was cut short
            database.text_factory = bytes
            yield database
    except sqlite3.Error as error:
        raise OutboxError(f"{path}: nothing can be read of it: {error}") from error


def _advance(recovery: Recovery, batch: list[QueuedEvent], losses: Losses, position: int) -> None:
    recovery.events += len(batch)
    recovery.losses += losses
    recovery.up_to = position


def _entries(database: sqlite3.Connection, after: int) -> Iterator[tuple[int, QueuedEvent | None]]:
    """Every event behind a position; None if it is known to be there and cannot be read."""
    walked, guessed = _positions(database)
    for position in sorted(each for each in {*walked, *guessed} if each > after):
        try:
            yield position, read_entry(database, position, sqlite3.Error)
        except sqlite3.Error:
            if position in walked:  # else nobody knows that there was such an event
                yield position, None


def _lost_of(entry: QueuedEvent | None) -> Losses:
    if entry is None or not entry.read:
        return Losses(reads_damaged=1)
    return Losses(images_damaged=1) if entry.image_jpeg == b"" else Losses()


def _positions(database: sqlite3.Connection) -> tuple[set[int], range]:
    """The positions of events, found from both ends up to the damage, and those between that some may have."""
    rising = _walk(database, "SELECT min(position) FROM events WHERE position > ?", 0)
    falling = _walk(database, "SELECT max(position) FROM events WHERE position < ?", 2**63 - 1)
    if not falling:
        return set(rising), range(0)
    first_beyond = max(rising[-1] + 1 if rising else 1, falling[0] - _MOST_GUESSED)
    return {*rising, *falling}, range(first_beyond, falling[0])


def _walk(database: sqlite3.Connection, query: str, start: int) -> list[int]:
    """Position by position, for a cursor that meets damage would not give the row before it either."""
    found: dict[int, None] = {}
    with contextlib.suppress(sqlite3.Error):
        # In a damaged file the way can lead in circles.
        while (position := database.execute(query, (start,)).fetchone()[0]) is not None and position not in found:
            found[position] = None
            start = position
    return sorted(found)
