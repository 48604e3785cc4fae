"""From the detector's maps to plates: pure numpy, no network.

For each cell of an output map the detector gives the logit of "a plate's centre is here" and that of "it has two
lines". It gives the four corners as `asinh((corner - cell centre) / CORNER_UNIT_PX)`. The inverse hyperbolic sine
keeps the relative precision of an int8 number the same for small and large plates.
"""

import numpy as np
from numpy.typing import NDArray

from edge_app.geometry import hulls, iou, same_plate
from edge_app.records import Corners, PlateDetection

CORNER_UNIT_PX = 8.0
"""Offsets up to about this are coded linearly, larger ones logarithmically; pixels of the network's input."""

_MERGE_IOU = 0.6
"""Cells that agree with the best one this well have their corners averaged with it."""

_MAX_CELLS = 400

FloatMap = NDArray[np.float32]


def encode_corners(corners_px: FloatMap, centres_px: FloatMap) -> FloatMap:
    """Corners (…, 4, 2) as the network gives them for cells at `centres_px` (…, 2)."""
    return np.arcsinh((corners_px - centres_px[..., None, :]) / CORNER_UNIT_PX).astype(np.float32)


def decode_corners(codes: FloatMap, centres_px: FloatMap) -> FloatMap:
    """The inverse of `encode_corners`."""
    return (np.sinh(np.clip(codes, -6, 6)) * CORNER_UNIT_PX + centres_px[..., None, :]).astype(np.float32)


def decode(
    score_logits: FloatMap,
    corner_codes: FloatMap,
    line_logits: FloatMap,
    stride: int,
    confidence: float,
    max_plates: int,
) -> list[PlateDetection]:
    """Plates in pixels of the network's input, the most confident first.

    Shapes: `score_logits` and `line_logits` (rows, columns), `corner_codes` (rows, columns, 8).
    """
    rows, columns = _likely_cells(score_logits, confidence)
    corners = _corners_at(rows, columns, corner_codes, stride)
    scores = (1 / (1 + np.exp(-score_logits[rows, columns]))).astype(np.float32)
    return _merge(corners, scores, line_logits[rows, columns], stride, max_plates)


def widest_px(score_logits: FloatMap, corner_codes: FloatMap, stride: int, confidence: float) -> float:
    """Width, in pixels of the network's input, of the widest plate that any cell is this confident of; 0 without one.

    Before cells of the same plate are merged: the whole of it may be less certain than a part.
    """
    corners = _corners_at(*_likely_cells(score_logits, confidence), corner_codes, stride)
    return float(np.ptp(corners[..., 0], axis=1).max(initial=0))


def _likely_cells(score_logits: FloatMap, confidence: float) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Rows and columns of the cells from a confidence on, the strongest if they are many."""
    rows, columns = np.nonzero(score_logits >= float(np.log(confidence / (1 - confidence))))
    if rows.size > _MAX_CELLS:
        strongest = np.argsort(-score_logits[rows, columns], kind="stable")[:_MAX_CELLS]
        rows, columns = rows[strongest], columns[strongest]
    return rows, columns


def _corners_at(rows: NDArray[np.intp], columns: NDArray[np.intp], corner_codes: FloatMap, stride: int) -> FloatMap:
    centres = ((np.stack([columns, rows], axis=-1) + 0.5) * stride).astype(np.float32)
    return decode_corners(corner_codes[rows, columns].reshape(-1, 4, 2), centres)


def _within_a_cell(box: FloatMap, boxes: FloatMap, stride: int) -> NDArray[np.bool_]:
    """Which of the boxes (n, 4) have their middle within a cell's size of that of the box (4,).

    Neighbouring cells belong to one plate, but may disagree on the place of a plate as small as a cell.
    """
    apart = np.abs(box[:2] + box[2:] / 2 - (boxes[:, :2] + boxes[:, 2:] / 2))
    return np.asarray(apart.max(axis=1) < stride)


def _merge(
    corners: FloatMap, scores: FloatMap, line_logits: FloatMap, stride: int, max_plates: int
) -> list[PlateDetection]:
    boxes = hulls(corners)
    waiting = np.argsort(-scores, kind="stable")
    plates: list[PlateDetection] = []
    while waiting.size and len(plates) < max_plates:
        best = waiting[0]
        agrees = iou(boxes[best], boxes[waiting]) >= _MERGE_IOU
        agrees[0] = True  # with itself, even if its corners have collapsed
        agreeing = waiting[agrees]
        weights = scores[agreeing] ** 2
        merged: Corners = np.average(corners[agreeing], axis=0, weights=weights).astype(np.float32)
        two_lines = float(np.average(line_logits[agreeing], weights=weights)) > 0
        plates.append(PlateDetection(merged, float(scores[best]), 2 if two_lines else 1))
        others = waiting[1:]
        is_same = same_plate(boxes[best], boxes[others]) | _within_a_cell(boxes[best], boxes[others], stride)
        waiting = others[~is_same]
    return plates
