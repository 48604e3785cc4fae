"""Which tracks were seen beside each other, and so are two vehicles even if they have one number."""

from collections.abc import Sequence
from itertools import combinations

import numpy as np

from edge_app.records import PlateDetection
from edge_app.tracking.tracker import width_px

_LEAST_WIDTHS = 3.0
"""Plates farther apart across the picture are of two vehicles: 1.5 m, a lane's half.

Nearer, or one above the other, they may be of one lorry that carries its number twice, or of a car and its trailer.
"""


class Twins:
    """Remembers pairs of tracks for as long as a number is known."""

    def __init__(self, window_seconds: float) -> None:
        self._window_ns = int(window_seconds * 1e9)
        self._seen_ns: dict[tuple[int, int], int] = {}

    def follow(self, tracks: Sequence[int | None], found: Sequence[PlateDetection], monotonic_ns: int) -> None:
        """Take in the plates of one frame, with their tracks."""
        there = [(track, each.corners_px) for track, each in zip(tracks, found, strict=True) if track is not None]
        for (first, left), (second, right) in combinations(sorted(there, key=lambda each: each[0]), 2):
            apart_px = abs(float(np.mean(left[:, 0]) - np.mean(right[:, 0])))
            if apart_px > _LEAST_WIDTHS * max(width_px(left), width_px(right)):
                self._seen_ns[first, second] = monotonic_ns
        since_ns = monotonic_ns - self._window_ns
        self._seen_ns = {pair: seen_ns for pair, seen_ns in self._seen_ns.items() if seen_ns >= since_ns}

    def are_two(self, first: int, second: int) -> bool:
        """Whether both were seen at once, well apart."""
        return (min(first, second), max(first, second)) in self._seen_ns
