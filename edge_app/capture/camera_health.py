"""Tells whether the camera's picture is one that plates can be found in."""

import cv2
import numpy as np

from edge_app.newer_python import StrEnum
from edge_app.records import Frame, ImageGray

LOOK_EVERY_SECONDS = 1.0
BELIEVE_AFTER_SECONDS = 10.0
"""A state must last this long: a lorry before the lens is no fault."""
WIDTH_PX = 320
DARK_LEVEL = 24
"""Of 255: brighter than the darkest 99 of 100 points of a dark picture; headlights stay above."""
BLANK_DEVIATION = 4.0
"""Grey levels: a covered or fogged lens shows less contrast than this."""
BLURRED_SHARPNESS = 0.04
"""Deviation of the Laplacian over that of the picture; a road in focus has 0.2 and more."""


class PictureState(StrEnum):
    """What is wrong with the picture, or `good`."""

    GOOD = "good"
    DARK = "dark"
    BLANK = "blank"
    FROZEN = "frozen"
    BLURRED = "blurred"


class CameraHealth:
    """Looks at a frame once a second and believes a state once it has lasted."""

    def __init__(self) -> None:
        self.state = PictureState.GOOD
        self._suspected = PictureState.GOOD
        self._since_ns = 0
        self._looked_ns: int | None = None
        self._last: ImageGray | None = None

    def look(self, frame: Frame) -> PictureState:
        """Take a frame into account and give the state that is now believed."""
        now_ns = frame.monotonic_ns
        if self._looked_ns is not None and now_ns - self._looked_ns < LOOK_EVERY_SECONDS * 1e9:
            return self.state
        gray = _shrink(frame)
        seen = _judge(gray, self._last)
        if seen is not self._suspected or self._looked_ns is None:
            self._suspected, self._since_ns = seen, now_ns
        if now_ns - self._since_ns >= BELIEVE_AFTER_SECONDS * 1e9:
            self.state = self._suspected
        self._looked_ns, self._last = now_ns, gray
        return self.state


def _judge(gray: ImageGray, last: ImageGray | None) -> PictureState:
    if np.percentile(gray, 99) < DARK_LEVEL:
        return PictureState.DARK
    deviation = float(gray.std())
    if deviation < BLANK_DEVIATION:
        return PictureState.BLANK
    if last is not None and np.array_equal(gray, last):  # a sensor's noise never repeats
        return PictureState.FROZEN
    if float(cv2.Laplacian(gray, cv2.CV_32F).std()) < BLURRED_SHARPNESS * deviation:
        return PictureState.BLURRED
    return PictureState.GOOD


def _shrink(frame: Frame) -> ImageGray:
    picture = frame.image_bgr if frame.small_bgr is None else frame.small_bgr
    height, width = picture.shape[:2]
    scale = min(1.0, WIDTH_PX / width)
    small = cv2.resize(picture, (round(width * scale), max(1, round(height * scale))))
    return np.asarray(cv2.cvtColor(small, cv2.COLOR_BGR2GRAY), dtype=np.uint8)
