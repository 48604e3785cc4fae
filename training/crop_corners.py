"""Where the plate lies in a crop that shows one plate and little else: the trained detector tells."""

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from tqdm import tqdm

from edge_app.detection.detector import PlateDetector
from edge_app.errors import EdgeAnprError
from edge_app.recognizer import pad_crop
from edge_app.records import ImageBgr, PlateDetection
from edge_app.stages import as_frame
from edge_app.tflite_model import InputShape, ModelManifest
from training.networks import float_twin, load_checkpoint
from training.shapes import STRIDE

_INPUT = InputShape(320, 192, 3, "BGR")
_CONFIDENCE = 0.5

_LEAST_COVER = 0.5
"""A find that is narrower than this share of the crop is part of a plate, or small print."""


class CropSearch:
    """`find` gives the plate of a crop."""

    def __init__(self, checkpoint: Path) -> None:
        self._detector = detector_of(checkpoint, _INPUT, _CONFIDENCE)

    def find(self, crop_bgr: ImageBgr) -> PlateDetection | None:
        """The plate, its corners in pixels of the crop; None where the detector sees none that fills it."""
        padded, (across, down) = pad_crop(crop_bgr)
        found = self._detector.find(as_frame(padded))
        if not found or found[0].box_px[2] < _LEAST_COVER * crop_bgr.shape[1]:
            return None
        return found[0].moved(-across, -down)


def detector_of(checkpoint: Path, input_shape: InputShape, confidence: float) -> PlateDetector:
    """The detector of a checkpoint, in floats and at this input size."""
    manifest = ModelManifest("plate_detector", "", "plate-detector", input_shape, "", alphabet="", stride=STRIDE)
    return PlateDetector(float_twin(load_checkpoint(checkpoint, input_shape), manifest), confidence=confidence)


def find_in_crops(checkpoint: Path, paths: Sequence[Path]) -> list[PlateDetection | None]:
    """The plate of each crop file."""
    search = CropSearch(checkpoint)
    return [search.find(read_crop(path)) for path in tqdm(paths, desc="finding corners", unit="crop")]


def read_crop(path: Path) -> ImageBgr:
    """A crop from its file."""
    crop = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if crop is None:
        raise EdgeAnprError(f"{path}: not a readable picture; mend or remove its line in labels.jsonl")
    return np.asarray(crop, np.uint8)
