"""Which plates were here a moment ago."""

from collections.abc import Callable


class KnownPlates:
    """A text read again within a time after it was last seen belongs to the same vehicle."""

    def __init__(self, window_seconds: float) -> None:
        self._window_ns = int(window_seconds * 1e9)
        self._sights: dict[str, dict[int, int]] = {}
        """Of each text the last sight of each track that had it."""

    def knows(self, text: str, monotonic_ns: int, is_another: Callable[[int], bool] = lambda _track: False) -> bool:
        """Tell whether the text was seen within the window before, on a track that is not another vehicle's."""
        since_ns = monotonic_ns - self._window_ns
        sights = self._sights.get(text, {})
        return any(seen_ns >= since_ns and not is_another(track) for track, seen_ns in sights.items())

    def note(self, text: str, monotonic_ns: int, track: int = 0) -> None:
        """Take in a sight, and forget what is out of its window."""
        sights = self._sights.setdefault(text, {})
        sights[track] = max(monotonic_ns, sights.get(track, 0))
        since_ns = monotonic_ns - self._window_ns
        recent = {each: {track: ns for track, ns in of.items() if ns >= since_ns} for each, of in self._sights.items()}
        self._sights = {each: of for each, of in recent.items() if of}
