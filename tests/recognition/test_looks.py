"""Other looks at a plate are near the first and differ in one thing each."""

import numpy as np
import pytest

from edge_app.recognition.looks import other_looks
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
