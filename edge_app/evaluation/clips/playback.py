"""A clip through motion gate and pipeline as the daemon has them, with every sight written down."""

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from edge_app.capture.motion_gate import MotionGate
from edge_app.evaluation.scoring import Box
from edge_app.pipeline import Pipeline
from edge_app.records import Frame, PlateDetection, PlatePass, Reading
from edge_app.tracking.passage import Sight
from edge_app.tracking.voter import Voter


@dataclass(frozen=True, slots=True, eq=False)
class TrackedPlate:
    """A plate found in a frame, under the number that the tracker gave it; without the frame, which holds megabytes."""

    frame: int
    seen_at: datetime
    track: int
    detection: PlateDetection
    reading: Reading | None


@dataclass(frozen=True, slots=True)
class ClipEvent:
    """What the daemon would have published of one vehicle."""

    text: str
    confidence: float
    best_frame_text: str
    """What the single frame of the same track says that is surest of its text; "" where no frame says anything."""
    first_frame: int
    last_frame: int
    """Of its sights."""
    boxes: Mapping[int, Box]
    """Where its plate was found, by frame."""
    latency_seconds: float | None
    """From the last sight until it was told; None where only the clip's end brought it about."""
    reads: int = 0
    """Sights of it that were read."""


@dataclass(frozen=True, slots=True)
class Playback:
    """What became of a clip."""

    frames: int
    events: tuple[ClipEvent, ...]
    """In the order in which they were told."""
    tracks: Mapping[int, Mapping[int, Box]]
    """Where each track's plate was found: by track and frame."""
    elapsed_ms: tuple[float, ...]
    """Of each frame, gate and pipeline together."""


class Logbook:
    """Keeps what a pipeline's `watch` hears."""

    def __init__(self) -> None:
        self.sights: list[TrackedPlate] = []

    def note(self, track: int, sight: Sight) -> None:
        """Write a sight down."""
        frame = sight.frame
        self.sights.append(TrackedPlate(frame.sequence, frame.captured_at, track, sight.detection, sight.reading))

    def of(self, plate_pass: PlatePass) -> list[TrackedPlate]:
        """The sights that became a pass: those of its track, while it lasted."""
        first, last = plate_pass.first_seen, plate_pass.last_seen
        return [each for each in self.sights if each.track == plate_pass.vehicle and first <= each.seen_at <= last]


def play(frames: Iterable[Frame], gate: MotionGate, pipeline: Pipeline, logbook: Logbook, voter: Voter) -> Playback:
    """Take every frame in turn; `logbook` is what the pipeline's `watch` writes into."""
    events: dict[int, ClipEvent] = {}
    elapsed_ms: list[float] = []
    was_open = False
    for frame in frames:
        began = time.perf_counter()
        is_open = gate.admits(frame)
        passes: list[PlatePass] = []
        if is_open:
            passes = pipeline.process(frame)
        elif was_open:  # as the daemon: without frames the tracker would wait for the next vehicle to end this pass
            passes = pipeline.rest()
        was_open = is_open
        elapsed_ms.append((time.perf_counter() - began) * 1e3)
        for each in passes:
            _note(events, each, _event(each, logbook, voter, told_ns=frame.monotonic_ns))
    for each in pipeline.flush():
        _note(events, each, _event(each, logbook, voter, told_ns=None))
    return Playback(len(elapsed_ms), tuple(events.values()), _by_track(logbook.sights), tuple(elapsed_ms))


def _note(events: dict[int, ClipEvent], plate_pass: PlatePass, event: ClipEvent) -> None:
    """An update takes the place of its read, which was told when it was told."""
    before = events.get(plate_pass.vehicle)
    events[plate_pass.vehicle] = replace(event, latency_seconds=before.latency_seconds) if before else event


def _event(plate_pass: PlatePass, logbook: Logbook, voter: Voter, told_ns: int | None) -> ClipEvent:
    sights = logbook.of(plate_pass)
    return ClipEvent(
        text=plate_pass.read.text,
        confidence=plate_pass.read.confidence,
        best_frame_text=_best_single(voter, [sight.reading for sight in sights if sight.reading is not None]),
        first_frame=sights[0].frame,
        last_frame=sights[-1].frame,
        boxes={sight.frame: sight.detection.box_px for sight in sights},
        latency_seconds=None if told_ns is None else (told_ns - plate_pass.last_monotonic_ns) / 1e9,
        reads=sum(sight.reading is not None for sight in sights),
    )


def _best_single(voter: Voter, readings: list[Reading]) -> str:
    texts = [text for reading in readings if (text := voter.settle([reading])) is not None]
    return max(texts, key=lambda text: text.confidence).text if texts else ""


def _by_track(sights: list[TrackedPlate]) -> dict[int, dict[int, Box]]:
    tracks: dict[int, dict[int, Box]] = {}
    for sight in sights:
        tracks.setdefault(sight.track, {})[sight.frame] = sight.detection.box_px
    return tracks
