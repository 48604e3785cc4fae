"""Other looks at a plate are near the first and differ in one thing each."""

import numpy as np
import pytest

from edge_app.recognition.looks import in_other_layout, layouts, nearby_looks, with_line_above
from edge_app.recognition.rectifier import plate_size
from edge_app.records import PlateDetection

LEVEL = np.array([[100, 50], [200, 50], [200, 75], [100, 75]], np.float32)
SLOPING = np.array([[0, -2.5], [0, 2.5], [0, 2.5], [0, -2.5]])
LEANING = np.array([[-7.5, 0], [-7.5, 0], [7.5, 0], [7.5, 0]])


def test_a_plate_is_looked_at_in_other_sizes_sloping_leaning_and_to_each_side() -> None:
    looks = [look.corners_px for look in nearby_looks(PlateDetection(LEVEL, 0.9, 1))]

    sizes, slopes, leans, shifts = looks[:4], looks[4:6], looks[6:8], looks[8:]
    expected = [(110, 28.75), (95, 21.25), (112, 25), (90, 25)]
    assert [plate_size(corners) for corners in sizes] == [pytest.approx(size) for size in expected]
    assert np.allclose([corners - LEVEL for corners in slopes], [SLOPING, -SLOPING], atol=1e-4)
    assert np.allclose([corners - LEVEL for corners in leans], [LEANING, -LEANING], atol=1e-4)
    assert np.allclose([(corners - LEVEL).mean(axis=0) for corners in shifts], [[8, 0], [-8, 0], [0, 3], [0, -3]])


def test_every_nearby_look_keeps_the_layout() -> None:
    assert {look.lines for look in nearby_looks(PlateDetection(LEVEL, 0.9, 2))} == {2}


def test_the_other_layout_lies_where_the_plate_does() -> None:
    other = in_other_layout(PlateDetection(LEVEL, 0.9, 2))

    assert other.lines == 1
    assert np.array_equal(other.corners_px, LEVEL)


def test_a_plate_that_is_narrow_for_one_line_may_have_two() -> None:
    wide, narrow = PlateDetection(LEVEL, 0.9, 1), PlateDetection(LEVEL * np.array([0.6, 1], np.float32), 0.9, 1)

    assert [[each.lines for each in layouts(plate)] for plate in (wide, narrow)] == [[1], [1, 2]]
    assert [each.lines for each in layouts(PlateDetection(narrow.corners_px, 0.9, 2))] == [2]


def test_looks_turn_with_the_plate() -> None:
    angle = np.deg2rad(20)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    turned = PlateDetection((LEVEL @ turn.T).astype(np.float32), 0.9, 1)

    for look, level in zip(nearby_looks(turned), nearby_looks(PlateDetection(LEVEL, 0.9, 1)), strict=True):
        assert np.allclose(look.corners_px, level.corners_px @ turn.T, atol=1e-3)


def test_a_plate_without_an_area_has_no_looks_nearby() -> None:
    flat = np.array([[10, 10], [20, 10], [20, 10], [10, 10]], np.float32)

    assert nearby_looks(PlateDetection(flat, 0.9, 1)) == []


def test_a_line_above_is_as_high_as_the_one_below_or_a_little_less_or_more_and_as_aslant() -> None:
    slanted = np.array([[100, 50], [200, 60], [200, 80], [100, 70]], np.float32)

    taller = with_line_above(PlateDetection(slanted, 0.9, 1))

    assert {look.lines for look in taller} == {2}
    assert [look.corners_px[0, 1] for look in taller] == pytest.approx([34, 30, 25])
    for look in taller:
        assert np.array_equal(look.corners_px[2:], slanted[2:])
        assert look.corners_px[1] - look.corners_px[0] == pytest.approx([100, 10])


def test_there_is_no_third_line() -> None:
    assert with_line_above(PlateDetection(LEVEL, 0.9, 2)) == []
