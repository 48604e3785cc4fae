"""A live camera behind `cv2.VideoCapture`: what V4L2, RTSP and GStreamer sources share."""

import logging
import threading
from collections.abc import Callable, Iterator

import cv2

from edge_app.capture.stamp import Stamp
from edge_app.errors import SourceError
from edge_app.records import Frame

log = logging.getLogger(__name__)

FIRST_PAUSE_SECONDS = 1.0
LONGEST_PAUSE_SECONDS = 10.0
"""Less than half of the service's watchdog, which counts every attempt as progress."""
CORRUPT_IN_A_ROW = 30
"""Number of corrupt pictures in a row after which the stream is opened again."""


class OpenCvStream:
    """Reads what `open_capture` opens, and opens it again with growing pauses whenever it ends.

    `VideoCapture.read` never recovers by itself. A source that never worked raises, so that a wrong name is noticed at
    once. A `patient` source, behind a network, is waited for.
    """

    live = True

    def __init__(
        self,
        camera: str,
        label: str,
        open_capture: Callable[[], cv2.VideoCapture],
        patient: bool,
        hint: str,
        first_pause_seconds: float = FIRST_PAUSE_SECONDS,
    ) -> None:
        self.attempts = 0
        self._label = label
        self._open_capture = open_capture
        self._patient = patient
        self._hint = hint
        self.stamp = Stamp(camera)
        self._first_pause_seconds = self._pause_seconds = first_pause_seconds
        self._closed = threading.Event()

    def frames(self) -> Iterator[Frame]:
        """Yield frames until closed."""
        while not self._closed.is_set():
            capture = self._open_capture()
            self.attempts += 1
            try:
                yield from self._frames_of(capture)
            finally:
                capture.release()
            self._wait()

    def close(self) -> None:
        """End at the next frame, or at once while the camera is being waited for."""
        self._closed.set()

    def _frames_of(self, capture: cv2.VideoCapture) -> Iterator[Frame]:
        corrupt_in_a_row = 0
        while corrupt_in_a_row < CORRUPT_IN_A_ROW and not self._closed.is_set():
            given, picture = capture.read()
            if not given:
                return
            frame = self.stamp.live(picture)
            if frame is None:
                corrupt_in_a_row += 1
                continue
            corrupt_in_a_row = 0
            self._patient = True
            self._pause_seconds = self._first_pause_seconds
            yield frame

    def _wait(self) -> None:
        if self._closed.is_set():
            return
        if not self._patient:
            raise SourceError(f"{self._label} gives no picture; {self._hint}")
        log.warning("%s gives no picture; %s; next attempt in %.0f s", self._label, self._hint, self._pause_seconds)
        self._closed.wait(self._pause_seconds)
        self._pause_seconds = min(2 * self._pause_seconds, LONGEST_PAUSE_SECONDS)
