"""Strips of rendered traffic as the detector finds the plates: small, smeared, coded as video, corners a bit off."""

import contextlib
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from edge_app.app import open_video
from edge_app.clips.truth import EVENTS_FILE
from edge_app.detection.detector import PlateDetector
from edge_app.errors import UsageError
from edge_app.recognition.rectifier import Rectifier
from edge_app.records import Frame, ImageGray
from edge_app.scoring import Box, iou
from edge_app.tflite_model import InputShape
from training.crop_corners import detector_of
from training.shapes import READER_HEIGHT, READER_WIDTH
from training.strips import Strips, encode, loosen

_INPUT = InputShape(640, 384, 3, "BGR")

_CONFIDENCE, _ON_PLATE_IOU = 0.3, 0.5
"""What the detector finds with less, or beside a plate, is not what the reader is shown."""

_Plate = tuple[str, int, Box]
"""Text, lines and place."""

_Places = dict[int, list[_Plate]]
"""The plates of each frame of a clip whose text can be told there."""


def clip_strips(folder: Path, detector: Path, seed: int) -> Strips:
    """Strips of every plate of clips by `python -m training.clips`, in each frame in which its text can be told.

    Two of each: with the corners that `detector`, a checkpoint, finds, and loosened.
    """
    places = _read_places(folder)
    search = detector_of(detector, _INPUT, _CONFIDENCE)
    rng = np.random.default_rng(seed)
    images: list[ImageGray] = []
    labels: list[NDArray[np.int8]] = []
    for video, of_frame in tqdm(places.items(), desc="strips of clips", unit="clip"):
        with contextlib.closing(open_video(folder / video)) as source:
            for frame in source.frames():
                for image_gray, text in _of_frame(rng, frame, of_frame.get(frame.sequence, []), search):
                    images.append(image_gray)
                    labels.append(encode(text))
    if not images:
        raise UsageError(f"{folder}: no plate of its clips can be told; render more of them")
    return Strips(np.stack(images), np.stack(labels))


def _read_places(folder: Path) -> dict[str, _Places]:
    try:
        vehicles = [json.loads(line) for line in (folder / EVENTS_FILE).read_text(encoding="utf-8").splitlines()]
        places: dict[str, _Places] = {}
        for vehicle in vehicles:
            of_frame = places.setdefault(vehicle["video"], {})
            for frame in vehicle.get("clear_frames", []) if vehicle.get("plate") else []:
                plate = vehicle["plate"], vehicle["lines"], tuple(vehicle["boxes"][str(frame)])
                of_frame.setdefault(frame, []).append(plate)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise UsageError(
            f"{folder}: holds no rendered clips ({error}); make them with python -m training.clips"
        ) from error
    return places


def _of_frame(
    rng: np.random.Generator, frame: Frame, plates: list[_Plate], detector: PlateDetector
) -> Iterator[tuple[ImageGray, str]]:
    rectifier = Rectifier(READER_WIDTH, READER_HEIGHT)
    for found in detector.find(frame) if plates else []:
        text, lines, box = max(plates, key=lambda plate: iou(found.box_px, plate[2]))
        if found.lines == lines and iou(found.box_px, box) >= _ON_PLATE_IOU:
            for corners_px in (found.corners_px, loosen(rng, found.corners_px)):
                strip = rectifier.rectify(frame.image_bgr, replace(found, corners_px=corners_px))
                yield strip.image_gray, text
