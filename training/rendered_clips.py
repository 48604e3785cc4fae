"""Clips by `./build.sh clips` to learn from: frames, and every plate in them."""

import contextlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from edge_app.app import open_video
from edge_app.errors import SourceError
from edge_app.evaluation.clips.truth import EVENTS_FILE, read_clips
from edge_app.records import Corners, Frame


@dataclass(frozen=True, slots=True, eq=False)
class ClipPlate:
    """A plate in a frame of a rendered clip."""

    text: str | None
    """None if it is clear in too few frames."""
    lines: int
    corners_px: Corners
    """(4, 2): in pixels of the frame, clockwise from its own upper left."""
    visible: float
    """0 to 1: the share that lies in the picture and behind nothing."""
    clear: bool
    """Its text is clear in this frame."""


def clip_frames(folder: Path, every: int = 1) -> Iterator[tuple[Frame, list[ClipPlate]]]:
    """Each `every`th frame of all clips of a folder, the first of each among them, and its plates.

    Raises:
        SourceError: `events.jsonl` is wrong, or not of rendered clips; at once, before any frame is asked for.
    """
    return _frames(folder, _read_plates(folder), every)


def _frames(
    folder: Path, clips: dict[str, dict[int, list[ClipPlate]]], every: int
) -> Iterator[tuple[Frame, list[ClipPlate]]]:
    for video, plates in tqdm(clips.items(), desc="frames of clips", unit="clip"):
        with contextlib.closing(open_video(folder / video)) as source:
            for frame in source.frames():
                if frame.sequence % every == 0:
                    yield frame, plates.get(frame.sequence, [])


def _read_plates(folder: Path) -> dict[str, dict[int, list[ClipPlate]]]:
    """The plates in each frame of each video."""
    clips: dict[str, dict[int, list[ClipPlate]]] = {clip.path.name: {} for clip in read_clips(folder)}
    file = folder / EVENTS_FILE
    for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1):
        vehicle = json.loads(line) if line.strip() else {}
        if "plate" in vehicle:
            try:
                for frame, plate in _plates(vehicle):
                    clips[vehicle["video"]].setdefault(frame, []).append(plate)
            except (ValueError, KeyError, TypeError, AttributeError) as error:
                what = f"lacks {error}" if isinstance(error, KeyError) else str(error)
                raise SourceError(
                    f"{file}:{number}: no vehicle of a rendered clip ({what}); render them again with ./build.sh clips"
                ) from error
    if not any(clips.values()):
        raise SourceError(f"{file}: no plate is seen in its clips; render more of them with ./build.sh clips")
    return clips


def _plates(vehicle: dict[str, Any]) -> Iterator[tuple[int, ClipPlate]]:
    """A vehicle's plate in each frame in which it is seen."""
    clear_frames = set(vehicle["clear_frames"])
    for frame, corners in vehicle["corners"].items():
        corners_px = np.array(corners, np.float32).reshape(4, 2)
        visible, clear = float(vehicle["visible"][frame]), int(frame) in clear_frames
        yield int(frame), ClipPlate(vehicle["plate"], int(vehicle["lines"]), corners_px, visible, clear)
