"""Which event tells of which vehicle: the one definition of a right event, a false one, a duplicate and a switch."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from edge_app.errors import SourceError
from edge_app.evaluation.clips.playback import ClipEvent, Playback
from edge_app.evaluation.clips.truth import EVENTS_FILE, LabelledClip, LabelledVehicle
from edge_app.evaluation.scoring import Box, edit_distance, iou, normalize_text

ON_PLATE_IOU = 0.3
"""A plate found lies on a vehicle's from this intersection over union on: less than a right detection needs, for the
question is whose plate it is, not how well it was found."""

ALIKE_SHARE = 0.5
"""Where places are not known, an event tells of a vehicle if at most this share of the plate's characters is wrong."""


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
    """Of each vehicle, as they were told: the first is its event, the others are duplicates."""
    false_events: tuple[ClipEvent, ...]
    """Those that tell of no vehicle."""
    switches: tuple[Switch, ...] | None
    """None where the places of the plates are not known."""
    broken_tracks: int | None
    """How often a vehicle got another number that no other vehicle had; None as `switches`."""


def judge(clip: LabelledClip, playback: Playback) -> ClipOutcome:
    """Give each event to the vehicle it tells of; `SourceError` where the truth is of another clip."""
    for vehicle in clip.vehicles:
        if vehicle.last_frame >= playback.frames:
            raise SourceError(
                f"{clip.path}: has {playback.frames} frames, counted from 0, but a vehicle is said to be seen from"
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
    """Index of the vehicle an event tells of, None where it tells of none.

    Where boxes are known, the vehicle on whose plate the most of its sights lie. Else, of the vehicles that pass
    while it was seen, the one whose plate is most like its text, or one whose plate nobody could tell.
    """
    if clip.has_boxes:
        shared = [shared_frames(event.boxes, vehicle.boxes) for vehicle in clip.vehicles]
        most = max(shared, default=0)
        return shared.index(most) if most else None
    errors = [(_errors(event, vehicle), index) for index, vehicle in enumerate(clip.vehicles)]
    left = [(wrong, index) for wrong, index in errors if wrong is not None]
    return min(left)[1] if left else None


def shared_frames(found: Mapping[int, Box], other: Mapping[int, Box]) -> int:
    """In how many frames two plates lie on each other."""
    return sum(iou(box, other[frame]) >= ON_PLATE_IOU for frame, box in found.items() if frame in other)


def _errors(event: ClipEvent, vehicle: LabelledVehicle) -> float | None:
    """Wrong characters, None where the event cannot be the vehicle's; of an illegible plate more than of any other."""
    if event.last_frame < vehicle.first_frame or event.first_frame > vehicle.last_frame:
        return None
    if vehicle.plate is None:
        return float("inf")
    wrong = edit_distance(normalize_text(event.text), vehicle.plate)
    return wrong if wrong <= ALIKE_SHARE * len(vehicle.plate) else None


def _follow_numbers(
    vehicles: Sequence[LabelledVehicle], tracks: Mapping[int, Mapping[int, Box]]
) -> tuple[tuple[Switch, ...], int]:
    """Switches, and how often a vehicle got a number that was new to all (together the mismatches of CLEAR MOT).

    Bernardin and Stiefelhagen, Evaluating Multiple Object Tracking Performance, 2008.
    """
    sights = sorted((frame, track, box) for track, boxes in tracks.items() for frame, box in boxes.items())
    vehicle_of: dict[int, int] = {}
    track_of: dict[int, int] = {}
    switches: list[Switch] = []
    broken = 0
    for frame, track, box in sights:
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
    overlaps = [
        (iou(box, vehicle.boxes[frame]), -index) for index, vehicle in enumerate(vehicles) if frame in vehicle.boxes
    ]
    best, index = max(overlaps, default=(0.0, 0))
    return -index if best >= ON_PLATE_IOU else None
