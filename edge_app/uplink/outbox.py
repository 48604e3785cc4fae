"""Events wait here, on disk, until the broker has acknowledged them."""

import logging
import sqlite3
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from edge_app.errors import OutboxError
from edge_app.uplink import outbox_file
from edge_app.uplink.event import PlateEvent

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class WaitingEvent:
    """An event as the outbox keeps it."""

    sequence: int
    event_id: str
    camera: str
    payload: bytes
    """`ReadMessage` as JSON, not yet numbered."""
    image_jpeg: bytes | None
    created_monotonic_ns: int
    left_over: bool
    """It was here before the outbox was opened: made by an earlier run."""


@dataclass(frozen=True, slots=True)
class OutboxState:
    """What waits, and what had to make room since the file was made."""

    events: int
    bytes: int
    images_sacrificed: int
    reads_sacrificed: int


class Outbox:
    """A bounded queue in SQLite, safe between threads.

    An event and its picture are committed in one transaction, which numbers the event too, and are on the disk when
    `put` returns. When full, the oldest pictures go first, then the oldest reads; the newest read is always kept.
    Every method raises `OutboxError` where the disk fails.
    """

    def __init__(self, path: Path, max_bytes: int) -> None:
        self._path = path
        self._max_bytes = max_bytes
        self._lock = threading.Lock()
        self._database = outbox_file.open_or_replace(path)
        with self._transaction() as database:
            self._bytes = _scalar(database, _STORED_BYTES)
            self._left_over = _scalar(database, "SELECT coalesce(max(sequence), 0) FROM events")
            waiting = _scalar(database, "SELECT count(*) FROM events")
        if waiting:
            log.info("%d events of an earlier run wait in the outbox", waiting)

    @classmethod
    def open(cls, path: Path, max_bytes: int) -> Self:
        """Open the file, or make it; one that is damaged is set aside.

        Raises:
            OutboxError: it cannot be opened: no permission, a full disk, another process that uses it.
        """
        return cls(path, max_bytes)

    def put(self, event: PlateEvent) -> int:
        """Commit an event and tell its sequence number."""
        payload, image = event.payload(), event.image_jpeg
        with self._transaction() as database:
            sequence = database.execute(
                "INSERT INTO events (event_id, camera, payload, created_monotonic_ns) VALUES (?, ?, ?, ?)",
                (event.event_id, event.camera, payload, event.created_monotonic_ns),
            ).lastrowid
            assert sequence is not None
            if image is not None:
                database.execute("INSERT INTO images VALUES (?, ?)", (sequence, image))
            stored = self._bytes + len(payload) + len(image or b"")
            images, reads, stored = self._make_room(database, stored, newest=sequence)
        self._bytes = stored
        if images or reads:
            log.warning("the outbox is full: %d pictures and %d reads had to make room", images, reads)
        return sequence

    def pending(self, limit: int, after: int = 0) -> list[WaitingEvent]:
        """The oldest events with sequence numbers above `after`, in order."""
        with self._transaction() as database:
            rows = database.execute(_PENDING, (after, limit)).fetchall()
        return [
            WaitingEvent(sequence, event_id, camera, payload, jpeg, created_ns, sequence <= self._left_over)
            for sequence, event_id, camera, payload, jpeg, created_ns in rows
        ]

    def forget(self, sequences: Iterable[int]) -> None:
        """Let go of acknowledged events; one that is not here any more is no error."""
        freed = 0
        with self._transaction() as database:
            for sequence in sequences:
                for deletion in (_FORGET_IMAGE, _FORGET_READ):
                    freed += sum(size for (size,) in database.execute(deletion, (sequence,)).fetchall())
        self._bytes -= freed

    def state(self) -> OutboxState:
        """What waits and what was lost."""
        with self._transaction() as database:
            events = _scalar(database, "SELECT count(*) FROM events")
            images, reads = database.execute("SELECT images, reads FROM sacrificed").fetchone()
            return OutboxState(events, self._bytes, images, reads)

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._database.close()

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        """All or nothing, on the disk at the end; one thread at a time."""
        with self._lock:
            try:
                self._database.execute("BEGIN IMMEDIATE")
                try:
                    yield self._database
                    self._database.execute("COMMIT")
                finally:
                    if self._database.in_transaction:  # SQLite ends it by itself on some errors
                        self._database.execute("ROLLBACK")
            except sqlite3.Error as error:
                raise OutboxError(f"{self._path}: {error}; check the disk, its space and its health") from error

    def _make_room(self, database: sqlite3.Connection, stored: int, newest: int) -> tuple[int, int, int]:
        """Pictures and reads that went, and the bytes that are left."""
        images = reads = 0
        while stored > self._max_bytes and (oldest := database.execute(_OLDEST_IMAGE).fetchone()):
            database.execute("DELETE FROM images WHERE sequence = ?", oldest[:1])
            stored, images = stored - oldest[1], images + 1
        while stored > self._max_bytes and (oldest := database.execute(_OLDEST_READ, (newest,)).fetchone()):
            database.execute("DELETE FROM events WHERE sequence = ?", oldest[:1])
            stored, reads = stored - oldest[1], reads + 1
        if images or reads:
            database.execute("UPDATE sacrificed SET images = images + ?, reads = reads + ?", (images, reads))
        return images, reads, stored


_STORED_BYTES = (
    "SELECT (SELECT coalesce(sum(length(payload)), 0) FROM events)"
    " + (SELECT coalesce(sum(length(jpeg)), 0) FROM images)"
)
_PENDING = (
    "SELECT sequence, event_id, camera, payload, jpeg, created_monotonic_ns"
    " FROM events LEFT JOIN images USING (sequence) WHERE sequence > ? ORDER BY sequence LIMIT ?"
)
_FORGET_IMAGE = "DELETE FROM images WHERE sequence = ? RETURNING length(jpeg)"
_FORGET_READ = "DELETE FROM events WHERE sequence = ? RETURNING length(payload)"
_OLDEST_IMAGE = "SELECT sequence, length(jpeg) FROM images ORDER BY sequence LIMIT 1"
_OLDEST_READ = "SELECT sequence, length(payload) FROM events WHERE sequence < ? ORDER BY sequence LIMIT 1"


def _scalar(database: sqlite3.Connection, query: str) -> int:
    value: int = database.execute(query).fetchone()[0]
    return value
