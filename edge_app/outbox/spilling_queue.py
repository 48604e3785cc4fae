"""A queue on disk that spills into memory while its disk takes nothing."""

import contextlib
import logging
import math
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from edge_app.errors import OutboxError
from edge_app.events.disk_state import DiskState
from edge_app.events.event import Origin
from edge_app.outbox import files, recovery
from edge_app.outbox.disk_queue import BUSY_SECONDS, DiskQueue
from edge_app.outbox.leaving import Leaving
from edge_app.outbox.queue import Losses, Notes, Queue, QueuedEvent
from edge_app.outbox.recovery import Recovery
from edge_app.printable import counted

log = logging.getLogger(__name__)

FOLD_SECONDS = 300.0
"""What was deleted leaves the write-ahead log after this time at the latest; seldom, for it wears an SD card."""

SETTLE_AGAIN_SECONDS = 60.0
"""A disk that did not take what an earlier run left, recovered or revised, gets it again after this time."""

MOST_IN_JOURNAL = 1000
"""More reads than commonly stand in the write-ahead log alone: 1 MB, of pages that hold two reads each at most."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How much may be kept, and for how long after it was delivered."""

    file_bytes: int = 512_000_000
    """In the file: then the oldest pictures go, then the oldest reads."""
    memory_bytes: int = 16_000_000
    """In memory, while the disk takes nothing; bounded in the same way."""
    keep_free_bytes: int = 0
    """A disk with less than this to spare counts as full."""
    resend_seconds: float = 0.0
    """Acknowledged events stay for this time, to be sent again after a lost connection."""
    commit_seconds: float = 0.2
    """After that they are deleted this late, many in one write."""


DEFAULTS = Limits()


class SpillingQueue:
    """The file, and in memory what its disk has not taken yet; `revise` is called when a file was opened.

    `revise` returns whether the disk took it; if not, it is called again later.
    """

    def __init__(self, path: Path, limits: Limits, clock: Callable[[], float], revise: Callable[[], bool]) -> None:
        self.notes = Notes()
        self.leaving = Leaving()
        self.memory = files.in_memory(limits.memory_bytes)
        self.position = 0
        """The last that was given."""
        self._limits = limits
        self._clock = clock
        self._revise = revise
        self._noted: Notes | None = None
        """The notes that the file has; None if it could not be read yet."""
        self._recoveries: dict[Path, Recovery] = {}
        self._fold_at = math.inf
        self._settle_at = -math.inf
        self.file = DiskQueue(path, limits.file_bytes, clock, self._go_on_in)

    def open(self) -> None:
        """Open the file; of a damaged one that cannot be set aside, what can be read goes into memory."""
        self.file.open(BUSY_SECONDS)
        if self.file.queue is None and self.file.state is DiskState.READ_ONLY:
            with contextlib.suppress(OutboxError):
                self.notes = replace(recovery.notes_of(self.file.path), losses=Losses())
                self.recover(self.file.path)
        self.tend()

    def put(self, entries: list[QueuedEvent]) -> None:
        """Commit entries or, if the disk does not take them, keep them in memory."""
        if self.file.state is not DiskState.GOOD or not self.commit(entries):
            self.lose(self.memory.put(entries))

    def peek(self, limit: int, after: int) -> list[QueuedEvent]:
        """The oldest entries behind a position that are to be sent: of the file, and if it has none, of memory."""
        nothing: list[QueuedEvent] = []
        found = self.file.read(lambda it: it.peek(limit, after, self.leaving.is_waiting), nothing)
        return found or self.memory.peek(limit, after, self.leaving.is_waiting)

    def find(self, event_id: str) -> int | None:
        """The position of the newest event with this id that is to be sent."""
        position = self.memory.find(event_id) or self.file.read(lambda it: it.find(event_id), None)
        return position if position is not None and self.leaving.is_waiting(position) else None

    def origins(self) -> Iterator[tuple[int, str, Origin]]:
        """Position, id and origin of what is to be sent."""
        nothing: list[tuple[int, str, Origin]] = []
        in_file = self.file.read(lambda it: list(it.origins()), nothing)
        return (each for each in (*in_file, *self.memory.origins()) if self.leaving.is_waiting(each[0]))

    def count(self) -> tuple[int, int]:
        """How many events are to be sent: of the file, of memory."""
        in_file = self.file.read(lambda it: it.count(self.leaving.is_waiting), 0)
        return in_file, self.memory.count(self.leaving.is_waiting)

    def stored_bytes(self) -> int:
        """Reads and pictures, also those that leave."""
        return self.file.read(lambda it: it.stored_bytes, 0) + self.memory.stored_bytes

    def lose(self, losses: Losses) -> None:
        """Count what is lost."""
        self.notes = self.notes.losing(losses)

    def tend(self) -> None:
        """Do what is due: delete what leaves, try a disk again that took nothing."""
        now = self._clock()
        if self.file.state is DiskState.GOOD:
            self.file.keep_place()
        if self.file.state is not DiskState.GOOD:
            self._delete_from_memory(self.leaving.heard_at)
            self.file.retry(lambda: self.commit([]))
        elif now >= self.leaving.next_due + self._limits.commit_seconds:
            self.commit([])
        if now >= self._settle_at and self.file.state is DiskState.GOOD:
            self._settle()
        if now >= self._fold_at and self.file.state is DiskState.GOOD:
            self.fold()

    def fold(self) -> None:
        """Let nothing of what was deleted stay in the file and its write-ahead log."""
        self._fold_at = math.inf
        self.file.read(Queue.fold, None)

    def recover(self, path: Path) -> Recovery:
        """Put what can be read of a damaged file into the queue, as far as there is room; how far that went.

        Raises `OutboxError` if nothing can be read of it.
        """
        earlier = self._recoveries.get(path, Recovery())
        self._recoveries[path] = done = recovery.recover(path, self._put_back, earlier)
        return done

    def close(self) -> None:
        """Bring the file up to date, as far as the disk allows, and close it.

        Raises `OutboxError` if events are lost that the disk has not taken.
        """
        with contextlib.closing(self.file), contextlib.closing(self.memory):
            self._delete_from_memory(math.inf)
            if self.file.state is DiskState.GOOD:
                self.commit([], until=math.inf)
            else:
                self.file.retry(lambda: self.commit([], until=math.inf), at_once=True)
            is_missing = self.file.state is DiskState.MISSING
            if lost := self.memory.count() + (self.count()[0] if is_missing else 0):
                what = f"{counted(lost, 'event')} that the disk of the outbox did not take"
                raise OutboxError(f"{what} are lost, for it is {self.file.state}; `edge-anpr doctor` names the remedy")

    def commit(self, new: list[QueuedEvent], until: float | None = None) -> bool:
        """Bring the file up to date in one transaction; False if the disk does not take the new entries.

        With `until`, what is due then is deleted already now.
        """
        spilled = self.memory.peek(sys.maxsize)
        waiting = [*spilled, *new]
        size_bytes = sum(each.size_bytes for each in waiting)
        if self.file.read(lambda it: it.stored_bytes, 0) + size_bytes > self._limits.file_bytes:
            until = math.inf  # what was delivered makes room before what was not
        leaving = self.leaving.due(self.leaving.heard_at if until is None else until)
        notes = self.notes.delivering(each.link for each in leaving)

        def work(queue: Queue) -> tuple[Notes, bool]:
            for each in leaving:
                queue.delete(each.position, each.event_id)
            for position in self.leaving.pictures:
                queue.delete_image(position)
            is_nothing_new = not waiting and self.file.state is DiskState.GOOD
            has_room = is_nothing_new or self._has_room(queue, size_bytes)
            after = notes.losing(queue.put(waiting)) if has_room else notes
            if after != self._noted:
                queue.note(after)
            return after, has_room

        done = self.file.write(work)
        if done is None:
            return False
        self.notes, has_room = done
        self._noted = self.notes
        self.leaving.has_left(leaving)
        is_urgent = any(each.due == -math.inf for each in leaving)  # it must not be kept
        self._fold_at = min(self._fold_at, self._clock() + (0.0 if is_urgent else FOLD_SECONDS))
        if not has_room:
            free = self._limits.keep_free_bytes / 1e6
            self.file.enter(DiskState.FULL, f"less than {free:.0f} MB would be left free")
            return False
        self.leaving.pictures.clear()
        if spilled:
            self.memory = files.in_memory(self._limits.memory_bytes)
            self.position = max(self.position, self.file.read(Queue.last_position, 0))
        self.file.enter(DiskState.GOOD)
        return True

    def _go_on_in(self, queue: Queue) -> None:
        """Use a file that was opened: numbers and chain go on from the first one."""
        if self._noted is None:
            noted = queue.notes()
            if noted == Notes() and (damaged := files.damaged_files(self.file.path)):
                noted = recovery.notes_of(damaged[-1])
            if queue.lacks_journal:
                log.error(
                    "the journal of the outbox, %s-wal, was removed: the reads committed last are lost; the numbers go"
                    " on %d higher, so that none is given twice",
                    self.file.path,
                    MOST_IN_JOURNAL,
                )
                noted = replace(noted, last_sequence=noted.last_sequence + MOST_IN_JOURNAL)
            self.notes = self.notes.following(noted)
        self._noted = queue.notes()
        self.position = max(self.position, queue.last_position(), self.notes.last_sequence)
        self._settle_at = -math.inf
        if self.file.is_writable:
            self._settle()

    def _settle(self) -> None:
        """Recover files that were set aside, then have what an earlier run left revised."""
        self._settle_at = self._clock() + SETTLE_AGAIN_SECONDS
        if all(map(self._recover_aside, files.damaged_files(self.file.path))) and self._revise():
            self._settle_at = math.inf

    def _recover_aside(self, path: Path) -> bool:
        self.fold()  # or the write-ahead log takes the room that the recovered events need
        try:
            done = self.recover(path)
        except OutboxError as error:
            log.error("%s", error)
            done = Recovery(is_done=True)
        if not done.is_done:
            log.error("%s: the disk does not take all of it; it is tried again", path.name)
            return False
        kept = files.mark_recovered(path, self._limits.file_bytes)
        reads, images = done.losses.reads_damaged, done.losses.images_damaged
        log.warning(
            "%d events recovered; %d reads and %d pictures known lost; %s is kept",
            done.events,
            reads,
            images,
            kept.name,
        )
        return True

    def _put_back(self, entries: list[QueuedEvent], losses: Losses) -> bool:
        """Take recovered entries, into memory if there is no file; False if there is no room."""
        size_bytes = sum(each.size_bytes for each in entries)
        if self.file.queue is None:
            if self.memory.stored_bytes + size_bytes > self._limits.memory_bytes:
                return False
            losses += self.memory.put(entries)
        else:
            room_bytes = 2 * size_bytes  # in the write-ahead log and in the file
            sacrificed = self.file.write(lambda it: it.put(entries) if self._has_room(it, room_bytes) else None)
            if sacrificed is None:
                return False
            losses += sacrificed
            self.fold()
        self.lose(losses)
        self.position = max(self.position, *(each.position for each in entries), 0)
        return True

    def _has_room(self, queue: Queue, size_bytes: int) -> bool:
        return files.make_room(self.file.path, self._limits.keep_free_bytes + size_bytes - queue.unused_bytes())

    def _delete_from_memory(self, until: float) -> None:
        for position in self.memory.positions():
            leaving = self.leaving.find(position)
            if leaving is not None and leaving.due <= until:
                self.memory.delete(position, leaving.event_id)
                if self._noted is not None:  # else the file may hold the same event, which could not be read
                    self.leaving.has_left([leaving])
                self.notes = self.notes.delivering([leaving.link])
