"""Every picture of a camera gets its number and its times here; corrupt ones are counted."""

import logging
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_app.newer_python import UTC
from edge_app.records import Exposure, Frame, ImageBgr

log = logging.getLogger(__name__)

SMALLEST_SIDE_PX = 16
"""A picture smaller than this is a decoder's error."""


def as_bgr(picture: NDArray[Any] | None) -> ImageBgr | None:
    """Bring a decoded picture to blue, green, red; None if it is not a picture at all."""
    if picture is None or picture.dtype != np.uint8 or picture.ndim not in (2, 3):
        return None
    if min(picture.shape[:2]) < SMALLEST_SIDE_PX:
        return None
    channels = 1 if picture.ndim == 2 else picture.shape[2]
    if channels == 3:
        return picture
    if channels not in _TO_BGR:
        return None
    return np.asarray(cv2.cvtColor(picture, _TO_BGR[channels]), dtype=np.uint8)


_TO_BGR = {1: cv2.COLOR_GRAY2BGR, 4: cv2.COLOR_BGRA2BGR}


class Stamp:
    """Numbers the frames of one camera and counts corrupt pictures."""

    def __init__(
        self,
        camera: str,
        monotonic_ns: Callable[[], int] = time.monotonic_ns,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.corrupt = 0
        """Pictures that could not be decoded, or were none."""
        self._camera = camera
        self._sequence = 0
        self._monotonic_ns = monotonic_ns
        self._now = now

    def live(
        self,
        picture: NDArray[Any] | None,
        age_ns: int = 0,
        small_bgr: ImageBgr | None = None,
        exposure: Exposure | None = None,
    ) -> Frame | None:
        """Make the frame of a picture taken `age_ns` ago; None, and counted, if it is no picture."""
        captured_at = self._now() - timedelta(microseconds=age_ns / 1000)
        moment_ns = self._monotonic_ns() - age_ns
        return self.taken(picture, captured_at, moment_ns, small_bgr, is_recorded=False, exposure=exposure)

    def taken(
        self,
        picture: NDArray[Any] | None,
        captured_at: datetime,
        monotonic_ns: int,
        small_bgr: ImageBgr | None = None,
        *,
        is_recorded: bool = True,
        exposure: Exposure | None = None,
    ) -> Frame | None:
        """Make the frame of a picture whose times are known; None, and counted, if it is no picture."""
        sequence, self._sequence = self._sequence, self._sequence + 1
        image_bgr = as_bgr(picture)
        if image_bgr is None:
            self._count_corrupt(sequence)
            return None
        return Frame(image_bgr, captured_at, monotonic_ns, sequence, self._camera, small_bgr, is_recorded, exposure)

    def _count_corrupt(self, sequence: int) -> None:
        self.corrupt += 1
        if self.corrupt & (self.corrupt - 1) == 0:  # 1st, 2nd, 4th, 8th…: keep the log short
            log.warning("camera %s: frame %d is corrupt, %d so far", self._camera, sequence, self.corrupt)
