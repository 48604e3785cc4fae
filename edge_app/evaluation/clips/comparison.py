"""The differences of two replays of one clip, event by event."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from edge_app.evaluation.clips.matching import owner_of, shared_frames
from edge_app.evaluation.clips.playback import ClipEvent
from edge_app.evaluation.clips.truth import LabelledClip


@dataclass(frozen=True, slots=True)
class Pair:
    """The events of one vehicle in two replays, A and B."""

    video: str
    truth: str | None
    """Its plate; "" if there is no such vehicle, None if nobody knows."""
    first: ClipEvent | None
    second: ClipEvent | None
    """The event of each; None if it has none."""

    @property
    def frame(self) -> int:
        """The first frame of either."""
        return min(event.first_frame for event in (self.first, self.second) if event is not None)

    @property
    def differs(self) -> bool:
        """The texts are not the same."""
        return self.first is None or self.second is None or self.first.text != self.second.text

    @property
    def verdict(self) -> str:
        """How the two differ, and which one is right if the truth is known."""
        texts = [event.text if event else None for event in (self.first, self.second)]
        if self.truth and self.truth in texts:
            return "AB"[texts.index(self.truth)] + " right"
        if None in texts:
            only = "A" if self.first else "B"
            return f"only {only}, false" if self.truth == "" else f"only {only}"
        return "both wrong" if self.truth is not None else "other text"

    def as_json(self) -> dict[str, Any]:
        """What `edge-anpr replay --json` prints."""
        return {
            "video": self.video,
            "frame": self.frame,
            "truth": self.truth,
            "a": _as_json(self.first),
            "b": _as_json(self.second),
            "verdict": self.verdict,
        }


def pair_events(first: Sequence[ClipEvent], second: Sequence[ClipEvent]) -> list[tuple[int | None, int | None]]:
    """Indices of events of the same vehicle; None if only one of the replays has one.

    Those whose plates overlap in the most frames belong together; of those left, the ones of equal text.
    """
    costs = [
        (-shared_frames(one.boxes, other.boxes), one.text != other.text, i, j)
        for i, one in enumerate(first)
        for j, other in enumerate(second)
    ]
    of_first: dict[int, int] = {}
    for shared, other_text, i, j in sorted(costs):
        if i not in of_first and j not in of_first.values() and (shared or not other_text):
            of_first[i] = j
    pairs: list[tuple[int | None, int | None]] = [(i, of_first.get(i)) for i in range(len(first))]
    return pairs + [(None, j) for j in range(len(second)) if j not in of_first.values()]


def compare(
    video: str, clip: LabelledClip | None, first: Sequence[ClipEvent], second: Sequence[ClipEvent]
) -> list[Pair]:
    """Every vehicle of either replay, in the order of time; `clip` has the truth if it is known.

    Events that the truth gives to two vehicles are a pair each, whatever their texts.
    """
    pairs = []
    for i, j in pair_events(first, second):
        one, other = first[i] if i is not None else None, second[j] if j is not None else None
        if clip and one and other and owner_of(one, clip) != owner_of(other, clip):
            pairs += [Pair(video, _truth_of(clip, one), one, None), Pair(video, _truth_of(clip, other), None, other)]
        elif event := one or other:
            pairs.append(Pair(video, _truth_of(clip, event), one, other))
    return sorted(pairs, key=lambda pair: pair.frame)


def _truth_of(clip: LabelledClip | None, event: ClipEvent) -> str | None:
    if clip is None:
        return None
    owner = owner_of(event, clip)
    return "" if owner is None else clip.vehicles[owner].plate


def _as_json(event: ClipEvent | None) -> dict[str, Any] | None:
    if event is None:
        return None
    confidence = round(event.confidence, 4)
    return {"text": event.text, "confidence": confidence, "frames": [event.first_frame, event.last_frame]}
