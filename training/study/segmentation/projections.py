"""Characters by projections: vertical edges give the text's rows, ink its columns."""

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_app.geometry import Box
from edge_app.records import ImageGray

_ROW_SHARE, _COLUMN_SHARE = 0.35, 0.12
"""Of the fullest row's edges, and of the text's height in ink, from which on a row or a column belongs to it."""
_NARROWEST_PX, _WIDEST = 4, 1.6
"""Of a character: pixels, and width over height."""


def segment(strip: ImageGray) -> list[Box]:
    """The characters of a wide strip from left to right."""
    top, bottom = _rows(strip)
    band = strip[top:bottom]
    threshold, binary = cv2.threshold(band, 0, 255, cv2.THRESH_BINARY + cv2.THRESH_OTSU)
    del threshold
    ink = binary == 255 if (binary == 255).mean() < 0.5 else binary == 0
    height = bottom - top
    return [
        (float(left), float(top), float(right - left), float(height))
        for left, right in _runs(ink.sum(axis=0) >= _COLUMN_SHARE * height)
        if _NARROWEST_PX <= right - left <= _WIDEST * height
    ]


def _rows(strip: ImageGray) -> tuple[int, int]:
    """The upper and lower edge of the text: the longest run of rows that are full of vertical edges."""
    edges = np.abs(cv2.Sobel(strip, cv2.CV_32F, 1, 0)).sum(axis=1)
    smooth = cv2.GaussianBlur(edges[:, None], (1, 5), 0)[:, 0]
    runs = _runs(smooth >= _ROW_SHARE * smooth.max())
    return max(runs, key=lambda run: run[1] - run[0], default=(0, strip.shape[0]))


def _runs(marked: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Where marked places begin, and where they end."""
    changes = np.flatnonzero(np.diff(np.r_[False, marked, False].astype(np.int8)))
    return [(int(first), int(last)) for first, last in changes.reshape(-1, 2)]
