"""Other looks at a plate that is not read well as it was found, for its corners or its layout may be wrong."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from edge_app.recognition.rectifier import plate_size
from edge_app.records import Corners, PlateDetection

_SIZES = ((1.1, 1.15), (0.95, 0.85), (1.12, 1.0), (0.9, 1.0))
"""Across and down, times the plate's size."""

_SHIFTS = ((0.08, 0.0), (-0.08, 0.0), (0.0, 0.12), (0.0, -0.12))
"""Across and down, in widths and heights."""

_SLOPE = 0.2
"""Heights by which the two ends lie apart that a plate found too upright may have."""

_LEAN = 0.15
"""Widths by which the upper edge lies beside the lower one that a plate, or its letters, may have."""

NARROW = 2.6
"""Times its height that nearly every plate of two lines is at most wide, and few of one line that are not seen from the
side."""

_LINES_ABOVE = (0.8, 1.0, 1.25)
"""Heights that the line above one line of text may have."""

_FLATTEST = 1e-3
"""Square pixels; a plate of less than this has no sides to change."""

_CHANGES = (
    *(np.diag(size) for size in _SIZES),
    *(np.array([[1, 0], [slope, 1]]) for slope in (_SLOPE, -_SLOPE)),
    *(np.array([[1, lean], [0, 1]]) for lean in (_LEAN, -_LEAN)),
)
"""Matrices that change a plate's own coordinates: along its width and along its height, from its middle."""


def nearby_looks(detection: PlateDetection) -> list[PlateDetection]:
    """The plate a little larger, smaller, wider, narrower, to each side, sloping and leaning both ways."""
    middle, axes = _shape(detection.corners_px)
    if abs(np.linalg.det(axes)) < _FLATTEST:
        return []
    inside = np.linalg.solve(axes, (detection.corners_px - middle).T)
    changed = [change @ inside for change in _CHANGES] + [inside + np.array(shift)[:, None] for shift in _SHIFTS]
    return [replace(detection, corners_px=np.asarray(middle + (axes @ each).T, np.float32)) for each in changed]


def in_other_layout(detection: PlateDetection) -> PlateDetection:
    """The plate with the other number of lines."""
    return replace(detection, lines=3 - detection.lines)


def layouts(detection: PlateDetection) -> list[PlateDetection]:
    """The plate as it was found and, where it is narrow for one line, with two: small ones show hardly a gap."""
    width, height = plate_size(detection.corners_px)
    may_have_two = detection.lines == 1 and width < NARROW * height
    return [detection, in_other_layout(detection)] if may_have_two else [detection]


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
