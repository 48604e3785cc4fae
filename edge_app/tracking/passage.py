"""One vehicle while it passes: what its frames showed, in bounded memory, and the pass it becomes."""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TypeVar

import numpy as np

from edge_app.recognition.ctc import best_codes
from edge_app.recognition.plate_colours import colours_of, majority
from edge_app.recognition.reading import Attempt
from edge_app.records import (
    Corners,
    Exposure,
    Frame,
    ImageBgr,
    LineCrossing,
    PlateColours,
    PlateDetection,
    PlatePass,
    PlateRead,
    PlateText,
    Reading,
    StageTimes,
)
from edge_app.tracking.tracker import width_px
from edge_app.tracking.voter import Voter, reading_weight

_MOST_READINGS = 30
"""The best of them are kept; more add little."""

_MOST_CROP_BYTES = 4_000_000
"""That the crops kept of one vehicle may take; plates so large need few further attempts."""

_CROP_MARGIN_ACROSS, _CROP_MARGIN_DOWN = 0.5, 1.25
"""Surroundings in the crop, as shares of the plate's width at the sides and of its height above and below. If only one
line of a plate of two was found, the other one lies in them."""

_STILL = 0.1
"""A plate whose corners have moved by less than this many of its widths stands where it stood."""

_Item = TypeVar("_Item", "_Kept", "_CloseUp")

ReadAgain = Callable[[ImageBgr, PlateDetection], Attempt]
"""Reads a plate with more effort, in a picture of its surroundings."""

_CLEAR_GROWTH = math.log(1.15)
"""A plate that grew or shrank by this factor over its pass moved towards the camera or away."""


@dataclass(frozen=True, slots=True, eq=False)
class Observation:
    """A plate found in one frame, and read unless there was no need."""

    frame: Frame
    detection: PlateDetection
    reading: Reading | None
    zones: list[str]
    times: StageTimes


@dataclass(frozen=True, slots=True, eq=False)
class _Kept:
    """One reading of the plate."""

    weight: float
    reading: Reading
    codes: tuple[int, ...]


@dataclass(frozen=True, slots=True, eq=False)
class _CloseUp:
    """What is kept of a frame: the frame itself would hold megabytes."""

    kept: _Kept
    detection: PlateDetection
    crop_bgr: ImageBgr
    corner: tuple[int, int]
    """Left and top of the crop in the frame."""
    frame_size: tuple[int, int]
    seen_at: datetime
    seen_ns: int
    exposure: Exposure | None
    is_read_again: bool = False

    @property
    def weight(self) -> float:
        """Of its reading."""
        return self.kept.weight

    def colours(self) -> PlateColours:
        """The plate's, as this frame shows them."""
        left, top = self.corner
        return colours_of(self.crop_bgr, self.detection.moved(-left, -top).corners_px)


class Passage:
    """The observations of one track, at least one; the first of them was read."""

    def __init__(self, first: Observation, voter: Voter, further: int = 0) -> None:
        """`further`: how many frames may be read again with more effort; of them the plate's surroundings are kept."""
        self.frames = self.reads = 0
        self.is_in_zone = True
        """Whether the plate is where plates count."""
        self.answer: PlateText | None = None
        """The result of the last vote."""
        self.reported: PlateText | None = None
        """The text that was published, or was not because the vehicle was known."""
        self.awaits_update = False
        """It was published early."""
        self._voter = voter
        self._agreement = self._agreement_voted_on = 0.0
        self._is_voted = False
        self._read_corners = self._trend_corners = first.detection.corners_px
        self._read_ns = self._stands_since_ns = first.frame.monotonic_ns
        self.first_monotonic_ns = self.last_monotonic_ns = first.frame.monotonic_ns
        self._first_seen = self._last_seen = first.frame.captured_at
        self._camera, self._is_recorded = first.frame.camera, first.frame.is_recorded
        self._kept: list[_Kept] = []
        self._close_ups: list[_CloseUp] = []
        self._most_close_ups, self._further = max(1, further), further
        self._plate_confidence = 0.0
        self._size = _Trend()
        self._zones: dict[str, None] = {}
        self._times = StageTimes()
        self.add(first)

    def add(self, observation: Observation) -> None:
        """Take in a later observation."""
        self.is_in_zone = True
        self.frames += 1
        self._plate_confidence = max(self._plate_confidence, observation.detection.confidence)
        self.last_monotonic_ns, self._last_seen = observation.frame.monotonic_ns, observation.frame.captured_at
        if self.frames == 1 or not _is_still(self._trend_corners, observation.detection.corners_px):
            self._trend_corners = observation.detection.corners_px
            seconds = (observation.frame.monotonic_ns - self.first_monotonic_ns) / 1e9
            self._size.add(seconds, math.log(width_px(observation.detection.corners_px)))
        self._zones.update(dict.fromkeys(observation.zones))
        self._times = StageTimes(
            self._times.detect_ms + observation.times.detect_ms, self._times.read_ms + observation.times.read_ms
        )
        if observation.reading is not None:
            self._take(observation, observation.reading)

    def _take(self, observation: Observation, reading: Reading) -> None:
        codes = best_codes(reading.log_probs)
        self._is_voted = False
        self.reads += bool(codes)
        now_ns = observation.frame.monotonic_ns
        if not _is_still(self._read_corners, observation.detection.corners_px):
            self._read_corners, self._stands_since_ns = observation.detection.corners_px, now_ns
        self._read_ns = now_ns
        kept = _Kept(reading_weight(reading), reading, codes)
        self._kept = _best([*self._kept, kept], _MOST_READINGS)
        same = sum(each.weight for each in self._kept if each.codes == codes)
        self._agreement = max(self._agreement, same if codes else 0.0)
        if len(self._close_ups) < self._most_close_ups or kept.weight > self._close_ups[-1].weight:
            self._keep_close_up(_portray(observation, kept))

    def _keep_close_up(self, close_up: "_CloseUp") -> None:
        self._close_ups = _best([*self._close_ups, close_up], self._most_close_ups)
        while sum(each.crop_bgr.nbytes for each in self._close_ups) > _MOST_CROP_BYTES and len(self._close_ups) > 1:
            self._close_ups.pop()
            self._most_close_ups = len(self._close_ups)

    def needs_reading(self, detection: PlateDetection, monotonic_ns: int) -> bool:
        """Whether another read can change the text.

        It cannot if the text is settled. If the plate stands, a read adds little: the time between reads doubles.
        """
        if self.answer is not None and self.answer.settled:
            return False
        stood_ns = self._read_ns - self._stands_since_ns
        return not _is_still(self._read_corners, detection.corners_px) or monotonic_ns - self._read_ns >= stood_ns

    def is_due(self, least_weight: float) -> bool:
        """Whether to vote: readings of this total weight agree, and of twice as much as at the last vote."""
        return self._agreement >= max(least_weight, 2 * self._agreement_voted_on)

    def vote(self) -> PlateText | None:
        """The text that the reads so far support together."""
        if not self._is_voted:
            self.answer, self._is_voted = self._voter.settle(self.readings, self._plate_confidence), True
            self._agreement_voted_on = self._agreement
        return self.answer

    def read_again(self, read: ReadAgain, clock: Callable[[], float] = time.perf_counter) -> bool:
        """Read the best frame that was not read again yet, with more effort; False if no more are to be.

        Of the two readings of the frame the one with the better log score counts.
        """
        before = next((each for each in self._close_ups if not each.is_read_again), None)
        if before is None or not self._further:
            return False
        self._further -= 1
        begun = clock()
        left, top = before.corner
        again = read(before.crop_bgr, before.detection.moved(-left, -top))
        self._times = replace(self._times, read_ms=self._times.read_ms + (clock() - begun) * 1e3)
        after = replace(before, is_read_again=True)
        codes = best_codes(again.reading.log_probs)
        if again.log_score > self._voter.score(before.kept.reading).log_score:
            self.reads += bool(codes) and not before.kept.codes
            kept = _Kept(reading_weight(again.reading), again.reading, codes)
            self._kept = _best([kept if each is before.kept else each for each in self._kept])
            after = replace(after, kept=kept, detection=again.plate.moved(left, top))
            self._is_voted = False
        self._close_ups = _best([after if each is before else each for each in self._close_ups])
        return True

    @property
    def readings(self) -> list[Reading]:
        """The best readings."""
        return [kept.reading for kept in self._kept]

    def settle(
        self,
        text: PlateText,
        crossings: tuple[LineCrossing, ...] = (),
        vehicle: int = 0,
        *,
        is_final: bool = True,
    ) -> PlatePass:
        """The pass, now that its text is known, with the frame that supports it best.

        A revision if it was reported before.
        """
        best = max(self._close_ups, key=lambda each: self._voter.support(text.text, each.kept.reading))
        return PlatePass(
            camera=self._camera,
            read=PlateRead(text, best.detection, self._colours()),
            crop_bgr=best.crop_bgr,
            frame_size=best.frame_size,
            first_seen=self._first_seen,
            best_seen=best.seen_at,
            last_seen=self._last_seen,
            frames=self.frames,
            reads=self.reads,
            direction=self._size.direction,
            zones=tuple(self._zones),
            times=self._times,
            first_monotonic_ns=self.first_monotonic_ns,
            best_monotonic_ns=best.seen_ns,
            last_monotonic_ns=self.last_monotonic_ns,
            crossings=crossings,
            vehicle=vehicle,
            is_final=is_final,
            revision=None if self.reported is None else "confirmed" if text.text == self.reported.text else "corrected",
            is_recorded=self._is_recorded,
            exposure=best.exposure,
        )

    def _colours(self) -> PlateColours:
        """Of the frames kept, the better ones weighing more."""
        return majority((each.colours(), each.weight) for each in self._close_ups)


class _Trend:
    """A straight line through the logarithm of the plate's size over time, by least squares.

    Frames in which the plate stands are left out: a long stop would hide the movement before and after it.
    """

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


def _is_still(before: Corners, now: Corners) -> bool:
    return bool(np.hypot(*(now - before).T).max() < _STILL * width_px(now))


def _portray(observation: Observation, kept: _Kept) -> _CloseUp:
    height, width = observation.frame.image_bgr.shape[:2]
    left, top, across, down = observation.detection.box_px
    columns = _span(left, across, width, _CROP_MARGIN_ACROSS)
    rows = _span(top, down, height, _CROP_MARGIN_DOWN)
    crop_bgr = observation.frame.image_bgr[rows, columns].copy()
    corner = columns.start, rows.start
    seen_at, seen_ns = observation.frame.captured_at, observation.frame.monotonic_ns
    exposure = observation.frame.exposure
    return _CloseUp(kept, observation.detection, crop_bgr, corner, (width, height), seen_at, seen_ns, exposure)


def _span(start: float, length: float, limit: int, margin: float) -> slice:
    """Pixels of a plate and its surroundings along one axis, one at least."""
    first = min(max(round(start - margin * length), 0), limit - 1)
    return slice(first, min(max(round(start + (1 + margin) * length), first + 1), limit))


def _best(items: list[_Item], most: int | None = None) -> list[_Item]:
    """Those of the greatest weight first, at most `most`."""
    return sorted(items, key=lambda each: each.weight, reverse=True)[:most]
