"""Boxes: mean average precision on the test split."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge_app.evaluation.scoring import average_precision, best_overlap
from edge_app.geometry import Box
from training.shapes import ALPHABET
from training.study.boxes import Grid
from training.study.device import Predict
from training.study.plates import NARROW, WIDE
from training.study.scores.plates import read_scores, tested
from training.study.store import Store
from training.study.tasks.detection import OneBoxTask, as_boxes, road_pixels
from training.synthetic.scenes import SCENE_SIZE

FAINT = 0.02
"""Confidence down to which finds count for the average precision."""
READ_FROM = 0.35
"""Confidence from which on a character that was found is read."""

OVERLAPS = tuple(float(each) for each in np.arange(0.5, 0.96, 0.05).round(2))

Found = Sequence[tuple[Box, float]]
"""Boxes and confidences in a picture, the most confident first."""


def mean_precision(found: Sequence[Found], truths: Sequence[Sequence[Box]]) -> dict[str, float]:
    """`map50`, and `map50_95`, the mean over the IoU from which on a box is right."""
    plates = sum(map(len, truths))
    precisions = []
    for least in OVERLAPS:
        hits: list[tuple[float, bool]] = []
        for finds, boxes in zip(found, truths, strict=True):
            left = dict(enumerate(boxes))
            for box, confidence in finds:
                taken = best_overlap(box, left, least)
                if taken is not None:
                    del left[taken]
                hits.append((confidence, taken is not None))
        precisions.append(average_precision(hits, plates) or 0.0)
    return {"map50": precisions[0], "map50_95": float(np.mean(precisions))}


def plates_score(grid: Grid, store: Store, as_trained: Predict, as_converted: Predict) -> dict[str, Any]:
    """Of a one-stage detector of plates."""
    pictures = store.roads().of("test")
    size = (grid.width, grid.height)
    pixels = road_pixels(pictures, size)
    scale = np.array(SCENE_SIZE) / size
    truths = [picture.boxes for picture in pictures]
    scores = [
        mean_precision([_plates(grid, output, scale) for output in predict(pixels)["grid"]], truths)
        for predict in (as_trained, as_converted)
    ]
    return _both(scores, len(truths))


def one_box_score(task: OneBoxTask, store: Store, as_trained: Predict, as_converted: Predict) -> dict[str, Any]:
    """Of a network that gives each picture one box, without a confidence."""
    pictures = store.roads().of("test")
    pixels = road_pixels(pictures, (task.width, task.height))
    truths = [picture.boxes for picture in pictures]
    scores = []
    for predict in (as_trained, as_converted):
        boxes = as_boxes(predict(pixels)["box"]) * np.array([*SCENE_SIZE, *SCENE_SIZE])
        scores.append(mean_precision([[(as_box(box), 1.0)] for box in boxes], truths))
    return _both(scores, len(truths))


def characters_score(grid: Grid, store: Store, as_trained: Predict, as_converted: Predict) -> dict[str, Any]:
    """Of a one-stage detector of characters: mean over the classes, and what it reads."""
    plates, numbers = store.plates(), tested(store)
    strips = np.asarray(plates.narrow[numbers])[..., None]
    scores, reads = [], []
    for predict in (as_trained, as_converted):
        outputs = predict(strips)["grid"]
        finds = [grid.decode(output, FAINT) for output in outputs]
        by_code = []
        for code, character in enumerate(ALPHABET):
            truths = [
                [
                    as_box(box)
                    for box, each in zip(plates.places(number) * _SMALLER, text, strict=True)
                    if each == character
                ]
                for number, text in zip(numbers, plates.texts(np.array(numbers)), strict=True)
            ]
            if any(truths):
                found = [
                    [(box, confidence) for box, confidence, classes in each if int(classes.argmax()) == code]
                    for each in finds
                ]
                by_code.append(mean_precision(found, truths))
        scores.append({name: float(np.mean([each[name] for each in by_code])) for name in by_code[0]})
        reads.append([read_boxes(grid, output) for output in outputs])
    return _both(scores, len(numbers)) | read_scores(store, *reads)


def read_boxes(grid: Grid, output: NDArray[np.floating]) -> str:
    """The characters of a strip from left to right."""
    found = sorted(grid.decode(output, READ_FROM), key=lambda each: each[0][0] + each[0][2] / 2)
    return "".join(ALPHABET[int(classes.argmax())] for _, _, classes in found)


_SMALLER = NARROW[0] / WIDE[0]


def as_box(values: Sequence[float] | NDArray[np.floating]) -> Box:
    """Four numbers as a box."""
    left, top, width, height = (float(value) for value in values)
    return left, top, width, height


def _plates(grid: Grid, output: NDArray[np.floating], scale: NDArray[np.floating]) -> Found:
    factor = np.array([*scale, *scale])
    return [(as_box(np.array(box) * factor), confidence) for box, confidence, _ in grid.decode(output, FAINT)]


def _both(scores: list[dict[str, float]], tested_count: int) -> dict[str, Any]:
    as_trained, as_converted = scores
    return {**as_trained, **{f"int8_{name}": value for name, value in as_converted.items()}, "tested": tested_count}
