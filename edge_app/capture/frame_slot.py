"""One place for the newest frame, between the camera thread and the main thread."""

import threading

from edge_app.records import Frame


class FrameSlot:
    """Holds at most one frame: a live camera overwrites it, a recording waits until it is taken."""

    def __init__(self) -> None:
        self.dropped = 0
        """Frames that were overwritten before anybody took them."""
        self._frame: Frame | None = None
        self._ended = False
        self._changed = threading.Condition()

    @property
    def ended(self) -> bool:
        """True if no frame is left and no more will come."""
        with self._changed:
            return self._ended and self._frame is None

    def put(self, frame: Frame) -> None:
        """Offer a newer frame; one that nobody took is dropped and counted."""
        with self._changed:
            self.dropped += self._frame is not None
            self._frame = frame
            self._changed.notify_all()

    def put_when_free(self, frame: Frame) -> None:
        """Offer the next frame once the last one was taken, or the slot has ended."""
        with self._changed:
            self._changed.wait_for(lambda: self._frame is None or self._ended)
            if not self._ended:
                self._frame = frame
                self._changed.notify_all()

    def take(self, timeout_seconds: float) -> Frame | None:
        """Take the frame, waiting for it; None if none came in time or no more will come."""
        with self._changed:
            self._changed.wait_for(lambda: self._frame is not None or self._ended, timeout_seconds)
            frame, self._frame = self._frame, None
            self._changed.notify_all()
            return frame

    def end(self) -> None:
        """Mark the end of the frames; every waiting thread continues."""
        with self._changed:
            self._ended = True
            self._changed.notify_all()
