"""Other looks at a plate that is not read well as it was found, for its corners or its layout may be wrong."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from edge_app.records import Corners, PlateDetection

_LOOSE, _TIGHT = (1.1, 1.15), (0.95, 0.85)
"""Across and down, times the plate's size."""

_SLANT = 0.2
"""Heights by which the two ends lie apart that a plate found too upright may have."""


def other_looks(detection: PlateDetection) -> list[PlateDetection]:
    """The plate a little larger, a little smaller, slanted both ways, and with the other number of lines."""
    changes = (np.diag(_LOOSE), np.diag(_TIGHT), np.array([[1, 0], [_SLANT, 1]]), np.array([[1, 0], [-_SLANT, 1]]))
    looks = [replace(detection, corners_px=_changed(detection.corners_px, change)) for change in changes]
    return [*looks, replace(detection, lines=3 - detection.lines)]


def _changed(corners: Corners, change: NDArray[np.float64]) -> Corners:
    """Corners moved by a linear change of the plate's own coordinates, along its width and its height."""
    middle = corners.mean(axis=0)
    sides = np.roll(corners, -1, axis=0) - corners
    axes = np.stack([sides[0] - sides[2], sides[1] - sides[3]], axis=1) / 2
    inside = np.linalg.solve(axes, (corners - middle).T)
    return np.asarray(middle + (axes @ change @ inside).T, np.float32)
