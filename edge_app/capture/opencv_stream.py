"""A live camera behind `cv2.VideoCapture`: what V4L2, RTSP, HTTP and GStreamer sources share."""

import threading
from collections.abc import Callable, Iterator
from typing import Any, Protocol

from edge_app.capture.stamp import Stamp
from edge_app.errors import SourceError
from edge_app.records import Frame

CORRUPT_IN_A_ROW = 30
"""Number of corrupt pictures in a row after which the stream is given up."""


class Capture(Protocol):
    """`cv2.VideoCapture`, or what takes its place."""

    def read(self) -> tuple[bool, Any]:
        """Whether a picture came, and the picture."""

    def release(self) -> None:
        """Close it."""


class OpenCvStream:
    """Reads what `open_capture` opens until it ends; `VideoCapture.read` never recovers by itself.

    `explain` is asked for the error of a stream that gives no picture; `gave_some` tells it whether there were any.
    """

    live = True

    def __init__(
        self,
        camera: str,
        label: str,
        open_capture: Callable[[], Capture],
        explain: Callable[[bool], SourceError],
    ) -> None:
        self.stamp = Stamp(camera)
        self.is_open = False
        self._label = label
        self._open_capture = open_capture
        self._explain = explain
        self._closed = threading.Event()

    def frames(self) -> Iterator[Frame]:
        """Yield frames until closed.

        Raises:
            SourceError: there are none, or no more.
        """
        gave_some = False
        capture = self._open_capture()
        self.is_open = True
        try:
            for frame in self._frames_of(capture):
                gave_some = True
                yield frame
        finally:
            capture.release()
        if not self._closed.is_set():
            raise self._explain(gave_some)

    def close(self) -> None:
        """End at the next frame."""
        self._closed.set()

    def _frames_of(self, capture: Capture) -> Iterator[Frame]:
        corrupt_in_a_row = 0
        while not self._closed.is_set():
            given, picture = capture.read()
            if not given:
                return
            frame = self.stamp.live(picture)
            corrupt_in_a_row = 0 if frame is not None else corrupt_in_a_row + 1
            if corrupt_in_a_row == CORRUPT_IN_A_ROW:
                raise SourceError(f"{self._label}: {CORRUPT_IN_A_ROW} pictures in a row are corrupt; check the cable")
            if frame is not None:
                yield frame
