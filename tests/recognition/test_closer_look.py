"""Looking closely at a plate of a single picture: which looks are taken, and which are read together."""

from collections.abc import Callable

import numpy as np
import pytest

from edge_app.recognition.closer_look import Look, abreast, leader, look_closely
from edge_app.records import PlateDetection, Reading

PLACE = np.array([[100, 50], [200, 50], [200, 75], [100, 75]], np.float32)
FOUND = PlateDetection(PLACE, 0.9, 1)


def nothing_more() -> list[PlateDetection]:
    return []


def look(promise: float, lines: int = 1, *, clear: bool = False, place: PlateDetection = FOUND) -> Look:
    reading = Reading(np.zeros((1, 1), np.float32), promise, 20.0)
    return Look(PlateDetection(place.corners_px, 0.9, lines), reading, promise, clear)


def looking(
    promise_at: Callable[[PlateDetection], float], clear_from: float = -0.3
) -> tuple[Callable[[PlateDetection], Look], list[PlateDetection]]:
    """Looks whose promise depends on the place, and where they were taken."""
    taken: list[PlateDetection] = []

    def take(detection: PlateDetection) -> Look:
        taken.append(detection)
        promise = promise_at(detection)
        return look(promise, detection.lines, clear=promise >= clear_from, place=detection)

    return take, taken


def test_a_clear_plate_is_looked_at_once() -> None:
    take, taken = looking(lambda _: -0.1)

    sight = look_closely(FOUND, take, nothing_more)

    assert len(taken) == 1
    assert (len(sight.readings), sight.promise, sight.clear) == (1, -0.1, True)


def test_looks_go_step_by_step_to_where_the_plate_reads_better() -> None:
    right = PLACE + np.array([16, 0])
    take, taken = looking(lambda each: -float(np.abs(each.corners_px - right).mean()) - abs(each.lines - 1) * 9)

    sight = look_closely(FOUND, take, nothing_more)

    assert sight.promise == pytest.approx(0, abs=1e-3)
    assert np.array_equal(sight.detection.corners_px, PLACE)
    places = {(each.lines, each.corners_px.round(1).tobytes()) for each in taken}
    assert len(places) == len(taken)


def test_no_step_is_taken_where_no_look_reads_better() -> None:
    take, taken = looking(lambda each: -3.0 - 2 * (each.lines == 2))

    sight = look_closely(FOUND, take, nothing_more)

    assert len(taken) == 1 + 1 + 12 + 3
    assert (sight.promise, sight.clear, sight.detection.lines) == (-3.0, False, 1)


def test_a_line_above_is_believed_only_where_it_reads_well_and_never_read_together_with_one_line() -> None:
    def promise(each: PlateDetection) -> float:
        return -1.5 if each.corners_px[0, 1] < 40 else -2.5

    sight = look_closely(FOUND, looking(promise)[0], nothing_more)
    doubtful = look_closely(FOUND, looking(lambda each: promise(each) - 1)[0], nothing_more)

    assert sight.detection.lines == 2
    assert {reading.sharpness for reading in sight.readings} == {-1.5}
    assert doubtful.detection.lines == 1


def test_no_line_is_looked_for_above_the_picture() -> None:
    take, taken = looking(lambda _: -5.0)

    look_closely(PlateDetection(PLACE - np.array([0, 50], np.float32), 0.9, 1), take, nothing_more)

    assert all(each.corners_px[:2, 1].min() > -12 for each in taken)


def test_a_plate_that_no_step_reaches_is_read_where_it_is_found_in_a_turned_view() -> None:
    askew = PLACE + np.array([[0, 30], [0, -30], [0, -30], [0, 30]], np.float32)
    turned = PlateDetection(askew + 4, 0.8, 1)
    take, _ = looking(lambda each: -float(np.abs(each.corners_px - askew).mean()) - abs(each.lines - 1) * 9)

    upright, sight = look_closely(FOUND, take, nothing_more), look_closely(FOUND, take, lambda: [turned])

    assert sight.promise > -3 > upright.promise
    assert np.array_equal(sight.detection.corners_px, PLACE)
    assert np.array_equal(upright.detection.corners_px, PLACE)


def test_a_line_that_only_a_turned_view_shows_moves_the_plate() -> None:
    taller = PlateDetection(PLACE + np.array([[0, -40], [0, -40], [20, 0], [20, 0]], np.float32), 0.8, 2)
    take, _ = looking(lambda each: -1.0 if np.array_equal(each.corners_px, taller.corners_px) else -4.0)

    sight = look_closely(FOUND, take, lambda: [taller])

    assert (sight.detection.lines, sight.promise) == (2, -1.0)
    assert np.array_equal(sight.detection.corners_px, taller.corners_px)


def test_what_a_turned_view_shows_does_not_count_where_it_reads_no_better() -> None:
    turned = PlateDetection(PLACE + np.float32(2), 0.8, 1)
    take, _ = looking(lambda _: -3.0)

    sight = look_closely(FOUND, take, lambda: [turned])

    assert np.array_equal(sight.detection.corners_px, PLACE)


def test_no_view_is_turned_for_a_plate_that_is_clear() -> None:
    def fail() -> list[PlateDetection]:
        raise AssertionError("a clear plate needs no further view")

    look_closely(FOUND, looking(lambda _: -0.1)[0], fail)


def test_the_best_stays_unless_another_promises_clearly_more() -> None:
    best, little, much = look(-2), look(-1.6), look(-1.4)

    assert leader(best, [little]) is best
    assert leader(best, [little, much]) is much
    assert leader(best, []) is best


def test_read_together_are_the_best_five_of_one_layout_that_are_not_far_behind() -> None:
    best, other_layout, faint = look(-1), look(-0.9, lines=2), look(-3.1)
    near = [look(-1 - step / 10) for step in range(6)]

    joined = abreast(best, [best, *near, other_layout, faint])

    assert joined == [best, *near[:4]]


def test_what_is_no_text_is_joined_with_nothing() -> None:
    nothing = look(-np.inf)

    assert abreast(nothing, [nothing, look(-np.inf), look(-np.inf)]) == [nothing]
