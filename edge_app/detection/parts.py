"""A picture with more detail than the detector's input, cut into overlapping parts that show small plates."""

import math
from dataclasses import dataclass

from edge_app.records import ImageBgr, PlateDetection

_FINE_ENOUGH = 0.75
"""Share of its size from which on a picture in the detector's input is as good as its parts."""

_LARGER = 2.0
"""Times that a part is shown larger than the whole, if the picture is large enough."""

_OVERLAP = 0.25
"""Least overlap of neighbouring parts, as a share: wider than a plate that is too small for the whole."""

_AT_EDGE_PX = 3
"""Distance to a cut of the picture, in pixels of the detector's input, within which a plate is cut too."""


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """A part of a picture."""

    image_bgr: ImageBgr
    left: int
    top: int
    first_px: tuple[float, float]
    last_px: tuple[float, float]
    """Least and most x, y at which a plate shows whole, in pixels of the picture: endless if it was not cut there."""

    def placed(self, detection: PlateDetection) -> PlateDetection | None:
        """What was found in the part, in pixels of the picture; None if it may go on beyond the part."""
        moved = detection.moved(self.left, self.top)
        least, most = moved.corners_px.min(axis=0), moved.corners_px.max(axis=0)
        is_cut = (least < self.first_px).any() or (most > self.last_px).any()
        return None if is_cut else moved


def parts_of(image_bgr: ImageBgr, seen: tuple[int, int]) -> list[Part]:
    """The parts of a picture for a detector whose input is `seen` (width, height); none if the whole is fine enough."""
    height, width = image_bgr.shape[:2]
    scale = min(seen[0] / width, seen[1] / height)
    if scale >= _FINE_ENOUGH:
        return []
    scale = min(1.0, scale * _LARGER)
    edge = _AT_EDGE_PX / scale
    across, down = (min(whole, round(length / scale)) for whole, length in zip((width, height), seen, strict=True))
    parts = []
    for top in _starts(height, down):
        for left in _starts(width, across):
            right, bottom = left + across, top + down
            first_px = left + edge if left else -math.inf, top + edge if top else -math.inf
            last_px = right - edge if right < width else math.inf, bottom - edge if bottom < height else math.inf
            parts.append(Part(image_bgr[top:bottom, left:right], left, top, first_px, last_px))
    return parts


def _starts(whole: int, part: int) -> list[int]:
    """Starts of parts that cover the whole evenly."""
    more = math.ceil(max(0.0, whole / part - 1) / (1 - _OVERLAP))
    return [round(index * (whole - part) / max(more, 1)) for index in range(more + 1)]
