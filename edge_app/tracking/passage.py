"""One vehicle while it passes: what its frames said, in bounded memory, and the pass it becomes."""

import heapq
import math
from dataclasses import dataclass
from datetime import datetime

from edge_app.recognition.ctc import holds_text
from edge_app.records import Frame, ImageBgr, PlateDetection, PlatePass, PlateRead, PlateText, Reading, StageTimes
from edge_app.tracking.tracker import width_px
from edge_app.tracking.voter import quality

_MOST_READINGS = 30
"""The best of them are kept; more say little that is new."""

_CROP_MARGIN = 0.5
"""Surroundings in the crop, as a share of the plate's width at the sides and of its height above and below."""

_CLEAR_GROWTH = math.log(1.15)
"""A plate that grew or shrank by this factor over its pass moved towards the camera or away."""


@dataclass(frozen=True, slots=True, eq=False)
class Sight:
    """A plate found and read in one frame."""

    frame: Frame
    detection: PlateDetection
    reading: Reading
    zones: list[str]
    times: StageTimes


@dataclass(frozen=True, slots=True, eq=False)
class _Portrait:
    """What is kept of the best frame: the frame itself would hold megabytes."""

    quality: float
    detection: PlateDetection
    crop_bgr: ImageBgr
    frame_size: tuple[int, int]
    seen_at: datetime


class Passage:
    """The sights of one track, at least one."""

    def __init__(self, first: Sight) -> None:
        self.sights = self.reads = 0
        self.first_monotonic_ns = self.last_monotonic_ns = first.frame.monotonic_ns
        self._first_seen = self._last_seen = first.frame.captured_at
        self._camera = first.frame.camera
        self._kept: list[tuple[float, int, Reading]] = []
        self._portrait: _Portrait | None = None
        self._size = _Trend()
        self._zones: dict[str, None] = {}
        self._times = StageTimes()
        self.add(first)

    def add(self, sight: Sight) -> None:
        """Take in a later sight."""
        self.sights += 1
        self.reads += holds_text(sight.reading.log_probs)
        self.last_monotonic_ns, self._last_seen = sight.frame.monotonic_ns, sight.frame.captured_at
        seconds = (sight.frame.monotonic_ns - self.first_monotonic_ns) / 1e9
        self._size.add(seconds, math.log(width_px(sight.detection.corners_px)))
        self._zones.update(dict.fromkeys(sight.zones))
        self._times = StageTimes(
            self._times.detect_ms + sight.times.detect_ms, self._times.read_ms + sight.times.read_ms
        )
        worth = quality(sight.reading)
        keep = heapq.heappush if len(self._kept) < _MOST_READINGS else heapq.heappushpop
        keep(self._kept, (worth, self.sights, sight.reading))
        if self._portrait is None or worth > self._portrait.quality:
            self._portrait = _portray(sight, worth)

    @property
    def readings(self) -> list[Reading]:
        """The best readings."""
        return [reading for _, _, reading in self._kept]

    def settle(self, text: PlateText) -> PlatePass:
        """The pass, now that its text is known."""
        assert self._portrait is not None
        return PlatePass(
            camera=self._camera,
            read=PlateRead(text, self._portrait.detection),
            crop_bgr=self._portrait.crop_bgr,
            frame_size=self._portrait.frame_size,
            first_seen=self._first_seen,
            best_seen=self._portrait.seen_at,
            last_seen=self._last_seen,
            frames=self.sights,
            reads=self.reads,
            direction=self._size.direction,
            zones=tuple(self._zones),
            times=self._times,
            last_monotonic_ns=self.last_monotonic_ns,
        )


class _Trend:
    """A straight line through the logarithm of the plate's size over time, by least squares."""

    def __init__(self) -> None:
        self._count = 0
        self._seconds = 0.0
        self._mean_time = self._mean_size = 0.0
        self._time_square = self._product = 0.0

    def add(self, seconds: float, log_size: float) -> None:
        self._count += 1
        self._seconds = seconds
        late = seconds - self._mean_time
        self._mean_time += late / self._count
        self._mean_size += (log_size - self._mean_size) / self._count
        self._time_square += late * (seconds - self._mean_time)
        self._product += late * (log_size - self._mean_size)

    @property
    def direction(self) -> str:
        growth = self._seconds * self._product / self._time_square if self._time_square else 0.0
        if abs(growth) < _CLEAR_GROWTH:
            return "unknown"
        return "approaching" if growth > 0 else "receding"


def _portray(sight: Sight, worth: float) -> _Portrait:
    height, width = sight.frame.image_bgr.shape[:2]
    left, top, across, down = sight.detection.box_px
    columns = _span(left, across, width)
    rows = _span(top, down, height)
    crop_bgr = sight.frame.image_bgr[rows, columns].copy()
    return _Portrait(worth, sight.detection, crop_bgr, (width, height), sight.frame.captured_at)


def _span(start: float, length: float, limit: int) -> slice:
    """Pixels of a plate and its surroundings along one axis, one at least."""
    first = min(max(round(start - _CROP_MARGIN * length), 0), limit - 1)
    return slice(first, min(max(round(start + (1 + _CROP_MARGIN) * length), first + 1), limit))
