"""Clip folders: videos and `events.jsonl`, a line for each vehicle that passes; `docs/clips.md` explains the format."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edge_app.errors import SourceError
from edge_app.evaluation.datasets import clean_text
from edge_app.file_kinds import is_video
from edge_app.geometry import Box

EVENTS_FILE = "events.jsonl"
_WANTED = '{"video": "a.mp4", "plate": "MH12AB1234" or null, "first_frame": 10, "last_frame": 42}'


@dataclass(frozen=True, slots=True)
class LabelledVehicle:
    """A vehicle of a clip, while its plate can be seen."""

    plate: str | None
    """A-Z and 0-9; None if nobody could read it: a read of it is neither right nor wrong."""
    first_frame: int
    last_frame: int
    """Counted from 0."""
    boxes: Mapping[int, Box]
    """Places of its plate, by frame: left, top, width, height in pixels; empty if that is not known."""


@dataclass(frozen=True, slots=True)
class LabelledClip:
    """A video and the vehicles that pass in it, in the order of their lines."""

    path: Path
    vehicles: tuple[LabelledVehicle, ...]

    @property
    def has_boxes(self) -> bool:
        """The place of every plate is known, so that the vehicle of each track is known."""
        return all(vehicle.boxes for vehicle in self.vehicles)


def is_clip_folder(path: Path) -> bool:
    """Whether a folder has labels of its videos."""
    return (path / EVENTS_FILE).is_file()


def read_clips(folder: Path) -> list[LabelledClip]:
    """The clips of a folder, by name; `SourceError` names the line that is wrong and the remedy."""
    file = folder / EVENTS_FILE
    vehicles: dict[str, list[LabelledVehicle]] = {}
    empty_videos: dict[str, str] = {}
    for place, video, vehicle in _read_lines(file):
        if video not in vehicles and not (folder / video).is_file():
            raise SourceError(f"{place}: {folder / video}: no such video; correct `video`, or copy it here")
        vehicles.setdefault(video, []).extend([vehicle] if vehicle else [])
        if vehicle is None:
            empty_videos[video] = place
    if not vehicles:
        raise SourceError(f"{file}: names no video; write a line for each vehicle: {_WANTED}")
    for video, place in empty_videos.items():
        if vehicles[video]:
            wrong = f"by this line nothing passes in {video}, and another line has a vehicle in it"
            raise SourceError(f"{place}: {wrong}; remove the line that is wrong")
    for path in sorted(folder.iterdir()):
        if is_video(path) and path.name not in vehicles:
            nothing = json.dumps({"video": path.name})
            raise SourceError(f"{file}: no line is about {path.name}; if nothing passes in it, write {nothing}")
    return [LabelledClip(folder / video, tuple(vehicles[video])) for video in sorted(vehicles)]


def read_clip(path: Path) -> LabelledClip | None:
    """A video with its lines in the `events.jsonl` beside it; None if there is no such line or file.

    Whatever is missing of the other videos there is no error.
    """
    if not is_clip_folder(path.parent):
        return None
    labelled = [vehicle for _, video, vehicle in _read_lines(path.parent / EVENTS_FILE) if video == path.name]
    return LabelledClip(path, tuple(vehicle for vehicle in labelled if vehicle)) if labelled else None


def _read_lines(file: Path) -> Iterator[tuple[str, str, LabelledVehicle | None]]:
    """Yield place, video and vehicle of each line; None if nothing passes in the video."""
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise SourceError(f"{file}: cannot be read ({error}); a clip folder holds videos and {EVENTS_FILE}") from error
    for number, line in enumerate(lines, 1):
        if line.strip():
            yield f"{file}:{number}", *_parse(f"{file}:{number}", line)


def _parse(place: str, line: str) -> tuple[str, LabelledVehicle | None]:
    try:
        fields = json.loads(line)
        _insist(isinstance(fields, dict), "not an object")
        _insist(isinstance(fields["video"], str), "`video` is not a text")
        return fields["video"], None if set(fields) == {"video"} else _vehicle(fields)
    except json.JSONDecodeError as error:
        raise SourceError(f"{place}: not JSON at column {error.colno} ({error.msg}); write {_WANTED}") from error
    except (ValueError, KeyError) as error:
        what = f"lacks {error}" if isinstance(error, KeyError) else str(error)
        raise SourceError(f"{place}: this is no vehicle of a clip ({what}); write {_WANTED}") from error


def _vehicle(fields: dict[str, Any]) -> LabelledVehicle:
    first, last, text, boxes = fields["first_frame"], fields["last_frame"], fields["plate"], fields.get("boxes", {})
    _insist(type(first) is int and type(last) is int, "`first_frame` and `last_frame` are whole numbers, unquoted")
    _insist(0 <= first <= last, f"first_frame {first}, last_frame {last}: frames count from 0, the first comes first")
    _insist(text is None or isinstance(text, str), "`plate` is a text, or null if nobody could read it")
    plate = clean_text(text)
    _insist(text is None or plate is not None, "`plate` has neither letter nor digit; null if nobody could read it")
    _insist(isinstance(boxes, dict), "`boxes` is not an object of a box by frame")
    return LabelledVehicle(plate, first, last, {_frame(key, first, last): _box(box) for key, box in boxes.items()})


def _frame(key: str, first: int, last: int) -> int:
    _insist(key.isdecimal() and first <= int(key) <= last, f"`boxes` has frames outside of {first} to {last}")
    return int(key)


def _box(box: Any) -> Box:
    four = isinstance(box, list) and len(box) == 4 and all(type(number) in (int, float) for number in box)
    _insist(four, "a box has four numbers: left, top, width, height")
    left, top, width, height = map(float, box)
    return left, top, width, height


def _insist(holds: bool, otherwise: str) -> None:
    if not holds:
        raise ValueError(otherwise)
