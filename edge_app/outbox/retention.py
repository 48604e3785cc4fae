"""For how long an event may be kept."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from edge_app.events.event import Origin
from edge_app.system_clock import clock_is_synchronized, read_boot_id


@dataclass(frozen=True, slots=True)
class Retention:
    """What has waited for `seconds` has to go.

    `monotonic` counts from this boot; `unix_now` dates what an earlier one has left, while it is `synchronized`.
    """

    seconds: float
    monotonic: Callable[[], float] = time.monotonic
    unix_now: Callable[[], float] = time.time
    synchronized: Callable[[], bool] = clock_is_synchronized

    def is_over(self, origin: Origin) -> bool:
        """Whether an event has waited for longer than it may."""
        return self._age_seconds(origin) > self.seconds

    def _age_seconds(self, origin: Origin) -> float:
        """By the clock that cannot be set if the event is of this boot, else by the one that can."""
        if origin.boot_id == read_boot_id():
            return self.monotonic() - origin.monotonic_ns / 1e9
        if origin.clock_synchronized and self.synchronized():
            return self.unix_now() - origin.made_at_ms / 1e3
        return self.monotonic()  # its time, or ours, means nothing; it is as old as this boot at least
