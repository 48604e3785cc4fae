"""One camera's own part of the daemon: its frames, its motion gate, its pipeline, its state."""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from edge_app.capture.camera import Camera
from edge_app.capture.camera_health import CameraHealth, PictureState
from edge_app.capture.motion_gate import MotionGate
from edge_app.events.messages import CameraVitalsMessage
from edge_app.records import Frame, PlatePass
from edge_app.system_clock import as_rfc3339, utc_now, wall_time

log = logging.getLogger(__name__)


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


@dataclass(frozen=True, slots=True)
class Condition:
    """How a camera is."""

    state: PictureState
    since_ns: int
    """As `time.monotonic_ns`."""
    reason: str | None = None
    """Why it is lost."""


class Lane:
    """Serves one camera: its newest frame goes in, passes of vehicles come out.

    `condition` may be asked from any thread; the rest is the main thread's.
    """

    def __init__(
        self,
        camera: Camera,
        gate: MotionGate,
        pipeline: FramesToPasses,
        lost_seconds: float,
        health: CameraHealth,
        monotonic_ns: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        self.camera = camera
        self.frames = 0
        """Frames taken from the camera and processed."""
        self.vehicles = 0
        """Vehicles that became events: counted by whoever makes these."""
        self.pipeline = pipeline
        self._gate = gate
        self._gate_was_open = False
        self._lost_ns = int(lost_seconds * 1e9)
        self._monotonic_ns = monotonic_ns
        self._served_ns = self._began_ns = monotonic_ns()
        self._health = health
        self._shown = Condition(PictureState.STARTING, self._began_ns)

    @property
    def condition(self) -> Condition:
        """How the camera is now."""
        if (loss := self.camera.loss) is not None:
            return Condition(PictureState.LOST, loss.since_ns, loss.reason)
        if not self.frames:
            return Condition(PictureState.STARTING, self._began_ns)
        return Condition(self._health.state, self._health.since_ns)

    def handle(self, frame: Frame) -> list[PlatePass]:
        """Search a frame, if something moves in it; the passes that ended."""
        self._served_ns = self._monotonic_ns()
        self.frames += 1
        if self.frames == 1:
            log.info("camera %s: pictures arrive, %d × %d pixels", self.camera.name, *frame.image_bgr.shape[1::-1])
        if self.camera.live:
            self._health.check(frame)
        admitted = self._gate.admits(frame)
        passes = []
        if admitted:
            passes = self.pipeline.process(frame)
        elif self._gate_was_open:  # without frames the tracker would wait for the next vehicle to end this pass
            passes = self.pipeline.rest()
        self._gate_was_open = admitted
        return passes

    def silence(self) -> list[PlatePass]:
        """The passes of vehicles in view of a silent camera: no next frame shows that they have gone."""
        is_silent = not self.camera.slot.is_full and self._monotonic_ns() - self._served_ns > self._lost_ns
        return self.pipeline.flush() if self.camera.live and is_silent else []

    def has_changed(self) -> bool:
        """Log and report a state that is another one than at the last call."""
        now, before = self.condition, self._shown
        if (now.state, now.reason) == (before.state, before.reason):
            return False
        self._shown = now
        name = self.camera.name
        if now.state is PictureState.LOST:
            log.warning("camera %s: lost: %s", name, now.reason)
        elif before.state is PictureState.LOST:
            away_seconds = (self._monotonic_ns() - before.since_ns) / 1e9
            log.info("camera %s: pictures are back after %.0f s", name, away_seconds)
        elif now.state is not PictureState.GOOD:
            log.warning("camera %s: the picture is %s", name, now.state)
        elif before.state is not PictureState.STARTING:
            log.info("camera %s: the picture is good again, it was %s", name, before.state)
        return before.state is not PictureState.STARTING or now.state is not PictureState.GOOD

    def vitals(self) -> CameraVitalsMessage:
        """How the camera is, for the telemetry."""
        condition, last_ns = self.condition, self.camera.last_frame_ns
        now_ns, now = self._monotonic_ns(), utc_now()
        return CameraVitalsMessage(
            name=self.camera.name,
            state=condition.state,
            since=as_rfc3339(wall_time(condition.since_ns, now, now_ns)),
            reason=condition.reason,
            last_frame=None if last_ns is None else as_rfc3339(wall_time(last_ns, now, now_ns)),
            frames=self.frames,
            frames_dropped=self.camera.slot.dropped,
            frames_corrupt=self.camera.source.stamp.corrupt,
            vehicles=self.vehicles,
            vehicles_repeated=self.pipeline.repeated,
            vehicles_too_brief=self.pipeline.too_brief,
            fixed_texts=self.pipeline.fixed_texts,
        )
