"""Other looks at a plate are near the first and differ in one thing each."""

import numpy as np
import pytest

from edge_app.recognition.looks import other_looks, with_line_above
from edge_app.recognition.rectifier import plate_size
from edge_app.records import PlateDetection

LEVEL = np.array([[100, 50], [200, 50], [200, 75], [100, 75]], np.float32)


def test_a_plate_is_looked_at_larger_smaller_and_slanted_both_ways() -> None:
    larger, smaller, falling, rising, _ = (look.corners_px for look in other_looks(PlateDetection(LEVEL, 0.9, 1)))

    assert plate_size(larger) == pytest.approx((110, 28.75))
    assert plate_size(smaller) == pytest.approx((95, 21.25))
    assert (falling - LEVEL).tolist() == pytest.approx(np.array([[0, -2.5], [0, 2.5], [0, 2.5], [0, -2.5]]), abs=1e-4)
    assert (rising - LEVEL).tolist() == pytest.approx(np.array([[0, 2.5], [0, -2.5], [0, -2.5], [0, 2.5]]), abs=1e-4)


def test_a_plate_is_looked_at_in_the_other_layout_where_it_is() -> None:
    *same, other = other_looks(PlateDetection(LEVEL, 0.9, 2))

    assert [look.lines for look in same] == [2, 2, 2, 2]
    assert other.lines == 1
    assert np.array_equal(other.corners_px, LEVEL)


def test_looks_turn_with_the_plate() -> None:
    angle = np.deg2rad(20)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    turned = PlateDetection((LEVEL @ turn.T).astype(np.float32), 0.9, 1)

    for look, level in zip(other_looks(turned), other_looks(PlateDetection(LEVEL, 0.9, 1)), strict=True):
        assert np.allclose(look.corners_px, level.corners_px @ turn.T, atol=1e-3)


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
