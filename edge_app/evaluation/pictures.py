"""Runs a recognizer over a dataset folder and scores it."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from edge_app.evaluation.datasets import LabelledImage, LabelledPlate, read_dataset
from edge_app.evaluation.scoring import DatasetScore, Elapsed, best_threshold, pair, score_detection, score_reading
from edge_app.geometry import Box
from edge_app.image_files import load_image
from edge_app.recognizer import PlateRecognizer
from edge_app.records import PlateDetection, PlateRead

FAINT_CONFIDENCE = 0.02
"""The precision-recall curve goes down to this; what lies below no longer changes its area."""


@dataclass(frozen=True, slots=True, eq=False)
class ImageResult:
    """The result of one labelled image."""

    label: LabelledImage
    detections: list[PlateDetection]
    """Of what is reported, the surest first."""
    faint_detections: list[PlateDetection]
    """The detector's alone, down to `FAINT_CONFIDENCE`; empty if not all plates are labelled."""
    reads: list[PlateRead]
    elapsed_ms: float
    """Of recognition alone, without reading the file."""


def evaluate_dataset(
    recognizer: PlateRecognizer, folder: Path, progress: Callable[[int, int], None] | None = None
) -> DatasetScore:
    """The scores of a dataset folder; `progress` is called with the number of images done and the total."""
    return score_dataset(folder, run_over(recognizer, folder, progress), recognizer.effort)


def run_over(
    recognizer: PlateRecognizer, folder: Path, progress: Callable[[int, int], None] | None = None
) -> list[ImageResult]:
    """The result of every image of a dataset folder."""
    labels = read_dataset(folder)
    results = []
    for done, label in enumerate(labels, start=1):
        results.append(run_on(recognizer, label))
        if progress is not None:
            progress(done, len(labels))
    return results


def run_on(recognizer: PlateRecognizer, label: LabelledImage) -> ImageResult:
    """Recognize one image, as a crop if it is labelled as one."""
    image_bgr = load_image(label.path)
    recognize = recognizer.recognize_crop if label.is_crop else recognizer.recognize
    began = time.perf_counter()
    reads = recognize(image_bgr)
    elapsed_ms = (time.perf_counter() - began) * 1000
    faint = recognizer.find(image_bgr, FAINT_CONFIDENCE) if label.has_boxes else []
    detections = [] if label.is_crop else [read.detection for read in reads]
    return ImageResult(label, sorted(detections, key=lambda each: -each.confidence), faint, reads, elapsed_ms)


def score_dataset(folder: Path, results: Sequence[ImageResult], effort: int = 0) -> DatasetScore:
    """The scores of a dataset's images, read with this effort."""
    boxed = [result for result in results if result.label.has_boxes]
    pairs = [(result.label, _pair(result, result.detections)) for result in boxed]
    found = sum(truth is not None for _, taken in pairs for truth in taken)
    false = sum(truth is None for label, taken in pairs if label.boxes_complete for truth in taken)
    hits = [hit for result in boxed for hit in _hits(result, result.faint_detections)]
    plates = sum(len(result.label.plates) for result in boxed)
    elapsed = np.array([result.elapsed_ms for result in results])
    return DatasetScore(
        dataset=folder.resolve().name,
        effort=effort,
        images=len(results),
        detection=score_detection(plates, found, false, hits) if boxed else None,
        reading=score_reading([pair for result in results for pair in reads_and_truths(result)]),
        elapsed_ms=Elapsed(float(np.median(elapsed)), float(np.percentile(elapsed, 95))),
    )


def working_point(results: Sequence[ImageResult]) -> float | None:
    """The detection confidence with the best balance of recall and precision on images with all boxes.

    `results` are those of effort 0 and of a detector that reports what is fainter by far: what cannot be read drops
    out by itself.
    """
    boxed = [result for result in results if result.label.has_all_boxes]
    hits = [hit for result in boxed for hit in _hits(result, result.detections)]
    return best_threshold(hits, sum(len(result.label.plates) for result in boxed))


def reads_and_plates(result: ImageResult) -> list[tuple[PlateRead | None, LabelledPlate]]:
    """The read of each labelled plate, None if there is none.

    Of an image with one labelled plate the most confident read counts; with several, each truth is paired by IoU.
    """
    plates, reads = result.label.plates, result.reads
    if len(plates) == 1:
        return [(reads[0] if reads else None, plates[0])]
    places = [index for index, plate in enumerate(plates) if plate.box is not None]
    taken = pair([read.detection.box_px for read in reads], [_box(result, index) for index in places])
    read_of = {places[truth]: read for truth, read in zip(taken, reads, strict=True) if truth is not None}
    return [(read_of.get(index), plate) for index, plate in enumerate(plates)]


def reads_and_truths(result: ImageResult) -> list[tuple[str, str]]:
    """(read, truth) of each plate whose text is known; "" if nothing was read."""
    return [
        (read.text if read else "", plate.text) for read, plate in reads_and_plates(result) if plate.text is not None
    ]


def failures(result: ImageResult) -> Iterator[dict[str, Any]]:
    """The failures of an image, for the improvement of the models."""
    image = str(result.label.path)
    if result.label.has_boxes:
        taken = _pair(result, result.detections)
        for index, plate in enumerate(result.label.plates):
            if index not in taken:
                yield {"image": image, "kind": "missed", "box": plate.box, "truth": plate.text}
        for truth, detection in zip(taken, result.detections, strict=True):
            if truth is None and result.label.boxes_complete:
                found = {"box": detection.box_px, "confidence": detection.confidence}
                yield {"image": image, "kind": "false", **found}
    for read, truth_text in reads_and_truths(result):
        if read != truth_text:
            yield {"image": image, "kind": "misread", "read": read, "truth": truth_text}


def _box(result: ImageResult, index: int) -> Box:
    box = result.label.plates[index].box
    assert box is not None
    return box


def _pair(result: ImageResult, detections: list[PlateDetection]) -> list[int | None]:
    truths = [_box(result, index) for index in range(len(result.label.plates))]
    return pair([detection.box_px for detection in detections], truths)


def _hits(result: ImageResult, detections: list[PlateDetection]) -> Iterator[tuple[float, bool]]:
    for truth, detection in zip(_pair(result, detections), detections, strict=True):
        yield detection.confidence, truth is not None
