"""Events wait here, on disk, until the broker has acknowledged them."""

import json
import logging
import math
import sqlite3
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from edge_app.errors import OutboxError
from edge_app.events.disk_state import DiskState
from edge_app.events.event import PlateEvent, WaitingEvent
from edge_app.events.uuid7 import unix_ms
from edge_app.outbox import disk, outbox_file
from edge_app.outbox.event_store import EventStore, Link, Links, Losses
from edge_app.outbox.remnant import Remnant
from edge_app.system_clock import clock_is_synchronized, read_boot_id

if TYPE_CHECKING:
    from edge_app.events.evidence.seal import Sealer

log = logging.getLogger(__name__)

Result = TypeVar("Result")

EXPIRE_SECONDS = 60.0
"""How often is looked for what has waited for too long."""

_EXPIRED_TOGETHER = 100

REVISE_SECONDS = 0.5
"""What an earlier run left is rewritten in parts, this far apart: reads go on meanwhile."""

REVISE_AGAIN_SECONDS = 60.0
"""A disk that took no part of it is not troubled with it again before this time, though it take other things."""

_REVISED_TOGETHER = 50
"""Few, so that a disk with little room takes them."""

FOLD_SECONDS = 300.0
"""What was deleted leaves the write-ahead log after this time at the latest; seldom, for it wears an SD card."""

RETRY_SECONDS = 1.0
"""A disk that took nothing is tried again after this time, with what waits in memory: a power cut would cost that."""

LOOK_AGAIN_SECONDS = 300.0
"""Before this time a file is not looked through or copied again: it takes long, and wears an SD card."""

Change = Callable[[WaitingEvent], WaitingEvent | None]
"""The event as it may be kept; None where nothing may be kept of it."""


@dataclass(frozen=True, slots=True)
class OutboxState:
    """What waits, where, and what was lost since the file was made."""

    events: int
    bytes: int
    in_memory: int
    """Of the events, those that the disk has not taken yet: a power cut would cost them."""
    disk: DiskState
    losses: Losses
    expired: int = 0
    """Events deleted since the outbox was opened because they had waited for longer than they may."""
    withheld: int = 0
    """Events of an earlier run that may not be sent under the privacy that is set now, since the outbox was opened."""


class Outbox:
    """A bounded queue in SQLite, safe between threads.

    Events that `put` is given together, and their pictures, are committed in one transaction and are on the disk when
    it returns. When full, the oldest pictures go first, then the oldest reads; the newest read is always kept.

    Where the disk is full, read-only or failing, `disk` says so, and events wait in memory, bounded alike, until it
    takes them; they can be sent meanwhile. A damaged row is deleted and counted as lost. A damaged file is set aside
    and what can be read of it goes on; without room for that, it is sent from as it is, and replaced later. What the
    broker has acknowledged is deleted in batches: `tend`, called several times a second, sees to that and tries a disk
    again. A crash in between costs a repeat, never an event.

    `max_bytes` bounds what waits in the file and `memory_bytes` what waits in memory; a disk with less than
    `keep_free_bytes` to spare counts as full. Acknowledged events are deleted `commit_seconds` late, those that have
    waited for `retention_seconds` altogether; `clock` counts from this boot (`time.monotonic`), and `unix_now` tells
    the age of what an earlier one has left, while it is `synchronized`. With `sealer`, events are signed and chained
    before they are committed, and the end of the chain is committed with them.

    Making one and every method raise `OutboxError` where something else than the disk is wrong: no permission, or
    another process that uses the file.
    """

    def __init__(
        self,
        path: Path,
        max_bytes: int,
        memory_bytes: int = 16_000_000,
        keep_free_bytes: int = 0,
        commit_seconds: float = 0.2,
        retention_seconds: float | None = None,
        clock: Callable[[], float] = time.monotonic,
        unix_now: Callable[[], float] = time.time,
        synchronized: Callable[[], bool] = clock_is_synchronized,
        sealer: "Sealer | None" = None,
    ) -> None:
        self.disk = DiskState.GOOD
        """How the disk is, as far as it was tried."""
        self._path = path
        self._max_bytes = max_bytes
        self._memory_bytes = memory_bytes
        self._keep_free_bytes = keep_free_bytes
        self._commit_seconds = commit_seconds
        self._retention_seconds = retention_seconds
        self._sealer = sealer
        self._links = Links()
        self._clock = clock
        self._unix_now = unix_now
        self._synchronized = synchronized
        self._expire_at = clock()
        self._expired = self._withheld = 0
        self._change: Change | None = None
        self._revised = self._revised_up_to = 0
        """How many events were changed or deleted, not told yet; up to which number the file has them so."""
        self._lock = threading.Lock()
        self._file: EventStore | None = None
        self._remnant: Remnant | None = None
        """The file where it cannot be written, only read."""
        self._memory: EventStore | None = None
        self._acknowledged: dict[int, str] = {}
        """By number, the ids of events that are still in the file and no longer needed."""
        self._commit_at = self._retry_at = self._revise_at = 0.0
        self._look_at = self._replace_at = 0.0
        """When the file may be looked through again; when it may be replaced again."""
        self._told_damage = ""
        self._fold_at = math.inf
        self._last_sequence = 0
        self._left_over: int | None = None
        """The last number of an earlier run; None where its file could not even be read yet."""
        self._is_ours = False
        """Whether the file could be opened for writing: until then all that it holds was left by an earlier run."""
        self._open()
        if waiting := self.state().events:
            log.info("%d events wait in the outbox from before", waiting)

    def put(self, *events: PlateEvent) -> list[int]:
        """Commit events, all or none, and tell their sequence numbers."""
        with self._lock:
            waiting = self._seal([_numbered(each, n) for n, each in enumerate(events, self._last_sequence + 1)])
            self._last_sequence += len(waiting)
            if self.disk is not DiskState.GOOD or not self._commit(waiting):
                self._keep_in_memory(waiting)
            return [each.sequence for each in waiting]

    def pending(self, limit: int, after: int = 0) -> list[WaitingEvent]:
        """The oldest events with sequence numbers above `after` that are not acknowledged, in order."""
        with self._lock:
            found = self._from_file(lambda store: self._sendable(store, limit, after)) or []
            if self._memory is not None and len(found) < limit:
                with self._memory.transaction():
                    found += self._memory.pending(limit - len(found), after)
            return [replace(each, left_over=self._is_left_over(each)) for each in found]

    def revise(self, change: Change) -> None:
        """Have every event of an earlier run changed, or deleted where None comes of it; call it before any is sent.

        From now on `pending` gives them changed, also where their file is read only later. The file is rewritten in
        parts, the first now and the others by `tend`, as its disk takes them. A change of what is changed already has
        to leave it as it is.
        """
        with self._lock:
            self._change = change
            if self.disk is DiskState.GOOD:
                self._revise_some(change)

    @property
    def taken(self) -> Link | None:
        """Of signed events, the newest that the broker has acknowledged."""
        return self._links.taken

    def forget(self, event_ids: Mapping[int, str], taken: Link | None = None) -> None:
        """Let go of acknowledged events, by their sequence numbers; one that is not here any more is no error.

        `taken` is the newest of them, where they are signed.
        """
        with self._lock:
            if taken and (self._links.taken is None or taken.sequence > self._links.taken.sequence):
                self._links = replace(self._links, taken=taken)
            gone = dict(event_ids)
            if self._memory is not None:
                with self._memory.transaction():
                    for sequence in self._memory.forget(gone.items()):
                        del gone[sequence]
            self._let_go(gone)
        self.tend()

    def tend(self) -> None:
        """Do what is due: delete what is acknowledged or too old, try a disk again that took nothing."""
        with self._lock:
            now = self._clock()
            if self.disk is not DiskState.GOOD:
                if now >= self._retry_at:
                    self._retry()
            elif self._acknowledged and now >= self._commit_at:
                self._commit([])
            elif self._file is not None and self._file.damaged:
                self._mend()
            if self._change is not None and now >= self._revise_at and self.disk is DiskState.GOOD:
                self._revise_some(self._change)
            if self._retention_seconds is not None and now >= self._expire_at:
                self._expire(self._retention_seconds)
            if now >= self._fold_at and self.disk is DiskState.GOOD:
                self._fold()

    def state(self) -> OutboxState:
        """What waits and what was lost."""
        with self._lock:
            in_file = self._from_file(lambda it: (it.count(self._acknowledged), it.losses(), it.stored_bytes))
            waiting, losses, stored_bytes = in_file or (0, Losses(), 0)
            in_memory = 0
            if self._memory is not None:
                in_memory = self._memory.count()
                stored_bytes += self._memory.stored_bytes
                losses += self._memory.losses()
            waiting += in_memory
            return OutboxState(waiting, stored_bytes, in_memory, self.disk, losses, self._expired, self._withheld)

    def close(self) -> None:
        """Bring the file up to date, as far as the disk allows, and close it."""
        with self._lock:
            if self._acknowledged or self._memory is not None:
                self._retry()
            if self._memory is not None and (lost := self._memory.count()):
                log.error("%d events that waited in memory are lost: the disk is %s", lost, self.disk)
            self._close_file()

    def _commit(self, new: list[WaitingEvent]) -> bool:
        """Bring the file up to date in one transaction; False where the disk does not take the new events."""
        waiting = [*self._everything_in_memory(), *new]
        earlier_losses = self._memory.losses() if self._memory is not None else Losses()

        def work(store: EventStore) -> bool:
            store.forget(self._acknowledged.items())
            given = self._last_sequence - len(new)
            if store.last_sequence() < given:  # what memory has numbered may be sent and gone before it comes here
                store.continue_after(given)
            if not self._has_room(store, waiting):
                return False
            store.add(earlier_losses)
            _tell(store.put(waiting))
            if self._sealer:
                store.keep(self._links)
            return True

        done = self._in_file(work)
        if done is not None:
            self._acknowledged.clear()
            self._fold_at = min(self._fold_at, self._clock() + FOLD_SECONDS)
        if done is False:
            self._enter(DiskState.FULL, f"less than {self._keep_free_bytes / 1e6:.0f} MB would be left free")
        if not done:
            return False
        if self.disk is not DiskState.GOOD:
            log.warning("the disk of the outbox takes events again: it has %d from memory", len(waiting) - len(new))
        self._memory, self.disk = None, DiskState.GOOD
        return True

    def _let_go(self, events: dict[int, str]) -> None:
        """Have events deleted from the file before long."""
        if events and not self._acknowledged:
            self._commit_at = self._clock() + self._commit_seconds
        self._acknowledged |= events

    def _is_left_over(self, event: WaitingEvent) -> bool:
        return self._left_over is not None and event.sequence <= self._left_over

    def _as_it_may_be_sent(self, event: WaitingEvent) -> WaitingEvent | None:
        is_revised = event.sequence <= self._revised_up_to or not self._is_left_over(event)
        return event if self._change is None or is_revised else self._changed(event, self._change)

    def _changed(self, event: WaitingEvent, change: Change) -> WaitingEvent | None:
        """The event changed, and signed anew where it was signed."""
        changed = change(event)
        if changed is None or self._sealer is None or changed.payload == event.payload:
            return changed
        return replace(changed, payload=self._sealer.reseal(changed.payload, event.sequence, event.payload))

    def _sendable(self, store: EventStore | Remnant, limit: int, after: int) -> list[WaitingEvent]:
        """Events as they may be sent, though their file may not have been rewritten yet, or cannot be."""
        found: list[WaitingEvent] = []
        expired: dict[int, str] = {}
        withheld: dict[int, str] = {}
        while events := store.pending(limit - len(found), after, self._acknowledged):
            after = events[-1].sequence
            for event in events:
                if self._is_expired(event):
                    expired[event.sequence] = event.event_id
                elif (sendable := self._as_it_may_be_sent(event)) is not None:
                    found.append(sendable)
                else:
                    withheld[event.sequence] = event.event_id
        self._let_go(expired | withheld)
        self._count_expired(len(expired))
        self._withheld += len(withheld)
        self._revised += len(withheld)
        return found

    def _revise_some(self, change: Change) -> None:
        """Rewrite some more of what an earlier run left."""
        left_over, self._revise_at = self._left_over, self._clock() + REVISE_SECONDS
        if left_over is None or self._revised_up_to >= left_over:
            return

        def work(store: EventStore) -> tuple[int, int, int]:
            events = store.pending(_REVISED_TOGETHER, self._revised_up_to, self._acknowledged)
            changes = [(event, self._changed(event, change)) for event in events if self._is_left_over(event)]
            wrong = [(event, changed) for event, changed in changes if changed != event]
            for event, changed in wrong:
                store.forget([(event.sequence, event.event_id)])
                store.put([changed] if changed else [])
            up_to = left_over if len(changes) < _REVISED_TOGETHER else events[-1].sequence
            return up_to, len(wrong), sum(changed is None for _, changed in wrong)

        done = self._in_file(work)
        if done is None:
            self._revise_at = self._clock() + REVISE_AGAIN_SECONDS
            return
        self._revised_up_to = done[0]
        self._revised += done[1]
        self._withheld += done[2]
        if done[1]:
            self._fold()
        if self._revised and self._revised_up_to == left_over:
            revised, self._revised = self._revised, 0
            log.warning("%d events from before were changed or deleted: they did not keep to [privacy]", revised)

    def _fold(self) -> None:
        """Let nothing of what was deleted stay in the file and its write-ahead log."""
        self._fold_at = math.inf
        if self._file is None:
            return
        try:
            self._file.fold()
        except sqlite3.Error as error:
            if disk.is_damage(error):
                self._replace(error)
            else:
                self._blame(error)

    def _expire(self, retention_seconds: float) -> None:
        """Delete some of the oldest events, where they have waited for too long, and damaged files kept for as long."""
        self._expire_at = self._clock() + EXPIRE_SECONDS

        def work(store: EventStore) -> int:
            oldest = store.pending(_EXPIRED_TOGETHER, skipping=self._acknowledged)
            old = [(each.sequence, each.event_id) for each in oldest if self._is_expired(each)]
            return len(store.forget(old))

        expired = self._in_file(work) or 0
        if expired:
            self._fold()
        if self._memory is not None:
            with self._memory.transaction():
                expired += work(self._memory)
        self._count_expired(expired)
        if expired >= _EXPIRED_TOGETHER:
            self._expire_at = self._clock()
        if self._synchronized():
            outbox_file.delete_set_aside(self._path, self._unix_now() - retention_seconds)

    def _count_expired(self, events: int) -> None:
        if events:
            self._expired += events
            log.warning("%d events have waited for as long as they may be kept: deleted", events)

    def _is_expired(self, event: WaitingEvent) -> bool:
        return self._retention_seconds is not None and self._age_seconds(event) > self._retention_seconds

    def _age_seconds(self, event: WaitingEvent) -> float:
        """By the clock that cannot be set, where the event is of this boot, else by the one that can."""
        read = json.loads(event.payload)
        if not self._is_left_over(event) or read["boot_id"] == read_boot_id():
            return self._clock() - event.created_monotonic_ns / 1e9
        if read["seen"]["clock_synchronized"] and self._synchronized():
            return self._unix_now() - unix_ms(event.event_id) / 1e3
        return self._clock()  # its time, or ours, means nothing; it is as old as this boot at least

    def _seal(self, events: list[WaitingEvent]) -> list[WaitingEvent]:
        """The events signed and chained, where that is wanted."""
        if self._sealer is None:
            return events
        sealed = []
        for event in events:
            previous = self._links.made.digest if self._links.made else None
            payload, digest = self._sealer.seal(event.payload, event.sequence, previous)
            self._links = replace(self._links, made=Link(event.sequence, digest))
            sealed.append(replace(event, payload=payload))
        return sealed

    def _has_room(self, store: EventStore, events: list[WaitingEvent]) -> bool:
        if not events and self.disk is DiskState.GOOD:
            return True
        wanted_bytes = self._keep_free_bytes + sum(each.size_bytes for each in events)
        return outbox_file.make_room(self._path, wanted_bytes - store.unused_bytes())

    def _keep_in_memory(self, events: list[WaitingEvent]) -> None:
        if self._memory is None:
            self._memory = EventStore.in_memory(self._memory_bytes)
        with self._memory.transaction():
            _tell(self._memory.put(events))

    def _everything_in_memory(self) -> list[WaitingEvent]:
        if self._memory is None:
            return []
        with self._memory.transaction():
            return self._memory.pending(self._memory.count())

    def _from_file(self, look: Callable[[EventStore | Remnant], Result]) -> Result | None:
        """As `_in_file`, for what only reads."""
        return look(self._remnant) if self._remnant is not None else self._in_file(look)

    def _in_file(self, work: Callable[[EventStore], Result]) -> Result | None:
        """The result of `work`, done in one transaction; None where the disk cannot do it now, and `disk` says why."""
        while self._file is not None:
            try:
                with self._file.transaction():
                    return work(self._file)
            except (sqlite3.Error, OSError) as error:
                if not disk.is_damage(error):
                    self._blame(error)
                    return None
                self._replace(error)
        return None

    def _mend(self) -> None:
        """Delete the rows that were found damaged from a file that is whole otherwise."""

        def work(store: EventStore) -> Losses:
            if self._clock() >= self._look_at:
                store.check()
                self._look_at = self._clock() + LOOK_AGAIN_SECONDS
            return store.forget_damaged()

        if losses := self._in_file(work):
            reads, images = losses.reads_damaged, losses.images_damaged
            log.error("%d reads and %d pictures in the outbox are damaged and lost; check the disk", reads, images)

    def _replace(self, damage: sqlite3.Error | OSError) -> None:
        """Go on with a new file and what can be read of the damaged one."""
        self._let_go_of_file()
        if self._clock() < self._replace_at:
            self._make_do(damage)
            return
        try:
            remnant = self._remnant = Remnant(self._path)
            store = outbox_file.replace(self._path, remnant, damage, self._max_bytes, self._acknowledged)
            self._let_go_of_file()
            self._go_on_in(store)
            self._replace_at = self._clock() + LOOK_AGAIN_SECONDS
        except (sqlite3.Error, OSError) as error:
            if str(damage) != self._told_damage:
                self._told_damage = str(damage)
                log.error("the outbox is damaged (%s); what can be read of it is sent meanwhile; %s", damage, error)
            self._make_do(error)

    def _make_do(self, error: sqlite3.Error | OSError) -> None:
        """Only read the file, as well as that goes; finding what can be read takes long, so it is done once."""
        if self._remnant is None:
            self._let_go_of_file()
        self._blame(error)
        if self._remnant is None:
            self._remnant = outbox_file.open_remnant(self._path)
        if self._remnant is not None:
            self._go_on_behind(self._remnant)
        is_quick = self._remnant is None or not self._remnant.count() or disk.is_read_only(self._path.parent)
        self._retry_at = self._clock() + (RETRY_SECONDS if is_quick else LOOK_AGAIN_SECONDS)

    def _close_file(self) -> None:
        for file in (self._file, self._remnant):
            if file is not None:
                file.close()

    def _let_go_of_file(self) -> None:
        self._close_file()
        self._file = self._remnant = None

    def _retry(self) -> None:
        """Try a disk again that took nothing; only seldom is an open file opened anew for that, and looked through."""
        self._retry_at = self._clock() + RETRY_SECONDS
        if self.disk is DiskState.READ_ONLY and disk.is_read_only(self._path.parent):
            return
        if self._file is not None and (self._commit([]) or not self._may_look()):
            return
        self._open()
        self._commit([])

    def _may_look(self) -> bool:
        """Whether opening an open file anew may help, and is due."""
        return self._file is not None and self.disk is not DiskState.FULL and self._clock() >= self._look_at

    def _open(self) -> None:
        """Open the file for writing or, where that cannot be, for reading."""
        self._let_go_of_file()
        self._look_at = self._clock() + LOOK_AGAIN_SECONDS
        try:
            self._go_on_in(outbox_file.open_store(self._path, self._max_bytes))
        except (sqlite3.Error, OSError) as error:
            if disk.is_damage(error):
                self._replace(error)
            else:
                self._make_do(error)

    def _go_on_in(self, store: EventStore) -> None:
        self._file = store
        self._go_on_behind(store)
        self._is_ours = True

    def _go_on_behind(self, file: EventStore | Remnant) -> None:
        """Number and chain new events after those that the file holds."""
        self._revised_up_to = 0
        last_in_file = file.last_sequence()
        links_in_file = file.links() if self._sealer else Links()
        if self._memory is not None:
            self._number_behind(last_in_file, links_in_file)
        elif not self._is_ours:
            self._links = links_in_file
        if not self._is_ours:
            self._left_over = last_in_file
        self._last_sequence = max(self._last_sequence, last_in_file)

    def _number_behind(self, sequence: int, links: Links) -> None:
        """Give the events in memory other numbers where a file that could not even be read has theirs already."""
        events = self._everything_in_memory()
        behind = sequence + 1 - events[0].sequence if events else 0
        if behind > 0:
            self._memory, self._links = None, links
            self._keep_in_memory(self._seal([replace(each, sequence=each.sequence + behind) for each in events]))
            self._last_sequence += behind
            self._left_over = sequence

    def _blame(self, error: sqlite3.Error | OSError) -> None:
        """Say how the disk is.

        Raises:
            OutboxError: the disk is not to blame.
        """
        state = disk.blame(error, self._path.parent)
        if state is None:
            raise OutboxError(
                f"the outbox {self._path}: {error}; check that its directory is writable and that no other edge-anpr"
                " uses it"
            ) from error
        self._enter(state, str(error))

    def _enter(self, state: DiskState, why: str) -> None:
        if state is not self.disk:
            log.error("the disk of the outbox is %s (%s): events wait in memory until it takes them", state, why)
            self._retry_at = self._clock() + RETRY_SECONDS
            if state is DiskState.READ_ONLY:
                self._look_at = self._retry_at  # once it can be written again, a new look helps at once
        self.disk = state


def _numbered(event: PlateEvent, sequence: int) -> WaitingEvent:
    payload, created_ns = event.payload(), event.created_monotonic_ns
    return WaitingEvent(sequence, event.event_id, event.camera, payload, event.image_jpeg, created_ns)


def _tell(losses: Losses) -> None:
    if losses:
        images, reads = losses.images_sacrificed, losses.reads_sacrificed
        log.warning("the outbox is full: %d pictures and %d reads had to make room", images, reads)
