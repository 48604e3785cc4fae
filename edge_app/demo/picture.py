"""The annotated picture: the frame of the clip on which most of the published plates are read."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Protocol

import cv2

from edge_app.demo import CLIP
from edge_app.drawing.annotate import annotate
from edge_app.errors import EdgeAnprError
from edge_app.evaluation.clips.truth import LabelledVehicle
from edge_app.records import ImageBgr, PlateRead

_TRIES = 8
"""Number of frames tried."""


class Recognizer(Protocol):
    """`PlateRecognizer`, or canned plates in a test."""

    def recognize(self, image_bgr: ImageBgr, /) -> list[PlateRead]:
        """The plates of one picture."""


def write(path: Path, recognizer: Recognizer, vehicles: Sequence[LabelledVehicle], texts: set[str]) -> None:
    """Write the picture, with the plates among `texts` drawn on it."""
    pictures = [
        (image, [read for read in recognizer.recognize(image) if read.text in texts])
        for image in _frames(crowded_frames(vehicles))
    ]
    image, reads = max(pictures, key=lambda picture: (len(picture[1]), sum(read.confidence for read in picture[1])))
    if not cv2.imwrite(str(path), annotate(image, reads)):
        raise EdgeAnprError(f"{path}: cannot be written; is the disk full, or the directory read-only?")


def crowded_frames(vehicles: Sequence[LabelledVehicle]) -> list[int]:
    """A few frames, evenly chosen from those that show the most vehicles at once."""
    seen = [0] * (1 + max(vehicle.last_frame for vehicle in vehicles))
    for vehicle in vehicles:
        for number in range(vehicle.first_frame, vehicle.last_frame + 1):
            seen[number] += 1
    most = [number for number, count in enumerate(seen) if count == max(seen)]
    return most[:: max(1, len(most) // _TRIES)][:_TRIES]


def _frames(numbers: Sequence[int]) -> Iterator[ImageBgr]:
    capture = cv2.VideoCapture(str(CLIP), cv2.CAP_FFMPEG)
    try:
        for number in range(1 + max(numbers)):
            given, image = capture.read()
            if not given:
                raise EdgeAnprError(f"{CLIP}: frame {number} cannot be decoded; install the package again")
            if number in numbers:
                yield image
    finally:
        capture.release()
