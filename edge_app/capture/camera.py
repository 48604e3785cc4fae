"""One supervised camera: its source is opened again for ever, and how it stands can be asked at any time."""

import contextlib
import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from edge_app.backoff import Backoff
from edge_app.capture.frame_slot import FrameSlot
from edge_app.capture.source import Source
from edge_app.errors import RefusedPasswordError, SourceError
from edge_app.records import Frame

log = logging.getLogger(__name__)

FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.25, 0.5
"""Between two attempts: an attempt costs little, and a camera that is back should be seen within seconds."""
FIRST_REFUSAL_SECONDS, LONGEST_REFUSAL_SECONDS = 60.0, 900.0
"""After a refused password: cameras lock an account after a few wrong ones."""
SILENT_SECONDS = 10.0
"""A camera that gives no picture for this long is lost, though it reports no error; a slow one gets three pictures."""
HANG_SECONDS = 60.0
"""A driver that has not returned for this long hangs: only a restart of the process frees it."""
FRAMES_AWAITED = 3


@dataclass(frozen=True, slots=True)
class Loss:
    """A camera that gives no pictures."""

    reason: str
    """What went wrong and what to do, without secrets."""
    since_ns: int
    """The moment of its last frame or, if there was none, of the start; as `time.monotonic_ns`."""


class Camera:
    """Puts the newest frame of a source into a slot and, if it is live, opens it again whenever it fails or ends.

    `run` is the body of the camera's own thread; everything else may be called from any thread.
    """

    def __init__(
        self,
        name: str,
        source: Source,
        slot: FrameSlot,
        frames_per_second: float = 15.0,
        monotonic_ns: Callable[[], int] = time.monotonic_ns,
        backoff: Backoff | None = None,
        refusals: Backoff | None = None,
    ) -> None:
        self.name = name
        self.source = source
        self.slot = slot
        self.attempts = 0
        """How often it was opened, with or without success."""
        self.last_frame_ns: int | None = None
        """`Frame.monotonic_ns` of its last frame."""
        self._monotonic_ns = monotonic_ns
        self._started_ns = self._alive_ns = monotonic_ns()
        self._patience_ns = int(1e9 * max(SILENT_SECONDS, FRAMES_AWAITED / frames_per_second))
        self._hang_ns = int(1e9 * HANG_SECONDS) + self._patience_ns
        self._backoff = backoff or Backoff(FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS)
        self._refusals = refusals or Backoff(FIRST_REFUSAL_SECONDS, LONGEST_REFUSAL_SECONDS)
        self._fault: str | None = None
        self._is_waiting = False
        self._closed = threading.Event()

    @property
    def live(self) -> bool:
        """False: a recording, which may end and is not opened again."""
        return self.source.live

    @property
    def loss(self) -> Loss | None:
        """Why and since when there are no pictures; None while they come, and of a recording."""
        if not self.live:
            return None
        since_ns = self._started_ns if self.last_frame_ns is None else self.last_frame_ns
        if (fault := self._fault) is not None:
            return Loss(fault, since_ns)
        if self._monotonic_ns() - max(since_ns, self._alive_ns) > self._patience_ns:
            return Loss("neither a picture nor an error comes from it; its driver or its connection hangs", since_ns)
        return None

    @property
    def hangs(self) -> bool:
        """True if the camera's thread is stuck in a driver."""
        quiet_ns = self._monotonic_ns() - self._alive_ns
        return self.live and not self._is_waiting and quiet_ns > self._hang_ns

    def run(self) -> None:
        """Deliver frames until closed or, for a recording, until its end.

        Raises:
            SourceError: a recording cannot be read.
        """
        try:
            if not self.live:
                self._deliver(self.slot.put_when_free)
            while self.live and not self._closed.is_set():
                self._wait_after(self._attempt())
        finally:
            self.slot.end()

    def close(self) -> None:
        """End `run` soon."""
        self._closed.set()
        self.source.close()
        self.slot.end()

    def _attempt(self) -> Exception:
        """Open the source and deliver its frames; what ended it."""
        try:
            self._deliver(self.slot.put)
        except Exception as error:  # noqa: BLE001 - whatever it is, it costs the other cameras nothing
            return error
        return SourceError("the source ended")

    def _deliver(self, put: Callable[[Frame], None]) -> None:
        self.attempts += 1
        with contextlib.closing(self.source.frames()) as frames:  # type: ignore[type-var]
            for frame in frames:
                self._alive_ns = self._monotonic_ns()
                self.last_frame_ns = frame.monotonic_ns
                if self._fault is not None:
                    self._fault = None
                    self._backoff.reset()
                    self._refusals.reset()
                put(frame)
                if self._closed.is_set():
                    return

    def _wait_after(self, fault: Exception) -> None:
        if self._closed.is_set():
            return
        if isinstance(fault, SourceError):
            self._fault = str(fault)
        else:  # its words may show a secret
            log.error("camera %s: an error of the program", self.name, exc_info=fault)
            self._fault = f"an error of the program ({type(fault).__name__}); the log has it"
        pauses = self._refusals if isinstance(fault, RefusedPasswordError) else self._backoff
        self._is_waiting = True
        self._closed.wait(pauses.next_seconds())
        self._alive_ns, self._is_waiting = self._monotonic_ns(), False
