"""Events in one SQLite database, on the disk or in memory, bounded in bytes."""

import json
import sqlite3
import zlib
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice

from edge_app.events.event import WaitingEvent
from edge_app.newer_python import Self
from edge_app.outbox import disk

SCHEMA_VERSION = 2
"""As `_TABLES` sets it."""

_TABLES = """
BEGIN IMMEDIATE;
-- AUTOINCREMENT: SQLite never gives a number twice, so the sequence goes on when the table has been emptied
CREATE TABLE events (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    event_id TEXT NOT NULL,
    camera TEXT NOT NULL,
    payload BLOB NOT NULL,
    payload_crc32 INTEGER NOT NULL,
    created_monotonic_ns INTEGER NOT NULL
);
CREATE TABLE images (sequence INTEGER PRIMARY KEY, jpeg BLOB NOT NULL, jpeg_crc32 INTEGER NOT NULL);
CREATE TABLE lost (
    images_sacrificed INTEGER NOT NULL,
    reads_sacrificed INTEGER NOT NULL,
    images_damaged INTEGER NOT NULL,
    reads_damaged INTEGER NOT NULL
);
INSERT INTO lost VALUES (0, 0, 0, 0);
PRAGMA user_version = 2;
COMMIT;
"""

_EVENT = """
SELECT CAST(event_id AS BLOB), CAST(camera AS BLOB), payload, payload_crc32, created_monotonic_ns
FROM events WHERE sequence = ?
"""
"""Texts as bytes: one with a flipped bit may be none any more. Columns by name: a later schema may have others too."""

_LOSSES = "SELECT images_sacrificed, reads_sacrificed, images_damaged, reads_damaged FROM lost"

# Where a flipped bit made something else of a number or a name: asked in SQL, for Python cannot read every such text.
_WRONG_LOSS = """
SELECT 1 FROM lost WHERE typeof(images_sacrificed) != 'integer' OR typeof(reads_sacrificed) != 'integer'
OR typeof(images_damaged) != 'integer' OR typeof(reads_damaged) != 'integer'
"""
_WRONG_LINK = """
SELECT 1 FROM links WHERE coalesce(name, '') NOT IN ('made', 'taken') OR typeof(sequence) != 'integer'
OR typeof(digest) != 'text' OR digest GLOB '*[^0-9a-f]*'
"""
_WRONG_NUMBER = "SELECT 1 FROM sqlite_sequence WHERE coalesce(name, '') != 'events' OR typeof(seq) != 'integer'"


@dataclass(frozen=True, slots=True)
class Losses:
    """What will never be sent, since the file was made."""

    images_sacrificed: int = 0
    """Pictures that had to make room."""
    reads_sacrificed: int = 0
    """Reads that had to make room."""
    images_damaged: int = 0
    """Pictures that could not be saved from a damaged file."""
    reads_damaged: int = 0
    """Reads that could not be saved from one."""

    def __add__(self, other: "Losses") -> "Losses":
        return Losses(
            self.images_sacrificed + other.images_sacrificed,
            self.reads_sacrificed + other.reads_sacrificed,
            self.images_damaged + other.images_damaged,
            self.reads_damaged + other.reads_damaged,
        )

    def __bool__(self) -> bool:
        return self != Losses()


@dataclass(frozen=True, slots=True)
class Link:
    """A read's place in the chain of signed reads."""

    sequence: int
    digest: str
    """The hash of what was signed, as hexadecimal digits."""


@dataclass(frozen=True, slots=True)
class Links:
    """Where the chain goes on."""

    made: Link | None = None
    """The newest read."""
    taken: Link | None = None
    """The newest that the broker has acknowledged."""


class DamagedRowError(sqlite3.DatabaseError):
    """A row is not what was written: its check sum differs."""

    sqlite_errorcode = disk.SQLITE_CORRUPT


class DamagedFileError(sqlite3.DatabaseError):
    """A file is damaged, or of a version that is not known."""

    sqlite_errorcode = disk.SQLITE_CORRUPT


class EventStore:
    """One database, for one thread at a time; its errors are SQLite's.

    What changes or reads events has to be inside `with store.transaction()`.
    """

    def __init__(self, database: sqlite3.Connection, max_bytes: int) -> None:
        self._database = database
        self._max_bytes = max_bytes
        self.stored_bytes = self._scalar(_STORED_BYTES)
        """Payloads and pictures."""
        self.damaged: dict[int, Losses] = {}
        """What `pending` left out because it is not what was written, by number, until `forget_damaged`."""

    @classmethod
    def in_memory(cls, max_bytes: int) -> Self:
        """A store that ends with the process."""
        database = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
        make_tables(database)
        return cls(database, max_bytes)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing and, in a file, on the disk at the end."""
        stored_bytes, damaged = self.stored_bytes, self.damaged
        self._database.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._database.execute("COMMIT")
        except BaseException:
            self.stored_bytes, self.damaged = stored_bytes, damaged
            raise
        finally:
            if self._database.in_transaction:  # SQLite ends it by itself on some errors
                self._database.execute("ROLLBACK")

    def put(self, events: Iterable[WaitingEvent]) -> Losses:
        """Add events; what had to make room: the oldest pictures, then the oldest reads, never the newest read."""
        newest = 0
        for event in events:
            newest = event.sequence
            row = (newest, event.event_id, event.camera, event.payload, zlib.crc32(event.payload))
            self._database.execute("INSERT INTO events VALUES (?, ?, ?, ?, ?, ?)", (*row, event.created_monotonic_ns))
            if event.image_jpeg is not None:
                image = (newest, event.image_jpeg, zlib.crc32(event.image_jpeg))
                self._database.execute("INSERT INTO images VALUES (?, ?, ?)", image)
            self.stored_bytes += event.size_bytes
        losses = Losses(
            self._make_room(_OLDEST_IMAGE, (), "images"), self._make_room(_OLDEST_READ, (newest,), "events")
        )
        self.add(losses)
        return losses

    def pending(self, limit: int, after: int = 0, skipping: Collection[int] = ()) -> list[WaitingEvent]:
        """The oldest events with sequence numbers above `after` that are not to be skipped, in order."""
        numbers = self._database.execute("SELECT sequence FROM events WHERE sequence > ? ORDER BY sequence", (after,))
        events = (self._read(sequence) for (sequence,) in numbers if sequence not in skipping)
        return list(islice((event for event in events if event is not None), limit))

    def forget(self, events: Iterable[tuple[int, str]]) -> list[int]:
        """Delete events, each by number and id; the numbers of those that were here."""
        found = []
        for sequence, event_id in events:
            if freed := self._database.execute(_FORGET_READ, (sequence, event_id)).fetchall():
                freed += self._database.execute(_FORGET_IMAGE, (sequence,)).fetchall()
                self.stored_bytes -= sum(size for (size,) in freed)
                found.append(sequence)
        return found

    def forget_damaged(self) -> Losses:
        """Delete what is damaged, and count it as lost."""
        losses = sum(self.damaged.values(), Losses())
        self._database.executemany("DELETE FROM images WHERE sequence = ?", [(each,) for each in self.damaged])
        reads = [(sequence,) for sequence, lost in self.damaged.items() if lost.reads_damaged]
        self._database.executemany("DELETE FROM events WHERE sequence = ?", reads)
        self.add(losses)
        self.stored_bytes, self.damaged = self._scalar(_STORED_BYTES), {}
        return losses

    def check(self) -> None:
        """Look through the whole file, which takes long; raises as `check` does."""
        check(self._database)

    def add(self, losses: Losses) -> None:
        """Add to what was lost."""
        if losses:
            counts = (losses.images_sacrificed, losses.reads_sacrificed, losses.images_damaged, losses.reads_damaged)
            self._database.execute(_COUNT, counts)

    def losses(self) -> Losses:
        """What was lost since the database was made."""
        return sum(self.damaged.values(), read_losses(self._database))

    def keep(self, links: Links) -> None:
        """Note where the chain goes on."""
        rows = [("made", links.made), ("taken", links.taken)]
        self._database.execute(_LINKS)
        for name, link in rows:
            if link is not None:
                row = (name, link.sequence, link.digest)
                self._database.execute("INSERT OR REPLACE INTO links VALUES (?, ?, ?)", row)

    def links(self) -> Links:
        """Where the chain goes on."""
        return read_links(self._database)

    def count(self, skipping: Collection[int] = ()) -> int:
        """How many events there are, less those that are to be skipped."""
        if not skipping:
            return self._scalar("SELECT count(*) FROM events")
        return sum(sequence not in skipping for (sequence,) in self._database.execute("SELECT sequence FROM events"))

    def last_sequence(self) -> int:
        """The highest number that was ever given."""
        return read_last_sequence(self._database)

    def continue_after(self, sequence: int) -> None:
        """Take a number for given."""
        self._database.execute("DELETE FROM sqlite_sequence")
        self._database.execute("INSERT INTO sqlite_sequence VALUES ('events', ?)", (sequence,))

    def unused_bytes(self) -> int:
        """What can be added before the file grows."""
        return self._scalar("PRAGMA freelist_count") * self._scalar("PRAGMA page_size")

    def fold(self) -> None:
        """Empty the write-ahead log into the file: until then what was deleted stands in both. Not in a transaction."""
        self._database.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()

    def close(self) -> None:
        """Close the database."""
        self._database.close()

    def _read(self, sequence: int) -> WaitingEvent | None:
        event, losses = read_whole(self._database, sequence, DamagedRowError)
        if losses:
            self.damaged[sequence] = losses
        return event

    def _make_room(self, oldest_query: str, parameters: Sequence[int], table: str) -> int:
        """How many rows of the table had to go."""
        count = 0
        while self.stored_bytes > self._max_bytes:
            oldest = self._database.execute(oldest_query, parameters).fetchone()
            if oldest is None:
                break
            self._database.execute(f"DELETE FROM {table} WHERE sequence = ?", oldest[:1])  # noqa: S608 - one of two
            self.stored_bytes -= oldest[1]
            count += 1
        return count

    def _scalar(self, query: str) -> int:
        value: int = self._database.execute(query).fetchone()[0]
        return value


def make_tables(database: sqlite3.Connection) -> None:
    """Make an empty store of a new database."""
    database.executescript(_TABLES)


def check(database: sqlite3.Connection) -> None:
    """Look through the whole file.

    Raises:
        DamagedFileError: it is damaged, or of another version.
    """
    (version,) = database.execute("PRAGMA user_version").fetchone()
    if version != SCHEMA_VERSION:
        raise DamagedFileError(f"of version {version}, which this software does not know")
    (verdict,) = database.execute("PRAGMA quick_check(1)").fetchone()
    if verdict != "ok":
        raise DamagedFileError(verdict)
    read_losses(database)
    read_links(database)
    read_last_sequence(database)


def read_losses(database: sqlite3.Connection) -> Losses:
    """What was lost since the database was made.

    Raises:
        DamagedFileError: it is not what was written.
    """
    _refuse(database, _WRONG_LOSS, "what was lost is not told in numbers")
    row = database.execute(_LOSSES).fetchone()
    if row is None:
        raise DamagedFileError("what was lost is not told")
    return Losses(*row)


def read_links(database: sqlite3.Connection) -> Links:
    """Where the chain goes on; files in which no read was ever signed have no such table.

    Raises:
        DamagedFileError: it is not what was written.
    """
    if database.execute("SELECT 1 FROM sqlite_schema WHERE name = 'links'").fetchone() is None:
        return Links()
    _refuse(database, _WRONG_LINK, "where the chain of signed reads goes on is not what was written")
    rows = database.execute("SELECT name, sequence, digest FROM links")
    return Links(**{name: Link(sequence, digest) for name, sequence, digest in rows})


def read_last_sequence(database: sqlite3.Connection) -> int:
    """The highest number that was ever given.

    Raises:
        DamagedFileError: it is not what was written.
    """
    _refuse(database, _WRONG_NUMBER, "the last number is none")
    sequence: int = database.execute("SELECT coalesce(max(seq), 0) FROM sqlite_sequence").fetchone()[0]
    return sequence


def _refuse(database: sqlite3.Connection, wrong: str, what: str) -> None:
    """Raise where the query finds something."""
    if database.execute(wrong).fetchone() is not None:
        raise DamagedFileError(what)


def read_whole(
    database: sqlite3.Connection, sequence: int, damage: type[sqlite3.Error]
) -> tuple[WaitingEvent | None, Losses]:
    """What is whole of one event, and what is not; `damage` is what errors tell that it is not."""
    images_damaged, image_jpeg = 0, None
    try:
        image_jpeg = read_image(database, sequence)
    except damage:
        images_damaged = 1
    try:
        event = read_event(database, sequence, image_jpeg)
    except damage:
        return None, Losses(images_damaged=images_damaged, reads_damaged=1)
    return event, Losses(images_damaged=images_damaged) if event else Losses()


def read_event(database: sqlite3.Connection, sequence: int, image_jpeg: bytes | None) -> WaitingEvent | None:
    """One event around its picture, or None where there is none of this number.

    Raises:
        DamagedRowError: it is not what was written.
    """
    row = database.execute(_EVENT, (sequence,)).fetchone()
    if row is None:
        return None
    event_id, camera, payload, crc32, created_monotonic_ns = row
    is_whole = _is_whole(payload, crc32) and isinstance(created_monotonic_ns, int)
    if not is_whole or (event_id, camera) != _named_in(payload):
        raise DamagedRowError(f"event {sequence} is not what was written")
    return WaitingEvent(sequence, event_id.decode(), camera.decode(), payload, image_jpeg, created_monotonic_ns)


def _is_whole(content: object, crc32: object) -> bool:
    """A flipped bit may also have made a number or nothing of what were bytes."""
    return isinstance(content, bytes) and crc32 == zlib.crc32(content)


def _named_in(payload: bytes) -> tuple[bytes, bytes]:
    """The event's id and its camera as the read itself tells them, which its check sum covers."""
    read = json.loads(payload)
    return read["event_id"].encode(), read["camera"].encode()


def read_image(database: sqlite3.Connection, sequence: int) -> bytes | None:
    """The picture of an event, where it has one.

    Raises:
        DamagedRowError: it is not what was written.
    """
    row = database.execute("SELECT jpeg, jpeg_crc32 FROM images WHERE sequence = ?", (sequence,)).fetchone()
    if row is None:
        return None
    jpeg, crc32 = row
    if not _is_whole(jpeg, crc32):
        raise DamagedRowError(f"the picture of event {sequence} is not what was written")
    return jpeg


_LINKS = "CREATE TABLE IF NOT EXISTS links (name TEXT PRIMARY KEY, sequence INTEGER NOT NULL, digest TEXT NOT NULL)"
_STORED_BYTES = (
    "SELECT (SELECT coalesce(sum(length(payload)), 0) FROM events)"
    " + (SELECT coalesce(sum(length(jpeg)), 0) FROM images)"
)
_FORGET_READ = "DELETE FROM events WHERE sequence = ? AND event_id = ? RETURNING length(payload)"
_FORGET_IMAGE = "DELETE FROM images WHERE sequence = ? RETURNING length(jpeg)"
_OLDEST_IMAGE = "SELECT sequence, length(jpeg) FROM images ORDER BY sequence LIMIT 1"
_OLDEST_READ = "SELECT sequence, length(payload) FROM events WHERE sequence < ? ORDER BY sequence LIMIT 1"
_COUNT = (
    "UPDATE lost SET images_sacrificed = images_sacrificed + ?, reads_sacrificed = reads_sacrificed + ?,"
    " images_damaged = images_damaged + ?, reads_damaged = reads_damaged + ?"
)
