"""A clip through motion gate and pipeline as the daemon has them, with every detection recorded."""

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from edge_app.capture.motion_gate import MotionGate
from edge_app.geometry import Box
from edge_app.pipeline import Pipeline
from edge_app.records import Frame, PlateDetection, PlatePass, Reading
from edge_app.tracking.passage import Observation
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
    """The text of the track's most confident single frame; "" if no frame has one."""
    first_frame: int
    last_frame: int
    """Of its tracked."""
    boxes: Mapping[int, Box]
    """Places of its plate, by frame."""
    latency_seconds: float | None
    """From the last frame of the vehicle until it was published; None if only the clip's end caused it."""
    reads: int = 0
    """Frames in which it was read."""


@dataclass(frozen=True, slots=True)
class Playback:
    """The result of playing a clip."""

    frames: int
    events: tuple[ClipEvent, ...]
    """In the order of publication."""
    tracks: Mapping[int, Mapping[int, Box]]
    """Places of each track's plate, by track and frame."""
    elapsed_ms: tuple[float, ...]
    """Of each frame, gate and pipeline together."""


class Logbook:
    """Records the calls of a pipeline's `watch`."""

    def __init__(self) -> None:
        self.tracked: list[TrackedPlate] = []

    def note(self, track: int, observation: Observation) -> None:
        """Record the plate of one frame."""
        frame = observation.frame
        self.tracked.append(
            TrackedPlate(frame.sequence, frame.captured_at, track, observation.detection, observation.reading)
        )

    def of(self, plate_pass: PlatePass) -> list[TrackedPlate]:
        """The plates that became a pass: those of its track, while it lasted."""
        first, last = plate_pass.first_seen, plate_pass.last_seen
        return [each for each in self.tracked if each.track == plate_pass.vehicle and first <= each.seen_at <= last]


def play(frames: Iterable[Frame], gate: MotionGate, pipeline: Pipeline, logbook: Logbook, voter: Voter) -> Playback:
    """Take every frame in turn; the pipeline's `watch` writes into `logbook`."""
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
            _note(events, each, _event(each, logbook, voter, published_ns=frame.monotonic_ns))
    for each in pipeline.flush():
        _note(events, each, _event(each, logbook, voter, published_ns=None))
    return Playback(len(elapsed_ms), tuple(events.values()), _by_track(logbook.tracked), tuple(elapsed_ms))


def _note(events: dict[int, ClipEvent], plate_pass: PlatePass, event: ClipEvent) -> None:
    """An update replaces its read, but keeps the time of its publication."""
    before = events.get(plate_pass.vehicle)
    events[plate_pass.vehicle] = replace(event, latency_seconds=before.latency_seconds) if before else event


def _event(plate_pass: PlatePass, logbook: Logbook, voter: Voter, published_ns: int | None) -> ClipEvent:
    tracked = logbook.of(plate_pass)
    return ClipEvent(
        text=plate_pass.read.text,
        confidence=plate_pass.read.confidence,
        best_frame_text=_best_single(voter, [each.reading for each in tracked if each.reading is not None]),
        first_frame=tracked[0].frame,
        last_frame=tracked[-1].frame,
        boxes={each.frame: each.detection.box_px for each in tracked},
        latency_seconds=None if published_ns is None else (published_ns - plate_pass.last_monotonic_ns) / 1e9,
        reads=sum(each.reading is not None for each in tracked),
    )


def _best_single(voter: Voter, readings: list[Reading]) -> str:
    texts = [text for reading in readings if (text := voter.settle([reading])) is not None]
    return max(texts, key=lambda text: text.confidence).text if texts else ""


def _by_track(tracked: list[TrackedPlate]) -> dict[int, dict[int, Box]]:
    tracks: dict[int, dict[int, Box]] = {}
    for each in tracked:
        tracks.setdefault(each.track, {})[each.frame] = each.detection.box_px
    return tracks
