"""What is wrong with one picture, by itself or beside a reference: functions of arrays, without memory."""

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_app.records import ImageBgr, ImageGray

WIDTH_PX = 640
"""Width of the grey picture that all but the blur is judged on."""
CELLS = (9, 16)
"""Rows and columns of the grid on which detail is compared."""
TILES = (3, 3)
"""Rows and columns of the parts whose shifts are measured."""
PRE_BLUR_PX, RE_BLUR_PX = 1.5, 4.0
"""Sigma of the blur that takes the sensor's noise away, and of the one that shows how wide edges were before."""
EDGE_PERCENTILE, LEAST_EDGE = 99.5, 3.0
"""The strongest edges, and the grey levels a pixel by which they rise at least: with less, blur is not measured."""
COARSER = 4
"""How many times smaller the picture is in which soft edges are measured."""
DETAIL, FLAT = 6.0, 2.5
"""Standard deviation in grey levels of a cell with detail, and of one without."""
CERTAIN = 0.12
"""Peak of the phase correlation, 0 to 1, from which a shift is believed."""

Levels = NDArray[np.float32]


def small_gray(picture: ImageBgr) -> ImageGray:
    """The picture in grey, `WIDTH_PX` wide or as wide as it is."""
    height, width = picture.shape[:2]
    scale = min(1.0, WIDTH_PX / width)
    small = cv2.resize(picture, (round(width * scale), max(1, round(height * scale))), interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.cvtColor(small, cv2.COLOR_BGR2GRAY), dtype=np.uint8)


def edge_width_px(picture: ImageBgr) -> float | None:
    """Sigma of the blur of the sharpest edges, in pixels of the full picture; None if there are no edges.

    Edges too flat to stand out from noise are measured again in a quarter of the size, in which they are steeper.
    """
    gray = np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY), dtype=np.uint8)
    if (sharp := _edge_width_px(gray)) is not None:
        return sharp
    soft = _edge_width_px(cv2.resize(gray, None, fx=1 / COARSER, fy=1 / COARSER, interpolation=cv2.INTER_AREA))
    return None if soft is None else COARSER * soft


def _edge_width_px(gray: cv2.typing.MatLike) -> float | None:
    """An edge of sigma s, blurred by r, becomes s / sqrt(s² + r²) times as steep: the loss shows s."""
    smooth = cv2.GaussianBlur(gray, (0, 0), PRE_BLUR_PX)
    before, after = _steepness(smooth), _steepness(cv2.GaussianBlur(smooth, (0, 0), RE_BLUR_PX))
    if before < LEAST_EDGE:
        return None
    kept = min(after / before, 0.999)
    measured = RE_BLUR_PX * kept / float(np.sqrt(1 - kept * kept))
    return float(np.sqrt(max(0.0, measured**2 - PRE_BLUR_PX**2)))


def _steepness(gray: cv2.typing.MatLike) -> float:
    across = cv2.Sobel(gray, cv2.CV_32F, 1, 0, scale=0.125)
    down = cv2.Sobel(gray, cv2.CV_32F, 0, 1, scale=0.125)
    some = slice(None, None, 1 + across.shape[1] // WIDTH_PX)  # of the points: the percentile is costly
    return float(np.percentile(cv2.magnitude(across[some, some].copy(), down[some, some].copy()), EDGE_PERCENTILE))


def detail(gray: ImageGray) -> Levels:
    """Standard deviation of the grey levels in each cell of a grid."""
    rows, columns = CELLS
    height, width = gray.shape[0] // rows, gray.shape[1] // columns
    cells = gray[: height * rows, : width * columns].reshape(rows, height, columns, width)
    return np.asarray(cells.std(axis=(1, 3)), dtype=np.float32)


def covered_share(now: Levels, before: Levels) -> float:
    """Share of the cells with detail in the reference that have none now."""
    had_detail = before > DETAIL
    return float(np.mean(now[had_detail] < FLAT)) if had_detail.any() else 0.0


def contrast_left(now: Levels, before: Levels) -> float:
    """Contrast of the cells with detail in the reference, as a share of what it was."""
    had_detail = before > DETAIL
    return float(np.median(now[had_detail] / before[had_detail])) if had_detail.any() else 1.0


def changed_cells(one: ImageGray, other: ImageGray) -> NDArray[np.bool_]:
    """The cells of a grid in which any point differs."""
    rows, columns = CELLS
    height, width = one.shape[0] // rows, one.shape[1] // columns
    cut = (slice(height * rows), slice(width * columns))
    return np.asarray((one[cut] != other[cut]).reshape(rows, height, columns, width).any(axis=(1, 3)))


def shifts(now: ImageGray, before: ImageGray) -> list[tuple[float, float]]:
    """By how much the parts of the picture have moved, as shares of its width; only those that are certain."""
    rows, columns = TILES
    height, width = now.shape[0] // rows, now.shape[1] // columns
    window = cv2.createHanningWindow((width, height), cv2.CV_32F)
    found = []
    for top in range(0, height * rows, height):
        for left in range(0, width * columns, width):
            part = (slice(top, top + height), slice(left, left + width))
            (right, down), peak = cv2.phaseCorrelate(_edges(before[part]), _edges(now[part]), window)
            if peak >= CERTAIN:
                found.append((right / now.shape[1], down / now.shape[1]))
    return found


def _edges(gray: ImageGray) -> Levels:
    """The steepness at each point, made independent of the light."""
    across, down = cv2.Sobel(gray, cv2.CV_32F, 1, 0), cv2.Sobel(gray, cv2.CV_32F, 0, 1)
    steepness = cv2.magnitude(across, down)
    return np.asarray(steepness / (steepness + 40.0), dtype=np.float32)
