"""One-stage detectors: what they are taught can be read back, and how they are scored."""

from collections.abc import Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from edge_app.detection.corner_decoding import decode
from training.shapes import STRIDE
from training.study.boxes import Grid, apart
from training.study.finders import as_maps
from training.study.networks.yolo import build_characters
from training.study.scores.detection import mean_precision, read_boxes
from training.study.tasks.detection import STRIP_GRID

GRID = Grid(64, 32, 8, ((10, 10), (24, 12)), 3)


def output_of(grid: Grid, boxes: Sequence[tuple[float, ...]], classes: Sequence[int]) -> NDArray[np.float64]:
    """What a network that has learned these boxes to the letter gives."""
    target = grid.target(np.array(boxes, np.float32), np.array(classes))
    output = np.full((*grid.cells, len(grid.anchors), 5 + grid.classes), -20.0)
    for row, column, anchor in np.argwhere(target[..., 4] > 0):
        x, y, *size, _, code = target[row, column, anchor]
        place = np.clip([x, y], 1e-6, 1 - 1e-6)
        output[row, column, anchor, :2] = np.log(place / (1 - place))
        output[row, column, anchor, 2:4] = np.arctanh(np.array(size) / np.log(4))
        output[row, column, anchor, 4] = 20
        output[row, column, anchor, 5 + int(code)] = 20
    return output.reshape(*grid.cells, -1)


def test_a_taught_box_is_read_back() -> None:
    boxes = [(3.0, 4.0, 11.0, 9.0), (30.0, 10.0, 26.0, 12.0)]

    found = sorted(GRID.decode(output_of(GRID, boxes, [2, 1]), 0.5), key=lambda each: each[0])

    assert [each[0] for each in found] == [pytest.approx(box, abs=0.01) for box in boxes]
    assert [int(each[2].argmax()) for each in found] == [2, 1]


def test_filters_follow_from_anchors_and_classes() -> None:
    assert STRIP_GRID.filters == (5 + 36) * 3
    assert build_characters().output["grid"].shape[1:] == (*STRIP_GRID.cells, STRIP_GRID.filters)


def test_a_box_outside_the_picture_is_not_taught() -> None:
    assert GRID.target(np.array([[90, 4, 10, 10]], np.float32), np.array([0])).sum() == 0


def test_the_loss_is_small_only_for_the_right_boxes() -> None:
    boxes, classes = [(3.0, 4.0, 11.0, 9.0)], [2]
    target = GRID.target(np.array(boxes, np.float32), np.array(classes))[None]

    right = sum(float(part) for part in GRID.loss(target, output_of(GRID, boxes, classes)[None]).values())
    wrong = sum(float(part) for part in GRID.loss(target, output_of(GRID, boxes, [0])[None]).values())

    assert right < 0.1
    assert wrong > 10


def test_of_two_finds_of_one_thing_the_more_confident_one_is_kept() -> None:
    nothing = np.ones(1, np.float32)
    finds = [((0.0, 0.0, 10.0, 10.0), 0.9, nothing), ((1.0, 0.0, 10.0, 10.0), 0.8, nothing)]

    assert apart([*finds, ((30.0, 0.0, 10.0, 10.0), 0.7, nothing)]) == [
        finds[0],
        ((30.0, 0.0, 10.0, 10.0), 0.7, nothing),
    ]


def test_characters_are_read_from_left_to_right() -> None:
    boxes = [(200.0, 8.0, 14.0, 16.0), (20.0, 8.0, 14.0, 16.0), (100.0, 6.0, 20.0, 20.0)]

    assert read_boxes(STRIP_GRID, output_of(STRIP_GRID, boxes, [1, 10, 35])) == "AZ1"


def test_mean_precision_asks_for_ever_more_overlap() -> None:
    truths = [[(0.0, 0.0, 100.0, 100.0)]]

    exact = mean_precision([[((0.0, 0.0, 100.0, 100.0), 0.9)]], truths)
    loose = mean_precision([[((0.0, 0.0, 100.0, 72.0), 0.9)]], truths)
    nothing = mean_precision([[]], truths)

    assert exact == {"map50": 1.0, "map50_95": 1.0}
    assert loose == {"map50": 1.0, "map50_95": pytest.approx(0.5)}
    assert nothing == {"map50": 0.0, "map50_95": 0.0}


def test_boxes_become_maps_that_our_decoder_reads() -> None:
    maps = as_maps([((100.0, 80.0, 90.0, 24.0), 0.9), ((400.0, 200.0, 60.0, 40.0), 0.6)])

    score, corners, lines = (maps[name][0] for name in ("score", "corners", "lines"))
    plates = decode(score[..., 0], corners, lines[..., 0], STRIDE, 0.5, 16)

    assert [plate.lines for plate in plates] == [1, 2]
    assert [plate.confidence for plate in plates] == pytest.approx([0.9, 0.6], abs=0.01)
    assert plates[0].box_px == pytest.approx((100, 80, 90, 24), abs=0.5)
