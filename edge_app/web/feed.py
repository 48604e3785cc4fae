"""What the daemon gives the page: the newest frame of each camera with its plates, and the newest reads."""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from edge_app.config import Settings
from edge_app.events.messages import WITHDRAWN, ReadMessage
from edge_app.records import Frame, PlateDetection, Reading
from edge_app.tracking.passage import Observation

MOST_READS = 50
_FORGET_NS = int(5e9)
"""The last reading of a plate that was not seen for this long is dropped."""


@dataclass(frozen=True, slots=True, eq=False)
class SeenPlate:
    """A plate in a frame."""

    detection: PlateDetection
    reading: Reading | None
    """Of this frame or, if it was not read in it, of the last one in which it was."""


@dataclass(frozen=True, slots=True, eq=False)
class View:
    """What a camera shows."""

    frame: Frame
    plates: tuple[SeenPlate, ...]


@dataclass(frozen=True, slots=True)
class ShownRead:
    """A read, and the plate's picture."""

    message: ReadMessage
    image_jpeg: bytes | None


def reason_for_no_picture(settings: Settings) -> str | None:
    """The setting under which no whole picture may leave; None if it may."""
    for key in ("hash", "lists_only", "no_images"):
        if getattr(settings.privacy, key):
            return f"[privacy] {key}"
    ignored = [each.name for each in settings.lists if each.kind == "ignore"]
    return f"the ignore list {ignored[0]}" if ignored else None


def reason_for_no_reads(settings: Settings) -> str | None:
    """The setting under which no read is shown."""
    return next((f"[privacy] {key}" for key in ("hash", "lists_only") if getattr(settings.privacy, key)), None)


class Feed:
    """Filled from the daemon's main thread, asked from others."""

    def __init__(self, settings: Settings, clock: Callable[[], float] = time.monotonic) -> None:
        self.views: dict[str, View] = {}
        """By the name of the camera."""
        hours = settings.privacy.retention_hours
        self._keep_seconds = None if hours is None else hours * 3600
        self._shows_pictures = reason_for_no_picture(settings) is None
        self._shows_reads = reason_for_no_reads(settings) is None
        self._clock = clock
        self._lock = threading.Lock()
        self._reads: OrderedDict[str, tuple[float, ShownRead]] = OrderedDict()
        self._listeners: list[Callable[[ReadMessage], None]] = []
        self._plates: dict[str, list[SeenPlate]] = {}
        self._readings: dict[tuple[str, int], tuple[int, Reading]] = {}

    def watch(self, camera: str) -> Callable[[int, Observation], None]:
        """What takes in the observations of a camera's pipeline."""

        def note(track: int, observation: Observation) -> None:
            now_ns = observation.frame.monotonic_ns
            if observation.reading is not None:
                self._readings[camera, track] = now_ns, observation.reading
            _, reading = self._readings.get((camera, track), (now_ns, None))
            self._plates.setdefault(camera, []).append(SeenPlate(observation.detection, reading))

        return note

    def show(self, frame: Frame) -> None:
        """Take in a frame that has been processed."""
        plates = self._plates.pop(frame.camera, ())
        if self._shows_pictures:
            self.views[frame.camera] = View(frame, tuple(plates))
        old = [key for key, (seen_ns, _) in self._readings.items() if frame.monotonic_ns - seen_ns > _FORGET_NS]
        for key in old:
            del self._readings[key]

    def lose(self, camera: str) -> None:
        """Drop the picture of a camera that gives no more: it would be taken for a new one."""
        self.views.pop(camera, None)

    def remember(self, reads: Iterable[ShownRead]) -> None:
        """Take in reads of an earlier run."""
        for read in reads:
            self._keep(read)

    def read(self, message: ReadMessage, image_jpeg: bytes | None) -> None:
        """Take in a read; an update replaces its read."""
        if not self._shows_reads:
            return
        self._keep(ShownRead(message, image_jpeg if self._shows_pictures else None))
        for listener in tuple(self._listeners):
            listener(message)

    def reads(self) -> list[ShownRead]:
        """The newest reads, the newest first."""
        with self._lock:
            while self._keep_seconds is not None and self._reads:
                oldest = next(iter(self._reads))
                if self._clock() - self._reads[oldest][0] < self._keep_seconds:
                    break
                del self._reads[oldest]
            return [read for _, read in reversed(self._reads.values())]

    def find(self, event_id: str) -> ShownRead | None:
        """The read with this id."""
        return next((read for read in self.reads() if read.message.event_id == event_id), None)

    def listen(self, listener: Callable[[ReadMessage], None]) -> Callable[[], None]:
        """Have a function called with each read, from the daemon's thread; what is returned ends that."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def _keep(self, read: ShownRead) -> None:
        event_id = read.message.event_id
        if not self._shows_reads:
            return
        with self._lock:
            _, before = self._reads.pop(event_id, (0.0, None))
            if read.message.revision == WITHDRAWN:
                return
            if before is not None and read.image_jpeg is None:
                read = ShownRead(read.message, before.image_jpeg)
            self._reads[event_id] = self._clock(), read
            while len(self._reads) > MOST_READS:
                self._reads.popitem(last=False)
