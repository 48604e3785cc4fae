"""Which plates were here a moment ago."""


class KnownPlates:
    """A text seen again within a window after its last sight is that of the same vehicle."""

    def __init__(self, window_seconds: float) -> None:
        self._window_ns = int(window_seconds * 1e9)
        self._last_sight_ns: dict[str, int] = {}

    def knows(self, text: str, monotonic_ns: int) -> bool:
        """Tell whether the text was seen within the window before."""
        return monotonic_ns - self._last_sight_ns.get(text, monotonic_ns - self._window_ns - 1) <= self._window_ns

    def note(self, text: str, monotonic_ns: int) -> None:
        """Take in a sight, and forget what is out of its window."""
        since_ns = monotonic_ns - self._window_ns
        recent = {each: seen_ns for each, seen_ns in self._last_sight_ns.items() if seen_ns >= since_ns}
        self._last_sight_ns = recent | {text: max(monotonic_ns, recent.get(text, 0))}
