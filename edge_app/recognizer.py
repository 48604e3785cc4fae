"""One picture at a time: `PlateRecognizer().recognize(image_bgr)`."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_app.config import Settings
from edge_app.detection.corner_decoding import hulls, same_plate
from edge_app.detection.detector import PADDING_BGR
from edge_app.detection.parts import parts_of
from edge_app.errors import ImageError
from edge_app.recognition.closer_look import BETTER, Look, Sight, look_closely
from edge_app.recognition.turned_view import TURNS, turned_view
from edge_app.records import ImageBgr, PlateDetection, PlateRead
from edge_app.stages import Stages, as_frame, build_stages, shows

CROP_PADDING = 0.25
"""A crop is padded by this share of its width and height on each side before plates are looked for in it."""

_CROP_SURROUND = 0.5
"""And put in the middle of grey that adds this share on each side again, so that the plate is not larger than those
the detector has learned: half of its input's width."""

_DOUBTFUL, _BEYOND_DOUBT = 0.2, 0.9
"""What the detector is less sure of than it should be, or sees only in a part of the picture, counts as a plate where
its text is this certain."""

_WORTH_A_LOOK = -6.0
"""Promise of the first look at a doubtful plate, below which hardly any becomes certain."""

_TWO_LINES_BELOW = 2.4
"""A crop narrower than this many of its heights may hold two lines, one above `_ONE_LINE_ABOVE` may hold one."""
_ONE_LINE_ABOVE = 1.6


_Seen = TypeVar("_Seen", Look, Sight)


class PlateRecognizer:
    """Finds and reads the plates of single pictures, as shipped unless told otherwise."""

    def __init__(self, stages: Stages | None = None, thorough: bool = True) -> None:
        """`thorough`: look in pictures also for what the detector is less sure of, or sees only in parts of them."""
        if stages is None:
            stages = build_stages(Settings())
        self._stages = stages
        self._thorough = thorough

    def recognize(self, image: NDArray[Any]) -> list[PlateRead]:
        """Plates of a picture, the most confident text first; empty where none is legible.

        `image`: (height, width, 3) BGR, (height, width, 4) BGRA or (height, width) grey; 8 or 16 bits.
        """
        image_bgr = as_bgr(image)
        if not self._thorough:
            return self.read(image_bgr, self.find(image_bgr))
        detector = self._stages.detector
        found = self.find(image_bgr, min(_DOUBTFUL, detector.confidence))
        sure = [plate for plate in found if plate.confidence >= detector.confidence]
        reads = self.read(image_bgr, sure)
        doubtful = [plate for plate in found if plate not in sure] + self._find_small(image_bgr)
        certain = [read for read in reads if read.confidence >= _BEYOND_DOUBT]
        certain += self._read_doubtful(image_bgr, doubtful, _places(certain))
        others = [read for read in reads if not _is_any(read.detection, _places(certain))]
        return _surest_first(certain + others)[: detector.max_plates]

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
        sights = [self._sight(padded_bgr, plate) for plate in found]
        if any(sight.clear for sight in sights):
            return self._settled(sights)
        promise = max((sight.promise for sight in sights), default=-np.inf)
        best = max((self._sight(padded_bgr, plate) for plate in whole), key=_promise)
        if best.promise > promise + BETTER:
            return self._settled([best])
        return self._settled(sights) or self._settled([best])

    def find(self, image_bgr: ImageBgr, confidence: float | None = None) -> list[PlateDetection]:
        """Plates of a picture, legible or not; `confidence` in place of the one set."""
        return self._stages.detector.find(as_frame(image_bgr), confidence)

    def read(self, image_bgr: ImageBgr, detections: list[PlateDetection]) -> list[PlateRead]:
        """What stands on plates already found, the most confident text first."""
        return self._settled([self._sight(image_bgr, detection) for detection in detections])

    def _find_small(self, image_bgr: ImageBgr) -> list[PlateDetection]:
        """What shows when a large picture is searched part by part."""
        found = [
            part.placed(plate)
            for part in parts_of(image_bgr, self._stages.detector.input_size)
            for plate in self.find(part.image_bgr, _DOUBTFUL)
        ]
        return [plate for plate in found if plate]

    def _read_doubtful(
        self, image_bgr: ImageBgr, doubtful: list[PlateDetection], known: list[PlateDetection]
    ) -> list[PlateRead]:
        """What may be plates and is none of those known: where it reads best, if that is beyond doubt."""
        looks = [self._stages.look(image_bgr, plate) for plate in doubtful if not _is_any(plate, known)]
        worth = [look.detection for look in _apart(looks) if look.promise >= _WORTH_A_LOOK]
        sights = [self._sight(image_bgr, plate) for plate in worth[: self._stages.detector.max_plates]]
        placed = [
            replace(sight, detection=replace(sight.best, confidence=sight.detection.confidence)) for sight in sights
        ]
        return [
            read
            for read in self._settled(placed)
            if read.confidence >= _BEYOND_DOUBT and not _is_any(read.detection, known)
        ]

    def _settled(self, sights: list[Sight]) -> list[PlateRead]:
        """What stands on the plates seen, the most confident first."""
        reads = []
        for sight in _apart(sights):
            text = self._stages.voter.settle_looks(sight.readings)
            if text is not None:
                reads.append(PlateRead(text, sight.detection))
        return _surest_first(reads)

    def _sight(self, image_bgr: ImageBgr, found: PlateDetection) -> Sight:
        return look_closely(
            found,
            lambda detection: self._stages.look(image_bgr, detection),
            lambda: self._find_turned(image_bgr, found),
        )

    def _find_turned(self, image_bgr: ImageBgr, found: PlateDetection) -> Iterator[PlateDetection]:
        """The plate, or that of which it is a part, found again with the picture turned."""
        for degrees in TURNS:
            view = turned_view(image_bgr, found, degrees)
            yield from (each for each in map(view.placed, self.find(view.image_bgr)) if shows(each, found))


def _promise(seen: Look | Sight) -> float:
    return seen.promise


def _places(reads: list[PlateRead]) -> list[PlateDetection]:
    return [read.detection for read in reads]


def _apart(seen: list[_Seen]) -> list[_Seen]:
    """Those that promise most, each of another plate; a line that was found by itself belongs to its plate of two."""
    kept: list[_Seen] = []
    for each in sorted(seen, key=_promise, reverse=True):
        if not _is_any(each.detection, [other.detection for other in kept]):
            kept.append(each)
    return kept


def _is_any(plate: PlateDetection, others: list[PlateDetection]) -> bool:
    """Whether it is one of the others, a part of one, or holds one."""
    boxes = hulls(np.stack([each.corners_px for each in (plate, *others)]))
    return bool(same_plate(boxes[0], boxes[1:]).any())


def _surest_first(reads: list[PlateRead]) -> list[PlateRead]:
    return sorted(reads, key=lambda read: read.confidence, reverse=True)


def as_bgr(image: NDArray[Any]) -> ImageBgr:
    """A picture as (height, width, 3) BGR of 8 bits; `ImageError` where it is none."""
    if not isinstance(image, np.ndarray):
        raise ImageError(f"{image!r:.40} is no picture (cv2.imread gives None where it cannot read a file); {_WANTED}")
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
    right, bottom = left + width, top + height
    corners = np.array([[left, top], [right, top], [right, bottom], [left, bottom]], np.float32)
    layouts = [
        lines for lines, fits in ((1, width > _ONE_LINE_ABOVE * height), (2, width < _TWO_LINES_BELOW * height)) if fits
    ]
    return [PlateDetection(corners, 0.0, lines) for lines in layouts]
