"""Recognition on request: a bounded queue, one thread of the lowest priority, networks of its own."""

import contextlib
import gc
import logging
import queue
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, replace
from typing import Any

from edge_app.config import Settings
from edge_app.errors import EdgeAnprError, SourceError
from edge_app.image_files import decode_image
from edge_app.plate_json import image_as_json
from edge_app.recognizer import PlateRecognizer
from edge_app.stages import Stages, build_stages
from edge_app.web.low_priority import step_back
from edge_app.web.picture_size import size_of

log = logging.getLogger(__name__)

MOST_WAITING = 4
"""Pictures that wait; each may hold `web.max_megabytes` in memory."""
MOST_PIXELS = 40_000_000
"""A picture takes three bytes of each in memory."""
IDLE_SECONDS = 120.0
"""The networks are let go after this time without a picture."""
RETRY_SECONDS = 2
LEVELS = 10
"""Of niceness: a tenth of what a camera's thread gets, if both want a core."""


class BusyError(EdgeAnprError):
    """As many pictures wait as may."""


@dataclass(frozen=True, slots=True, eq=False)
class _Job:
    content: bytes
    effort: int
    answer: "Future[dict[str, Any]]"


class Desk:
    """Reads pictures one after the other, beside the cameras and after them.

    The cameras' networks are not shared: whoever uses one keeps the others waiting. The thread has one core at most,
    and only what the cameras leave of it.
    """

    def __init__(self, settings: Settings, build: Callable[[Settings], Stages] = build_stages) -> None:
        self._settings = replace(settings, models=replace(settings.models, threads=1))
        self._build = build
        self._stages: Stages | None = None
        self._jobs: queue.Queue[_Job | None] = queue.Queue(MOST_WAITING)
        self._thread: threading.Thread | None = None

    def submit(self, content: bytes, effort: int) -> "Future[dict[str, Any]]":
        """What is read in a picture, as `read --json` has it; the future raises `SourceError` if it is none.

        Raises:
            BusyError: too many wait.
        """
        job = _Job(content, effort, Future())
        try:
            self._jobs.put_nowait(job)
        except queue.Full:
            raise BusyError("as many pictures wait as may") from None
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="recognize", daemon=True)
            self._thread.start()
        return job.answer

    def close(self) -> None:
        """Answer nothing more."""
        while True:
            with contextlib.suppress(queue.Empty):
                while (job := self._jobs.get_nowait()) is not None:
                    job.answer.cancel()
            with contextlib.suppress(queue.Full):
                self._jobs.put_nowait(None)
                return

    def _run(self) -> None:
        step_back(LEVELS)
        while True:
            try:
                job = self._jobs.get(timeout=IDLE_SECONDS)
            except queue.Empty:
                self._stages = None
                gc.collect()
                job = self._jobs.get()
            if job is None:
                return
            if job.answer.set_running_or_notify_cancel():  # whoever asked may have gone
                self._serve(job)

    def _serve(self, job: _Job) -> None:
        try:
            job.answer.set_result(self._read(job))
        except Exception as error:
            if not isinstance(error, SourceError):
                log.exception("a picture could not be read")
            job.answer.set_exception(error)

    def _read(self, job: _Job) -> dict[str, Any]:
        width, height = size_of(job.content)
        if width * height > MOST_PIXELS:
            words = f"this picture has {width * height / 1e6:.0f} million pixels, {MOST_PIXELS / 1e6:.0f} are allowed"
            raise SourceError(f"{words}; make it smaller")
        image_bgr = decode_image(job.content, "the body")
        if self._stages is None:
            self._stages = self._build(self._settings)
        began = time.perf_counter()
        reads = PlateRecognizer(self._stages, job.effort).recognize(image_bgr)
        return image_as_json(image_bgr, (time.perf_counter() - began) * 1e3, reads)
