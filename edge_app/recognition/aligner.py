"""Finds a plate's corners and layout exactly, and whether it is one, from a close view of where it was found."""

import math
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_app.detection.detector import PADDING_BGR
from edge_app.geometry import hulls, iou
from edge_app.recognition.rectifier import even_out, halved, plate_size, surroundings
from edge_app.records import Corners, ImageBgr, ImageGray, PlateDetection
from edge_app.tflite_model import Network

_ACROSS, _DOWN = 0.3, 0.6
"""Shares of the plate's width and height that a view shows beyond each of its sides."""

_SAME_PLACE_IOU = 0.2
"""Corners that overlap less with what was found are of something else."""

_PLATE_SHARE, _PLATE_BIAS = 0.5, 2.6
"""What the aligner's logit of a plate adds to the detector's, and what is taken off both: chosen on held-out pictures
so that 0.5 is the best balance of recall and precision."""

_EXTREME = 1e-4
"""The detector's confidence counts as at least this, and as at most one less this."""

_FAR, _POSSIBLE = 0.3, 0.05
"""For a second alignment, the farthest corner has to move by this many heights of a line, and the confidence of both
networks has to reach this: of a hundred places below hardly one becomes a plate."""


class PlateAligner:
    """`align` moves a plate's corners to where they are."""

    def __init__(self, model: Network) -> None:
        self._model = model
        shape = model.manifest.input
        self._size = shape.width, shape.height

    def align(self, image_bgr: ImageBgr, found: PlateDetection) -> PlateDetection:
        """The plate with the network's corners and number of lines, and with the confidence of both networks.

        Corners that cannot be the plate's leave it where it was found. If the corners were far off, they are aligned
        once more, unless the place is hardly a plate: the first view showed the plate askew, or in part.
        """
        seen = self._align_once(image_bgr, found)
        confidence = _together(found.confidence, seen.logit)
        if _moved(found, seen.plate) > _FAR and (confidence >= _POSSIBLE or found.confidence == 0):
            seen = self._align_once(image_bgr, seen.plate)
            confidence = _together(found.confidence, seen.logit)
        return replace(seen.plate, confidence=confidence)

    def _align_once(self, image_bgr: ImageBgr, found: PlateDetection) -> "_Aligned":
        view, to_view = view_of(image_bgr, found.corners_px, self._size)
        outputs = self._model.run(view[None, :, :, None])
        shares = outputs["corners"][0].reshape(4, 2)
        corners = placed(shares, to_view, self._size)
        if corners is None or iou(*hulls(np.stack([found.corners_px, corners]))) < _SAME_PLACE_IOU:
            return _Aligned(found, float(outputs["plate"][0, 0]))
        lines = 2 if float(outputs["lines"][0, 0]) > 0 else 1
        return _Aligned(replace(found, corners_px=corners, lines=lines), float(outputs["plate"][0, 0]))


@dataclass(frozen=True, slots=True, eq=False)
class _Aligned:
    plate: PlateDetection
    logit: float
    """Of being a plate."""


def _together(confidence: float, logit: float) -> float:
    """The confidence of detector and aligner; that of a place that no detector vouches for stays 0."""
    if confidence == 0:
        return 0.0
    found = min(max(confidence, _EXTREME), 1 - _EXTREME)
    both = math.log(found / (1 - found)) + _PLATE_SHARE * logit - _PLATE_BIAS
    return 1 / (1 + math.exp(-both))


def _moved(before: PlateDetection, after: PlateDetection) -> float:
    """How far the farthest corner moved, in heights of a line."""
    farthest = float(np.linalg.norm(after.corners_px - before.corners_px, axis=1).max())
    return farthest * after.lines / max(plate_size(after.corners_px)[1], 1.0)


def view_of(image_bgr: ImageBgr, corners_px: Corners, size: tuple[int, int]) -> tuple[ImageGray, NDArray[np.float64]]:
    """A plate and its surroundings in grey at a fixed size, mean and contrast, and the matrix from the picture to it.

    The matrix (3, 3) maps points that count from the edges of the picture to points from the edges of the view. The
    view is a parallelogram of the picture: perspective would be extrapolated from corners that are not exact.
    """
    width, height = size
    middle = corners_px.mean(axis=0)
    across = (corners_px[1] + corners_px[2] - corners_px[0] - corners_px[3]) / 2 * (1 + 2 * _ACROSS)
    down = (corners_px[2] + corners_px[3] - corners_px[0] - corners_px[1]) / 2 * (1 + 2 * _DOWN)
    shown = np.stack([middle + (x * across + y * down) / 2 for x, y in ((-1, -1), (1, -1), (1, 1), (-1, 1))])
    target = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    part_bgr, source = surroundings(image_bgr, shown)
    excess = min(float(np.linalg.norm(across)) / width, float(np.linalg.norm(down)) / height)
    gray, source = halved(np.asarray(cv2.cvtColor(part_bgr, cv2.COLOR_BGR2GRAY), np.uint8), source, excess)
    warp = cv2.getPerspectiveTransform(source, target - np.float32(0.5))  # OpenCV counts from pixels' centres
    view = cv2.warpPerspective(gray, warp, size, borderMode=cv2.BORDER_CONSTANT, borderValue=PADDING_BGR[0])
    return even_out(np.asarray(view, np.uint8)), cv2.getPerspectiveTransform(shown.astype(np.float32), target)


def placed(shares: NDArray[np.float32], to_view: NDArray[np.float64], size: tuple[int, int]) -> Corners | None:
    """Corners in the picture from those in the view, given as shares of its size; None if they go round no area."""
    inverse = np.linalg.inv(to_view)
    corners = cv2.perspectiveTransform((shares * np.array(size, np.float32))[None].astype(np.float32), inverse)[0]
    edges = np.roll(corners, -1, axis=0) - corners
    following = np.roll(edges, -1, axis=0)
    turns = edges[:, 0] * following[:, 1] - edges[:, 1] * following[:, 0]
    return corners.astype(np.float32) if bool(np.all(turns > 0)) else None
