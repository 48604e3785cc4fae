"""One vehicle while it passes: what its frames said, in bounded memory, and the pass it becomes."""

import heapq
import math
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from edge_app.recognition.ctc import best_codes
from edge_app.records import (
    Corners,
    Frame,
    ImageBgr,
    LineCrossing,
    PlateDetection,
    PlatePass,
    PlateRead,
    PlateText,
    Reading,
    StageTimes,
)
from edge_app.tracking.tracker import width_px
from edge_app.tracking.voter import Voter, quality

_MOST_READINGS = 30
"""The best of them are kept; more say little that is new."""

_CROP_MARGIN = 0.5
"""Surroundings in the crop, as a share of the plate's width at the sides and of its height above and below."""

_STILL = 0.1
"""A plate whose corners have moved by less than this many of its widths stands where it stood."""

_CLEAR_GROWTH = math.log(1.15)
"""A plate that grew or shrank by this factor over its pass moved towards the camera or away."""


@dataclass(frozen=True, slots=True, eq=False)
class Sight:
    """A plate found in one frame, and read unless there was no need."""

    frame: Frame
    detection: PlateDetection
    reading: Reading | None
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
    """The sights of one track, at least one; the first of them was read."""

    def __init__(self, first: Sight) -> None:
        self.sights = self.reads = 0
        self.is_in_zone = True
        """Whether the plate is where plates count."""
        self.answer: PlateText | None = None
        """What the voter said last."""
        self.told: PlateText | None = None
        """What was published, or was not because the vehicle was known."""
        self.awaits_update = False
        """It was published early."""
        self._agreement = self._agreement_voted_on = 0.0
        self._voted = 0
        self._attempts = 0
        self._read_corners = first.detection.corners_px
        self._read_ns = self._stands_since_ns = first.frame.monotonic_ns
        self.first_monotonic_ns = self.last_monotonic_ns = first.frame.monotonic_ns
        self._first_seen = self._last_seen = first.frame.captured_at
        self._camera = first.frame.camera
        self._kept: list[tuple[float, int, Reading, tuple[int, ...]]] = []
        self._portrait: _Portrait | None = None
        self._size = _Trend()
        self._zones: dict[str, None] = {}
        self._times = StageTimes()
        self.add(first)

    def add(self, sight: Sight) -> None:
        """Take in a later sight."""
        self.is_in_zone = True
        self.sights += 1
        self.last_monotonic_ns, self._last_seen = sight.frame.monotonic_ns, sight.frame.captured_at
        seconds = (sight.frame.monotonic_ns - self.first_monotonic_ns) / 1e9
        self._size.add(seconds, math.log(width_px(sight.detection.corners_px)))
        self._zones.update(dict.fromkeys(sight.zones))
        self._times = StageTimes(
            self._times.detect_ms + sight.times.detect_ms, self._times.read_ms + sight.times.read_ms
        )
        if sight.reading is not None:
            self._take(sight, sight.reading)

    def _take(self, sight: Sight, reading: Reading) -> None:
        codes = best_codes(reading.log_probs)
        self._attempts += 1
        self.reads += bool(codes)
        now_ns = sight.frame.monotonic_ns
        if not self._stands_at(sight.detection.corners_px):
            self._read_corners, self._stands_since_ns = sight.detection.corners_px, now_ns
        self._read_ns = now_ns
        worth = quality(reading)
        keep = heapq.heappush if len(self._kept) < _MOST_READINGS else heapq.heappushpop
        keep(self._kept, (worth, self.sights, reading, codes))
        same = sum(each for each, _, _, others in self._kept if others == codes)
        self._agreement = max(self._agreement, same if codes else 0.0)
        if self._portrait is None or worth > self._portrait.quality:
            self._portrait = _portray(sight, worth)

    def is_worth_reading(self, detection: PlateDetection, monotonic_ns: int) -> bool:
        """Tell whether another read can change the text.

        It cannot where the voter says so. Where the plate stands, it says little new: the time between reads doubles.
        """
        if self.answer is not None and self.answer.settled:
            return False
        stood_ns = self._read_ns - self._stands_since_ns
        return not self._stands_at(detection.corners_px) or monotonic_ns - self._read_ns >= stood_ns

    def _stands_at(self, corners_px: Corners) -> bool:
        moved = np.hypot(*(corners_px - self._read_corners).T).max()
        return bool(moved < _STILL * width_px(corners_px))

    def is_due(self, least_quality: float) -> bool:
        """Tell whether to vote: readings of so much quality say the same, and of twice as much as at the last vote."""
        return self._agreement >= max(least_quality, 2 * self._agreement_voted_on)

    def vote(self, voter: Voter) -> PlateText | None:
        """What the reads so far say together."""
        if self._voted != self._attempts:
            self.answer, self._voted = voter.settle(self.readings), self._attempts
            self._agreement_voted_on = self._agreement
        return self.answer

    @property
    def readings(self) -> list[Reading]:
        """The best readings."""
        return [reading for _, _, reading, _ in self._kept]

    def settle(
        self,
        text: PlateText,
        lines: tuple[LineCrossing, ...] = (),
        vehicle: int = 0,
        *,
        is_final: bool = True,
    ) -> PlatePass:
        """The pass, now that its text is known; a revision where it was told before."""
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
            lines=lines,
            vehicle=vehicle,
            is_final=is_final,
            revision=None if self.told is None else "confirmed" if text.text == self.told.text else "corrected",
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
