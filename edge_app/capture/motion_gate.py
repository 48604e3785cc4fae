"""Frames in which nothing moves are not searched."""

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_app.config import MotionSettings
from edge_app.records import Frame

WIDTH_PX = 160
WARM_UP_SECONDS = 2.0
"""The first frames are admitted: a vehicle may be in the picture at the start."""
BACKGROUND_SECONDS = 15.0
"""Time constant with which the background adapts to lasting changes."""
CHANGE_LEVELS = 16.0
"""Grey levels, of 256, by which a point must differ: more than the noise left after shrinking."""


class MotionGate:
    """Compares a small grey picture with a background that adapts slowly."""

    def __init__(self, settings: MotionSettings) -> None:
        self._settings = settings
        self._background: NDArray[np.float32] | None = None
        self._last_ns = 0
        self._open_until_ns = 0

    def admits(self, frame: Frame) -> bool:
        """Whether to search the frame: something moves, or moved at most `hold_seconds` ago."""
        if not self._settings.enabled:
            return True
        gray = _shrink(frame)
        if self._background is None or self._background.shape != gray.shape:
            self._background = gray
            self._hold(frame, WARM_UP_SECONDS)
        elif changed_share(gray, self._background) > self._settings.threshold:
            self._hold(frame, self._settings.hold_seconds)
        self._adapt(gray, frame.monotonic_ns)
        return frame.monotonic_ns <= self._open_until_ns

    def _hold(self, frame: Frame, seconds: float) -> None:
        self._open_until_ns = max(self._open_until_ns, frame.monotonic_ns + int(seconds * 1e9))

    def _adapt(self, gray: NDArray[np.float32], now_ns: int) -> None:
        assert self._background is not None
        elapsed_seconds = max(0, now_ns - self._last_ns) / 1e9
        share = -math.expm1(-elapsed_seconds / BACKGROUND_SECONDS)
        self._background = np.asarray(self._background + share * (gray - self._background), dtype=np.float32)
        self._last_ns = now_ns


def changed_share(gray: NDArray[np.float32], background: NDArray[np.float32]) -> float:
    """Share of points, 0 to 1, that differ once brightness and contrast of the whole picture are made equal.

    A cloud, a lamp or the camera's own exposure changes every point by one gain and one offset, fitted here
    by least squares; a vehicle does not.
    """
    centred = background - background.mean()
    variance = float(np.mean(centred * centred))
    gain = float(np.mean(centred * gray)) / variance if variance > 1.0 else 1.0
    difference = gray - gray.mean() - min(max(gain, 0.5), 2.0) * centred
    return float(np.mean(np.abs(difference) > CHANGE_LEVELS))


def _shrink(frame: Frame) -> NDArray[np.float32]:
    picture = frame.image_bgr if frame.small_bgr is None else frame.small_bgr
    height, width = picture.shape[:2]
    scale = min(1.0, WIDTH_PX / width)
    size = (round(width * scale), max(1, round(height * scale)))
    small = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.cvtColor(small, cv2.COLOR_BGR2GRAY), dtype=np.float32)
