"""Follows plates from frame to frame by where their four corners move."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edge_app.geometry import hulls, iou
from edge_app.records import Corners, PlateDetection
from edge_app.tracking.assignment import assign

Point = NDArray[np.float32]
"""(2,): x, y."""

_REACH_UNKNOWN = 3.0
"""Farthest distance, in plate widths, of a plate seen once or twice from its expected place: its speed is not known,
and the next lane's plate is about four widths away."""

_REACH_PREDICTED = 1.5
"""The same for a plate whose motion is known."""

_REACH_DOUBTFUL = 1.0
"""The same for a doubtful detection, whether or not the motion is known."""

_REACH_UNSEEN = 1.5
"""Plate widths added at most if frames went by without the plate: it may have braked meanwhile."""

_SECONDS_TO_DOUBT = 1.0
"""After half of this time unseen, the full `_REACH_UNSEEN` is added; after all of it, nothing: the longer a plate is
away, the more likely another vehicle is near its expected place."""

_LARGEST_GROWTH = 2.0
"""A plate does not become more than this many times as wide, or as narrow, as is expected."""

_OVERLAP_WEIGHT = 0.5
"""Plate widths that a missing overlap of the hulls counts as."""

_GROWTH_WEIGHT = 1.5
"""Plate widths that the largest growth counts as."""

_FRAMES_TO_TRUST = 3
"""Frames with the plate from which on its motion is known: two detections may be of two things."""

_SURPRISE = 0.5
"""Plate widths between the third detection and the place that the first two predict. Beyond, the first was of another
thing."""

_MISSES_TO_FORGET, _SECONDS_TO_FORGET = 8, 0.3
"""Frames in a row, and time, without a plate that was seen once or twice: what is found there later is another one."""

_DOUBT = 0.5
"""Plate widths added to the cost of a track whose motion is not known yet, so that one with known motion goes first."""

_VELOCITY_GAIN = 0.5
"""Share of the error by which the velocity is corrected; positions are taken as found, the detector being exact."""

_RECESSION_SECONDS = 0.15
"""Time constant with which the recession follows the width, which is measured less exactly than the place."""


@dataclass(slots=True, eq=False)
class _Track:
    """Where a plate is and how it moves.

    A plate that moves steadily on the road does not do so in the picture. Measured in its own widths it does: with
    its distance as 1 / width, place / width and 1 / width are linear in time (a pinhole camera, a plate of one size).
    """

    number: int
    corners_px: Corners
    seen_ns: int
    velocity: Point | None = None
    """Plate widths a second."""
    frames: int = 1
    misses: int = 0
    """Frames in a row that went by without it."""
    recession: float = 0.0
    """Change of 1 / width, a second."""

    def predict(self, monotonic_ns: int) -> Corners:
        if self.velocity is None:
            return self.corners_px
        elapsed, narrowness = _seconds(self.seen_ns, monotonic_ns), 1 / width_px(self.corners_px)
        expected = max(narrowness + self.recession * elapsed, narrowness / _LARGEST_GROWTH)
        centre = self.corners_px.mean(axis=0)
        moved = centre + self.velocity * elapsed / expected
        return np.asarray(moved + (self.corners_px - centre) * narrowness / expected, np.float32)

    def correct(self, corners_px: Corners, monotonic_ns: int) -> None:
        elapsed = max(_seconds(self.seen_ns, monotonic_ns), 1e-3)
        narrowness, before = 1 / width_px(corners_px), 1 / width_px(self.corners_px)
        moved = corners_px.mean(axis=0) - self.corners_px.mean(axis=0)
        velocity, recession = moved * narrowness / elapsed, (narrowness - before) / elapsed
        if self.velocity is not None and self.frames < _FRAMES_TO_TRUST:
            expected = self.predict(monotonic_ns)
            if float(np.hypot(*(corners_px - expected).T).mean()) > _SURPRISE * width_px(expected):
                self.frames, self.velocity, self.recession = 1, None, 0.0  # the first was of another thing
        if self.velocity is not None:
            velocity = self.velocity + _VELOCITY_GAIN * (velocity - self.velocity)
        self.recession -= math.expm1(-elapsed / _RECESSION_SECONDS) * (recession - self.recession)
        self.velocity = velocity - moved * self.recession  # places are counted from this one on
        self.corners_px, self.seen_ns = corners_px, monotonic_ns
        self.frames += 1
        self.misses = 0


class Tracker:
    """Gives the plates of one vehicle one number, never used again for another.

    A doubtful detection, with less confidence than `begin_confidence`, continues a track near by and begins none: it
    may be no plate, or lie beside one (the idea of ByteTrack, Zhang et al. 2022).
    """

    def __init__(self, lost_seconds: float, begin_confidence: float = 0.0) -> None:
        self._lost_seconds = lost_seconds
        self._begin_confidence = begin_confidence
        self._tracks: list[_Track] = []
        self._next_number = 1

    def follow(self, detections: Sequence[PlateDetection], monotonic_ns: int) -> list[int | None]:
        """The track of each detection: a new one if it fits no vehicle in view, None if it is also doubtful."""
        doubtful = [(each, each.confidence < self._begin_confidence) for each in detections]
        costs = np.array(
            [[_cost(track, each, monotonic_ns, in_doubt) for each, in_doubt in doubtful] for track in self._tracks]
        )
        pairs = assign(costs.reshape(len(self._tracks), len(detections)), limit=1.0)
        known = {column: self._tracks[row] for row, column in pairs}
        for track in self._tracks:
            track.misses += 1
        for column, (detection, in_doubt) in enumerate(doubtful):
            if column in known:
                known[column].correct(detection.corners_px, monotonic_ns)
            elif not in_doubt:
                known[column] = self._begin(detection, monotonic_ns)
        return [known[column].number if column in known else None for column in range(len(detections))]

    def release(self, monotonic_ns: int) -> list[int]:
        """Tracks unseen for longer than `lost_seconds`; they are forgotten."""
        lost = [track for track in self._tracks if _seconds(track.seen_ns, monotonic_ns) > self._lost_seconds]
        self._tracks = [track for track in self._tracks if track not in lost]
        return [track.number for track in lost]

    def release_all(self) -> list[int]:
        """Every track; they are forgotten."""
        ended, self._tracks = self._tracks, []
        return [track.number for track in ended]

    def postpone(self, duration_ns: int) -> None:
        """Leave out some time: no frame was searched, for nothing moved."""
        for track in self._tracks:
            track.seen_ns += duration_ns

    def _begin(self, detection: PlateDetection, monotonic_ns: int) -> _Track:
        track = _Track(self._next_number, detection.corners_px, monotonic_ns)
        self._tracks.append(track)
        self._next_number += 1
        return track


def width_px(corners_px: Corners) -> float:
    """Mean length of a plate's upper and lower edge."""
    edges = corners_px[[1, 2]] - corners_px[[0, 3]]
    return max(float(np.hypot(edges[:, 0], edges[:, 1]).mean()), 1.0)


def _cost(track: _Track, detection: PlateDetection, monotonic_ns: int, in_doubt: bool) -> float:
    """How unlikely the detection is the track's plate; above 1 it cannot be."""
    expected, found = track.predict(monotonic_ns), detection.corners_px
    widths = width_px(expected), width_px(found)
    if max(widths) > _LARGEST_GROWTH * min(widths):
        return np.inf
    distance_px = float(np.hypot(*(found - expected).T).mean())
    overlap = float(iou(hulls(expected), hulls(found)))
    growth = abs(math.log(widths[1] / widths[0])) / math.log(_LARGEST_GROWTH)
    unlikeness = _OVERLAP_WEIGHT * (1 - overlap) + _GROWTH_WEIGHT * growth
    if track.frames < _FRAMES_TO_TRUST:
        if track.misses > _MISSES_TO_FORGET and _seconds(track.seen_ns, monotonic_ns) > _SECONDS_TO_FORGET:
            return np.inf
        reach = _REACH_DOUBTFUL if in_doubt else _REACH_UNKNOWN
        return (distance_px / max(widths) + unlikeness + _DOUBT) / (reach + _OVERLAP_WEIGHT + _DOUBT)
    reach = _REACH_DOUBTFUL if in_doubt else _REACH_PREDICTED
    if track.misses and not in_doubt:
        away = min(_seconds(track.seen_ns, monotonic_ns) / _SECONDS_TO_DOUBT, 1.0)
        reach += _REACH_UNSEEN * 4 * away * (1 - away)  # a parabola: nothing at both ends, all in the middle
    return (distance_px / widths[0] + unlikeness) / (reach + _OVERLAP_WEIGHT)


def _seconds(since_ns: int, until_ns: int) -> float:
    return (until_ns - since_ns) / 1e9
