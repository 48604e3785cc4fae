"""One picture at a time: `PlateRecognizer().recognize(image_bgr)`."""

from dataclasses import replace
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_app.config import Settings
from edge_app.detection.detector import PADDING_BGR
from edge_app.detection.parts import parts_of
from edge_app.errors import ImageError
from edge_app.geometry import corners_of, hulls, same_plate
from edge_app.recognition.plate_colours import colours_of
from edge_app.recognition.reading import Attempt
from edge_app.records import ImageBgr, PlateDetection, PlateRead
from edge_app.stages import PARTS, Stages, as_frame, build_stages

EFFORTS = (0, 1)
"""0: one attempt at each plate, as the daemon reads a frame. 1: a few more while doubt remains."""

CROP_PADDING = 0.25
"""A crop is padded by this share of its width and height on each side before it is searched for plates."""

_CROP_SURROUND = 0.5
"""And put in the middle of grey that adds this share on each side again, so that the plate is not larger than those
the detector has learned: half of its input's width."""

_DOUBTFUL, _BEYOND_DOUBT = (0.2, 0.15), 0.9
"""A find from the first confidence on, for each of `EFFORTS`, counts as a plate if its text has the second."""

_PROMISING = -6.0
"""Log score of the first attempt at a doubtful find, below which hardly any becomes certain."""

_BETTER = 0.5
"""Log score by which a crop as a whole must exceed what the detector finds in it."""

_CROP_CONFIDENCE = 0.9
"""How sure it is that a crop is of a plate if the detector has not found one in it."""

_TWO_LINES_BELOW = 2.4
"""A crop narrower than this many of its heights may hold two lines, one above `_ONE_LINE_ABOVE` may hold one."""
_ONE_LINE_ABOVE = 1.6


_Attempts = tuple[Attempt, ...]
"""Those at one plate that count together, the best first."""


class PlateRecognizer:
    """Finds and reads the plates of single pictures, with the shipped networks by default."""

    def __init__(self, stages: Stages | None = None, effort: int = 1) -> None:
        """`effort` is one of `EFFORTS`."""
        if stages is None:
            stages = build_stages(Settings())
        self._stages = stages
        self.effort = effort

    def recognize(self, image: NDArray[Any]) -> list[PlateRead]:
        """Plates of a picture, the most confident text first; empty if none is legible.

        `image`: (height, width, 3) BGR, (height, width, 4) BGRA or (height, width) grey; 8 or 16 bits.
        """
        image_bgr = as_bgr(image)
        detector = self._stages.detector
        found = self.find(image_bgr, min(_DOUBTFUL[self.effort], detector.confidence))
        reads = self.read(image_bgr, found)
        if (
            self.effort
            and PARTS in self._stages.further
            and not any(read.confidence >= _BEYOND_DOUBT for read in reads)
        ):
            reads = _surest_first(_apart_reads([*reads, *self.read(image_bgr, self._find_small(image_bgr))]))
        return [
            read
            for read in reads
            if read.detection.confidence >= detector.confidence or read.confidence >= _BEYOND_DOUBT
        ][: detector.max_plates]

    def recognize_crop(self, image: NDArray[Any]) -> list[PlateRead]:
        """As `recognize`, for a picture of one plate and little else; corners are those of the picture given."""
        image_bgr = as_bgr(image)
        padded, (across, down) = pad_crop(image_bgr)
        reads = self._read_crop(padded, _whole(image_bgr, across, down))
        return [replace(read, detection=read.detection.moved(-across, -down)) for read in reads]

    def _read_crop(self, padded_bgr: ImageBgr, whole: list[PlateDetection]) -> list[PlateRead]:
        """What stands on a padded crop; `whole`: the crop itself as a plate, in each layout."""
        right, below = round(padded_bgr.shape[1] * _CROP_SURROUND), round(padded_bgr.shape[0] * _CROP_SURROUND)
        surrounded = cv2.copyMakeBorder(padded_bgr, below, below, right, right, cv2.BORDER_CONSTANT, value=PADDING_BGR)
        found = [plate.moved(-right, -below) for plate in self.find(as_bgr(surrounded))]
        attempts = [self._attempts(padded_bgr, plate) for plate in found]
        if any(each[0].is_clear for each in attempts):
            return self._settled(padded_bgr, attempts)
        log_score = max((each[0].log_score for each in attempts), default=-np.inf)
        aligned = self._stages.aligner.align(padded_bgr, whole[0])
        best = max((self._attempts(padded_bgr, plate) for plate in (aligned, *whole)), key=_log_score)
        if best[0].log_score > log_score + _BETTER:
            return self._settled(padded_bgr, [best])
        return self._settled(padded_bgr, attempts) or self._settled(padded_bgr, [best])

    def find(self, image_bgr: ImageBgr, confidence: float | None = None) -> list[PlateDetection]:
        """Plates of a picture, legible or not; `confidence` in place of the one set."""
        return self._stages.find(as_frame(image_bgr), confidence)

    def read(self, image_bgr: ImageBgr, detections: list[PlateDetection]) -> list[PlateRead]:
        """The texts of plates already found, the most confident first."""
        return self._settled(image_bgr, [self._attempts(image_bgr, detection) for detection in detections])

    def _find_small(self, image_bgr: ImageBgr) -> list[PlateDetection]:
        """What is found when a large picture is searched part by part."""
        found = [
            part.placed(plate)
            for part in parts_of(image_bgr, self._stages.detector.input_size)
            for plate in self.find(part.image_bgr, _DOUBTFUL[self.effort])
        ]
        return [plate for plate in found if plate]

    def _attempts(self, image_bgr: ImageBgr, found: PlateDetection) -> _Attempts:
        """A find that is doubtful and illegible at first gets no further attempts."""
        first = self._stages.read_plate(image_bgr, found, 0)
        is_doubtful = found.confidence < self._stages.detector.confidence
        if not self.effort or first[0].is_clear or (is_doubtful and first[0].log_score < _PROMISING):
            return first
        return self._stages.read_plate(image_bgr, found, self.effort)

    def _settled(self, image_bgr: ImageBgr, plates: list[_Attempts]) -> list[PlateRead]:
        """The texts of plates, the most confident first; a part of a plate is none."""
        reads = []
        for attempts in _apart(plates):
            confidence = attempts[0].plate.confidence or _CROP_CONFIDENCE
            text = self._stages.voter.settle_attempts([each.reading for each in attempts], confidence)
            if text is not None:
                plate = attempts[0].plate
                reads.append(PlateRead(text, plate, colours_of(image_bgr, plate.corners_px)))
        return _surest_first(reads)


def _log_score(attempts: _Attempts) -> float:
    return attempts[0].log_score


def _apart(plates: list[_Attempts]) -> list[_Attempts]:
    """Those that read best, each of another plate; a line that was found by itself belongs to its plate of two."""
    kept: list[_Attempts] = []
    for each in sorted(plates, key=_log_score, reverse=True):
        if not _is_any(each[0].plate, [other[0].plate for other in kept]):
            kept.append(each)
    return kept


def _apart_reads(reads: list[PlateRead]) -> list[PlateRead]:
    kept: list[PlateRead] = []
    for read in _surest_first(reads):
        if not _is_any(read.detection, [other.detection for other in kept]):
            kept.append(read)
    return kept


def _is_any(plate: PlateDetection, others: list[PlateDetection]) -> bool:
    """Whether it is one of the others, a part of one, or holds one."""
    boxes = hulls(np.stack([each.corners_px for each in (plate, *others)]))
    return bool(same_plate(boxes[0], boxes[1:]).any())


def _surest_first(reads: list[PlateRead]) -> list[PlateRead]:
    return sorted(reads, key=lambda read: read.confidence, reverse=True)


def as_bgr(image: NDArray[Any]) -> ImageBgr:
    """A picture as (height, width, 3) BGR of 8 bits; `ImageError` if it is none."""
    if not isinstance(image, np.ndarray):
        raise ImageError(f"{image!r:.40} is no picture (cv2.imread gives None if it cannot read a file); {_WANTED}")
    if image.dtype == np.uint16:
        image = (image >> 8).astype(np.uint8)
    if image.dtype != np.uint8 or image.size == 0:
        raise ImageError(f"an array of shape {image.shape} and type {image.dtype} is no picture; {_WANTED}")
    if image.ndim == 3 and image.shape[2] == 3:
        return np.ascontiguousarray(image)
    if image.ndim == 2 or (image.ndim == 3 and image.shape[2] == 1):
        return np.asarray(cv2.cvtColor(image, cv2.COLOR_GRAY2BGR), np.uint8)
    if image.ndim == 3 and image.shape[2] == 4:
        return np.asarray(cv2.cvtColor(image, cv2.COLOR_BGRA2BGR), np.uint8)
    raise ImageError(f"an array of shape {image.shape} is no picture; {_WANTED}")


_WANTED = "give (height, width, 3) in the order blue, green, red, of type uint8"


def pad_crop(crop_bgr: ImageBgr) -> tuple[ImageBgr, tuple[int, int]]:
    """A crop with its edges drawn out to each side, and by how many pixels to the left and to the top."""
    height, width = crop_bgr.shape[:2]
    across, down = round(width * CROP_PADDING), round(height * CROP_PADDING)
    padded = cv2.copyMakeBorder(crop_bgr, down, down, across, across, cv2.BORDER_REPLICATE)
    return np.asarray(padded, np.uint8), (across, down)


def _whole(crop_bgr: ImageBgr, left: int, top: int) -> list[PlateDetection]:
    """The whole crop as a plate that no detector vouches for, in each layout that its shape leaves open."""
    height, width = crop_bgr.shape[:2]
    corners_px = corners_of((left, top, width, height))
    layouts = [
        lines for lines, fits in ((1, width > _ONE_LINE_ABOVE * height), (2, width < _TWO_LINES_BELOW * height)) if fits
    ]
    return [PlateDetection(corners_px, 0.0, lines) for lines in layouts]
