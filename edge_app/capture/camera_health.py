"""Judges whether plates can be found in the camera's picture."""

import cv2
import numpy as np

from edge_app.newer_python import StrEnum
from edge_app.records import Frame, ImageGray

CHECK_EVERY_SECONDS = 1.0
CONFIRM_AFTER_SECONDS = 10.0
"""Duration from which on a state counts: a lorry in front of the lens is no fault."""
WIDTH_PX = 320
DARK_LEVEL = 24
"""Grey level, 0 to 255, that 99 % of a dark picture's points stay below; headlights are brighter."""
BLANK_DEVIATION = 4.0
"""Standard deviation in grey levels; a covered or fogged lens has less."""
BLURRED_SHARPNESS = 0.04
"""Standard deviation of the Laplacian divided by that of the picture; a road in focus has 0.2 or more."""


class PictureState(StrEnum):
    """What is wrong with the picture, or `good`."""

    GOOD = "good"
    DARK = "dark"
    BLANK = "blank"
    FROZEN = "frozen"
    BLURRED = "blurred"


class CameraHealth:
    """Checks a frame once a second; a state counts once it has lasted."""

    def __init__(self) -> None:
        self.state = PictureState.GOOD
        self._suspected = PictureState.GOOD
        self._since_ns = 0
        self._checked_ns: int | None = None
        self._last: ImageGray | None = None

    def check(self, frame: Frame) -> PictureState:
        """Take a frame into account; the state that counts now."""
        now_ns = frame.monotonic_ns
        if self._checked_ns is not None and now_ns - self._checked_ns < CHECK_EVERY_SECONDS * 1e9:
            return self.state
        gray = _shrink(frame)
        seen = _judge(gray, self._last)
        if seen is not self._suspected or self._checked_ns is None:
            self._suspected, self._since_ns = seen, now_ns
        if now_ns - self._since_ns >= CONFIRM_AFTER_SECONDS * 1e9:
            self.state = self._suspected
        self._checked_ns, self._last = now_ns, gray
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
