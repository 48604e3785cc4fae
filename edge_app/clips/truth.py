"""Clip folders: videos and `events.jsonl`, a line for each vehicle that passes; `docs/clips.md` tells the format."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edge_app.datasets import clean_text
from edge_app.errors import SourceError
from edge_app.image_files import is_video
from edge_app.scoring import Box

EVENTS_FILE = "events.jsonl"
_WANTED = '{"video": "a.mp4", "plate": "MH12AB1234" or null, "first_frame": 10, "last_frame": 42}'


@dataclass(frozen=True, slots=True)
class LabelledVehicle:
    """A vehicle of a clip, while its plate can be seen."""

    plate: str | None
    """A-Z and 0-9; None where nobody could tell: whatever is read of it is neither right nor wrong."""
    first_frame: int
    last_frame: int
    """Counted from 0."""
    boxes: Mapping[int, Box]
    """Where its plate is, by frame: left, top, width, height in pixels; empty where that is not known."""


@dataclass(frozen=True, slots=True)
class LabelledClip:
    """A video and the vehicles that pass in it, in the order of their lines."""

    path: Path
    vehicles: tuple[LabelledVehicle, ...]

    @property
    def has_boxes(self) -> bool:
        """The place of every plate is known, so that it can be told which track belongs to which vehicle."""
        return all(vehicle.boxes for vehicle in self.vehicles)


def is_clip_folder(path: Path) -> bool:
    """Whether a folder says what passes in its videos."""
    return (path / EVENTS_FILE).is_file()


def read_clips(folder: Path) -> list[LabelledClip]:
    """The clips of a folder, by name; `SourceError` names the line that is wrong and says what to do."""
    file = folder / EVENTS_FILE
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise SourceError(f"{file}: cannot be read ({error}); a clip folder holds videos and {EVENTS_FILE}") from error
    vehicles: dict[str, list[LabelledVehicle]] = {}
    told_empty: dict[str, int] = {}
    for number, line in enumerate(lines, 1):
        if line.strip():
            video, vehicle = _parse(f"{file}:{number}", line)
            if video not in vehicles and not (folder / video).is_file():
                raise SourceError(f"{file}:{number}: {folder / video}: no such video; correct `video`, or copy it here")
            vehicles.setdefault(video, []).extend([vehicle] if vehicle else [])
            if vehicle is None:
                told_empty[video] = number
    if not vehicles:
        raise SourceError(f"{file}: names no video; write a line for each vehicle: {_WANTED}")
    for video, number in told_empty.items():
        if vehicles[video]:
            wrong = f"this says that nothing passes in {video}, and another line has a vehicle in it"
            raise SourceError(f"{file}:{number}: {wrong}; remove the line that is wrong")
    for path in sorted(folder.iterdir()):
        if is_video(path) and path.name not in vehicles:
            nothing = json.dumps({"video": path.name})
            raise SourceError(f"{file}: no line is about {path.name}; where nothing passes in it, write {nothing}")
    return [LabelledClip(folder / video, tuple(vehicles[video])) for video in sorted(vehicles)]


def _parse(place: str, line: str) -> tuple[str, LabelledVehicle | None]:
    try:
        fields = json.loads(line)
        video = str(fields["video"])
        return video, None if set(fields) == {"video"} else _vehicle(fields)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        what = f"lacks {error}" if isinstance(error, KeyError) else str(error)
        raise SourceError(f"{place}: this is no vehicle of a clip ({what}); write {_WANTED}") from error


def _vehicle(fields: dict[str, Any]) -> LabelledVehicle:
    first, last = int(fields["first_frame"]), int(fields["last_frame"])
    if not 0 <= first <= last:
        raise ValueError(f"first_frame {first}, last_frame {last}: frames count from 0, the first comes first")
    plate = clean_text(fields["plate"])
    if plate is None and fields["plate"] is not None:
        raise ValueError("`plate` has neither letter nor digit; null where nobody could tell")
    boxes = {int(frame): _box(box) for frame, box in fields.get("boxes", {}).items()}
    if any(not first <= frame <= last for frame in boxes):
        raise ValueError(f"`boxes` has frames outside of {first} to {last}")
    return LabelledVehicle(plate, first, last, boxes)


def _box(numbers: list[float]) -> Box:
    left, top, width, height = (float(number) for number in numbers)
    return left, top, width, height
