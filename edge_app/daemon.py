"""The life of the daemon: start, run, stop.

Each camera's thread puts its newest frame into a slot. The main thread serves the slots in turn and commits events to
the outbox. The publisher thread drains the outbox. The lists thread reads lists that have changed. The hook thread runs
the operator's program, if there is one.
"""

import contextlib
import dataclasses
import logging
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Protocol

from edge_app.capture.camera_health import PictureState
from edge_app.capture.frame_slot import FairTurns
from edge_app.config import Settings
from edge_app.events.connection_state import ConnectionState
from edge_app.events.disk_state import DiskState
from edge_app.events.event import EventFactory, PlateEvent
from edge_app.events.lists.hook import Hook
from edge_app.events.lists.lists import Lists
from edge_app.events.messages import COMPLETED, VitalsMessage
from edge_app.lane import Lane
from edge_app.outbox.outbox import Outbox
from edge_app.printable import counted
from edge_app.records import Frame, ListMatch, PlatePass
from edge_app.service.self_care import SelfCare
from edge_app.service.status_socket import Status, StatusSocket, open_status_socket
from edge_app.service.systemd import Systemd
from edge_app.service.worker import Worker
from edge_app.uplink.commander import Commander
from edge_app.uplink.publisher import Publisher

if TYPE_CHECKING:
    from edge_app.lookup.lookup import Lookup

log = logging.getLogger(__name__)

TAKE_SECONDS = 0.2
"""Longest wait for a frame, and so the longest delay of a signal."""
JOIN_SECONDS = 1.5
"""Longest wait for the threads at the end; systemd expects the process to end soon."""
DRAIN_SECONDS = 10.0
"""Longest wait for the broker at the end of a recording."""
ALIVE_SECONDS = 30.0
"""A main loop that has not come round for this long hangs, as the watchdog has it."""
COMPLAIN_SECONDS = 3600.0
MOST_UNREGISTERED = 64
"""Events, with their pictures, that are kept until their registration details come."""


class Window(Protocol):
    """`edge_app.web.window.Window`: the page and the HTTP API, if they are on."""

    def open(
        self,
        status: Callable[[], Status],
        reload: Callable[[Callable[[], None]], None],
        outbox: Outbox,
        publisher: Publisher,
        /,
    ) -> None:
        """Begin to answer, in place of the status socket."""

    def show(self, frame: Frame, /) -> None:
        """Take in a frame that was processed."""

    def lose(self, camera: str, /) -> None:
        """Show no picture of a camera that gives none."""

    def publish(self, event: PlateEvent, sequence: int, /) -> None:
        """Take in an event that is committed."""

    def close(self) -> None:
        """Answer no more."""


class Daemon:
    """All cameras, from their frames to the broker's acknowledgement; the outbox is its own, and closed at the end.

    Thirteen parameters, one for each part that `app` builds. Over twenty methods, for threads and signals call in here.
    """

    def __init__(
        self,
        settings: Settings,
        lanes: Sequence[Lane],
        turns: FairTurns,
        lists: Lists,
        event_factory: EventFactory,
        outbox: Outbox,
        publisher: Publisher,
        stop: threading.Event,
        hook: Hook | None = None,
        clock: Callable[[], float] = time.monotonic,
        commander: Commander | None = None,
        care: SelfCare | None = None,
        window: Window | None = None,
        lookup: "Lookup | None" = None,
    ) -> None:
        """`turns` serves the slots of the lanes' cameras, in the order of `lanes`."""
        self.lanes = tuple(lanes)
        self._turns = turns
        self._lists = lists
        self._hook = hook
        self._event_factory = event_factory
        self._outbox = outbox
        self._publisher = publisher
        self._stop = stop
        self._clock = clock
        self._commander = commander
        self._care = care or SelfCare(clock)
        self._complained_at = float("-inf")
        self.asked_to_stop = False
        self._asked_to_reload = False
        self._undo: Callable[[], None] | None = None
        self._window = window
        self._lookup = lookup
        self._unregistered: dict[str, tuple[Lane, PlateEvent]] = {}
        self._min_reads = settings.tracking.min_reads
        self._came_round_at = clock()
        self._rounds = 0
        self._status_socket: StatusSocket | None = None
        self._systemd = Systemd(clock)
        self._camera_threads = [Worker(f"camera {lane.camera.name}", lane.camera.run) for lane in self.lanes]
        self._publisher_thread = Worker("publisher", publisher.run)
        # Threads without which the main loop ends.
        self._helpers = [self._publisher_thread, Worker("lists", lambda: lists.run(stop))]
        if hook is not None:
            self._helpers.append(Worker("hook", hook.run))

    @property
    def frames(self) -> int:
        """Frames taken from the cameras and processed."""
        return sum(lane.frames for lane in self.lanes)

    @property
    def passes(self) -> int:
        """Vehicles that became events."""
        return sum(lane.vehicles for lane in self.lanes)

    def start(self) -> None:
        """Begin to capture and to publish."""
        if self._window is not None:
            self._window.open(self.status, self.ask_to_reload, self._outbox, self._publisher)
        else:
            self._status_socket = open_status_socket(self.status)
        for thread in (*self._helpers, *self._camera_threads):
            thread.start()

    def run(self) -> None:
        """Work until `ask_to_stop`, SIGTERM or SIGINT, or until a recording has ended.

        Raises:
            EdgeAnprError: a thread died; the process should be started again.
        """
        with self._signals():
            self.start()
            try:
                self._work()
            finally:
                self.stop()

    def status(self) -> Status:
        """How the service is; called from other threads than the main one."""
        conditions = {lane.camera.name: lane.condition for lane in self.lanes}
        unseen = [name for name, each in conditions.items() if each.state in (PictureState.LOST, PictureState.STARTING)]
        words = "; ".join(f"{name}: {conditions[name].reason or 'no picture yet'}" for name in unseen)
        state, disk = self._publisher.state, self._outbox.disk
        parts = {
            "camera": (not unseen, words or "pictures arrive"),
            "broker": (state is ConnectionState.CONNECTED, str(state)),
            "disk": (disk is DiskState.GOOD, str(disk)),
        }
        return Status(
            alive=self._clock() - self._came_round_at < ALIVE_SECONDS,
            ready=all(well for well, _ in parts.values()),
            fields={
                "release": os.environ.get("EDGE_ANPR_RELEASE"),
                "parts": {name: {"well": well, "state": state} for name, (well, state) in parts.items()},
                "configuration": self._configuration_state(),
                "telemetry": dataclasses.asdict(self._publisher.telemetry()),
            },
        )

    def ask_to_stop(self) -> None:
        """Make `run` return soon; safe in a signal handler, because it takes no lock."""
        self.asked_to_stop = True

    def ask_to_reload(self, undo: Callable[[], None] | None = None) -> None:
        """Make `run` read the configuration again soon; safe in a signal handler.

        `undo` is called if the former settings come back.
        """
        self._undo = undo
        self._asked_to_reload = True

    def stop(self) -> None:
        """End the threads, waiting a little for each, and close the outbox."""
        if self.asked_to_stop or self._commander is None or not self._commander.goes_on:
            self._systemd.stopping()
        if self._status_socket is not None:
            self._status_socket.close()
        if self._window is not None:
            self._window.close()
        if self._lookup is not None:
            self._lookup.close()
        # The cameras first, so that nothing new comes; the publisher may finish what it has in flight. What is
        # not acknowledged stays in the outbox, so neither is waited for long.
        for lane in self.lanes:
            lane.camera.close()
        self._stop.set()
        self._publisher.wake()
        deadline = self._clock() + JOIN_SECONDS
        for thread in (*self._camera_threads, *self._helpers):
            if thread.ident is not None:
                thread.join(max(0.0, deadline - self._clock()))
            if thread.is_alive():
                log.warning("the %s thread does not end; leaving it behind", thread.name)
        if self._hook is not None:
            self._hook.end()
        # Last, because the publisher may note acknowledgements until it ends. One that was left behind gets an error
        # that nobody sees, and sends again next time.
        state = self._outbox.state()
        self._outbox.close()  # which reports what the disk has not taken even now
        log.info("stopped; %s wait in the outbox", counted(state.events, "event"))

    def _work(self) -> None:
        while not (self._is_to_end() or self._turns.ended or any(helper.error for helper in self._helpers)):
            if (taken := self._turns.take(TAKE_SECONDS)) is not None:
                number, frame = taken
                if self._commander is not None:
                    self._commander.newest_frames[frame.camera] = frame
                began = self._clock()
                self._commit(self.lanes[number], self.lanes[number].handle(frame))
                if self._window is not None:
                    self._window.show(frame)
                self._care.rest(self._clock() - began, self._stop)
            for lane in self.lanes:
                self._commit(lane, lane.silence())
            self._complete()
            self._outbox.tend()
            self._publisher.board = self._care.look()
            self._complain()
            self._report()
        # Vehicles in view have been read: they count, whatever ended the work.
        for lane in self.lanes:
            self._commit(lane, lane.pipeline.flush())
        for helper in self._helpers:
            helper.check()
        if not self._is_to_end():
            self._end_of_recordings()

    def _is_to_end(self) -> bool:
        """Whether to end: for good, or for other settings."""
        if self._asked_to_reload and self._commander is not None:
            self._asked_to_reload = False
            self._commander.reload_file(self._undo)
        commander = self._commander
        superseded = commander is not None and commander.advance_trial(self._unseen(), self._publisher.state)
        return self.asked_to_stop or superseded

    def _unseen(self) -> set[str]:
        """Names of the cameras that have given no picture since the start."""
        return {lane.camera.name for lane in self.lanes if not lane.frames}

    def _commit(self, lane: Lane, passes: list[PlatePass]) -> None:
        """Make events of the passes that ended with one frame, in one write to the disk."""
        matched = [(plate_pass, self._lists.match(plate_pass.read.text)) for plate_pass in passes]
        made = [(event, *each) for each in matched if (event := self._event(lane, *each)) is not None]
        if not made:
            return
        sequences = self._outbox.put(*(event for event, _, _ in made))
        self._publisher.wake()
        lane.vehicles += sum(event.message.revision is None for event, _, _ in made)
        for sequence, (event, plate_pass, matches) in zip(sequences, made, strict=True):
            log.info(
                "camera %s: event %s after %s", lane.camera.name, event.event_id, counted(plate_pass.reads, "read")
            )
            log.debug("event %s is %s", event.event_id, event.message.plate.text)
            if self._window is not None:
                self._window.publish(event, sequence)
            is_news = event.message.revision not in ("confirmed", COMPLETED)
            if self._hook is not None and is_news and self._hook.wants(matches or ()):
                self._hook.ask(event.event_id, event.payload(sequence))

    def _event(self, lane: Lane, plate_pass: PlatePass, matches: tuple[ListMatch, ...] | None) -> PlateEvent | None:
        """The pass's event; of a plate that must not be stored, the withdrawal of an early one, if it was sent."""
        if matches is not None:
            event = self._event_factory.make(plate_pass, matches)
            return event if self._lookup is None else self._registered(self._lookup, lane, event, plate_pass)
        withdrawal = self._event_factory.withdraw(plate_pass.camera, plate_pass.vehicle)
        return None if withdrawal is None or self._publisher.recall(withdrawal.event_id) else withdrawal

    def _registered(self, lookup: "Lookup", lane: Lane, event: PlateEvent, plate_pass: PlatePass) -> PlateEvent:
        """The event with its registration details, if they have come; else it is kept until they do."""
        event_id = event.event_id if plate_pass.is_final else None  # an early read has an update of its own
        registration = lookup.answer(plate_pass.read.text, event_id)
        if registration is not None:
            return event.registered(registration)
        if event_id is not None:
            self._unregistered[event_id] = lane, event
            if len(self._unregistered) > MOST_UNREGISTERED:
                del self._unregistered[next(iter(self._unregistered))]
        return event

    def _complete(self) -> None:
        """Publish registration details that came after their read, as its update."""
        for event_id, registration in () if self._lookup is None else self._lookup.late():
            if (kept := self._unregistered.pop(event_id, None)) is None:
                continue
            lane, event = kept
            update = event.registered(registration, revision=COMPLETED)
            (sequence,) = self._outbox.put(update)
            self._publisher.wake()
            log.info("camera %s: event %s completed by its registration details", lane.camera.name, event_id)
            if self._window is not None:
                self._window.publish(update, sequence)

    def _end_of_recordings(self) -> None:
        """Give the broker and the hook some time for the rest."""
        for lane, thread in zip(self.lanes, self._camera_threads, strict=True):
            thread.join()
            thread.check()
            log.info(
                "camera %s: the recording ended after %s: %s published,"
                " %d read in fewer than %s (min_reads) and left out",
                lane.camera.name,
                counted(lane.frames, "frame"),
                counted(lane.vehicles, "plate"),
                lane.pipeline.too_brief,
                counted(self._min_reads, "frame"),
            )
        deadline = self._clock() + DRAIN_SECONDS
        while self._has_work_left() and not self.asked_to_stop and self._clock() < deadline:
            for helper in self._helpers:
                helper.check()
            self._complete()
            self._stop.wait(0.02)
        if self._outbox.pending(1):
            log.warning("the broker has not taken every event; the rest waits in the outbox")

    def _has_work_left(self) -> bool:
        is_asking = self._lookup is not None and not self._lookup.is_idle
        return bool(self._outbox.pending(1)) or is_asking or not (self._hook is None or self._hook.is_idle)

    @property
    def _wrong_configuration(self) -> str | None:
        return None if self._commander is None else self._commander.wrong

    def _configuration_state(self) -> dict[str, str | None]:
        """What is in use: "file", "trial" while a reload is tried, or "former" if the file's settings are not."""
        commander = self._commander
        if commander is None:
            return {"state": "file", "wrong": None, "reverted": None}
        state = "trial" if commander.goes_on else "file" if commander.wrong is None else "former"
        return {"state": state, "wrong": commander.wrong, "reverted": commander.reverted}

    def _complain(self) -> None:
        """Say every hour that the configuration file is not what is used."""
        if self._wrong_configuration is not None and self._clock() - self._complained_at >= COMPLAIN_SECONDS:
            self._complained_at = self._clock()
            log.error(
                "the configuration file is wrong and not used; mend it, then reload: %s", self._wrong_configuration
            )

    def _report(self) -> None:
        self._came_round_at = self._clock()
        self._rounds += 1
        self._publisher.vitals = self._vitals()
        if sum(lane.has_changed() for lane in self.lanes):  # all are asked
            self._publisher.has_news = True
        for name in [lane.camera.name for lane in self.lanes if lane.camera.loss is not None]:
            if self._commander is not None:  # an old picture of a lost camera would be taken for a new one
                self._commander.newest_frames.pop(name, None)
            if self._window is not None:
                self._window.lose(name)
        # A camera that is away is waited for: the start has not failed.
        if all(lane.frames or lane.camera.loss is not None for lane in self.lanes):
            self._systemd.ready()
        # A driver that does not return is freed by a restart only; but one camera's must not cost the others theirs.
        if not all(lane.camera.hangs for lane in self.lanes):
            self._systemd.alive(self._rounds)
        self._systemd.status(self._status_line())

    def _status_line(self) -> str:
        parts = [
            f"camera {lane.camera.name}: {lane.condition.state}, {lane.frames} frames,"
            f" {lane.camera.slot.dropped} dropped, {counted(lane.vehicles, 'vehicle')}"
            for lane in self.lanes
        ]
        parts += [f"broker {self._publisher.state}", f"disk {self._outbox.disk}"]
        parts += ["hot, half the rate"] if self._care.is_hot else []
        parts += ["THE LAST GOOD CONFIGURATION IS USED"] if self._wrong_configuration is not None else []
        return "; ".join(parts)

    def _vitals(self) -> VitalsMessage:
        cameras = tuple(lane.vitals() for lane in self.lanes)
        return VitalsMessage(
            frames=sum(each.frames for each in cameras),
            frames_dropped=sum(each.frames_dropped for each in cameras),
            frames_corrupt=sum(each.frames_corrupt for each in cameras),
            vehicles=sum(each.vehicles for each in cameras),
            picture=next((each.state for each in cameras if each.state != PictureState.GOOD), PictureState.GOOD),
            lists=self._lists.state(),
            hook=self._hook.state() if self._hook else None,
            vehicles_repeated=sum(each.vehicles_repeated for each in cameras),
            vehicles_too_brief=sum(each.vehicles_too_brief for each in cameras),
            cameras=cameras,
        )

    @contextlib.contextmanager
    def _signals(self) -> Iterator[None]:
        """Let SIGTERM and SIGINT ask us to stop, SIGHUP to reload; outside the main thread they are not ours."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = {
            signal.SIGTERM: signal.signal(signal.SIGTERM, lambda *_: self.ask_to_stop()),
            signal.SIGINT: signal.signal(signal.SIGINT, lambda *_: self.ask_to_stop()),
            signal.SIGHUP: signal.signal(signal.SIGHUP, lambda *_: self.ask_to_reload()),
        }
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
