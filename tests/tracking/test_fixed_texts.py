"""What stays at the same pixels while vehicles pass, and what only waits."""

import logging

import numpy as np
import pytest

from edge_app.records import PlateDetection
from edge_app.tracking.fixed_texts import FixedTexts

SIZE = (1000, 500)
LETTERING, WAITING = 1, 2


def plate(left: float, top: float = 400) -> PlateDetection:
    unit = np.array([[0, 0], [100, 0], [100, 25], [0, 25]], np.float32)
    return PlateDetection(unit + np.array([left, top], np.float32), 0.9, 1)


class Road:
    """Frames with a text that stays, and vehicles that pass."""

    def __init__(self) -> None:
        self.texts = FixedTexts()
        self._frame = 0

    def frame(self, plates: dict[int, PlateDetection]) -> None:
        """One frame later."""
        self._frame += 1
        for track, detection in plates.items():
            self.texts.follow(track, detection, self._frame * 100_000_000, SIZE)

    def passing(self, track: int, beside: dict[int, PlateDetection]) -> None:
        """A vehicle drives through."""
        for step in range(6):
            self.frame(beside | {track: plate(100.0 * step, top=100)})


def test_lettering_that_stays_while_a_vehicle_passes_is_no_plate(caplog: pytest.LogCaptureFixture) -> None:
    road, lettering = Road(), {LETTERING: plate(800)}
    road.frame(lettering)
    assert not road.texts.is_fixed(LETTERING)

    with caplog.at_level(logging.WARNING):
        road.passing(10, lettering)
        road.passing(11, lettering)

    assert road.texts.is_fixed(LETTERING)
    assert not road.texts.is_fixed(10)
    assert road.texts.found == [((0.8, 0.8), (0.9, 0.8), (0.9, 0.85), (0.8, 0.85))]
    assert caplog.text.count("include = false, polygon = [[0.8, 0.8], [0.9, 0.8], [0.9, 0.85], [0.8, 0.85]]") == 1


def test_it_is_known_again_when_its_track_was_lost() -> None:
    road = Road()
    road.frame({LETTERING: plate(800)})
    road.passing(10, {LETTERING: plate(800)})
    road.texts.forget(LETTERING)

    road.frame({7: plate(801)})

    assert road.texts.is_fixed(7)


def test_a_vehicle_that_was_seen_to_arrive_and_waits_is_one() -> None:
    road = Road()
    for left in (300, 500, 700, 800, 800):
        road.frame({WAITING: plate(left)})

    for track in (10, 11, 12):
        road.passing(track, {WAITING: plate(800)})

    assert not road.texts.is_fixed(WAITING)


def test_a_vehicle_that_stands_there_when_first_seen_is_one_until_several_have_passed() -> None:
    road = Road()
    road.frame({9: plate(0)})
    road.frame({WAITING: plate(800)})

    road.passing(10, {WAITING: plate(800)})

    assert not road.texts.is_fixed(WAITING)


@pytest.mark.parametrize(("frames", "is_fixed"), [(2, False), (3, True)])
def test_a_vehicle_counts_as_one_that_passes_from_its_third_frame_on(frames: int, is_fixed: bool) -> None:
    road = Road()
    road.frame({LETTERING: plate(800)})

    for step in range(frames):
        road.frame({LETTERING: plate(800), 10: plate(150.0 * step, top=100)})

    assert road.texts.is_fixed(LETTERING) is is_fixed
