"""Draws what was read onto a picture."""

from collections.abc import Iterable

import cv2
import numpy as np

from edge_app.records import ImageBgr, PlateRead

_LINE_BGR = (80, 220, 60)
_INK_BGR = (255, 255, 255)
_LABEL_BGR = (30, 30, 30)
_FONT = cv2.FONT_HERSHEY_SIMPLEX


def annotate(image_bgr: ImageBgr, reads: Iterable[PlateRead]) -> ImageBgr:
    """A copy of the picture with each plate's outline and, beside it, its text on a dark label."""
    drawn = image_bgr.copy()
    for read in reads:
        _outline(drawn, read)
        _label(drawn, read)
    return drawn


def _unit_px(image_bgr: ImageBgr) -> int:
    """Width of a line that is easy to see on a picture of this size."""
    return max(1, round(max(image_bgr.shape[:2]) / 640))


def _outline(drawn: ImageBgr, read: PlateRead) -> None:
    quad = np.rint(read.detection.corners_px).astype(np.int32)[None]
    unit = _unit_px(drawn)
    cv2.polylines(drawn, list(quad), True, _LABEL_BGR, 3 * unit, cv2.LINE_AA)
    cv2.polylines(drawn, list(quad), True, _LINE_BGR, unit, cv2.LINE_AA)


def _label(drawn: ImageBgr, read: PlateRead) -> None:
    """Above the plate if there is room, else below; moved inwards at the picture's sides."""
    height, width = drawn.shape[:2]
    unit = _unit_px(drawn)
    words = f"{read.text} {read.confidence:.0%}"
    scale = 0.55 * unit
    (text_width, text_height), descent = cv2.getTextSize(words, _FONT, scale, unit)
    scale *= min(1.0, width / (text_width + 4 * unit))
    (text_width, text_height), descent = cv2.getTextSize(words, _FONT, scale, unit)
    left, top, _, plate_height = read.detection.box_px
    label_height = text_height + descent + 4 * unit
    x = int(np.clip(left, 0, max(0, width - text_width - 4 * unit)))
    y = int(top) - label_height - 2 * unit
    if y < 0:
        y = min(int(top + plate_height) + 2 * unit, height - label_height)
    cv2.rectangle(drawn, (x, y), (x + text_width + 4 * unit, y + label_height), _LABEL_BGR, cv2.FILLED)
    baseline = (x + 2 * unit, y + text_height + 2 * unit)
    cv2.putText(drawn, words, baseline, _FONT, scale, _INK_BGR, unit, cv2.LINE_AA)
