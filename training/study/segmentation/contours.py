"""Characters by their contours."""

import cv2
import numpy as np

from edge_app.geometry import Box
from edge_app.records import ImageGray

_HEIGHTS = (0.28, 0.95)
"""Of a character, as shares of the strip's height."""
_WIDEST = 1.6
"""Width over height."""
_NARROWEST = 0.12
_BLOCK = 31
"""Pixels around each over which the threshold is taken."""
_BELOW_MEAN = 6


def segment(strip: ImageGray) -> list[Box]:
    """The characters of a wide strip from left to right; ink is dark or light, whichever gives the more."""
    return max((_of_ink(strip), _of_ink(255 - strip)), key=len)


def _of_ink(dark: ImageGray) -> list[Box]:
    binary = cv2.adaptiveThreshold(
        dark, 255, cv2.ADAPTIVE_THRESH_GAUSSIAN_C, cv2.THRESH_BINARY_INV, _BLOCK, _BELOW_MEAN
    )
    contours, _ = cv2.findContours(binary, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    boxes = [tuple(map(float, cv2.boundingRect(contour))) for contour in contours]
    height = dark.shape[0]
    kept = [
        (left, top, width, tall)
        for left, top, width, tall in boxes
        if _HEIGHTS[0] * height <= tall <= _HEIGHTS[1] * height and _NARROWEST * tall <= width <= _WIDEST * tall
    ]
    if len(kept) > 2:  # characters of a plate are about equally high
        usual = float(np.median([box[3] for box in kept]))
        kept = [box for box in kept if 0.7 * usual <= box[3] <= 1.4 * usual]
    return sorted(kept)
