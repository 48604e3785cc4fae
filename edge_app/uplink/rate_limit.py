"""Keeps a device that comes back with a full outbox from flooding the broker."""

from collections.abc import Callable


class RateLimit:
    """A token bucket that holds the tokens of one second, and one at least; `clock` gives seconds."""

    def __init__(self, per_second: float, clock: Callable[[], float]) -> None:
        self._per_second = per_second
        self._clock = clock
        self._most = max(1.0, per_second)
        self._left = self._most
        self._filled_at = clock()

    def left(self) -> int:
        """How many may go now."""
        now = self._clock()
        self._left = min(self._most, self._left + (now - self._filled_at) * self._per_second)
        self._filled_at = now
        return int(self._left)

    def take(self, count: int) -> None:
        """Take this number of tokens."""
        self._left -= count
