"""Detectors of the study in our detector's place: their boxes become the maps that it gives."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_app.detection.corner_decoding import encode_corners
from edge_app.geometry import Box, corners_of
from edge_app.tflite_model import InputShape, ModelManifest, TfliteModel
from training.shapes import STRIDE
from training.study.boxes import Grid
from training.study.scores.detection import FAINT, as_box
from training.study.tasks.detection import OneBoxTask, as_boxes
from training.synthetic.scenes import SCENE_SIZE

Outputs = Mapping[str, NDArray[np.float32]]

_NOWHERE = -12.0
"""Logit of a cell without a plate."""
_TWO_LINES_BELOW = 2.2
"""Aspect ratio below which a box is taken for a plate of two lines: a box does not tell."""


def _manifest(name: str) -> ModelManifest:
    return ModelManifest(name, "1.0.0", "plate-detector", InputShape(*SCENE_SIZE, 3, "BGR"), "", stride=STRIDE)


@dataclass(frozen=True, slots=True)
class OneStage:
    """The one-stage detector of plates."""

    model: TfliteModel
    grid: Grid
    manifest: ModelManifest = field(default_factory=lambda: _manifest("one stage"))

    def run(self, pixels: NDArray[np.uint8]) -> Outputs:
        """Maps with a cell for each box."""
        size = (self.grid.width, self.grid.height)
        small = cv2.resize(pixels[0], size, interpolation=cv2.INTER_AREA)
        scale = np.array([SCENE_SIZE[0] / size[0], SCENE_SIZE[1] / size[1]] * 2)
        found = self.grid.decode(self.model.run(small[None])["grid"][0], FAINT)
        return as_maps([(as_box(np.array(box) * scale), confidence) for box, confidence, _ in found])


@dataclass(frozen=True, slots=True)
class OneBox:
    """The network that gives each picture one box, which counts as certain."""

    model: TfliteModel
    task: OneBoxTask
    manifest: ModelManifest = field(default_factory=lambda: _manifest("one box"))

    def run(self, pixels: NDArray[np.uint8]) -> Outputs:
        """Maps with one cell."""
        small = cv2.resize(pixels[0], (self.task.width, self.task.height), interpolation=cv2.INTER_AREA)
        box = as_boxes(self.model.run(small[None])["box"])[0] * np.array([*SCENE_SIZE, *SCENE_SIZE])
        return as_maps([(as_box(box), 0.99)])


def as_maps(found: Sequence[tuple[Box, float]]) -> Outputs:
    """Score, coded corners and lines, as `edge_app.detection.corner_decoding` takes them; the most confident wins."""
    columns, rows = SCENE_SIZE[0] // STRIDE, SCENE_SIZE[1] // STRIDE
    score = np.full((1, rows, columns, 1), _NOWHERE, np.float32)
    corners = np.zeros((1, rows, columns, 8), np.float32)
    lines = np.full((1, rows, columns, 1), _NOWHERE, np.float32)
    for (left, top, width, height), confidence in sorted(found, key=lambda each: each[1]):
        column = int(np.clip((left + width / 2) // STRIDE, 0, columns - 1))
        row = int(np.clip((top + height / 2) // STRIDE, 0, rows - 1))
        centre = (np.array([[column, row]], np.float32) + 0.5) * STRIDE
        quad = corners_of((left, top, max(width, 1.0), max(height, 1.0)))
        score[0, row, column] = np.log(confidence / (1 - min(confidence, 0.999)))
        corners[0, row, column] = encode_corners(quad[None], centre).reshape(8)
        lines[0, row, column] = -_NOWHERE if width < _TWO_LINES_BELOW * height else _NOWHERE
    return {"score": score, "corners": corners, "lines": lines}
