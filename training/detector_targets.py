"""The wanted output of the detector at every cell of a training picture."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edge_app.detection.corner_decoding import encode_corners
from training.plate_pictures import PlatePicture
from training.shapes import STRIDE

_CORE = 0.5
"""Cells in this middle share of a plate's width and height belong to it; those around are left out of the loss."""

_AROUND = 2.5
"""Of a plate's size: so far around it there is background, though other plates of the picture have no box."""


@dataclass(frozen=True, slots=True, eq=False)
class Targets:
    """Maps of (rows, columns, …)."""

    score: NDArray[np.float32]
    """(…, 2): 1 at a plate's core, and the weight of the cell."""
    corners: NDArray[np.float32]
    """(…, 9): coded corners, and whether each single one is known; of others the hull alone is."""
    lines: NDArray[np.float32]
    """(…, 2): 1 for two lines, and the weight."""


def targets_of(picture: PlatePicture) -> Targets:
    """Targets for a picture whose width and height are multiples of the stride."""
    height, width = picture.image_bgr.shape[:2]
    plates = picture.plates
    rows, columns = height // STRIDE, width // STRIDE
    score = np.zeros((rows, columns, 2), np.float32)
    score[..., 1] = picture.all_boxed
    corners = np.zeros((rows, columns, 9), np.float32)
    lines = np.zeros((rows, columns, 2), np.float32)
    row_index, column_index = np.mgrid[:rows, :columns]
    centres = (np.stack([column_index, row_index], axis=-1) + 0.5).astype(np.float32) * STRIDE
    if not picture.all_boxed:
        for plate in plates:
            score[_inside(plate.corners_px, _AROUND, centres), 1] = 1
    for plate in sorted(plates, key=lambda plate: -float(np.ptp(plate.corners_px[:, 0]))):
        score[_inside(plate.corners_px, 1.1, centres), 1] = 0
        if not plate.counted:
            continue
        core = _inside(plate.corners_px, _CORE, centres)
        middle = plate.corners_px.mean(axis=0)
        nearest = np.clip((middle // STRIDE).astype(int), 0, (columns - 1, rows - 1))
        core[nearest[1], nearest[0]] = True
        weight = core.sum() ** -0.5
        score[core] = 1, weight
        corners[core, :8] = encode_corners(plate.corners_px[None], centres[core]).reshape(-1, 8)
        corners[core, 8] = float(plate.exact)
        lines[core] = float(plate.lines == 2), float(plate.lines is not None) * weight
    return Targets(score, corners, lines)


def _inside(corners: NDArray[np.float32], share: float, centres: NDArray[np.float32]) -> NDArray[np.bool_]:
    middle = corners.mean(axis=0)
    quad = (middle + (corners - middle) * share) / STRIDE - 0.5
    edge = np.roll(quad, -1, axis=0) - quad
    x, y = centres[..., 0] / STRIDE - 0.5, centres[..., 1] / STRIDE - 0.5
    crosses = [ex * (y - qy) - ey * (x - qx) for (ex, ey), (qx, qy) in zip(edge, quad, strict=True)]
    return np.asarray(np.all(np.stack(crosses) >= 0, axis=0))
