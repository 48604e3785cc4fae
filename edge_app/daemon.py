"""The life of the daemon: start, run, stop.

The camera thread puts frames into a one-place slot. The main thread searches them and commits events to the outbox. The
publisher thread drains the outbox. The lists thread reads lists that have changed. The hook thread runs the operator's
program, if there is one.
"""

import contextlib
import dataclasses
import logging
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from typing import Protocol

from edge_app.capture.camera_health import CameraHealth, PictureState
from edge_app.capture.frame_slot import FrameSlot
from edge_app.capture.motion_gate import MotionGate
from edge_app.capture.source import Source
from edge_app.config import Settings
from edge_app.errors import SourceError
from edge_app.events.connection_state import ConnectionState
from edge_app.events.disk_state import DiskState
from edge_app.events.event import EventFactory, PlateEvent
from edge_app.events.lists.hook import Hook
from edge_app.events.lists.lists import Lists
from edge_app.events.messages import VitalsMessage
from edge_app.outbox.outbox import Outbox
from edge_app.printable import counted
from edge_app.records import Frame, ListMatch, PlatePass
from edge_app.service.self_care import SelfCare
from edge_app.service.status_socket import Status, StatusSocket, open_status_socket
from edge_app.service.systemd import Systemd
from edge_app.service.worker import Worker
from edge_app.uplink.commander import Commander
from edge_app.uplink.publisher import Publisher

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
PICTURE_SECONDS = 10.0
"""Duration without a new picture after which a camera counts as broken."""


class FramesToPasses(Protocol):
    """`edge_app.pipeline.Pipeline`: frames in, settled passes out."""

    too_brief: int
    """Vehicles that were read in too few frames to be published."""
    repeated: int
    """Vehicles that were not published, for their number was seen a moment before."""

    @property
    def fixed_texts(self) -> tuple[tuple[tuple[float, float], ...], ...]:
        """Where lettering was found that is no vehicle's."""

    def process(self, frame: Frame) -> list[PlatePass]:
        """The passes that ended with this frame."""

    def rest(self) -> list[PlatePass]:
        """The passes of the vehicles in view: nothing moves any more."""

    def flush(self) -> list[PlatePass]:
        """End every pass that is still going on."""


class Daemon:
    """One camera, from its frames to the broker's acknowledgement; the outbox is its own, and closed at the end.

    Thirteen parameters, one for each part that `app` builds. Over twenty methods, for threads and signals call in here.
    """

    def __init__(
        self,
        settings: Settings,
        source: Source,
        gate: MotionGate,
        pipeline: FramesToPasses,
        lists: Lists,
        event_factory: EventFactory,
        outbox: Outbox,
        publisher: Publisher,
        stop: threading.Event,
        hook: Hook | None = None,
        clock: Callable[[], float] = time.monotonic,
        commander: Commander | None = None,
        care: SelfCare | None = None,
    ) -> None:
        self.frames = 0
        """Frames taken from the camera and processed."""
        self.passes = 0
        """Vehicles that became events."""
        self.picture = PictureState.GOOD
        self._name = settings.camera.name
        self._source = source
        self._gate = gate
        self._pipeline = pipeline
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
        self._gate_was_open = False
        self._lost_seconds = settings.tracking.lost_seconds
        self._min_reads = settings.tracking.min_reads
        self._waiting_since = self._came_round_at = clock()
        self._status_socket: StatusSocket | None = None
        self._slot = FrameSlot()
        self._health = CameraHealth()
        self._systemd = Systemd(clock)
        self._camera_thread = Worker("camera", self._capture)
        self._publisher_thread = Worker("publisher", publisher.run)
        # Threads without which the main loop ends.
        self._helpers = [self._publisher_thread, Worker("lists", lambda: lists.run(stop))]
        if hook is not None:
            self._helpers.append(Worker("hook", hook.run))

    @property
    def dropped(self) -> int:
        """Frames of a live camera that newer ones replaced."""
        return self._slot.dropped

    def start(self) -> None:
        """Begin to capture and to publish."""
        self._status_socket = open_status_socket(self.status)
        for helper in self._helpers:
            helper.start()
        self._camera_thread.start()

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
        now = self._clock()
        waited = now - self._waiting_since
        sees = self.frames > 0 and (waited < PICTURE_SECONDS or not self._source.live)
        state, disk = self._publisher.state, self._outbox.disk
        parts = {
            "camera": (sees, "pictures arrive" if sees else f"no picture for {waited:.0f} s"),
            "broker": (state is ConnectionState.CONNECTED, str(state)),
            "disk": (disk is DiskState.GOOD, str(disk)),
        }
        return Status(
            alive=now - self._came_round_at < ALIVE_SECONDS,
            ready=all(well for well, _ in parts.values()),
            fields={
                "release": os.environ.get("EDGE_ANPR_RELEASE"),
                "parts": {name: {"well": well, "state": state} for name, (well, state) in parts.items()},
                "configuration": {"wrong": self._wrong_configuration},
                "telemetry": dataclasses.asdict(self._publisher.telemetry()),
            },
        )

    def ask_to_stop(self) -> None:
        """Make `run` return soon; safe in a signal handler, because it takes no lock."""
        self.asked_to_stop = True

    def ask_to_reload(self) -> None:
        """Make `run` read the configuration again soon; safe in a signal handler."""
        self._asked_to_reload = True

    def stop(self) -> None:
        """End the threads, waiting a little for each, and close the outbox."""
        if self.asked_to_stop or self._commander is None or not self._commander.goes_on:
            self._systemd.stopping()
        if self._status_socket is not None:
            self._status_socket.close()
        # The camera first, so that nothing new comes; the publisher may finish what it has in flight. What is
        # not acknowledged stays in the outbox, so neither is waited for long.
        self._source.close()
        self._slot.end()
        self._stop.set()
        self._publisher.wake()
        deadline = self._clock() + JOIN_SECONDS
        for thread in (self._camera_thread, *self._helpers):
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
        log.info("camera %s: stopped; %s wait in the outbox", self._name, counted(state.events, "event"))

    def _capture(self) -> None:
        """Body of the camera thread."""
        put = self._slot.put if self._source.live else self._slot.put_when_free
        try:
            with contextlib.closing(self._source.frames()) as frames:  # type: ignore[type-var]
                for frame in frames:
                    put(frame)
                    if self._stop.is_set():
                        return
        finally:
            self._slot.end()

    def _work(self) -> None:
        while not (self._is_to_end() or self._slot.ended or any(helper.error for helper in self._helpers)):
            frame = self._slot.take(TAKE_SECONDS)
            if frame is not None:
                began = self._clock()
                self._handle(frame)
                self._waiting_since = self._clock()
                self._care.rest(self._waiting_since - began, self._stop)
            elif self._source.live and self._clock() - self._waiting_since > self._lost_seconds:
                self._commit(self._pipeline.flush())  # the camera is silent: no next frame shows that they have gone
            self._outbox.tend()
            self._publisher.board = self._care.look()
            self._complain()
            self._report()
        # Vehicles in view have been read: they count, whatever ended the work.
        self._commit(self._pipeline.flush())
        for helper in self._helpers:
            helper.check()
        if not self._is_to_end():
            self._end_of_recording()

    def _is_to_end(self) -> bool:
        """Whether to end: for good, or for other settings."""
        if self._asked_to_reload and self._commander is not None:
            self._asked_to_reload = False
            self._commander.reload_file()
        superseded = self._commander is not None and self._commander.ends(self.frames, self._publisher.state)
        return self.asked_to_stop or superseded

    def _handle(self, frame: Frame) -> None:
        self.frames += 1
        if self.frames == 1:
            log.info("camera %s: pictures arrive, %d × %d pixels", self._name, *frame.image_bgr.shape[1::-1])
        if self._commander is not None:
            self._commander.newest_frame = frame
        self._watch_picture(frame)
        admitted = self._gate.admits(frame)
        if admitted:
            self._commit(self._pipeline.process(frame))
        elif self._gate_was_open:  # without frames the tracker would wait for the next vehicle to end this pass
            self._commit(self._pipeline.rest())
        self._gate_was_open = admitted

    def _commit(self, passes: list[PlatePass]) -> None:
        """Make events of the passes that ended with one frame, in one write to the disk."""
        matched = [(plate_pass, self._lists.match(plate_pass.read.text)) for plate_pass in passes]
        made = [(event, *each) for each in matched if (event := self._event(*each)) is not None]
        if not made:
            return
        sequences = self._outbox.put(*(event for event, _, _ in made))
        self._publisher.wake()
        self.passes += sum(event.message.revision is None for event, _, _ in made)
        for sequence, (event, plate_pass, matches) in zip(sequences, made, strict=True):
            log.info("camera %s: event %s after %s", self._name, event.event_id, counted(plate_pass.reads, "read"))
            log.debug("event %s is %s", event.event_id, event.message.plate.text)
            is_news = event.message.revision != "confirmed"
            if self._hook is not None and is_news and self._hook.wants(matches or ()):
                self._hook.ask(event.event_id, event.payload(sequence))

    def _event(self, plate_pass: PlatePass, matches: tuple[ListMatch, ...] | None) -> PlateEvent | None:
        """The pass's event; of a plate that must not be stored, the withdrawal of an early one, if it was sent."""
        if matches is not None:
            return self._event_factory.make(plate_pass, matches)
        withdrawal = self._event_factory.withdraw(plate_pass.vehicle)
        return None if withdrawal is None or self._publisher.recall(withdrawal.event_id) else withdrawal

    def _end_of_recording(self) -> None:
        """Give the broker and the hook some time for the rest; a camera should not have ended."""
        self._camera_thread.join()
        self._camera_thread.check()
        if self._source.live:
            raise SourceError(f"camera {self._name}: the source ended")
        log.info(
            "camera %s: the recording ended after %s: %s published, %d read in fewer than %s (min_reads) and left out",
            self._name,
            counted(self.frames, "frame"),
            counted(self.passes, "plate"),
            self._pipeline.too_brief,
            counted(self._min_reads, "frame"),
        )
        deadline = self._clock() + DRAIN_SECONDS
        while self._has_work_left() and not self.asked_to_stop and self._clock() < deadline:
            for helper in self._helpers:
                helper.check()
            self._stop.wait(0.02)
        if self._outbox.pending(1):
            log.warning("the broker has not taken every event; the rest waits in the outbox")

    def _has_work_left(self) -> bool:
        return bool(self._outbox.pending(1)) or not (self._hook is None or self._hook.is_idle)

    def _watch_picture(self, frame: Frame) -> None:
        if not self._source.live:
            return
        picture = self._health.check(frame)
        if picture is not self.picture:
            log.warning("camera %s: the picture is %s, it was %s", self._name, picture, self.picture)
        self.picture = picture

    @property
    def _wrong_configuration(self) -> str | None:
        return None if self._commander is None else self._commander.wrong

    def _complain(self) -> None:
        """Say every hour that the configuration file is not what is used."""
        if self._wrong_configuration is not None and self._clock() - self._complained_at >= COMPLAIN_SECONDS:
            self._complained_at = self._clock()
            log.error(
                "the configuration file is wrong and not used; mend it, then reload: %s", self._wrong_configuration
            )

    def _report(self) -> None:
        self._came_round_at = self._clock()
        corrupt = self._source.stamp.corrupt
        hook = self._hook.state() if self._hook else None
        lists = self._lists.state()
        self._publisher.vitals = VitalsMessage(
            self.frames,
            self.dropped,
            corrupt,
            self.passes,
            self.picture,
            lists,
            hook,
            vehicles_repeated=self._pipeline.repeated,
            vehicles_too_brief=self._pipeline.too_brief,
            fixed_texts=self._pipeline.fixed_texts,
        )
        attempts = self._source.attempts
        # A camera that is away at the start is waited for, like one that is lost later: the start has not failed.
        if self.frames or attempts > 1:
            self._systemd.ready()
        self._systemd.alive(progress=(self.frames, attempts))
        self._systemd.status(self._status_line())

    def _status_line(self) -> str:
        if not self.frames:
            return f"camera {self._name}: no picture yet, attempt {self._source.attempts}"
        parts = [
            f"camera {self._name}: {self.frames} frames, {self.dropped} dropped, picture {self.picture}",
            f"{self.passes} vehicles",
            f"broker {self._publisher.state}",
            f"disk {self._outbox.disk}",
        ]
        parts += ["hot, half the rate"] if self._care.is_hot else []
        parts += ["THE LAST GOOD CONFIGURATION IS USED"] if self._wrong_configuration is not None else []
        return "; ".join(parts)

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
