"""Which plates were here a moment ago."""


class KnownPlates:
    """A text read again within a time after it was last seen belongs to the same vehicle."""

    def __init__(self, window_seconds: float) -> None:
        self._window_ns = int(window_seconds * 1e9)
        self._last_seen_ns: dict[str, int] = {}

    def knows(self, text: str, monotonic_ns: int) -> bool:
        """Whether the text was seen within the window before."""
        return monotonic_ns - self._last_seen_ns.get(text, monotonic_ns - self._window_ns - 1) <= self._window_ns

    def note(self, text: str, monotonic_ns: int) -> None:
        """Note that a text was seen, and forget those out of their window."""
        since_ns = monotonic_ns - self._window_ns
        recent = {each: seen_ns for each, seen_ns in self._last_seen_ns.items() if seen_ns >= since_ns}
        self._last_seen_ns = recent | {text: max(monotonic_ns, recent.get(text, 0))}
