"""Reading a plate: which attempts are made with which effort, and which count together."""

from collections.abc import Callable, Iterable

import numpy as np
import pytest

from edge_app.recognition.reading import MOST_FURTHER_ATTEMPTS, Attempt, beside, layouts, read_plate
from edge_app.records import PlateDetection, Reading

PLACE = np.array([[100, 50], [200, 50], [200, 75], [100, 75]], np.float32)
FOUND = PlateDetection(PLACE, 0.9, 1)
NARROW = PlateDetection(np.array([[100, 50], [150, 50], [150, 75], [100, 75]], np.float32), 0.9, 1)


class Attempts:
    """Attempts whose log score depends on the place; remembers where they were made."""

    def __init__(self, log_score_at: Callable[[PlateDetection], float]) -> None:
        self.places: list[PlateDetection] = []
        self._log_score_at = log_score_at

    def __call__(self, plate: PlateDetection) -> Attempt:
        """An attempt, clear if its log score is above -0.3."""
        self.places.append(plate)
        log_score = self._log_score_at(plate)
        return Attempt(plate, Reading(np.zeros((1, 1), np.float32), log_score, 20.0), log_score, log_score > -0.3)


def nowhere(_: PlateDetection) -> Iterable[PlateDetection]:
    return ()


def elsewhere(plate: PlateDetection) -> Iterable[PlateDetection]:
    return (plate.moved(10, 0),)


@pytest.mark.parametrize(("plate", "count"), [(FOUND, 1), (NARROW, 2)])
def test_without_effort_there_is_one_attempt_or_two_if_the_layout_is_open(plate: PlateDetection, count: int) -> None:
    attempt = Attempts(lambda each: -5.0 + each.lines)

    (best,) = read_plate(plate, attempt)

    assert len(attempt.places) == count
    assert best.plate.lines == count


def test_a_clear_plate_gets_no_further_attempt() -> None:
    attempt = Attempts(lambda _: -0.1)

    (best,) = read_plate(FOUND, attempt, (elsewhere, beside))

    assert best.is_clear
    assert len(attempt.places) == 1


def test_further_attempts_are_bounded_in_number() -> None:
    attempt = Attempts(lambda _: -9.0)

    read_plate(NARROW, attempt, (lambda plate: [plate] * 20, beside))

    assert len(attempt.places) == 2 + MOST_FURTHER_ATTEMPTS


def test_what_is_found_from_close_by_counts_if_it_reads_better_and_the_rest_is_tried_around_it() -> None:
    attempt = Attempts(lambda each: -4.0 + (each.box_px[0] > 105))

    best, *_ = read_plate(FOUND, attempt, (elsewhere, beside))

    assert best.plate.box_px[0] == 110
    assert all(each.box_px[0] > 100 for each in attempt.places[1:])


def test_attempts_end_with_the_first_clear_one() -> None:
    attempt = Attempts(lambda each: -0.1 if each.box_px[3] < 25 else -4.0)

    (best,) = read_plate(FOUND, attempt, (nowhere, beside))

    assert best.is_clear
    assert attempt.places[-1] is best.plate


def test_attempts_that_read_nearly_as_well_in_the_same_layout_count_together() -> None:
    attempt = Attempts(lambda each: -3.0 if each.lines == 1 else -3.1)

    together = read_plate(NARROW, attempt, (nowhere, beside))

    assert 1 < len(together) <= 5
    assert {each.plate.lines for each in together} == {1}


def test_where_no_text_is_read_one_attempt_remains() -> None:
    assert len(read_plate(FOUND, Attempts(lambda _: float("-inf")), (nowhere, beside))) == 1


def test_places_beside_a_plate_stay_about_it() -> None:
    for plate in beside(FOUND):
        middle = plate.corners_px.mean(axis=0)
        assert np.abs(middle - PLACE.mean(axis=0)).max() < 1
        assert np.abs(plate.corners_px - PLACE).max() < 20


def test_a_plate_without_an_area_has_no_places_beside_it() -> None:
    flat = PlateDetection(np.repeat(PLACE[:1], 4, axis=0), 0.9, 1)

    assert beside(flat) == []
    assert [each.lines for each in layouts(FOUND)] == [1]
