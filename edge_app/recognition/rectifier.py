"""Makes a plate flat and even for the reader, one or two lines, from its four corners."""

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_app.records import Corners, ImageBgr, ImageGray, PlateDetection, PlateStrip

_MARGIN_ACROSS = 0.07
_MARGIN_DOWN = 0.08
"""Shares of the plate's size taken in at every side, so that corners may be a little off."""

_SPLIT_FROM, _SPLIT_TO = 0.34, 0.66
"""Where the gap between two lines is searched, as shares of the plate's height."""

_LINE_OVERLAP = 0.04
"""Each line takes in this share of the plate's height beyond the split."""

_TARGET_MEAN, _TARGET_DEVIATION = 128.0, 52.0


class Rectifier:
    """Warps plates into strips of `width` × `height` pixels.

    Only operations that OpenCV computes alike on x86-64 and arm64 are used (no INTER_AREA, no CLAHE).
    """

    def __init__(self, width: int, height: int) -> None:
        self._width = width
        self._height = height

    def rectify(self, image_bgr: ImageBgr, detection: PlateDetection) -> PlateStrip:
        """The plate as a strip; a two-line plate becomes its two lines side by side, the top one left."""
        if detection.lines == 1:
            flat, line_height_px = self._flatten(image_bgr, detection.corners_px, self._width, self._height)
            strip = flat
        else:
            tall = 3 * self._height
            flat, plate_height_px = self._flatten(image_bgr, detection.corners_px, self._width // 2, tall)
            line_height_px = plate_height_px / 2
            strip = self._beside(flat)
        return PlateStrip(even_out(strip), _sharpness(strip), line_height_px)

    def _flatten(self, image_bgr: ImageBgr, corners: Corners, width: int, height: int) -> tuple[ImageGray, float]:
        """The plate warped to `width` × `height`, and its height in pixels of the image."""
        part_bgr, quad = surroundings(image_bgr, widen(corners))
        plate_width_px, plate_height_px = plate_size(corners)
        excess = min(plate_height_px / height, plate_width_px / width)
        gray, quad = halved(cv2.cvtColor(part_bgr, cv2.COLOR_BGR2GRAY), quad, excess)
        target = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32) - np.float32(0.5)
        matrix = cv2.getPerspectiveTransform(quad, target)
        warped = cv2.warpPerspective(gray, matrix, (width, height), borderMode=cv2.BORDER_REPLICATE)
        return warped, plate_height_px

    def _beside(self, flat: ImageGray) -> ImageGray:
        split = find_line_split(flat)
        overlap = round(flat.shape[0] * _LINE_OVERLAP)
        size = (self._width // 2, self._height)
        top, bottom = flat[: split + overlap], flat[split - overlap :]
        return np.hstack([cv2.resize(line, size, interpolation=cv2.INTER_LINEAR) for line in (top, bottom)])


def plate_size(corners: Corners) -> tuple[float, float]:
    """Width and height of a quadrilateral plate in pixels: means of its opposite sides."""
    sides = np.linalg.norm(np.roll(corners, -1, axis=0) - corners, axis=1)
    return float(sides[0] + sides[2]) / 2, float(sides[1] + sides[3]) / 2


def widen(corners: Corners) -> Corners:
    """The plate with its margin: the unit square grown in the plate's own perspective."""
    unit = np.array([[0, 0], [1, 0], [1, 1], [0, 1]], np.float32)
    matrix = cv2.getPerspectiveTransform(unit, corners.astype(np.float32))
    grown = unit + (unit - 0.5) * 2 * np.array([_MARGIN_ACROSS, _MARGIN_DOWN], np.float32)
    return cv2.perspectiveTransform(grown[None], matrix)[0].astype(np.float32)


def find_line_split(flat: ImageGray) -> int:
    """The row between two lines of text: the one with least ink near the middle."""
    rows = np.abs(np.diff(flat.astype(np.float32), axis=1)).mean(axis=1)
    smooth = cv2.GaussianBlur(rows[:, None], (1, 9), 0)[:, 0]
    first, last = (round(flat.shape[0] * share) for share in (_SPLIT_FROM, _SPLIT_TO))
    pull = np.linspace(-1, 1, last - first) ** 2 * 0.25 * float(smooth.mean())
    return first + int(np.argmin(smooth[first:last] + pull))


def surroundings(image_bgr: ImageBgr, quad: Corners) -> tuple[ImageBgr, Corners]:
    """The part of the image that holds the quadrilateral, and the quadrilateral in it.

    The corners given count from the image's edge, those returned from the first pixel's centre, as OpenCV does.
    """
    height, width = image_bgr.shape[:2]
    left, top = np.clip(np.floor(quad.min(axis=0)).astype(int) - 2, 0, (max(width - 2, 0), max(height - 2, 0)))
    right, bottom = np.clip(np.ceil(quad.max(axis=0)).astype(int) + 3, (left + 2, top + 2), (width, height))
    return image_bgr[top:bottom, left:right], (quad - np.array([left + 0.5, top + 0.5])).astype(np.float32)


def halved(image: NDArray[np.uint8], quad: Corners, excess: float) -> tuple[NDArray[np.uint8], Corners]:
    """The image at half its size while it is at least twice as large as needed, and the quadrilateral in it.

    `excess` is its size over the one needed. Each halving is a mean of 2 × 2 pixels: no aliasing in a warp. Corners
    count from the first pixel's centre.
    """
    while excess >= 2 and min(image.shape[:2]) >= 4:
        even = image[: image.shape[0] // 2 * 2, : image.shape[1] // 2 * 2]
        size = even.shape[1] // 2, even.shape[0] // 2
        image = np.asarray(cv2.resize(even, size, interpolation=cv2.INTER_LINEAR), np.uint8)
        quad, excess = (quad / 2 - 0.25).astype(np.float32), excess / 2
    return image, quad


def _sharpness(strip: ImageGray) -> float:
    deviation = float(strip.std())
    return float(cv2.Laplacian(strip, cv2.CV_32F).std()) / deviation if deviation > 1 else 0.0


def even_out(strip: ImageGray) -> ImageGray:
    """The picture at a fixed mean and contrast, so that a network's input is the same by day and by night."""
    values: NDArray[np.float32] = strip.astype(np.float32)
    gain = _TARGET_DEVIATION / max(float(values.std()), 4.0)
    evened = (values - values.mean()) * gain + _TARGET_MEAN
    return np.clip(np.rint(evened), 0, 255).astype(np.uint8)
