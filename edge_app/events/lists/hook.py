"""The program that is run for plates on a list, for example for the relay of a gate."""

import contextlib
import logging
import os
import queue
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from edge_app.config import HookSettings
from edge_app.errors import ConfigurationError
from edge_app.events.messages import HookStateMessage
from edge_app.records import ListMatch

log = logging.getLogger(__name__)

STALE_SECONDS = 10.0
"""An event that waited longer is skipped: its vehicle may have gone, and another be at the gate."""

_MOST_WAITING = 8
_TURN_SECONDS = 0.5
_GRACE_SECONDS = 0.8
"""Time left to a run when the service stops."""


@dataclass(frozen=True, slots=True)
class _Job:
    event_id: str
    payload: bytes
    asked_at: float


def check(settings: HookSettings) -> None:
    """Raise `ConfigurationError` if the program is set and cannot be run."""
    program = settings.program
    if program is not None and not (program.is_file() and os.access(program, os.X_OK)):
        raise ConfigurationError(f"[hook] program: {program} cannot be run; put a program there, `chmod +x` it")


class Hook:
    """Runs the program in a thread of its own, one run after the other, each for a limited time.

    What it prints is dropped: it may name plates. Raises `ConfigurationError` if there is no such program.
    """

    def __init__(
        self, settings: HookSettings, stop: threading.Event, clock: Callable[[], float] = time.monotonic
    ) -> None:
        assert settings.program is not None
        check(settings)
        self._program: Path = settings.program
        self._kinds = settings.kinds
        self._timeout_seconds = settings.timeout_seconds
        self._stop = stop
        self._clock = clock
        self._waiting: queue.Queue[_Job] = queue.Queue(_MOST_WAITING)
        self._asked = self._done = self._failed = self._stale = self._dropped = 0

    def wants(self, matches: Iterable[ListMatch]) -> bool:
        """Whether it is run for a plate that these entries match."""
        return any(match.kind in self._kinds for match in matches)

    def ask(self, event_id: str, payload: bytes) -> None:
        """Have the program run with an event on its standard input; never waits."""
        self._asked += 1
        try:
            self._waiting.put_nowait(_Job(event_id, payload, self._clock()))
        except queue.Full:
            self._dropped += 1
            log.warning("the hook is not run for event %s: %d wait already", event_id, _MOST_WAITING)

    def run(self) -> None:
        """Work until the stop event: the body of a thread."""
        while not self._stop.is_set():
            try:
                job = self._waiting.get(timeout=_TURN_SECONDS)
            except queue.Empty:
                continue
            if self._clock() - job.asked_at > STALE_SECONDS:
                self._stale += 1
                log.warning("the hook is not run for event %s: the runs before it took too long", job.event_id)
            else:
                self._run_program(job)

    @property
    def is_idle(self) -> bool:
        """Whether nothing waits or runs."""
        return self._asked == self._done + self._failed + self._stale + self._dropped

    def end(self) -> None:
        """Log and count what is not run any more; after the stop event, in the thread that asks."""
        while not self._waiting.empty():
            with contextlib.suppress(queue.Empty):  # the hook's thread may still have taken it
                job = self._waiting.get_nowait()
                self._dropped += 1
                log.warning("the hook is not run for event %s: the service stops", job.event_id)

    def state(self) -> HookStateMessage:
        """The counts of runs, for the telemetry."""
        return HookStateMessage(self._done, self._failed, self._stale + self._dropped)

    def _run_program(self, job: _Job) -> None:
        fault = self._outcome(job.payload)
        if fault is None:
            self._done += 1
            log.info("the hook has run for event %s", job.event_id)
        else:
            self._failed += 1
            log.warning("the hook failed for event %s: %s %s", job.event_id, self._program, fault)

    def _outcome(self, payload: bytes) -> str | None:
        """What went wrong, or None."""
        nowhere = subprocess.DEVNULL
        try:
            process = subprocess.Popen(
                [self._program], stdin=subprocess.PIPE, stdout=nowhere, stderr=nowhere, start_new_session=True
            )
        except OSError as error:
            return f"could not be started ({error.strerror})"
        with process:
            fault = self._accompany(process, payload)
            if fault is not None:
                os.killpg(process.pid, signal.SIGKILL)  # with its process group
                return f"{fault} and was killed"
        return f"ended with code {process.returncode}" if process.returncode else None

    def _accompany(self, process: subprocess.Popen[bytes], payload: bytes) -> str | None:
        """Give a run its event and wait for its end; why it is killed, or None."""
        ends_at, is_stopping = time.monotonic() + self._timeout_seconds, False
        unsent: bytes | None = payload
        while (left := ends_at - time.monotonic()) > 0:
            try:
                process.communicate(unsent, min(left, _TURN_SECONDS))
            except subprocess.TimeoutExpired:
                unsent = None  # `communicate` keeps what is not written yet
            else:
                return None
            if self._stop.is_set() and not is_stopping:
                ends_at, is_stopping = min(ends_at, time.monotonic() + _GRACE_SECONDS), True
        return (
            "was still running when the service stopped"
            if is_stopping
            else (f"took longer than {self._timeout_seconds:g} s")
        )
