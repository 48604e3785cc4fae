"""One place for the newest frame of each camera, between its thread and the main thread."""

import threading
from collections.abc import Sequence

from edge_app.records import Frame


class FrameSlot:
    """Holds at most one frame: a live camera overwrites it, a recording waits until it is taken.

    Slots that share `changed` can be waited for together.
    """

    def __init__(self, changed: threading.Condition | None = None) -> None:
        self.dropped = 0
        """Frames that were overwritten before anybody took them."""
        self._frame: Frame | None = None
        self._ended = False
        self._changed = changed or threading.Condition()

    @property
    def ended(self) -> bool:
        """True if no frame is left and no more will come."""
        with self._changed:
            return self._ended and self._frame is None

    @property
    def is_full(self) -> bool:
        """True if a frame waits."""
        return self._frame is not None

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
            return self.pop()

    def pop(self) -> Frame | None:
        """Take the frame if there is one, without waiting."""
        with self._changed:
            frame, self._frame = self._frame, None
            self._changed.notify_all()
            return frame

    def end(self) -> None:
        """Mark the end of the frames; every waiting thread continues."""
        with self._changed:
            self._ended = True
            self._changed.notify_all()


class FairTurns:
    """The newest frames of several cameras: whoever was served last comes last."""

    def __init__(self, slots: Sequence[FrameSlot], changed: threading.Condition) -> None:
        """`changed` is the condition that all slots share."""
        self._waiting = list(range(len(slots)))
        self._slots = slots
        self._changed = changed

    def take(self, timeout_seconds: float) -> tuple[int, Frame] | None:
        """A frame and the number of its slot; None if none came in time, or no more will come."""
        with self._changed:
            self._changed.wait_for(lambda: any(map(self._has_frame, self._waiting)) or self.ended, timeout_seconds)
            for number in self._waiting:
                if (frame := self._slots[number].pop()) is not None:
                    self._waiting.remove(number)
                    self._waiting.append(number)
                    return number, frame
        return None

    @property
    def ended(self) -> bool:
        """True if no slot has a frame left, and none will get one."""
        return all(slot.ended for slot in self._slots)

    def _has_frame(self, number: int) -> bool:
        return self._slots[number].is_full
