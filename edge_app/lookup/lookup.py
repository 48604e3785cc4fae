"""Asks the operator's source beside the cameras: no read waits for an answer."""

import logging
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from edge_app.config import LookupSettings
from edge_app.errors import EdgeAnprError
from edge_app.events.messages import RegistrationFieldMessage, RegistrationMessage
from edge_app.lookup.sources import Details, LookupFailedError, Source

log = logging.getLogger(__name__)

MOST_WAITING = 64
"""Plates that are asked for and not answered."""
THREADS = 2
PAUSE_SECONDS = 5.0
"""After a failure the source is left alone for this time."""
COMPLAIN_SECONDS = 600.0
"""Interval at which failures are logged."""


@dataclass(frozen=True, slots=True)
class LookupState:
    """Counts since the start."""

    found: int
    unknown: int
    failed: int
    """Plates for which there was no answer."""
    late: int
    """Answers that came after their read."""


class Lookup:
    """Answers about plates: `ask` begins, `answer` gives what has come, `late` what has come since.

    All three return at once, and are called from one thread.
    """

    def __init__(self, settings: LookupSettings, source: Source, clock: Callable[[], float] = time.monotonic) -> None:
        self._settings = settings
        self._source = source
        self._clock = clock
        self._limit_seconds = settings.limit_milliseconds / 1e3
        self._keep_seconds = settings.cache_minutes * 60
        self._lock = threading.Lock()
        self._known: OrderedDict[str, tuple[float, RegistrationMessage]] = OrderedDict()
        self._asked: set[str] = set()
        self._awaited: dict[str, list[str]] = {}
        """By plate, the events that went without an answer."""
        self._late: list[tuple[str, RegistrationMessage]] = []
        self._found = self._unknown = self._failed = self._count_late = 0
        self._quiet_until = self._complain_at = float("-inf")
        self._threads = ThreadPoolExecutor(THREADS, "lookup")

    def ask(self, plate: str) -> None:
        """Begin to ask, unless the answer is known or on its way."""
        with self._lock:
            now = self._clock()
            if plate in self._asked or self._is_known(plate, now) or now < self._quiet_until:
                return
            if len(self._asked) >= MOST_WAITING:
                self._failed += 1
                return
            self._asked.add(plate)
        self._threads.submit(self._find, plate, time.monotonic() + self._limit_seconds)

    def answer(self, plate: str, event_id: str | None = None) -> RegistrationMessage | None:
        """What has come; None if nothing has yet: with an event's id, `late` gives it once it comes."""
        self.ask(plate)
        with self._lock:
            if self._is_known(plate, self._clock()):
                return self._known[plate][1]
            if event_id is not None and plate in self._asked and self._settings.late == "update":
                self._awaited.setdefault(plate, []).append(event_id)
            return None

    def late(self) -> list[tuple[str, RegistrationMessage]]:
        """Events that went without an answer, and the answers that have come since."""
        if not self._late:
            return []
        with self._lock:
            late, self._late = self._late, []
        return late

    @property
    def is_idle(self) -> bool:
        """Whether nothing is being asked."""
        return not self._asked and not self._late

    def state(self) -> LookupState:
        """The counts."""
        with self._lock:
            return LookupState(self._found, self._unknown, self._failed, self._count_late)

    def close(self) -> None:
        """Ask nothing more."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _find(self, plate: str, ends_at: float) -> None:
        try:
            found = self._source.find(plate, ends_at)
        except Exception as error:  # noqa: BLE001 - whatever it is, reads go on
            self._fail(plate, error)
            return
        answer = _as_message(found)
        with self._lock:
            self._found += found is not None
            self._unknown += found is None
            self._asked.discard(plate)
            self._known[plate] = self._clock(), answer
            while len(self._known) > max(1, self._settings.cache_plates):
                self._known.popitem(last=False)
            events = self._awaited.pop(plate, [])
            self._count_late += len(events)
            self._late += [(event_id, answer) for event_id in events]

    def _fail(self, plate: str, error: Exception) -> None:
        ours = isinstance(error, LookupFailedError)
        with self._lock:
            now = self._clock()
            self._failed += 1
            self._asked.discard(plate)
            self._awaited.pop(plate, None)
            self._quiet_until = now + PAUSE_SECONDS
            if now < self._complain_at:
                return
            self._complain_at = now + COMPLAIN_SECONDS
        words = str(error) if ours else type(error).__name__  # other words may quote a plate
        log.warning("lookup: %s; reads go on without registration details; try `edge-anpr lookup PLATE`", words)

    def _is_known(self, plate: str, now: float) -> bool:
        if (known := self._known.get(plate)) is None:
            return False
        if now - known[0] < self._keep_seconds or plate in self._asked:
            return True
        del self._known[plate]
        return False


def _as_message(found: Details | None) -> RegistrationMessage:
    fields = () if found is None else tuple(RegistrationFieldMessage(*each) for each in found.items())
    return RegistrationMessage(found is not None, fields)


def ask_once(settings: LookupSettings, source: Source, plate: str) -> Details | None:
    """The answer for one plate; `EdgeAnprError` if there is none."""
    try:
        return source.find(plate, time.monotonic() + settings.limit_milliseconds / 1e3)
    except TimeoutError:
        raise EdgeAnprError("the source took too long") from None
