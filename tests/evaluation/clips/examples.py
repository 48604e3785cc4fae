"""Made-up vehicles and events of a clip of 100 frames: one lane for each, 100 pixels wide."""

from pathlib import Path

from edge_app.evaluation.clips.playback import ClipEvent, Playback
from edge_app.evaluation.clips.truth import LabelledClip, LabelledVehicle
from edge_app.geometry import Box

FRAMES = 100


def boxes(lane: int, first: int, last: int) -> dict[int, Box]:
    """A plate that comes down a lane."""
    return {frame: (100.0 * lane, 5.0 * frame, 80.0, 20.0) for frame in range(first, last + 1)}


def vehicle(plate: str | None, lane: int = 0, first: int = 10, last: int = 40, located: bool = True) -> LabelledVehicle:
    return LabelledVehicle(plate, first, last, boxes(lane, first, last) if located else {})


def event(
    text: str, lane: int = 0, first: int = 12, last: int = 38, best_frame: str = "", late: float | None = 1.0
) -> ClipEvent:
    return ClipEvent(text, 0.9, best_frame or text, first, last, boxes(lane, first, last), late)


def clip(*vehicles: LabelledVehicle) -> LabelledClip:
    return LabelledClip(Path("clips/a.mp4"), vehicles)


def playback(*events: ClipEvent, tracks: dict[int, dict[int, Box]] | None = None) -> Playback:
    return Playback(FRAMES, events, tracks or {}, (8.0,) * FRAMES)
