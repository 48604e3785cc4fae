"""Clips by `python -m training.clips` to learn from: frames, and every plate in them."""

import contextlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from edge_app.app import open_video
from edge_app.clips.truth import EVENTS_FILE
from edge_app.errors import UsageError
from edge_app.records import Corners, Frame


@dataclass(frozen=True, slots=True, eq=False)
class ClipPlate:
    """A plate in a frame of a rendered clip."""

    text: str | None
    """None where it can be told in too few frames."""
    lines: int
    corners_px: Corners
    visible: float
    """Share that lies in the picture and behind nothing."""
    clear: bool
    """Its text can be told in this frame."""


def clip_frames(folder: Path, every: int = 1) -> Iterator[tuple[Frame, list[ClipPlate]]]:
    """Each `every`th frame of all clips of a folder, and its plates; `UsageError` where it holds no rendered clips."""
    clips = _read_plates(folder)
    for video, plates in tqdm(clips.items(), desc="frames of clips", unit="clip"):
        with contextlib.closing(open_video(folder / video)) as source:
            for frame in source.frames():
                if frame.sequence % every == 0:
                    yield frame, plates.get(frame.sequence, [])


def _read_plates(folder: Path) -> dict[str, dict[int, list[ClipPlate]]]:
    clips: dict[str, dict[int, list[ClipPlate]]] = {}
    try:
        for line in (folder / EVENTS_FILE).read_text(encoding="utf-8").splitlines():
            vehicle = json.loads(line)
            plates = clips.setdefault(vehicle["video"], {})
            for frame in vehicle["corners"] if "plate" in vehicle else ():
                plates.setdefault(int(frame), []).append(_plate(vehicle, frame))
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise UsageError(
            f"{folder}: holds no rendered clips ({error}); make them with python -m training.clips"
        ) from error
    return clips


def _plate(vehicle: dict[str, Any], frame: str) -> ClipPlate:
    corners_px = np.array(vehicle["corners"][frame], np.float32).reshape(4, 2)
    clear = int(frame) in vehicle["clear_frames"]
    return ClipPlate(vehicle["plate"], vehicle["lines"], corners_px, vehicle["visible"][frame], clear)
