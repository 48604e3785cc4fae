"""Real plates with a known text, cut out of their pictures, and the places and the layout in which they read."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from edge_app.config import Settings
from edge_app.detection.detector import PADDING_BGR
from edge_app.evaluation.datasets import LabelledImage, LabelledPlate
from edge_app.geometry import corners_of, iou
from edge_app.image_files import load_image
from edge_app.recognition.ctc import log_likelihood
from edge_app.recognition.rectifier import plate_size
from edge_app.recognizer import PlateRecognizer, pad_crop
from edge_app.records import Corners, ImageBgr, PlateDetection
from edge_app.stages import Stages, build_stages

MAX_LENGTH = 13
"""Longer texts are left out."""

_SURROUND = 0.6
"""Of a plate's box: what is cut out around it, times its width and height, on each side."""

_TALLEST_PX = 200
"""Height of a plate in a cutting; larger ones are made smaller."""

_SAME_PLACE_IOU, _LEAST_COVER = 0.3, 0.5
"""A find is the labelled plate if it overlaps its box so much, or covers this share of a crop's width."""

_TWO_LINES_BELOW = 3.0
"""Aspect ratio below which a plate may have two lines."""

_WORSE = 8.0
"""A place at which the text is so much less likely (natural logarithm) than at the best one is none."""

_UNSURE = 3.0
"""Logarithms a character: a plate whose layout is open and whose text is less likely than this is left out."""

_WEIGHTS = {"in_": 3.0, "vn_": 0.3}
"""How often the plates of a set are drawn, by the beginning of its name: the target's more, other alphabets' less."""


@dataclass(frozen=True, slots=True, eq=False)
class RealPlate:
    """A plate and its surroundings."""

    image_bgr: ImageBgr
    text: str
    lines: int
    places: tuple[Corners, ...]
    weight: float


def find_real_plates(labels: Sequence[LabelledImage], stages: Stages | None = None) -> list[RealPlate]:
    """Every plate with a text of at most `MAX_LENGTH` characters.

    Places are the label's corners and what the detector finds; the layout is the one in which the shipped reader finds
    the known text likelier.
    """
    stages = stages or build_stages(Settings())
    finder = _Finder(stages)
    known = [(label, plate) for label in labels for plate in label.plates if 0 < len(plate.text or "") <= MAX_LENGTH]
    found = (finder.find(label, plate) for label, plate in tqdm(known, desc="finding real plates", unit="plate"))
    return [plate for plate in found if plate is not None]


class _Finder:
    def __init__(self, stages: Stages) -> None:
        self._stages = stages
        self._recognizer = PlateRecognizer(stages)
        self._picture: tuple[LabelledImage, ImageBgr] | None = None

    def find(self, label: LabelledImage, plate: LabelledPlate) -> RealPlate | None:
        if self._picture is None or self._picture[0] is not label:
            self._picture = label, load_image(label.path)
        image_bgr, box = _cutting(self._picture[1], plate)
        scale = min(1.0, _TALLEST_PX / box[3])
        if scale < 1:
            image_bgr = np.asarray(cv2.resize(image_bgr, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA))
        corners = [_corners_of(plate, box)] if plate.corners else []
        box = box * scale
        corners = [(each * scale).astype(np.float32) for each in corners]
        places = [*corners, *self._detected(image_bgr, box, is_crop=label.is_crop)]
        if not places or label.is_crop:
            left, top, width, height = box.tolist()
            places.append(corners_of((left, top, width, height)))
        return self._settle(image_bgr, plate.text or "", places, _weight(label))

    def _detected(self, image_bgr: ImageBgr, box: NDArray[np.float32], *, is_crop: bool) -> Iterator[Corners]:
        right, below = round(image_bgr.shape[1] * 0.5), round(image_bgr.shape[0] * 0.5)
        surrounded = cv2.copyMakeBorder(image_bgr, below, below, right, right, cv2.BORDER_CONSTANT, value=PADDING_BGR)
        for found in self._recognizer.find(np.asarray(surrounded, np.uint8), 0.3):
            moved = found.moved(-right, -below)
            wide = np.ptp(moved.corners_px[:, 0]) >= _LEAST_COVER * box[2]
            if wide if is_crop else iou(box, moved.box_px) >= _SAME_PLACE_IOU:
                yield moved.corners_px

    def _settle(self, image_bgr: ImageBgr, text: str, places: list[Corners], weight: float) -> RealPlate | None:
        tried = []
        for corners in places:
            width, height = plate_size(corners)
            for lines in (1, 2) if width < _TWO_LINES_BELOW * height else (1,):
                strip = self._stages.rectifier.rectify(image_bgr, PlateDetection(corners, 1.0, lines))
                reading = self._stages.reader.read(strip)
                likely = log_likelihood(reading.log_probs, text, self._stages.reader.alphabet)
                tried.append((max(likely, -99.0), lines, corners))
        best, lines, _ = max(tried, key=lambda each: each[0])
        is_open = len({each[1] for each in tried}) > 1
        if is_open and best < -_UNSURE * len(text):
            return None
        kept = tuple(corners for likely, layout, corners in tried if layout == lines and likely >= best - _WORSE)
        return RealPlate(image_bgr, text, lines, kept, weight)


def _cutting(image_bgr: ImageBgr, plate: LabelledPlate) -> tuple[ImageBgr, NDArray[np.float32]]:
    """The plate with its surroundings, and its box (left, top, width, height) in them."""
    if plate.box is None:
        padded, (across, down) = pad_crop(image_bgr)
        height, width = image_bgr.shape[:2]
        return padded, np.array([across, down, width, height], np.float32)
    left, top, width, height = plate.box
    x0, y0 = max(0, int(left - _SURROUND * width)), max(0, int(top - _SURROUND * height))
    x1, y1 = int(left + (1 + _SURROUND) * width) + 1, int(top + (1 + _SURROUND) * height) + 1
    return np.ascontiguousarray(image_bgr[y0:y1, x0:x1]), np.array([left - x0, top - y0, width, height], np.float32)


def _corners_of(plate: LabelledPlate, box: NDArray[np.float32]) -> Corners:
    assert plate.corners is not None
    assert plate.box is not None
    shift = box[:2] - np.array(plate.box[:2], np.float32)
    return (np.array(plate.corners, np.float32) + shift).astype(np.float32)


def _weight(label: LabelledImage) -> float:
    name = label.path.parent.parent.name
    return next((weight for start, weight in _WEIGHTS.items() if name.startswith(start)), 1.0)


def shrink(plate: RealPlate, line_height_px: float) -> RealPlate:
    """The plate as from farther away; as it is if its lines are smaller than that already."""
    _, height = plate_size(plate.places[0])
    scale = line_height_px * plate.lines * 1.25 / height
    if scale >= 1:
        return plate
    size = max(8, round(plate.image_bgr.shape[1] * scale)), max(8, round(plate.image_bgr.shape[0] * scale))
    smaller = np.asarray(cv2.resize(plate.image_bgr, size, interpolation=cv2.INTER_AREA), np.uint8)
    ratio = np.array(size, np.float32) / plate.image_bgr.shape[1::-1]
    return replace(plate, image_bgr=smaller, places=tuple((each * ratio).astype(np.float32) for each in plate.places))
