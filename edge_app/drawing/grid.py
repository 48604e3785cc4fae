"""Draws onto a picture what an installer needs: a grid of shares, the zones and the crossing lines."""

from collections.abc import Sequence

import cv2
import numpy as np

from edge_app.config import CrossingLineSettings, ZoneSettings
from edge_app.records import ImageBgr

_GRID_BGR = (200, 200, 200)
_INCLUDED_BGR = (80, 220, 60)
_EXCLUDED_BGR = (60, 60, 230)
_LINE_BGR = (0, 200, 255)
_INK_BGR = (255, 255, 255)
_LABEL_BGR = (30, 30, 30)
_FONT = cv2.FONT_HERSHEY_SIMPLEX
_STEPS = 10
"""A grid line at every tenth of width and height."""

_FILL = 0.2
"""Opacity of a zone's colour."""


def draw_grid(image_bgr: ImageBgr, zones: Sequence[ZoneSettings], lines: Sequence[CrossingLineSettings]) -> ImageBgr:
    """A copy of the picture with a grid in the unit of the configuration, and its zones and lines."""
    drawn = image_bgr.copy()
    unit = max(1, round(max(image_bgr.shape[:2]) / 960))
    for zone in zones:
        _fill(drawn, zone)
    _rule(drawn, unit)
    for zone in zones:
        corners = [_px(drawn, point) for point in zone.polygon]
        cv2.polylines(drawn, [np.array(corners, np.int32)], True, _colour(zone), 2 * unit, cv2.LINE_AA)
    for zone in zones:
        words = zone.name if zone.include else f"{zone.name} (excluded)"
        _write(drawn, words, _beside_a_corner([_px(drawn, point) for point in zone.polygon]), unit, _colour(zone))
    for index, line in enumerate(lines):
        _draw_line(drawn, line, (index + 0.5) / len(lines), unit)
    return drawn


def _colour(zone: ZoneSettings) -> tuple[int, int, int]:
    return _INCLUDED_BGR if zone.include else _EXCLUDED_BGR


def _fill(drawn: ImageBgr, zone: ZoneSettings) -> None:
    tinted = drawn.copy()
    corners = np.array([_px(drawn, point) for point in zone.polygon], np.int32)
    cv2.fillPoly(tinted, [corners], _colour(zone))
    cv2.addWeighted(tinted, _FILL, drawn, 1 - _FILL, 0, dst=drawn)


def _rule(drawn: ImageBgr, unit: int) -> None:
    height, width = drawn.shape[:2]
    for step in range(1, _STEPS):
        share = step / _STEPS
        x, y = _px(drawn, (share, share))
        cv2.line(drawn, (x, 0), (x, height), _GRID_BGR, 1, cv2.LINE_AA)
        cv2.line(drawn, (0, y), (width, y), _GRID_BGR, 1, cv2.LINE_AA)
        _write(drawn, f"{share:.1f}", (x, 10 * unit), unit, _INK_BGR)
        _write(drawn, f"{share:.1f}", (14 * unit, y), unit, _INK_BGR)


def _draw_line(drawn: ImageBgr, line: CrossingLineSettings, share: float, unit: int) -> None:
    """The line with its start as a dot; at a share of it its name and, on either side, the label of that direction.

    A share of its own for each line keeps the words of parallel lines apart.
    """
    start, end = _px(drawn, line.start), _px(drawn, line.end)
    cv2.line(drawn, start, end, _LINE_BGR, 2 * unit, cv2.LINE_AA)
    cv2.circle(drawn, start, 5 * unit, _LINE_BGR, cv2.FILLED, cv2.LINE_AA)
    along = np.array(end, float) - start
    along /= max(float(np.hypot(*along)), 1.0)
    to_right = np.array([-along[1], along[0]])
    first, last = sorted((start, end), key=sum)  # from the same side for lines that run opposite ways
    place = np.array(first) * (1 - share) + np.array(last) * share
    for side, label in ((1, line.to_right), (-1, line.to_left)):
        tip = place + side * 40 * unit * to_right
        cv2.arrowedLine(drawn, _whole(place), _whole(tip), _LINE_BGR, 2 * unit, cv2.LINE_AA, tipLength=0.3)
        _write(drawn, label, _whole(place + side * 54 * unit * to_right), unit, _LINE_BGR)
    beside_the_arrows = abs(along[1]) * 24 * unit * along  # those of a steep line lie as the words do
    _write(drawn, line.name, _whole(place + beside_the_arrows), unit, _LINE_BGR)


def _write(drawn: ImageBgr, words: str, centre: tuple[int, int], unit: int, colour: tuple[int, int, int]) -> None:
    """Words on a dark label, moved inwards at the picture's sides."""
    scale, height, width = 0.45 * unit, *drawn.shape[:2]
    (across, up), descent = cv2.getTextSize(words, _FONT, scale, unit)
    x = int(np.clip(centre[0] - across // 2, 2 * unit, max(2 * unit, width - across - 2 * unit)))
    y = int(np.clip(centre[1] + up // 2, up + 2 * unit, max(up + 2 * unit, height - descent - unit)))
    upper, lower = (x - 2 * unit, y - up - 2 * unit), (x + across + 2 * unit, y + descent)
    cv2.rectangle(drawn, upper, lower, _LABEL_BGR, cv2.FILLED)
    cv2.putText(drawn, words, (x, y), _FONT, scale, colour, unit, cv2.LINE_AA)


def _px(drawn: ImageBgr, point: tuple[float, float]) -> tuple[int, int]:
    height, width = drawn.shape[:2]
    return round(point[0] * (width - 1)), round(point[1] * (height - 1))


def _beside_a_corner(points: Sequence[tuple[int, int]]) -> tuple[int, int]:
    """A quarter of the way from the first point to the middle, where lines often cross."""
    return _whole(np.array(points[0]) * 0.75 + np.mean(points, axis=0) * 0.25)


def _whole(point: np.ndarray) -> tuple[int, int]:
    return round(float(point[0])), round(float(point[1]))
