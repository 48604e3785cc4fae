"""Which plates were here a moment ago."""

from collections.abc import Callable


class KnownPlates:
    """A text read again within a time after it was last seen belongs to the same vehicle."""

    def __init__(self, window_seconds: float) -> None:
        self._window_ns = int(window_seconds * 1e9)
        self._last_seen_ns: dict[str, dict[int, int]] = {}
        """Of each text, when each track that had it was seen last."""

    def knows(self, text: str, monotonic_ns: int, is_another: Callable[[int], bool] = lambda _track: False) -> bool:
        """Whether the text was seen within the window before, on a track that is not another vehicle's."""
        since_ns = monotonic_ns - self._window_ns
        last_seen_ns = self._last_seen_ns.get(text, {})
        return any(seen_ns >= since_ns and not is_another(track) for track, seen_ns in last_seen_ns.items())

    def note(self, text: str, monotonic_ns: int, track: int = 0) -> None:
        """Record that a text was seen, and forget what is out of its window."""
        last_seen_ns = self._last_seen_ns.setdefault(text, {})
        last_seen_ns[track] = max(monotonic_ns, last_seen_ns.get(track, 0))
        since_ns = monotonic_ns - self._window_ns
        recent = (
            (each, {track: ns for track, ns in of.items() if ns >= since_ns}) for each, of in self._last_seen_ns.items()
        )
        self._last_seen_ns = {each: of for each, of in recent if of}
