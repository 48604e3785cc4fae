"""Other looks at a plate that is not read well as it was found, for its corners or its layout may be wrong."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from edge_app.records import Corners, PlateDetection

_LOOSE, _TIGHT = (1.1, 1.15), (0.95, 0.85)
"""Across and down, times the plate's size."""

_SLANT = 0.2
"""Heights by which the two ends lie apart that a plate found too upright may have."""

_LINES_ABOVE = (0.8, 1.0, 1.25)
"""Heights that the line above one line of text may have."""

_FLATTEST = 1e-3
"""Square pixels; a plate of less than this has no sides to change."""


def other_looks(detection: PlateDetection) -> list[PlateDetection]:
    """The plate a little larger, a little smaller, slanted both ways, and with the other number of lines."""
    middle, axes = _shape(detection.corners_px)
    other_layout = replace(detection, lines=3 - detection.lines)
    if abs(np.linalg.det(axes)) < _FLATTEST:
        return [other_layout]
    inside = np.linalg.solve(axes, (detection.corners_px - middle).T)
    changes = (np.diag(_LOOSE), np.diag(_TIGHT), np.array([[1, 0], [_SLANT, 1]]), np.array([[1, 0], [-_SLANT, 1]]))
    changed = [np.asarray(middle + (axes @ change @ inside).T, np.float32) for change in changes]
    return [*(replace(detection, corners_px=corners) for corners in changed), other_layout]


def with_line_above(detection: PlateDetection) -> list[PlateDetection]:
    """The plate with a line above the one that was found; none where it has two already."""
    if detection.lines == 2:
        return []
    up = np.zeros_like(detection.corners_px)
    up[:2] = detection.corners_px[[0, 1]] - detection.corners_px[[3, 2]]
    return [
        replace(detection, corners_px=(detection.corners_px + share * up).astype(np.float32), lines=2)
        for share in _LINES_ABOVE
    ]


def _shape(corners: Corners) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """A plate's middle, and as columns its own coordinates: along its width and along its height."""
    sides = np.roll(corners, -1, axis=0) - corners
    axes = np.stack([sides[0] - sides[2], sides[1] - sides[3]], axis=1) / 2
    return corners.mean(axis=0), axes
