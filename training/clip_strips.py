"""Strips of rendered traffic as the detector finds the plates: small, smeared, coded as video, corners a bit off."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edge_app.detection.corner_decoding import hulls, iou_with
from edge_app.detection.detector import PlateDetector
from edge_app.errors import SourceError
from edge_app.recognition.rectifier import Rectifier
from edge_app.records import Frame, ImageGray
from edge_app.tflite_model import InputShape
from training.crop_corners import detector_of
from training.rendered_clips import ClipPlate, clip_frames
from training.shapes import READER_HEIGHT, READER_WIDTH
from training.strips import Strips, encode, loosen

_INPUT = InputShape(640, 384, 3, "BGR")

_CONFIDENCE, _ON_PLATE_IOU = 0.3, 0.5
"""What the detector finds with less, or beside a plate, is not what the reader is shown."""


def clip_strips(folder: Path, detector: Path, seed: int) -> Strips:
    """Strips of every plate of clips by `./build.sh clips`, in each frame in which its text can be told.

    Two of each, uint8 of (READER_HEIGHT, READER_WIDTH): with the corners that `detector`, a checkpoint, finds, and
    loosened.

    Raises:
        SourceError: the folder holds no rendered clips, or none with a plate that can be told.
    """
    frames = clip_frames(folder)
    search = detector_of(detector, _INPUT, _CONFIDENCE)
    rng = np.random.default_rng(seed)
    images: list[ImageGray] = []
    labels: list[NDArray[np.int8]] = []
    for frame, plates in frames:
        clear = [plate for plate in plates if plate.clear and plate.text]
        for image_gray, text in _of_frame(rng, frame, clear, search):
            images.append(image_gray)
            labels.append(encode(text))
    if not images:
        raise SourceError(f"{folder}: no plate of its clips can be told; render more of them with ./build.sh clips")
    return Strips(np.stack(images), np.stack(labels))


def _of_frame(
    rng: np.random.Generator, frame: Frame, plates: list[ClipPlate], detector: PlateDetector
) -> Iterator[tuple[ImageGray, str]]:
    rectifier = Rectifier(READER_WIDTH, READER_HEIGHT)
    boxes = hulls(np.stack([plate.corners_px for plate in plates])) if plates else np.zeros((0, 4), np.float32)
    for found in detector.find(frame) if plates else []:
        overlap = iou_with(hulls(found.corners_px[None])[0], boxes)
        plate = plates[int(overlap.argmax())]
        if plate.text and found.lines == plate.lines and overlap.max() >= _ON_PLATE_IOU:
            for corners_px in (found.corners_px, loosen(rng, found.corners_px)):
                strip = rectifier.rectify(frame.image_bgr, replace(found, corners_px=corners_px))
                yield strip.image_gray, plate.text
