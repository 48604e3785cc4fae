"""A plate and its surroundings, cut out so that the detector sees them as large as it can."""

from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_app.detection.detector import PADDING_BGR
from edge_app.records import ImageBgr, PlateDetection

_WIDTHS = 2.5
"""Of the plate, across and down a view, so that the plate is no larger in it than those the detector has learned."""

_LARGEST_PX = 1280
"""A view is made smaller than the picture rather than larger than this: the detector sees no more."""


@dataclass(frozen=True, slots=True, eq=False)
class CloseView:
    """What is around a plate."""

    image_bgr: ImageBgr
    to_picture: NDArray[np.float64]
    """(2, 3): from the pixels of `image_bgr` to those of the picture."""

    def placed(self, detection: PlateDetection) -> PlateDetection:
        """What was found in the view, in pixels of the picture."""
        corners = cv2.transform(detection.corners_px[None], self.to_picture)[0]
        return replace(detection, corners_px=corners.astype(np.float32))


def close_view(image_bgr: ImageBgr, detection: PlateDetection) -> CloseView:
    """The surroundings of a plate; grey beyond the picture."""
    left, top, width, height = detection.box_px
    wanted = max(1.0, _WIDTHS * max(width, height))
    scale = min(1.0, _LARGEST_PX / wanted)
    size = round(wanted * scale)
    shift = (size / 2 - scale * (left + width / 2), size / 2 - scale * (top + height / 2))
    matrix = np.array([[scale, 0, shift[0]], [0, scale, shift[1]]], np.float64)
    image = cv2.warpAffine(image_bgr, matrix, (size, size), borderMode=cv2.BORDER_CONSTANT, borderValue=PADDING_BGR)
    return CloseView(np.asarray(image, np.uint8), cv2.invertAffineTransform(matrix))
