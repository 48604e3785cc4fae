"""Two plates of one number: two vehicles, or one that bears it twice."""

import numpy as np

from edge_app.records import PlateDetection
from edge_app.tracking.known_plates import KnownPlates
from edge_app.tracking.twins import Twins

SECOND = 1_000_000_000


def plate(left: float, top: float = 100) -> PlateDetection:
    unit = np.array([[0, 0], [100, 0], [100, 25], [0, 25]], np.float32)
    return PlateDetection(unit + np.array([left, top], np.float32), 0.9, 1)


def test_plates_beside_each_other_are_of_two_vehicles() -> None:
    twins = Twins(30)

    twins.follow([4, None, 2], [plate(0), plate(900), plate(400)], SECOND)

    assert twins.are_two(2, 4)
    assert twins.are_two(4, 2)
    assert not twins.are_two(2, 3)


def test_plates_above_each_other_or_near_may_be_of_one() -> None:
    twins = Twins(30)

    twins.follow([1, 2, 3], [plate(0), plate(50, top=700), plate(250)], SECOND)

    assert not any(twins.are_two(*pair) for pair in ((1, 2), (1, 3), (2, 3)))


def test_a_pair_is_forgotten_with_the_number() -> None:
    twins = Twins(30)
    twins.follow([1, 2], [plate(0), plate(400)], SECOND)

    twins.follow([], [], 32 * SECOND)

    assert not twins.are_two(1, 2)


def test_a_known_number_is_not_known_of_the_one_beside_it_and_is_of_any_other() -> None:
    known = KnownPlates(30)
    known.note("MH12AB1234", 10 * SECOND, track=1)

    assert known.knows("MH12AB1234", 11 * SECOND)
    assert not known.knows("MH12AB1234", 11 * SECOND, lambda track: track == 1)
    assert not known.knows("MH12AB1234", 41 * SECOND)
