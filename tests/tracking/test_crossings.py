"""Which lines a vehicle crosses, and in which direction."""

import numpy as np
import pytest

from edge_app.config import CrossingLineSettings
from edge_app.records import LineCrossing, PlateDetection
from edge_app.tracking.crossings import Crossings

SIZE = (1000, 500)
ACROSS = CrossingLineSettings("across", (0.2, 0.5), (0.8, 0.5))
BARRIER = CrossingLineSettings("barrier", (0.2, 0.8), (0.8, 0.8), to_right="entering", to_left="leaving")
DOWN, UP = range(100, 500, 20), range(480, 80, -20)


def plate_at(x: float, y: float) -> PlateDetection:
    corners = np.array([[-40, -10], [40, -10], [40, 10], [-40, 10]], np.float32) + np.array([x, y], np.float32)
    return PlateDetection(corners, 0.9, 1)


def crossed(*places: tuple[float, float]) -> list[tuple[str, str]]:
    road = Crossings([ACROSS, BARRIER])
    for x, y in places:
        road.follow(1, plate_at(x, y), SIZE)
    return [(each.line, each.label) for each in road.of(1)]


@pytest.mark.parametrize(
    ("ys", "crossed_in_order"),
    [
        (DOWN, [("across", "in"), ("barrier", "entering")]),
        (UP, [("barrier", "leaving"), ("across", "out")]),
        (range(100, 240, 20), []),
        ((100, 300, 100), [("across", "in"), ("across", "out")]),
    ],
)
def test_lines_are_returned_in_the_order_in_which_they_are_crossed(
    ys: range, crossed_in_order: list[tuple[str, str]]
) -> None:
    assert crossed(*((500, y) for y in ys)) == crossed_in_order


def test_who_passes_beside_a_line_does_not_cross_it() -> None:
    assert crossed(*((100, y) for y in DOWN)) == []


def test_a_plate_that_stops_on_a_line_crosses_it_once_at_most() -> None:
    standing = [(500.0, 250 + jitter) for jitter in (5, -5, 8, -8, 0, 6) * 5]

    assert crossed(*standing) == []
    assert crossed((500, 200), *standing, (500, 300)) == [("across", "in")]


@pytest.mark.parametrize(("off", "crossings"), [(15, []), (25, [("across", "in"), ("across", "out")])])
def test_a_plate_is_clearly_on_one_side_from_a_quarter_of_its_width_on(
    off: int, crossings: list[tuple[str, str]]
) -> None:
    assert crossed((500, 250 - off), (500, 250 + off), (500, 250 - off)) == crossings


def test_the_right_hand_side_is_that_of_the_direction_from_start_to_end() -> None:
    upwards = Crossings([CrossingLineSettings("upwards", (0.5, 1.0), (0.5, 0.0))])

    for x in range(300, 800, 50):
        upwards.follow(7, plate_at(x, 250), SIZE)

    assert upwards.of(7) == (LineCrossing("upwards", "in"),)


def test_vehicles_are_kept_apart_and_forgotten() -> None:
    road = Crossings([ACROSS])
    for y in DOWN:
        road.follow(1, plate_at(400, y), SIZE)
        road.follow(2, plate_at(600, 600 - y), SIZE)

    crossed_in_order = road.of(1), road.of(2)
    road.forget(1)

    assert crossed_in_order == ((LineCrossing("across", "in"),), (LineCrossing("across", "out"),))
    assert (road.of(1), len(road.of(2))) == ((), 1)
