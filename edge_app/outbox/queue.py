"""Events in one SQLite database, on the disk or in memory, bounded in bytes."""

import contextlib
import dataclasses
import sqlite3
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

from edge_app.events.chain import ChainLink
from edge_app.events.decoder import MessageError, decode
from edge_app.events.event import Origin, as_json
from edge_app.outbox.disk import SQLITE_CORRUPT

SCHEMA_VERSION = 3
"""As `TABLES` sets it."""

TABLES = """
BEGIN IMMEDIATE;
CREATE TABLE events (
    position INTEGER PRIMARY KEY,
    event_id TEXT NOT NULL,
    made_at_ms INTEGER NOT NULL,
    monotonic_ns INTEGER NOT NULL,
    boot_id TEXT NOT NULL,
    clock_synchronized INTEGER NOT NULL,
    crc32 INTEGER NOT NULL,
    read BLOB NOT NULL
);
CREATE TABLE images (position INTEGER PRIMARY KEY, crc32 INTEGER NOT NULL, jpeg BLOB NOT NULL);
CREATE TABLE notes (crc32 INTEGER NOT NULL, json BLOB NOT NULL);
PRAGMA user_version = 3;
COMMIT;
"""

# Columns by name, for the tables of a later version may have others too.
_COLUMNS = "event_id, made_at_ms, monotonic_ns, boot_id, clock_synchronized"
_ENTRY = f"SELECT {_COLUMNS}, crc32, read FROM events WHERE position = ?"  # noqa: S608 - a constant
_ORIGINS = f"SELECT position, {_COLUMNS} FROM events ORDER BY position"  # noqa: S608 - a constant
_STORED_BYTES = (
    "SELECT (SELECT coalesce(sum(length(read)), 0) FROM events) + (SELECT coalesce(sum(length(jpeg)), 0) FROM images)"
)
_DELETE_READ = "DELETE FROM events WHERE position = ? AND (? IS NULL OR event_id = ?) RETURNING length(read)"
_DELETE_IMAGE = "DELETE FROM images WHERE position = ? RETURNING length(jpeg)"
_OLDEST_IMAGE = "SELECT position, length(jpeg) FROM images ORDER BY position LIMIT 1"
_OLDEST_READ = "SELECT position, length(read) FROM events WHERE position < ? ORDER BY position LIMIT 1"


class DamagedError(sqlite3.DatabaseError):
    """A row or a file is not what was written, or of a version that is not known."""

    sqlite_errorcode = SQLITE_CORRUPT


@dataclass(frozen=True, slots=True)
class QueuedEvent:
    """An event as the queue holds it."""

    position: int
    """Its place in the queue, from 1."""
    event_id: str
    origin: Origin
    read: bytes
    """`ReadMessage` as JSON; empty if it is damaged."""
    image_jpeg: bytes | None
    """Empty if it is damaged."""

    @property
    def size_bytes(self) -> int:
        """What counts against the bound."""
        return len(self.read) + len(self.image_jpeg or b"")


@dataclass(frozen=True, slots=True)
class Losses:
    """What will never be sent, since the file was made."""

    images_sacrificed: int = 0
    """Pictures that had to make room."""
    reads_sacrificed: int = 0
    """Reads that had to make room."""
    images_damaged: int = 0
    """Pictures that could not be read from a damaged file."""
    reads_damaged: int = 0
    """Reads that could not be read from one."""
    images_refused: int = 0
    """Pictures that the broker did not take."""

    def __add__(self, other: "Losses") -> "Losses":
        pairs = zip(dataclasses.astuple(self), dataclasses.astuple(other), strict=True)
        return Losses(*(one + another for one, another in pairs))

    def __bool__(self) -> bool:
        return self != Losses()


NO_LOSSES = Losses()


@dataclass(frozen=True, slots=True)
class Notes:
    """What the file keeps beside the events, changed in the same transaction as they are."""

    last_sequence: int = 0
    """The highest number that was ever given."""
    losses: Losses = NO_LOSSES
    newest: ChainLink | None = None
    """Of signed reads, the newest that was put."""
    delivered: ChainLink | None = None
    """Of signed reads, the newest that was delivered and deleted."""

    def losing(self, losses: Losses) -> "Notes":
        """With these added."""
        return replace(self, losses=self.losses + losses) if losses else self

    def delivering(self, links: Iterable[ChainLink | None]) -> "Notes":
        """After reads with these places in the chain were deleted."""
        known = [each for each in (self.delivered, *links) if each is not None]
        return replace(self, delivered=max(known, key=lambda each: each.sequence, default=None))

    def following(self, earlier: "Notes") -> "Notes":
        """These, taken while the earlier ones could not be read, and those together."""
        sequence = max(self.last_sequence, earlier.last_sequence)
        newest, delivered = self.newest or earlier.newest, self.delivered or earlier.delivered
        return Notes(sequence, self.losses + earlier.losses, newest, delivered)


class Queue:
    """One database, for one thread at a time; its errors are SQLite's. Changes belong inside `transaction()`."""

    def __init__(self, database: sqlite3.Connection, max_bytes: int) -> None:
        database.text_factory = bytes  # a text with a flipped bit may be none any more
        self._database = database
        self._max_bytes = max_bytes
        self.stored_bytes = self._scalar(_STORED_BYTES)
        """Reads and pictures."""
        self.lacks_journal = False
        """What was committed last, before a power cut, is missing: its journal was removed."""

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing and, in a file, on the disk at the end."""
        stored_bytes = self.stored_bytes
        self._database.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._database.execute("COMMIT")
        except BaseException:
            self.stored_bytes = stored_bytes
            raise
        finally:
            if self._database.in_transaction:  # SQLite ends it by itself on some errors
                self._database.execute("ROLLBACK")

    def put(self, entries: Iterable[QueuedEvent]) -> Losses:
        """Add entries that are not here, each at its position or, if another event has that, behind all.

        What had to make room: the oldest pictures, then the oldest reads, never the newest read.
        """
        newest = 0
        for entry in entries:
            position = self._place_of(entry)
            if position is None:
                continue
            row = (entry.event_id, *dataclasses.astuple(entry.origin), checksum(entry), entry.read)
            self._database.execute("INSERT INTO events VALUES (?, ?, ?, ?, ?, ?, ?, ?)", (position, *row))
            if entry.image_jpeg is not None:
                image = (position, zlib.crc32(entry.image_jpeg), entry.image_jpeg)
                self._database.execute("INSERT INTO images VALUES (?, ?, ?)", image)
            self.stored_bytes += entry.size_bytes
            newest = max(newest, position)
        images = self._make_room("images", _OLDEST_IMAGE)
        return Losses(images, self._make_room("events", _OLDEST_READ, newest))

    def peek(self, limit: int, after: int = 0, is_wanted: Callable[[int], bool] = lambda _: True) -> list[QueuedEvent]:
        """The oldest wanted entries behind a position, in order; a damaged one is there without what is damaged."""
        rows = self._database.execute("SELECT position FROM events WHERE position > ? ORDER BY position", (after,))
        wanted = (position for (position,) in rows if is_wanted(position))
        return [read_entry(self._database, position) for position in islice(wanted, limit)]

    def origins(self) -> Iterator[tuple[int, str, Origin]]:
        """Position, id and origin of every event; damaged ones are passed over."""
        for position, event_id, *columns in self._database.execute(_ORIGINS):
            if (origin := _as_origin(columns)) is not None:
                yield position, event_id.decode(errors="replace"), origin

    def delete(self, position: int, event_id: str | None) -> bool:
        """Delete an event if it is here; without id, whatever is at the position."""
        freed = self._database.execute(_DELETE_READ, (position, event_id, event_id)).fetchall()
        if freed:
            self.delete_image(position)
            self.stored_bytes = max(0, self.stored_bytes - (freed[0][0] or 0))
        return bool(freed)

    def delete_image(self, position: int) -> None:
        """Delete a picture, if there is one."""
        freed = self._database.execute(_DELETE_IMAGE, (position,)).fetchall()
        self.stored_bytes -= sum(size or 0 for (size,) in freed)

    def find(self, event_id: str) -> int | None:
        """The position of an event; the newest if there are several."""
        query = "SELECT max(position) FROM events WHERE event_id = ?"
        position: int | None = self._database.execute(query, (event_id,)).fetchone()[0]
        return position

    def count(self, is_wanted: Callable[[int], bool] = lambda _: True) -> int:
        """How many wanted events there are."""
        return sum(map(is_wanted, self.positions()))

    def positions(self) -> list[int]:
        """Of every event."""
        return [position for (position,) in self._database.execute("SELECT position FROM events ORDER BY position")]

    def last_position(self) -> int:
        """The highest position that is taken."""
        return self._scalar("SELECT coalesce(max(position), 0) FROM events")

    def notes(self) -> Notes:
        """What was noted last. Raises `DamagedError`: it is not what was written."""
        return read_notes(self._database)

    def note(self, notes: Notes) -> None:
        """Keep these in the place of the former ones."""
        text = as_json(dataclasses.asdict(notes))
        self._database.execute("DELETE FROM notes")
        self._database.execute("INSERT INTO notes VALUES (?, ?)", (zlib.crc32(text), text))

    def check(self) -> None:
        """Check the whole file, which takes long. Raises `DamagedError`."""
        version = self._scalar("PRAGMA user_version")
        if version != SCHEMA_VERSION:
            raise DamagedError(f"of version {version}, which this software does not know")
        (verdict,) = self._database.execute("PRAGMA quick_check(1)").fetchone()
        if verdict != b"ok":
            raise DamagedError(verdict.decode(errors="replace"))
        self.notes()

    def unused_bytes(self) -> int:
        """What can be added before the file grows."""
        return self._scalar("PRAGMA freelist_count") * self._scalar("PRAGMA page_size")

    def fold(self) -> None:
        """Empty the write-ahead log into the file: until then what was deleted stands in both. Not in a transaction."""
        self._database.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()

    def copy_to(self, path: Path) -> None:
        """Write all of it to a new file."""
        with contextlib.closing(sqlite3.connect(path)) as copy:
            self._database.backup(copy)

    def close(self) -> None:
        """Close the database."""
        self._database.close()

    def _place_of(self, entry: QueuedEvent) -> int | None:
        """None if the entry is here."""
        query = "SELECT event_id FROM events WHERE position = ?"
        row = self._database.execute(query, (entry.position,)).fetchone()
        if row is None:
            return entry.position
        return None if row[0] == entry.event_id.encode() else self.last_position() + 1

    def _make_room(self, table: str, oldest_query: str, *parameters: int) -> int:
        """How many rows of the table had to go."""
        count = 0
        while self.stored_bytes > self._max_bytes:
            oldest = self._database.execute(oldest_query, parameters).fetchone()
            if oldest is None:
                break
            self._database.execute(f"DELETE FROM {table} WHERE position = ?", oldest[:1])  # noqa: S608 - one of two
            self.stored_bytes -= oldest[1]
            count += 1
        return count

    def _scalar(self, query: str) -> int:
        value: int = self._database.execute(query).fetchone()[0]
        return value


def read_entry(
    database: sqlite3.Connection, position: int, tolerated: type[sqlite3.Error] | tuple[()] = ()
) -> QueuedEvent:
    """One entry; what is damaged of it is empty: the picture, or the read and all that belongs to it.

    Raises `sqlite3.Error` if the file itself is damaged there; under the picture only unless that is `tolerated`.
    """
    row = database.execute(_ENTRY, (position,)).fetchone()
    if row is None:
        raise DamagedError(f"event {position} is not where it was")
    event_id, *columns, crc32, read = row
    try:
        image = database.execute("SELECT crc32, jpeg FROM images WHERE position = ?", (position,)).fetchone()
    except tolerated:
        image = (0, None)
    is_image_whole = image is not None and isinstance(image[1], bytes) and image[0] == zlib.crc32(image[1])
    try:
        origin = _as_origin(columns)
        if origin is None or not isinstance(read, bytes):
            raise ValueError
        entry = QueuedEvent(position, event_id.decode(), origin, read, image[1] if is_image_whole else None)
        if crc32 != checksum(entry):
            raise ValueError
    except (ValueError, AttributeError):  # AttributeError: a flipped bit may also have made a number of a text
        return QueuedEvent(position, "", Origin(0, 0, "", clock_synchronized=False), b"", None)
    return entry if image is None or is_image_whole else replace(entry, image_jpeg=b"")


def checksum(entry: QueuedEvent) -> int:
    """Over all of an entry but its picture, which has a check sum of its own."""
    origin = entry.origin
    columns = entry.event_id, origin.made_at_ms, origin.monotonic_ns, origin.boot_id, int(origin.clock_synchronized)
    return zlib.crc32(repr(columns).encode(), zlib.crc32(entry.read))


def read_notes(database: sqlite3.Connection) -> Notes:
    """What was noted last. Raises `DamagedError`: it is not what was written."""
    row = database.execute("SELECT crc32, json FROM notes").fetchone()
    if row is None:
        return Notes()
    try:
        if not isinstance(row[1], bytes) or row[0] != zlib.crc32(row[1]):
            raise DamagedError("the notes are not what was written")
        return decode(Notes, row[1])
    except MessageError as error:
        raise DamagedError(f"the notes are of another version: {error}") from error


def _as_origin(columns: list[object]) -> Origin | None:
    """None if a flipped bit made something else of a number or a text."""
    made_at_ms, monotonic_ns, boot_id, synchronized = columns
    if not (isinstance(made_at_ms, int) and isinstance(monotonic_ns, int) and isinstance(boot_id, bytes)):
        return None
    return Origin(made_at_ms, monotonic_ns, boot_id.decode(errors="replace"), bool(synchronized))
