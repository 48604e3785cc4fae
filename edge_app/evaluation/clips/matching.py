"""Which event belongs to which vehicle: the one definition of a right event, a false one, a duplicate and a switch."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from edge_app.errors import SourceError
from edge_app.evaluation.clips.playback import ClipEvent, Playback
from edge_app.evaluation.clips.truth import EVENTS_FILE, LabelledClip, LabelledVehicle
from edge_app.evaluation.scoring import best_overlap, nearest_text
from edge_app.geometry import Box, iou

ON_PLATE_IOU = 0.3
"""A plate found lies on a vehicle's from this intersection over union on. It is less than a right detection needs: the
question is whose plate it is, not how well it was found."""


@dataclass(frozen=True, slots=True)
class Switch:
    """A track that went over from one vehicle to another."""

    frame: int
    track: int
    was: int
    now: int
    """Indices of the two vehicles."""


@dataclass(frozen=True, slots=True)
class ClipOutcome:
    """A clip, what was made of it, and what belongs to what."""

    clip: LabelledClip
    playback: Playback
    events_of: tuple[tuple[ClipEvent, ...], ...]
    """Of each vehicle, in the order of publication: the first is its event, the others are duplicates."""
    false_events: tuple[ClipEvent, ...]
    """Those that belong to no vehicle."""
    switches: tuple[Switch, ...] | None
    """None if the places of the plates are not known."""
    broken_tracks: int | None
    """Times that a vehicle got another number that no other vehicle had; None as `switches`."""


def judge(clip: LabelledClip, playback: Playback) -> ClipOutcome:
    """Give each event to its vehicle; `SourceError` if the truth is of another clip."""
    for vehicle in clip.vehicles:
        if vehicle.last_frame >= playback.frames:
            raise SourceError(
                f"{clip.path}: has {playback.frames} frames, counted from 0, but a vehicle is labelled from"
                f" {vehicle.first_frame} until {vehicle.last_frame}; correct {clip.path.parent / EVENTS_FILE}, or copy"
                " the video again"
            )
    owners = [owner_of(event, clip) for event in playback.events]
    given = list(zip(owners, playback.events, strict=True))
    numbers = [tuple(event for owner, event in given if owner == index) for index in range(len(clip.vehicles))]
    false = tuple(event for owner, event in given if owner is None)
    switches, broken = _follow_numbers(clip.vehicles, playback.tracks) if clip.has_boxes else (None, None)
    return ClipOutcome(clip, playback, tuple(numbers), false, switches, broken)


def owner_of(event: ClipEvent, clip: LabelledClip) -> int | None:
    """Index of the vehicle an event belongs to, None if it belongs to none.

    With boxes, the vehicle on whose plate the most of its detections lie. Without, of the vehicles that pass
    while it was seen, the one whose plate is most like its text, or one whose plate nobody could read.
    """
    if clip.has_boxes:
        shared = [shared_frames(event.boxes, vehicle.boxes) for vehicle in clip.vehicles]
        most = max(shared, default=0)
        return shared.index(most) if most else None
    passing = {
        index: vehicle
        for index, vehicle in enumerate(clip.vehicles)
        if event.first_frame <= vehicle.last_frame and vehicle.first_frame <= event.last_frame
    }
    return nearest_vehicle(event.text, passing)


def nearest_vehicle(text: str, vehicles: Mapping[int, LabelledVehicle]) -> int | None:
    """Index of the vehicle whose plate is most like a text, else of one whose plate nobody could read."""
    nearest = nearest_text(text, {index: each.plate for index, each in vehicles.items() if each.plate is not None})
    illegible = (index for index, each in vehicles.items() if each.plate is None)
    return next(illegible, None) if nearest is None else nearest


def shared_frames(found: Mapping[int, Box], other: Mapping[int, Box]) -> int:
    """Number of frames in which two plates overlap."""
    frames = [frame for frame in found if frame in other]
    if not frames:
        return 0
    overlaps = iou([found[frame] for frame in frames], [other[frame] for frame in frames])
    return int((overlaps >= ON_PLATE_IOU).sum())


def _follow_numbers(
    vehicles: Sequence[LabelledVehicle], tracks: Mapping[int, Mapping[int, Box]]
) -> tuple[tuple[Switch, ...], int]:
    """Switches, and the times that a vehicle got a number that was new to all (together the mismatches of CLEAR MOT).

    Bernardin and Stiefelhagen, Evaluating Multiple Object Tracking Performance, 2008.
    """
    found = sorted((frame, track, box) for track, boxes in tracks.items() for frame, box in boxes.items())
    vehicle_of: dict[int, int] = {}
    track_of: dict[int, int] = {}
    switches: list[Switch] = []
    broken = 0
    for frame, track, box in found:
        index = _vehicle_at(vehicles, frame, box)
        if index is None:
            continue
        if vehicle_of.get(track, index) != index:
            switches.append(Switch(frame, track, vehicle_of[track], index))
        elif track not in vehicle_of and index in track_of:
            broken += 1
        vehicle_of[track], track_of[index] = index, track
    return tuple(switches), broken


def _vehicle_at(vehicles: Sequence[LabelledVehicle], frame: int, box: Box) -> int | None:
    there = {index: vehicle.boxes[frame] for index, vehicle in enumerate(vehicles) if frame in vehicle.boxes}
    return best_overlap(box, there, ON_PLATE_IOU)
