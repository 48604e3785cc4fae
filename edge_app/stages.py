"""What reads a plate: the stages that pictures and the daemon share, and what builds them."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path

import numpy as np

from edge_app.config import Settings
from edge_app.detection.detector import PlateDetector
from edge_app.errors import ConfigurationError, ModelError
from edge_app.geometry import hulls, same_plate, share_within
from edge_app.newer_python import UTC
from edge_app.recognition.aligner import PlateAligner
from edge_app.recognition.close_view import close_view
from edge_app.recognition.plate_formats import PlateFormats
from edge_app.recognition.reader import PlateReader
from edge_app.recognition.reading import Attempt, Places, beside, layouts, read_plate
from edge_app.recognition.rectifier import Rectifier
from edge_app.records import Frame, ImageBgr, PlateDetection
from edge_app.tflite_model import Network, TfliteModel
from edge_app.tracking.voter import Voter

DETECTOR_FILE = "plate_detector.tflite"
ALIGNER_FILE = "plate_aligner.tflite"
READER_FILE = "plate_reader.tflite"

CLOSE_VIEW, BESIDE, PARTS = FURTHER = ("close view", "beside", "parts")
"""Kinds of further attempts: the plate is found once more from close by; it is read at places beside the one found; the
picture is searched part by part."""

_CLEAR, _USUAL = -0.3, -1.5
"""Log probability of a reading's best path, and log prior of its text, from which on no further attempt is made: three
to one, in a layout that is known."""

_PROPOSED, _PROPOSED_IN_PICTURE = 0.15, 0.25
"""The detector's confidence from which on the aligner has its say: in a view of one plate, and at most in a picture,
which has many such places."""

_LEAST_SHOWN = 0.5
"""Share of a plate that what is found from close by has to cover."""

_PACKAGE = Path(__file__).resolve().parent


@dataclass(frozen=True, slots=True, eq=False)
class Stages:
    """What reads a picture; `build_stages` makes it."""

    detector: PlateDetector
    aligner: PlateAligner
    rectifier: Rectifier
    reader: PlateReader
    voter: Voter
    further: tuple[str, ...] = FURTHER
    """The kinds of further attempts that effort 1 makes; docs/accuracy.md shows what each gains and costs."""

    def find(self, frame: Frame, confidence: float | None = None) -> list[PlateDetection]:
        """The plates of a frame, aligned, the most confident first.

        `confidence` takes the place of the detector's own, for a picture; without it, the frame is a view of one plate.
        """
        least = self.detector.confidence if confidence is None else confidence
        proposed = _PROPOSED if confidence is None else _PROPOSED_IN_PICTURE
        found = self.detector.find(frame, min(proposed, least))
        aligned = [self.aligner.align(frame.image_bgr, plate) for plate in found]
        plates = sorted((plate for plate in aligned if plate.confidence >= least), key=_confidence, reverse=True)
        return apart(plates)

    def read_plate(self, image_bgr: ImageBgr, found: PlateDetection, effort: int) -> tuple[Attempt, ...]:
        """The attempts at a plate that count together, the best first."""
        places: dict[str, Places] = {CLOSE_VIEW: partial(self._find_again, image_bgr), BESIDE: beside}
        further = [places[kind] for kind in self.further if kind in places] if effort else []
        return read_plate(found, partial(self._attempt, image_bgr), further)

    def _attempt(self, image_bgr: ImageBgr, plate: PlateDetection) -> Attempt:
        reading = self.reader.read(self.rectifier.rectify(image_bgr, plate))
        score = self.voter.score(reading)
        is_clear = score.log_likelihood >= _CLEAR and score.log_prior >= _USUAL
        return Attempt(plate, reading, score.log_score, is_clear)

    def _find_again(self, image_bgr: ImageBgr, plate: PlateDetection) -> Iterator[PlateDetection]:
        """The plate found once more from close by: in a whole picture the detector sees it at a part of its size."""
        view = close_view(image_bgr, plate)
        again = [view.placed(each) for each in self.find(as_frame(view.image_bgr))]
        nearer = max((each for each in again if _shows(each, plate)), key=_confidence, default=None)
        if nearer is not None:
            yield from layouts(nearer)


@dataclass(frozen=True, slots=True, eq=False)
class VideoFinder:
    """Finds the plates of frames from a confidence of its own on."""

    stages: Stages
    confidence: float

    def find(self, frame: Frame, /) -> list[PlateDetection]:
        """As `Stages.find`."""
        return self.stages.find(frame, self.confidence)


def models_directory(settings: Settings) -> Path:
    """Where the networks are: as set, or those shipped with the package or lying beside it in its repository."""
    if (set_here := settings.models.directory) is not None:
        if not set_here.is_dir():
            raise ConfigurationError(f"[models] directory: {set_here}: no such folder; name the one with the models")
        return set_here
    places = [_PACKAGE / "models", _PACKAGE.parent / "models"]
    for place in places:
        if (place / DETECTOR_FILE).is_file():
            return place
    searched = " and ".join(str(place) for place in places)
    raise ModelError(f"no models in {searched}; put them there, or name their folder as `directory` in [models]")


def load_networks(settings: Settings) -> tuple[TfliteModel, TfliteModel, TfliteModel]:
    """The networks of detector, aligner and reader; `ModelError` if one is missing or damaged."""
    directory, threads = models_directory(settings), settings.models.threads
    return (
        TfliteModel.load(directory / DETECTOR_FILE, "plate-detector", threads),
        TfliteModel.load(directory / ALIGNER_FILE, "plate-aligner", threads),
        TfliteModel.load(directory / READER_FILE, "plate-reader", threads),
    )


def build_detector(settings: Settings) -> PlateDetector:
    """The detector alone."""
    model = TfliteModel.load(models_directory(settings) / DETECTOR_FILE, "plate-detector", settings.models.threads)
    return _detector_around(model, settings)


def _detector_around(model: Network, settings: Settings) -> PlateDetector:
    return PlateDetector(model, settings.detection.confidence, settings.detection.max_plates)


def stages_around(detector: Network, aligner: Network, reader: Network, settings: Settings) -> Stages:
    """What reads a picture, around networks of any make."""
    plate_reader = PlateReader(reader)
    formats = PlateFormats.load(settings.recognition.formats)
    return Stages(
        detector=_detector_around(detector, settings),
        aligner=PlateAligner(aligner),
        rectifier=Rectifier(reader.manifest.input.width, reader.manifest.input.height),
        reader=plate_reader,
        voter=Voter(formats, plate_reader.alphabet, settings.recognition.max_candidates),
    )


def build_stages(settings: Settings) -> Stages:
    """What reads a picture."""
    return stages_around(*load_networks(settings), settings)


def as_frame(image_bgr: ImageBgr) -> Frame:
    """A frame of no camera."""
    return Frame(image_bgr, datetime.now(UTC), time.monotonic_ns(), sequence=0, camera="image")


def _shows(again: PlateDetection, found: PlateDetection) -> bool:
    """Whether it is what was found and no part of that; if nothing was found, any part may be a plate."""
    place, box = hulls(np.stack([found.corners_px, again.corners_px]))
    if found.confidence == 0:
        return bool(same_plate(place, box))
    return bool(share_within(place, box) >= _LEAST_SHOWN)


def _confidence(plate: PlateDetection) -> float:
    return plate.confidence


def apart(plates: list[PlateDetection]) -> list[PlateDetection]:
    """Each plate once, the first of those that show the same: finds of two lines may be aligned to one plate."""
    kept: list[PlateDetection] = []
    for plate in plates:
        boxes = hulls(np.stack([each.corners_px for each in (plate, *kept)]))
        if not same_plate(boxes[0], boxes[1:]).any():
            kept.append(plate)
    return kept
