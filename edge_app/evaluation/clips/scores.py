"""The scores of a folder of clips, and its failures one by one."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from edge_app.evaluation.clips.matching import ClipOutcome
from edge_app.evaluation.clips.playback import ClipEvent
from edge_app.evaluation.clips.truth import LabelledVehicle
from edge_app.evaluation.scoring import Elapsed, ReadingScore, normalize_text, rounded, score_reading


@dataclass(frozen=True, slots=True)
class EventScore:
    """How well one vehicle becomes one event, whatever its text."""

    vehicles: int
    """Those whose plate is known."""
    found: int
    """Vehicles with an event."""
    false: int
    """Events that belong to no vehicle."""
    duplicates: int
    """Events of a vehicle after its first."""
    recall: float | None
    """Found of all vehicles; None if there is none."""
    precision: float | None
    """Found of all events, so that a false one and a duplicate both lower it; None if there is none."""
    duplicate_rate: float | None
    """Duplicates a vehicle."""


@dataclass(frozen=True, slots=True)
class VotingScore:
    """The gain of reading a track together: shares of the vehicles found whose every character is right."""

    vehicles: int
    joint: float
    """As published."""
    best_frame: float
    """By the single frame of the same track that is surest of its text."""


@dataclass(frozen=True, slots=True)
class TrackingScore:
    """How well a vehicle keeps its number."""

    ids_switched: int
    """Times that a track passed from one vehicle to another."""
    tracks_broken: int
    """Times that a vehicle got a new number."""


@dataclass(frozen=True, slots=True)
class Latency:
    """Seconds from the last frame of a vehicle until its event, without events at a clip's end."""

    median: float
    p95: float


@dataclass(frozen=True, slots=True)
class ClipsScore:
    """The scores of a folder of clips; None if its labels lack them."""

    clips: str
    videos: int
    frames: int
    events: EventScore
    reading: ReadingScore | None
    """Over all vehicles, with or without an event."""
    voting: VotingScore | None
    tracking: TrackingScore | None
    latency_seconds: Latency | None
    elapsed_ms: Elapsed
    """Of a frame."""

    def as_json(self) -> dict[str, Any]:
        """What `edge-anpr evaluate --json` prints."""
        figures: dict[str, Any] = rounded(asdict(self))
        return figures


def score_clips(name: str, outcomes: Sequence[ClipOutcome]) -> ClipsScore:
    """The scores of all clips together."""
    vehicle_events = [(plate, events) for outcome in outcomes for plate, _, events in _legible(outcome)]
    first = [(plate, events[0]) for plate, events in vehicle_events if events]
    return ClipsScore(
        clips=name,
        videos=len(outcomes),
        frames=sum(outcome.playback.frames for outcome in outcomes),
        events=_score_events(
            [events for _, events in vehicle_events], sum(len(each.false_events) for each in outcomes)
        ),
        reading=score_reading([(events[0].text if events else "", plate) for plate, events in vehicle_events]),
        voting=_score_voting(first),
        tracking=_score_tracking(outcomes),
        latency_seconds=_score_latency([event for _, event in first]),
        elapsed_ms=_elapsed([ms for outcome in outcomes for ms in outcome.playback.elapsed_ms]),
    )


def _legible(outcome: ClipOutcome) -> Iterator[tuple[str, LabelledVehicle, tuple[ClipEvent, ...]]]:
    """The vehicles whose plate is known, each with its events."""
    for vehicle, events in zip(outcome.clip.vehicles, outcome.events_of, strict=True):
        if vehicle.plate is not None:
            yield vehicle.plate, vehicle, events


def _score_events(vehicle_events: Sequence[Sequence[ClipEvent]], false: int) -> EventScore:
    vehicles, found = len(vehicle_events), sum(bool(events) for events in vehicle_events)
    duplicates = sum(max(0, len(events) - 1) for events in vehicle_events)
    events = found + false + duplicates
    return EventScore(
        vehicles,
        found,
        false,
        duplicates,
        recall=found / vehicles if vehicles else None,
        precision=found / events if events else None,
        duplicate_rate=duplicates / vehicles if vehicles else None,
    )


def _score_voting(first: Sequence[tuple[str, ClipEvent]]) -> VotingScore | None:
    joint = score_reading([(event.text, plate) for plate, event in first])
    best_frame = score_reading([(event.best_frame_text, plate) for plate, event in first])
    return VotingScore(len(first), joint.exact, best_frame.exact) if joint and best_frame else None


def _score_tracking(outcomes: Sequence[ClipOutcome]) -> TrackingScore | None:
    switched = broken = 0
    for outcome in outcomes:
        if outcome.switches is None or outcome.broken_tracks is None:
            return None
        switched += len(outcome.switches)
        broken += outcome.broken_tracks
    return TrackingScore(switched, broken)


def _score_latency(events: Sequence[ClipEvent]) -> Latency | None:
    seconds = [event.latency_seconds for event in events if event.latency_seconds is not None]
    return Latency(float(np.median(seconds)), float(np.percentile(seconds, 95))) if seconds else None


def _elapsed(milliseconds: Sequence[float]) -> Elapsed:
    return Elapsed(float(np.median(milliseconds)), float(np.percentile(milliseconds, 95)))


def failures(outcome: ClipOutcome) -> Iterator[dict[str, Any]]:
    """The failures of a clip, with their frames."""
    video = {"video": str(outcome.clip.path)}
    for plate, vehicle, events in _legible(outcome):
        truth = {"truth": plate, "vehicle_frames": [vehicle.first_frame, vehicle.last_frame]}
        if not events:
            yield {**video, "kind": "missed", **truth}
        elif normalize_text(events[0].text) != plate:
            yield {**video, "kind": "misread", **truth, **_event_as_json(events[0])}
        for event in events[1:]:
            yield {**video, "kind": "duplicate", **truth, **_event_as_json(event)}
    for event in outcome.false_events:
        yield {**video, "kind": "false", **_event_as_json(event)}
    for switch in outcome.switches or ():
        plates = [outcome.clip.vehicles[index].plate for index in (switch.was, switch.now)]
        yield {**video, "kind": "switched", "frame": switch.frame, "truth": plates}


def _event_as_json(event: ClipEvent) -> dict[str, Any]:
    return {
        "read": event.text,
        "best_frame_read": event.best_frame_text,
        "confidence": round(event.confidence, 4),
        "frames": [event.first_frame, event.last_frame],
    }
