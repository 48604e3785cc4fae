"""Virtual lines across the road, and which of them each vehicle crosses in which direction."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from edge_app.config import CrossingLineSettings
from edge_app.records import LineCrossing, PlateDetection
from edge_app.tracking.tracker import width_px

Point = NDArray[np.float32]
"""(2,): x, y in pixels."""

_CLEAR_OF_LINE = 0.25
"""Distance, in plate widths, from which a plate is clearly on one side: a plate that stops on a line must not cross it
again and again."""


class Crossings:
    """`follow` takes the plates of each track; `of` returns what they have crossed, in order."""

    def __init__(self, settings: Sequence[CrossingLineSettings]) -> None:
        self._settings = settings
        self._last_clear: dict[int, dict[str, Point]] = {}
        """By track and line, the last place of the plate clearly on one side."""
        self._crossings: dict[int, list[LineCrossing]] = {}

    def follow(self, track: int, detection: PlateDetection, frame_size: tuple[int, int]) -> None:
        """Take in the place of a plate."""
        centre = detection.corners_px.mean(axis=0)
        clear_px = _CLEAR_OF_LINE * width_px(detection.corners_px)
        clear = self._last_clear.setdefault(track, {})
        for line in self._settings:
            start, end = np.array([line.start, line.end], np.float32) * np.array(frame_size, np.float32)
            now = _px_to_the_right(centre, start, end)
            if abs(now) < clear_px:
                continue
            before = clear.get(line.name)
            clear[line.name] = centre
            if before is not None and _crosses(before, centre, start, end):
                label = line.to_right if now > 0 else line.to_left
                self._crossings.setdefault(track, []).append(LineCrossing(line.name, label))

    def of(self, track: int) -> tuple[LineCrossing, ...]:
        """What the vehicle has crossed so far."""
        return tuple(self._crossings.get(track, ()))

    def forget(self, track: int) -> None:
        """Forget a vehicle that has gone."""
        self._last_clear.pop(track, None)
        self._crossings.pop(track, None)


def _crosses(before: Point, now: Point, start: Point, end: Point) -> bool:
    """Whether the way from one point to another crosses the line between its ends."""
    sides = _px_to_the_right(before, start, end), _px_to_the_right(now, start, end)
    ends = _px_to_the_right(start, before, now), _px_to_the_right(end, before, now)
    return sides[0] * sides[1] < 0 and ends[0] * ends[1] <= 0


def _px_to_the_right(point: Point, start: Point, end: Point) -> float:
    """Distance of a point to the right of the direction from `start` to `end`; below zero, to the left."""
    (along_x, along_y), (x, y) = end - start, point - start
    return float((along_x * y - along_y * x) / max(np.hypot(along_x, along_y), 1e-6))
