"""A plate and its surroundings, turned: the detector has learned few plates that hang askew, and finds them upright."""

from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_app.detection.detector import PADDING_BGR
from edge_app.records import ImageBgr, PlateDetection

TURNS = (10.0, -10.0, 20.0, -20.0)
"""Degrees, counterclockwise."""

_WIDTHS = 2.5
"""Of the plate, across and down a view, so that the plate is no larger in it than those the detector has learned."""

_LARGEST_PX = 1280
"""A view is made smaller than the picture rather than larger than this: the detector sees no more."""


@dataclass(frozen=True, slots=True, eq=False)
class TurnedView:
    """What is seen around a plate when the camera is turned."""

    image_bgr: ImageBgr
    to_picture: NDArray[np.float64]
    """(2, 3): from the pixels of `image_bgr` to those of the picture."""

    def placed(self, detection: PlateDetection) -> PlateDetection:
        """What was found in the view, in pixels of the picture."""
        corners = cv2.transform(detection.corners_px[None], self.to_picture)[0]
        return replace(detection, corners_px=corners.astype(np.float32))


def turned_view(image_bgr: ImageBgr, detection: PlateDetection, degrees: float) -> TurnedView:
    """The surroundings of a plate, turned about its middle; grey beyond the picture."""
    left, top, width, height = detection.box_px
    right, bottom = left + width, top + height
    wanted = max(1.0, _WIDTHS * max(width, height))
    scale = min(1.0, _LARGEST_PX / wanted)
    size = round(wanted * scale)
    matrix = cv2.getRotationMatrix2D(((left + right) / 2, (top + bottom) / 2), degrees, scale)
    matrix[:, 2] += (size - left - right) / 2, (size - top - bottom) / 2
    image = cv2.warpAffine(image_bgr, matrix, (size, size), borderMode=cv2.BORDER_CONSTANT, borderValue=PADDING_BGR)
    return TurnedView(np.asarray(image, np.uint8), cv2.invertAffineTransform(matrix))
