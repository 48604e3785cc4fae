"""Boxes, and how much two of them share."""

import numpy as np
import pytest

from edge_app.geometry import Box, corners_of, hulls, iou, same_plate, share_within

LEFT: Box = (0.0, 0.0, 100.0, 20.0)


def test_the_hull_of_a_tilted_plate_holds_its_corners() -> None:
    corners = np.array([[10, 20], [50, 24], [48, 40], [9, 36]], np.float32)

    assert hulls(corners).tolist() == [9, 20, 41, 20]
    assert hulls(np.stack([corners, corners + 1])).tolist() == [[9, 20, 41, 20], [10, 21, 41, 20]]


def test_a_box_is_the_hull_of_its_corners() -> None:
    assert tuple(hulls(corners_of((3.0, 5.0, 40.0, 12.0)))) == (3, 5, 40, 12)


@pytest.mark.parametrize(
    ("other", "expected"),
    [
        (LEFT, 1.0),
        ((50.0, 0.0, 100.0, 20.0), 1 / 3),
        ((0.0, 0.0, 50.0, 20.0), 0.5),
        ((100.0, 0.0, 100.0, 20.0), 0.0),
        ((300.0, 300.0, 100.0, 20.0), 0.0),
        ((10.0, 10.0, 0.0, 0.0), 0.0),
    ],
)
def test_the_overlap_is_that_of_the_areas(other: Box, expected: float) -> None:
    assert iou(LEFT, other) == pytest.approx(expected)
    assert iou(other, LEFT) == pytest.approx(expected)


def test_one_box_is_compared_with_many_and_boxes_with_their_partners() -> None:
    half, away = (0.0, 0.0, 50.0, 20.0), (300.0, 300.0, 100.0, 20.0)

    assert iou(LEFT, [LEFT, half, away]) == pytest.approx([1, 0.5, 0])
    assert iou([LEFT, half], [half, half]) == pytest.approx([0.5, 1])


def test_a_part_of_a_plate_shows_the_same_plate_and_its_neighbour_does_not() -> None:
    part, neighbour = (60.0, 0.0, 30.0, 18.0), (80.0, 0.0, 100.0, 20.0)

    assert same_plate(LEFT, [part, neighbour]).tolist() == [True, False]
    assert same_plate([part, neighbour], LEFT).tolist() == [True, False]


def test_a_box_within_another_lies_there_whole_and_the_other_only_in_part() -> None:
    part, nothing = (25.0, 0.0, 50.0, 20.0), (0.0, 0.0, 0.0, 0.0)

    assert share_within(part, LEFT) == 1
    assert share_within(LEFT, part) == 0.5
    assert share_within(nothing, LEFT) == 0


def test_two_boxes_show_one_plate_if_more_than_half_of_the_smaller_lies_in_the_larger() -> None:
    assert same_plate(LEFT, [(-60.0, 0.0, 100.0, 20.0), (-40.0, 0.0, 100.0, 20.0)]).tolist() == [False, True]
