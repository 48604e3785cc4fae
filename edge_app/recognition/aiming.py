"""Whether a camera is set up for plates: how large, smeared and pale they are, the share then read, and what to do."""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_app.geometry import hulls
from edge_app.recognition.rectifier import plate_size
from edge_app.records import Corners, ImageBgr, PlateRead

HEIGHTS_PX = (8.0, 10.0, 12.0, 15.0, 20.0, 30.0, 45.0)
SMEARS = (0.0, 0.2, 0.5, 1.0, 1.5, 2.0)
SHARES = (
    (0.01, 0.01, 0.01, 0.01, 0.01, 0.01),
    (0.11, 0.12, 0.10, 0.07, 0.05, 0.04),
    (0.32, 0.31, 0.27, 0.23, 0.17, 0.10),
    (0.67, 0.66, 0.62, 0.54, 0.39, 0.25),
    (0.89, 0.87, 0.84, 0.79, 0.65, 0.50),
    (0.97, 0.97, 0.96, 0.93, 0.83, 0.57),
    (0.97, 0.97, 0.97, 0.96, 0.85, 0.58),
)
"""Share of single frames that are read right: a row for each height of a line's part of the plate, in pixels, and a
column for each smear, in strokes. Measured by `python -m benchmarks.cameras.aim_curve`, as the next."""
CONTRASTS = (6.0, 12.0, 25.0, 50.0, 100.0)
SHARES_OF_CONTRAST = (0.01, 0.34, 0.85, 0.94, 0.97)
"""The same for the contrast between ink and paper, in grey levels, of plates that are large enough."""
STROKE_SHARE = 10 / 120
"""Width of a stroke over the height of a line's part of the plate: 10 mm of 120 mm (rule 51)."""
ONE_LINE_ASPECT = 3.0
"""Width over a line's height from which a plate is one of a car's: 500 mm by 120 mm; a motorcycle's half is 2 to 1."""

WANTED_HEIGHT_PX, WANTED_SMEAR, WANTED_CONTRAST = 24.0, 1.0, 40.0
"""Height in pixels, smear in strokes, contrast in grey levels: advice is given below, above and below these."""
SOFT_STROKES = 0.5
"""Sigma of the lens's blur from which it is to be focused, in strokes."""
PRE_BLUR_PX, RE_BLUR_PX, EDGE_PERCENTILE = 0.7, 1.5, 97
"""Sigma of the blur against noise, sigma of the one that shows how wide edges were, percentile of those that count."""
CHANCE_PX2 = 0.1
"""By how much the squares of edge widths across and down differ by chance."""
CAR_PLATE_METRES, CAR_PLATE_HEIGHT_METRES = 0.5, 0.12


@dataclass(frozen=True, slots=True)
class Aim:
    """How one plate shows."""

    text: str
    corners_px: Corners
    width_px: float
    line_height_px: float
    """Height of the plate, or of one of its two halves."""
    smear_px: float
    """Length by which it moved while it was exposed, as far as one picture shows it."""
    blur_px: float
    """Sigma of the blur that is alike in all directions."""
    contrast: float
    """Difference between ink and paper, in grey levels."""

    @property
    def stroke_px(self) -> float:
        """Width of a stroke of its letters."""
        return STROKE_SHARE * self.line_height_px

    @property
    def expected_share(self) -> float:
        """Share of single frames that are read right with such plates."""
        return expected_share(self.line_height_px, self.smear_px / self.stroke_px, self.contrast)

    def advice(self) -> tuple[str, ...]:
        """What to change; nothing if it will do."""
        words = []
        if self.line_height_px < WANTED_HEIGHT_PX:
            times = WANTED_HEIGHT_PX / self.line_height_px
            words.append(f"go closer, or take a lens {times:.1f} times as long")
        if self.smear_px > WANTED_SMEAR * self.stroke_px:
            words.append("shorten the exposure (camera.speed_kmh), with more light or gain")
        if self.blur_px > SOFT_STROKES * self.stroke_px and self.line_height_px >= WANTED_HEIGHT_PX:
            words.append("focus the lens, and clean it")
        if self.contrast < WANTED_CONTRAST:
            words.append("more light, or less glare")
        return tuple(words)


def expected_share(line_height_px: float, smear_strokes: float, contrast: float = CONTRASTS[-1]) -> float:
    """Interpolated between what was measured."""
    by_height = [float(np.interp(line_height_px, HEIGHTS_PX, column)) for column in np.array(SHARES).T]
    of_size = float(np.interp(smear_strokes, SMEARS, by_height))
    return of_size * float(np.interp(contrast, CONTRASTS, SHARES_OF_CONTRAST)) / SHARES_OF_CONTRAST[-1]


def reach_metres(picture_width_px: int, sensor_width_mm: float, lens_mm: float) -> float:
    """Distance at which a car's plate is as large as advice wants it."""
    pixels_per_metre = WANTED_HEIGHT_PX / CAR_PLATE_HEIGHT_METRES
    return picture_width_px / pixels_per_metre * lens_mm / sensor_width_mm


def aim_of(image_bgr: ImageBgr, read: PlateRead) -> Aim:
    """Measure a plate of a picture."""
    plate = read.detection
    width_px, height_px = plate_size(plate.corners_px)
    gray = _upright(image_bgr, plate.corners_px)
    across_px, down_px = edge_widths_px(gray)
    moved_px2 = abs(across_px**2 - down_px**2)
    smear_px = float(np.sqrt(12 * moved_px2)) if moved_px2 > CHANCE_PX2 else 0.0  # 12: variance of an even distribution
    dark, light = np.percentile(gray, (5, 95))
    return Aim(
        text=read.text,
        corners_px=plate.corners_px,
        width_px=width_px,
        line_height_px=height_px / plate.lines,
        smear_px=smear_px,
        blur_px=min(across_px, down_px),
        contrast=float(light - dark),
    )


def pixels_per_metre(aims: Sequence[Aim]) -> float | None:
    """From the plates of one line, which are half a metre wide; None without any."""
    widths_px = [aim.width_px for aim in aims if aim.width_px > ONE_LINE_ASPECT * aim.line_height_px]
    return float(np.median(widths_px)) / CAR_PLATE_METRES if widths_px else None


def _upright(image_bgr: ImageBgr, corners: Corners) -> NDArray[np.float32]:
    """The plate in grey and in its own size, turned upright: edges along its rows and columns."""
    left, top, width, height = (int(each) for each in hulls(corners))
    margin = 4
    rows = slice(max(0, top - margin), top + height + margin)
    columns = slice(max(0, left - margin), left + width + margin)
    gray = cv2.cvtColor(image_bgr[rows, columns], cv2.COLOR_BGR2GRAY)
    size = tuple(max(4, round(each)) for each in plate_size(corners))
    target = np.array([[0, 0], [size[0], 0], [size[0], size[1]], [0, size[1]]], np.float32)
    matrix = cv2.getPerspectiveTransform((corners - (columns.start, rows.start)).astype(np.float32), target)
    return np.asarray(cv2.warpPerspective(gray, matrix, size, borderMode=cv2.BORDER_REPLICATE), np.float32)


def edge_widths_px(gray: NDArray[np.float32]) -> tuple[float, float]:
    """Sigma of the blur of the sharpest edges, across and down."""
    return _edge_width_px(gray, (1, 0)), _edge_width_px(gray, (0, 1))


def _edge_width_px(gray: NDArray[np.float32], direction: tuple[int, int]) -> float:
    """An edge of sigma s, blurred by r, becomes s / sqrt(s² + r²) times as steep."""
    smooth = cv2.GaussianBlur(gray, (0, 0), PRE_BLUR_PX)
    along = {"sigmaX": RE_BLUR_PX if direction[0] else 1e-3, "sigmaY": RE_BLUR_PX if direction[1] else 1e-3}
    size = (9, 1) if direction[0] else (1, 9)
    again = cv2.GaussianBlur(smooth, size, **along)
    before, after = (
        float(np.percentile(np.abs(cv2.Sobel(each, cv2.CV_32F, *direction)), EDGE_PERCENTILE))
        for each in (smooth, again)
    )
    kept = min(after / max(before, 1e-6), 0.99)
    measured = RE_BLUR_PX * kept / float(np.sqrt(1 - kept * kept))
    return float(np.sqrt(max(0.0, measured**2 - PRE_BLUR_PX**2)))
