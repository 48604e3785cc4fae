"""Events wait here, on disk, until the broker has acknowledged them."""

import logging
import sqlite3
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from edge_app.errors import OutboxError
from edge_app.uplink import disk, outbox_file
from edge_app.uplink.disk import DiskState
from edge_app.uplink.event import PlateEvent
from edge_app.uplink.event_store import EventStore, Link, Links, Losses, WaitingEvent
from edge_app.uplink.uuid7 import unix_ms

if TYPE_CHECKING:
    from edge_app.evidence.seal import Sealer

log = logging.getLogger(__name__)

Result = TypeVar("Result")

EXPIRE_SECONDS = 60.0
"""How often is looked for what has waited for too long."""

_EXPIRED_TOGETHER = _REVISED_TOGETHER = 100

RETRY_SECONDS = 1.0
"""A disk that took nothing is tried again after this time."""


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


class Outbox:
    """A bounded queue in SQLite, safe between threads.

    Events that `put` is given together, and their pictures, are committed in one transaction and are on the disk when
    it returns. When full, the oldest pictures go first, then the oldest reads; the newest read is always kept.

    Where the disk is full, read-only or failing, `disk` says so, and events wait in memory, bounded alike, until it
    takes them; they can be sent meanwhile. A damaged file is set aside and what can be read of it goes on. What the
    broker has acknowledged is deleted in batches: `tend`, called several times a second, sees to that and tries a
    disk again. A crash in between costs a repeat, never an event.

    `max_bytes` bounds what waits in the file and `memory_bytes` what waits in memory; a disk with less than
    `keep_free_bytes` to spare counts as full. Acknowledged events are deleted `commit_seconds` late, those that have
    waited for `retention_seconds` altogether; `unix_now` tells the age of what an earlier run has left. With `sealer`,
    events are signed and chained before they are committed, and the end of the chain is committed with them.

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
        self._expire_at = clock()
        self._expired = 0
        self._lock = threading.Lock()
        self._file: EventStore | None = None
        self._memory: EventStore | None = None
        self._acknowledged: dict[int, str] = {}
        """By number, the ids of events that are still in the file and no longer needed."""
        self._commit_at = self._retry_at = 0.0
        self._last_sequence = self._left_over = 0
        self._open()
        self._left_over = self._last_sequence
        if waiting := self.state().events:
            log.info("%d events of an earlier run wait in the outbox", waiting)

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
            found = self._in_file(lambda store: store.pending(limit, after, self._acknowledged)) or []
            if self._memory is not None and len(found) < limit:
                with self._memory.transaction():
                    found += self._memory.pending(limit - len(found), after)
        return [replace(each, left_over=each.sequence <= self._left_over) for each in found]

    def revise(self, change: Callable[[WaitingEvent], WaitingEvent | None]) -> None:
        """Have every event changed, or deleted where None comes of it; to be called before any is sent.

        Raises:
            OutboxError: the disk lets them be read and does not take the change.
        """

        def work(store: EventStore) -> int:
            revised = 0
            after = 0
            while events := store.pending(_REVISED_TOGETHER, after):
                after = events[-1].sequence
                for event in events:
                    if (changed := change(event)) != event:
                        if changed and self._sealer and changed.payload != event.payload:
                            resealed = self._sealer.reseal(changed.payload, event.sequence, event.payload)
                            changed = replace(changed, payload=resealed)
                        store.forget([(event.sequence, event.event_id)])
                        store.put([changed] if changed else [])
                        revised += 1
            return revised

        with self._lock:
            revised = self._in_file(work)
            is_readable = self._file is not None
        if revised is None and is_readable:
            raise OutboxError(f"the outbox {self._path} holds events that may not be sent as they are: mend its disk")
        if revised:
            log.warning("%d events of an earlier run were changed or deleted: they did not keep to [privacy]", revised)

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
            if gone and not self._acknowledged:
                self._commit_at = self._clock() + self._commit_seconds
            self._acknowledged |= gone
        self.tend()

    def tend(self) -> None:
        """Do what is due: delete what is acknowledged, try a disk again that took nothing."""
        with self._lock:
            now = self._clock()
            if self.disk is not DiskState.GOOD:
                if now >= self._retry_at:
                    self._retry()
            elif self._acknowledged and now >= self._commit_at:
                self._commit([])
            if self._retention_seconds is not None and now >= self._expire_at:
                self._expire(self._retention_seconds)

    def state(self) -> OutboxState:
        """What waits and what was lost."""
        with self._lock:
            in_file = self._in_file(lambda store: (store.count(self._acknowledged), store.losses()))
            waiting, losses = in_file or (0, Losses())
            stored_bytes = self._file.stored_bytes if self._file is not None else 0
            if self._memory is None:
                return OutboxState(waiting, stored_bytes, 0, self.disk, losses, self._expired)
            in_memory = self._memory.count()
            stored_bytes += self._memory.stored_bytes
            losses += self._memory.losses()
            return OutboxState(waiting + in_memory, stored_bytes, in_memory, self.disk, losses, self._expired)

    def close(self) -> None:
        """Bring the file up to date, as far as the disk allows, and close it."""
        with self._lock:
            if self._acknowledged or self._memory is not None:
                self._retry()
            if self._memory is not None and (lost := self._memory.count()):
                log.error("%d events that waited in memory are lost: the disk is %s", lost, self.disk)
            if self._file is not None:
                self._file.close()

    def _commit(self, new: list[WaitingEvent]) -> bool:
        """Bring the file up to date in one transaction; False where the disk does not take the new events."""
        waiting = [*self._everything_in_memory(), *new]
        earlier_losses = self._memory.losses() if self._memory is not None else Losses()

        def work(store: EventStore) -> bool:
            store.forget(self._acknowledged.items())
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
        if done is False:
            self._enter(DiskState.FULL, f"less than {self._keep_free_bytes / 1e6:.0f} MB would be left free")
        if not done:
            return False
        if self.disk is not DiskState.GOOD:
            log.warning("the disk of the outbox takes events again: it has %d from memory", len(waiting) - len(new))
        self._memory, self.disk = None, DiskState.GOOD
        return True

    def _expire(self, retention_seconds: float) -> None:
        """Delete some of the oldest events, where they have waited for too long, and damaged files kept for as long."""
        self._expire_at = self._clock() + EXPIRE_SECONDS

        def work(store: EventStore) -> int:
            oldest = store.pending(_EXPIRED_TOGETHER, skipping=self._acknowledged)
            old = [(each.sequence, each.event_id) for each in oldest if self._age_seconds(each) > retention_seconds]
            return len(store.forget(old))

        expired = self._in_file(work) or 0
        if self._memory is not None:
            with self._memory.transaction():
                expired += work(self._memory)
        if expired:
            self._expired += expired
            log.warning("%d events have waited for as long as they may be kept: deleted", expired)
        if expired >= _EXPIRED_TOGETHER:
            self._expire_at = self._clock()
        outbox_file.delete_set_aside(self._path, self._unix_now() - retention_seconds)

    def _age_seconds(self, event: WaitingEvent) -> float:
        """By the clock that cannot be set, where the event is of this run."""
        if event.sequence > self._left_over:
            return self._clock() - event.created_monotonic_ns / 1e9
        return self._unix_now() - unix_ms(event.event_id) / 1e3

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
        if not events:
            return True
        wanted_bytes = self._keep_free_bytes + sum(each.size_bytes for each in events)
        return disk.free_bytes(self._path.parent) + store.unused_bytes() >= wanted_bytes

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

    def _in_file(self, work: Callable[[EventStore], Result]) -> Result | None:
        """The result of `work`, done in one transaction; None where the disk cannot do it now, and `disk` says why."""
        for _ in range(2):
            if self._file is None:
                return None
            try:
                with self._file.transaction():
                    return work(self._file)
            except (sqlite3.Error, OSError) as error:
                if not disk.is_damage(error):
                    self._blame(error)
                    return None
                self._replace(error)
        self._enter(DiskState.FAILING, "what was written a moment ago is damaged")
        return None

    def _replace(self, damage: Exception) -> None:
        """Go on with a new file and what can be read of the damaged one."""
        assert self._file is not None
        self._file.close()
        self._file = None
        try:
            self._file = EventStore(outbox_file.replace(self._path, f"damaged ({damage})"), self._max_bytes)
        except (sqlite3.Error, OSError) as error:
            self._blame(error)

    def _retry(self) -> None:
        """Try a disk again that took nothing."""
        self._retry_at = self._clock() + RETRY_SECONDS
        if self.disk is DiskState.READ_ONLY and disk.is_read_only(self._path.parent):
            return
        if self._file is None or self.disk in (DiskState.READ_ONLY, DiskState.FAILING):
            self._open()
        self._commit([])

    def _open(self) -> None:
        """Open the file for writing or, where the disk forbids that, for reading."""
        if self._file is not None:
            self._file.close()
            self._file = None
        try:
            database = outbox_file.open_or_replace(self._path)
        except (sqlite3.Error, OSError) as error:
            self._blame(error)
            readable = outbox_file.open_read_only(self._path)
            if readable is None:
                return
            database = readable
        self._file = EventStore(database, self._max_bytes)
        last_in_file = self._file.last_sequence()
        links_in_file = self._file.links() if self._sealer else Links()
        if self._memory is None:
            self._links = links_in_file
        else:
            self._number_behind(last_in_file, links_in_file)
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
        self.disk = state
        self._retry_at = self._clock() + RETRY_SECONDS


def _numbered(event: PlateEvent, sequence: int) -> WaitingEvent:
    payload, created_ns = event.payload(), event.created_monotonic_ns
    return WaitingEvent(sequence, event.event_id, event.camera, payload, event.image_jpeg, created_ns)


def _tell(losses: Losses) -> None:
    if losses:
        images, reads = losses.images_sacrificed, losses.reads_sacrificed
        log.warning("the outbox is full: %d pictures and %d reads had to make room", images, reads)
