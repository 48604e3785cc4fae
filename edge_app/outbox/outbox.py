"""Events wait here, on disk, until the broker has acknowledged them."""

import logging
import math
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from edge_app.events.chain import ChainLink
from edge_app.events.decoder import MessageError, decode
from edge_app.events.disk_state import DiskState
from edge_app.events.event import PlateEvent, WaitingEvent, encode
from edge_app.events.messages import ReadMessage
from edge_app.outbox import files
from edge_app.outbox.leaving import LeavingEvent
from edge_app.outbox.queue import NO_LOSSES, Losses, Queue, QueuedEvent
from edge_app.outbox.recovery import Recovery
from edge_app.outbox.retention import Retention
from edge_app.outbox.spilling_queue import DEFAULTS, Limits, SpillingQueue
from edge_app.system_clock import read_boot_id

log = logging.getLogger(__name__)

EXPIRE_SECONDS = 60.0
"""Interval between searches for what has waited for too long."""

_REVISED_TOGETHER = 50
"""Few, so that a disk with little room takes them."""

Revise = Callable[[WaitingEvent], WaitingEvent | None]
"""The event as it may be kept; None if it must not be stored at all. What is revised already has to stay as it is."""


@dataclass(frozen=True, slots=True)
class OutboxState:
    """What waits, where, and what was lost since the file was made."""

    events: int
    bytes: int
    """With events that are acknowledged and still kept for `resend_seconds`, which `events` does not count."""
    in_memory: int
    """Of the events, those that the disk has not taken yet: a power cut would cost them."""
    disk: DiskState
    losses: Losses
    expired: int = 0
    """Events deleted since the outbox was opened because they had waited for longer than they may."""
    withheld: int = 0
    """Events of an earlier run that must not be sent under the privacy that is set now, since the outbox was opened."""


@dataclass(frozen=True, slots=True)
class _Revision:
    """What was done to events up to a position, once it is committed."""

    position: int
    changed: int = 0
    withheld: int = 0
    losses: Losses = NO_LOSSES

    def __add__(self, other: "_Revision") -> "_Revision":
        return _Revision(
            max(self.position, other.position),
            self.changed + other.changed,
            self.withheld + other.withheld,
            self.losses + other.losses,
        )


class Outbox:
    """A bounded queue of events, safe between threads.

    Events that `put` is given together, and their pictures, are committed in one transaction and are on the disk when
    it returns. While the disk is full, read-only, failing or locked, events wait in memory until it takes them; they
    can be sent meanwhile. A damaged row is deleted and counted as lost. A damaged file is set aside, a new one begun,
    and what can be read of the old one is put into that. `tend`, called several times a second, deletes in batches
    what was delivered and tries a disk again: a crash in between costs a repeat, never an event.

    What an earlier run left passes through `revise` before it is sent, and is rewritten so when the file is opened.
    Opening and every method raise `OutboxError` if something else than the disk is wrong, as a missing permission.
    """

    def __init__(
        self,
        path: Path,
        limits: Limits = DEFAULTS,
        retention: Retention | None = None,
        revise: Revise | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._path = path
        self._limits = limits
        self._retention = retention
        self._revise = revise
        self._clock = clock
        self._opened_at_ns = time.monotonic_ns()
        self._lock = threading.Lock()
        self._expired = self._withheld = 0
        self._expire_at = -math.inf
        self._queue = SpillingQueue(path, limits, clock, self._revise_file)
        self._queue.open()
        self.tend()
        if waiting := self.state().events:
            log.info("%d events wait in the outbox from before", waiting)

    @property
    def disk(self) -> DiskState:
        """How the disk is, as far as it was tried."""
        return self._queue.file.state

    @property
    def delivered(self) -> ChainLink | None:
        """Of signed reads, the newest that was delivered and is not kept any more."""
        return self._queue.notes.delivered

    def put(self, *events: PlateEvent) -> list[int]:
        """Commit events, all or none, and return their sequence numbers."""
        with self._lock:
            queue, before = self._queue, self._queue.notes
            entries, given = list[QueuedEvent](), list[int]()
            try:
                for event in events:
                    read, newest = event.numbered(queue.notes.last_sequence + 1, queue.notes.newest)
                    queue.notes = replace(queue.notes, last_sequence=read.sequence, newest=newest)
                    queue.position += 1
                    entries.append(
                        QueuedEvent(queue.position, event.event_id, event.origin, encode(read), event.image_jpeg)
                    )
                    given.append(read.sequence)
                queue.put(entries)
            except BaseException:
                queue.notes = before
                raise
            return given

    def pending(self, limit: int, after: int = 0) -> list[WaitingEvent]:
        """The oldest events behind a position that are to be sent, in order."""
        with self._lock:
            found: list[WaitingEvent] = []
            while len(found) < limit and (entries := self._queue.peek(limit - len(found), after)):
                after = entries[-1].position
                found += [event for entry in entries if (event := self._sendable(entry)) is not None]
            return found

    def newest(self, limit: int) -> list[WaitingEvent]:
        """Of the newest positions of the queue, so many, the events that are to be sent, in order."""
        return self.pending(limit, max(0, self._queue.position - limit))

    def done(self, events: Iterable[tuple[int, str, ChainLink | None]]) -> None:
        """Note that the broker has acknowledged events: position, id and, of signed ones, place in the chain."""
        with self._lock:
            self._queue.leaving.heard_at = now = self._clock()  # an acknowledgement is a sign of life
            due = now + self._limits.resend_seconds
            for position, event_id, link in events:
                self._queue.leaving.deliver(LeavingEvent(position, event_id, due, link))
        self.tend()

    def broker_lives(self) -> None:
        """Something came from the broker: what it acknowledged long enough before, it has had the time to save."""
        with self._lock:
            self._queue.leaving.heard_at = self._clock()

    def send_again(self) -> int:
        """The connection is lost: what was acknowledged a moment before waits again; how many events these are."""
        with self._lock:
            return self._queue.leaving.send_again()

    def drop(self, event_id: str) -> int | None:
        """Delete the newest event with this id, unless it was acknowledged; its position."""
        with self._lock:
            position = self._queue.find(event_id)
            if position is not None:
                self._queue.leaving.drop(position, event_id)
            return position

    def drop_picture(self, position: int) -> None:
        """Give up a picture that the broker does not take, so that its read goes without."""
        with self._lock:
            self._queue.leaving.pictures.add(position)
            self._queue.lose(Losses(images_refused=1))

    def tend(self) -> None:
        """Do what is due: delete what was delivered or is too old, try a disk again that took nothing."""
        with self._lock:
            self._queue.tend()
            if self._retention is not None and self._clock() >= self._expire_at:
                self._expire(self._retention)

    def recover(self, path: Path) -> Recovery:
        """Put what can be read of a damaged file into the queue, as far as there is room; how far that went.

        Raises `OutboxError` if nothing can be read of it.
        """
        with self._lock:
            return self._queue.recover(path)

    def state(self) -> OutboxState:
        """What waits and what was lost."""
        with self._lock:
            in_file, in_memory = self._queue.count()
            stored_bytes, losses = self._queue.stored_bytes(), self._queue.notes.losses
            events = in_file + in_memory
            return OutboxState(events, stored_bytes, in_memory, self.disk, losses, self._expired, self._withheld)

    def close(self) -> None:
        """Bring the file up to date, as far as the disk allows, and close it.

        Raises `OutboxError` if events are lost that the disk has not taken.
        """
        with self._lock:
            self._queue.close()

    def _sendable(self, entry: QueuedEvent) -> WaitingEvent | None:
        """The event as it may be sent, though its file may not be revised yet; None if it must not be."""
        event = _as_event(entry, self._opened_at_ns)
        if event is None:
            self._lose_damaged(entry, Losses(reads_damaged=1))
            return None
        if entry.image_jpeg == b"" and entry.position not in self._queue.leaving.pictures:
            self._lose_damaged(entry, Losses(images_damaged=1))
        if entry.position in self._queue.leaving.pictures:
            event = replace(event, image_jpeg=None)
        if self._retention is not None and self._retention.is_over(entry.origin):
            self._drop_expired([(entry.position, entry.event_id)])
            return None
        revised = self._revise(event) if event.left_over and self._revise is not None else event
        if revised is None:
            self._queue.leaving.drop(entry.position, entry.event_id)
            self._withheld += 1
        return revised

    def _lose_damaged(self, entry: QueuedEvent, losses: Losses) -> None:
        """Delete what is damaged from a file that is whole otherwise; one that is not is recovered without it."""
        file = self._queue.file.queue
        self._queue.file.check_again()
        if self._queue.file.queue is not file:
            return
        if losses.reads_damaged:
            self._queue.leaving.drop(entry.position, None)
        else:
            self._queue.leaving.pictures.add(entry.position)
        self._queue.lose(losses)
        reads, images = losses.reads_damaged, losses.images_damaged
        log.error("%d reads and %d pictures in the outbox are damaged and lost; check the disk", reads, images)

    def _revise_file(self) -> bool:
        """Rewrite what an earlier run left as it may be kept; False if the disk does not take that."""
        after, changed = 0, 0

        def work(queue: Queue) -> _Revision:
            entries = queue.peek(_REVISED_TOGETHER, after, self._queue.leaving.is_waiting)
            each = [self._revise_entry(queue, entry) for entry in entries]
            return sum(each, _Revision(entries[-1].position if entries else after))

        while self._revise is not None:
            done = self._queue.file.write(work)
            if done is None:
                return False
            if done.position == after:
                break
            after, changed = done.position, changed + done.changed
            self._withheld += done.withheld
            self._queue.lose(done.losses)
            if done.changed:
                self._queue.fold()
        if changed:
            log.warning("%d events from before were changed or deleted: they did not keep to [privacy]", changed)
        return True

    def _revise_entry(self, queue: Queue, entry: QueuedEvent) -> "_Revision":
        """Change or delete an event if it has to be; what is damaged is left to those who send it."""
        event = _as_event(entry, self._opened_at_ns)
        if event is None or not event.left_over or self._revise is None or (revised := self._revise(event)) == event:
            return _Revision(entry.position)
        queue.delete(entry.position, entry.event_id)
        if revised is None:
            return _Revision(entry.position, changed=1, withheld=1)
        changed_entry = replace(entry, read=encode(revised.read), image_jpeg=revised.image_jpeg)
        return _Revision(entry.position, changed=1, losses=queue.put([changed_entry]))

    def _expire(self, retention: Retention) -> None:
        """Delete events that have waited for too long, and files set aside that were kept for as long."""
        self._expire_at = self._clock() + EXPIRE_SECONDS
        old = [
            (position, event_id) for position, event_id, origin in self._queue.origins() if retention.is_over(origin)
        ]
        if old:
            self._drop_expired(old)
            self._queue.tend()
        if retention.synchronized():
            files.delete_set_aside(self._path, retention.unix_now() - retention.seconds)

    def _drop_expired(self, events: list[tuple[int, str]]) -> None:
        for position, event_id in events:
            self._queue.leaving.drop(position, event_id)
        self._expired += len(events)
        log.warning("%d events have waited for as long as they may be kept: deleted", len(events))


def _as_event(entry: QueuedEvent, opened_at_ns: int) -> WaitingEvent | None:
    """The event; None if it cannot be read. What was made before the outbox was opened is left over."""
    try:
        read = decode(ReadMessage, entry.read)
    except MessageError:
        return None
    left_over = entry.origin.boot_id != read_boot_id() or entry.origin.monotonic_ns < opened_at_ns
    return WaitingEvent(entry.position, read, entry.image_jpeg or None, entry.origin, left_over)
