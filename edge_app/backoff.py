"""How long to wait before a broker or a camera is tried again."""

import random
from collections.abc import Callable


class Backoff:
    """Doubles from attempt to attempt; jitter keeps a street of devices from coming back all at once."""

    def __init__(
        self,
        first_seconds: float = 1.0,
        most_seconds: float = 60.0,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._first_seconds = first_seconds
        self._most_seconds = most_seconds
        self._jitter = jitter
        self._ceiling_seconds = first_seconds

    def next_seconds(self) -> float:
        """Between a half and the whole of the present ceiling."""
        seconds = self._ceiling_seconds * (0.5 + 0.5 * self._jitter())
        self._ceiling_seconds = min(self._most_seconds, 2 * self._ceiling_seconds)
        return seconds

    def reset(self) -> None:
        """Begin anew: it worked."""
        self._ceiling_seconds = self._first_seconds
