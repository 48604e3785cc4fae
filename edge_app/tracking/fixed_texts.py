"""Lettering of the camera itself, and signs: what stays at the same pixels while vehicles pass is no plate."""

import logging
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from edge_app.records import Corners, PlateDetection
from edge_app.tracking.tracker import width_px

log = logging.getLogger(__name__)

_STILL = 0.1
"""Plate widths within which the corners of something fixed are found."""

_PASSED = 1.0
"""Plate widths by which a vehicle has to have moved to count as one that passes."""

_LEAST_FRAMES = 3
"""Of a vehicle that passes: two may be of two things."""

_PASSERS = 2
"""Vehicles that have to pass; one is enough beside what was there from the first frame on."""


@dataclass(slots=True)
class _Way:
    """How far the plate of a track has moved."""

    first_px: Corners
    is_original: bool
    """It was there in the first frame that was searched."""
    frames: int = 0
    farthest: float = 0.0
    """From its first place, in plate widths."""
    has_passed: bool = False
    passers: int = 0

    @property
    def is_fixed(self) -> bool:
        return self.farthest < _STILL and self.passers >= (1 if self.is_original else _PASSERS)


class FixedTexts:
    """Distinguishes fixed lettering from vehicles' plates, also from one that waits: that one was seen to arrive."""

    def __init__(self, would_be_published: Callable[[int], bool] = lambda _track: True) -> None:
        """`would_be_published`: whether a track's text is sure enough; of others nothing is logged."""
        self._would_be_published = would_be_published
        self.found: list[tuple[tuple[float, float], ...]] = []
        """Where they are: four points each, as shares of the picture's width and height, as a zone has them."""
        self._ways: dict[int, _Way] = {}
        self._places_px: list[Corners] = []
        self._began_ns: int | None = None

    def follow(self, track: int, detection: PlateDetection, monotonic_ns: int, size: tuple[int, int]) -> None:
        """Take in a plate of one frame; `size` is the frame's width and height."""
        self._began_ns = monotonic_ns if self._began_ns is None else self._began_ns
        way = self._ways.setdefault(track, _Way(detection.corners_px, monotonic_ns == self._began_ns))
        way.frames += 1
        way.farthest = max(way.farthest, _apart(way.first_px, detection.corners_px))
        if way.frames >= _LEAST_FRAMES and way.farthest >= _PASSED and not way.has_passed:
            way.has_passed = True
            for number, other in self._ways.items():
                if other.farthest < _STILL:
                    other.passers += 1
                    self._note(number, other, size)

    def is_fixed(self, track: int) -> bool:
        """Whether a track is of a fixed text: proved on it, or on an earlier one that stayed at the same place."""
        way = self._ways.get(track)
        if way is None:
            return False
        return way.is_fixed or (
            way.farthest < _STILL and any(_apart(p, way.first_px) < _STILL for p in self._places_px)
        )

    def forget(self, track: int) -> None:
        """It has ended."""
        self._ways.pop(track, None)

    def _note(self, track: int, way: _Way, size: tuple[int, int]) -> None:
        """Log a place once, with what to do about it."""
        is_known = any(_apart(place, way.first_px) < _STILL for place in self._places_px)
        if is_known or not way.is_fixed or not self._would_be_published(track):
            return
        self._places_px.append(way.first_px)
        left, top = (way.first_px.min(axis=0) / size).clip(0, 1)
        right, bottom = (way.first_px.max(axis=0) / size).clip(0, 1)
        corners = ((left, top), (right, top), (right, bottom), (left, bottom))
        polygon = tuple((round(float(x), 4), round(float(y), 4)) for x, y in corners)
        self.found.append(polygon)
        points = ", ".join(f"[{x}, {y}]" for x, y in polygon)
        log.warning(
            "a text stays at the same pixels while vehicles pass: the camera's own lettering, or a sign; it is not"
            " published. Switch it off at the camera, or mask it: [[zones]] include = false, polygon = [%s]",
            points,
        )


def _apart(first_px: Corners, second_px: Corners) -> float:
    """The farthest of the corners, in plate widths; far also if the sizes differ."""
    return float(np.hypot(*(second_px - first_px).T).max()) / width_px(first_px)
