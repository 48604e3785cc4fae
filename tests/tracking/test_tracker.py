"""Plates are followed from frame to frame."""

from collections import defaultdict
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import assume, given

from edge_app.records import PlateDetection
from edge_app.tracking.tracker import Tracker
from tests.tracking.scenes import LOST_SECONDS, Crossing, Road, Scene, crossings, roads

SECOND = 1_000_000_000


def plate(x: float, y: float, width: float = 100.0) -> PlateDetection:
    unit = np.array([[0, 0], [1, 0], [1, 0.24], [0, 0.24]], np.float32)
    return PlateDetection(unit * np.float32(width) + np.array([x, y], np.float32), 0.9, 1)


def test_a_moving_plate_keeps_its_number() -> None:
    tracker = Tracker(lost_seconds=1.0)

    numbers = [tracker.follow([plate(100 + 150 * step, 300)], step * SECOND // 15) for step in range(8)]

    assert numbers == [[1]] * 8


def test_two_vehicles_side_by_side_keep_their_own_numbers_in_whatever_order_they_are_found() -> None:
    tracker = Tracker(lost_seconds=1.0)
    tracker.follow([plate(100, 300), plate(460, 300)], 0)

    found = []
    for step in range(1, 7):
        left, right = plate(100 + 200 * step, 300 + 20 * step), plate(460 + 200 * step, 300 + 20 * step)
        now = step * SECOND // 15
        found.append(tracker.follow([left, right], now) if step % 2 else tracker.follow([right, left], now)[::-1])

    assert found == [[1, 2]] * 6


def test_vehicles_that_cross_keep_their_tracks_by_their_speeds() -> None:
    tracker = Tracker(lost_seconds=1.0)

    found = [
        tracker.follow([plate(100 + 60 * step, 300), plate(700 - 60 * step, 330)], step * SECOND // 15)
        for step in range(11)
    ]

    assert found == [[1, 2]] * 11


def test_a_plate_missed_for_a_while_is_found_where_its_speed_took_it() -> None:
    tracker = Tracker(lost_seconds=1.0)
    for step in range(4):
        tracker.follow([plate(100 + 100 * step, 300)], step * SECOND // 10)

    for step in range(4, 10):
        assert tracker.release(step * SECOND // 10) == []
        assert tracker.follow([], step * SECOND // 10) == []

    assert tracker.follow([plate(100 + 100 * 10, 300)], SECOND) == [1]


def test_a_lost_number_is_released_once_and_never_given_again() -> None:
    tracker = Tracker(lost_seconds=1.0)
    tracker.follow([plate(100, 300)], 0)

    assert tracker.release(SECOND) == []
    assert tracker.release(SECOND + 1) == [1]
    assert tracker.release(2 * SECOND) == []
    assert tracker.follow([plate(100, 300)], 2 * SECOND) == [2]
    assert tracker.release_all() == [2]
    assert tracker.release_all() == []


def test_uneven_gaps_between_frames_do_not_lose_a_steady_vehicle() -> None:
    tracker = Tracker(lost_seconds=1.0)

    found = [
        tracker.follow([plate(100 + 900 * at, 300)], int(at * SECOND)) for at in (0, 0.1, 0.15, 0.6, 0.7, 1.3, 2.2)
    ]

    assert found == [[1]] * 7


def test_a_far_plate_and_one_of_another_size_are_other_vehicles() -> None:
    tracker = Tracker(lost_seconds=1.0)
    tracker.follow([plate(100, 300)], 0)

    assert tracker.follow([plate(900, 300)], SECOND // 15) == [2]
    assert tracker.follow([plate(100, 300, width=250)], 2 * SECOND // 15) == [3]


def test_what_is_found_long_after_a_vehicle_and_away_from_its_way_is_another_vehicle() -> None:
    tracker = Tracker(lost_seconds=1.0)
    for step in range(5):
        tracker.follow([plate(400 + 2 * step, 300 + 6 * step, width=40)], step * SECOND // 25)

    assert tracker.follow([plate(450, 340, width=40)], 25 * SECOND // 25) == [2]


@pytest.mark.parametrize(("hidden_seconds", "track"), [(0.5, 1), (1.0, 2)])
def test_a_plate_hidden_while_its_vehicle_brakes_keeps_its_number_unless_it_is_away_for_long(
    hidden_seconds: float, track: int
) -> None:
    tracker = Tracker(lost_seconds=1.0)
    for step in range(10):
        tracker.follow([plate(100 + 20 * step, 300)], step * SECOND // 25)
    last_seen, places_on = 9 * SECOND // 25, 500 * hidden_seconds
    tracker.follow([], last_seen + SECOND // 25)

    found = tracker.follow([plate(280 + places_on - 230, 300)], last_seen + int(hidden_seconds * SECOND))

    assert found == [track]


def test_between_two_slow_frames_no_plate_brakes_by_more_than_its_width_and_a_half() -> None:
    tracker = Tracker(lost_seconds=1.0)
    for step in range(5):
        tracker.follow([plate(100 + 100 * step, 300)], step * SECOND // 5)

    assert tracker.follow([plate(600 - 230, 300)], SECOND) == [2]


def test_a_plate_seen_twice_long_ago_does_not_pass_its_number_on() -> None:
    tracker = Tracker(lost_seconds=1.0)
    for step in range(20):
        tracker.follow([plate(900, 200, width=42)] if step < 2 else [], step * SECOND // 30)

    assert tracker.follow([plate(900, 105, width=46)], 20 * SECOND // 30) == [2]


def test_a_false_find_where_a_plate_comes_into_view_lends_it_no_speed() -> None:
    tracker = Tracker(lost_seconds=1.0)
    tracker.follow([plate(300, 300)], 0)
    for step in range(4):
        tracker.follow([plate(100 + 40 * step, 300)], (1 + step) * SECOND // 15)

    assert tracker.follow([plate(100 + 40 * 10, 300)], 11 * SECOND // 15) == [1]


def test_a_doubtful_find_goes_on_with_a_vehicle_near_by_and_begins_none() -> None:
    tracker = Tracker(lost_seconds=1.0, begin_confidence=0.6)
    doubtful = [replace(plate(100 + 20 * step, 300), confidence=0.5) for step in range(8)]

    assert tracker.follow([doubtful[0]], 0) == [None]
    for step in range(1, 5):
        assert tracker.follow([plate(100 + 20 * step, 300)], step * SECOND // 25) == [1]
    assert tracker.follow([doubtful[5]], 5 * SECOND // 25) == [1]
    assert tracker.release(2 * SECOND) == [1], "no other track was begun"


@pytest.mark.parametrize(("confidence", "track"), [(0.5, None), (0.7, 1)])
def test_a_doubtful_find_has_to_lie_where_the_plate_is_expected_after_a_gap(
    confidence: float, track: int | None
) -> None:
    tracker = Tracker(lost_seconds=1.0, begin_confidence=0.6)
    for step in range(10):
        tracker.follow([plate(100 + 20 * step, 300)], step * SECOND // 25)
    tracker.follow([], 10 * SECOND // 25)

    found = tracker.follow([replace(plate(100 + 20 * 20 - 200, 300), confidence=confidence)], 20 * SECOND // 25)

    assert found == [track]


def track_after(
    places: list[float],
    gap: int,
    found: PlateDetection,
    frames_per_second: float = 25.0,
    widths: list[float] | None = None,
) -> int | None:
    """The track of a find so many frames after a plate was seen at these places, one a frame; the plate has track 1."""
    tracker = Tracker(lost_seconds=10.0, begin_confidence=0.6)
    for frame in range(len(places) + gap - 1):
        now = int(frame / frames_per_second * SECOND)
        if frame < len(places):
            tracker.follow([plate(places[frame], 300, widths[frame] if widths else 100.0)], now)
        else:
            tracker.follow([], now)
    return tracker.follow([found], int((len(places) + gap - 1) / frames_per_second * SECOND))[0]


STEADY = [100.0, 120.0, 140.0, 160.0, 180.0, 200.0]
"""A plate 100 pixels wide, 20 farther to the right in each frame."""


@pytest.mark.parametrize(("off", "track"), [(240, 1), (360, 2)])
def test_a_plate_seen_once_may_have_moved_by_three_widths(off: float, track: int) -> None:
    assert track_after([100.0], 1, plate(100 + off, 300)) == track


@pytest.mark.parametrize(("off", "track"), [(130, 1), (180, 2)])
def test_a_plate_whose_speed_is_known_may_be_a_width_and_a_half_from_where_it_is_expected(
    off: float, track: int
) -> None:
    assert track_after(STEADY, 1, plate(220 + off, 300)) == track


@pytest.mark.parametrize(("off", "track"), [(80, 1), (125, None)])
def test_a_doubtful_find_may_be_a_width_from_there(off: float, track: int | None) -> None:
    assert track_after(STEADY, 1, replace(plate(220 + off, 300), confidence=0.5)) == track


@pytest.mark.parametrize(("off", "track"), [(260, 1), (340, 2)])
def test_a_plate_unseen_for_half_a_second_may_be_three_widths_from_there(off: float, track: int) -> None:
    assert track_after(STEADY, 12, plate(200 + 20 * 12 - off, 300)) == track


@pytest.mark.parametrize(("off", "track"), [(40, 1), (80, 2)])
def test_a_find_of_another_size_has_to_lie_closer(off: float, track: int) -> None:
    larger = plate(220 + 50 + off - 80, 300 + 12 - 19.2, width=160)

    assert track_after(STEADY, 1, larger) == track


@pytest.mark.parametrize(("observations", "track"), [(2, 2), (3, 1)])
def test_three_frames_make_a_plate_that_is_expected_until_it_is_lost(observations: int, track: int) -> None:
    last = STEADY[observations - 1]

    assert track_after(STEADY[:observations], 12, plate(last + 20 * 12, 300)) == track


@pytest.mark.parametrize(("off", "track"), [(40, 1), (65, 2)])
def test_three_frames_of_which_the_first_two_did_not_predict_the_third_are_as_two(off: float, track: int) -> None:
    third = 140.0 + off

    assert track_after([100.0, 120.0, third], 12, plate(third + 340, 300)) == track


@pytest.mark.parametrize(("frames_per_second", "gap", "track"), [(10, 8, 1), (10, 11, 2), (100, 25, 1), (100, 40, 2)])
def test_a_plate_seen_twice_is_forgotten_after_eight_frames_and_three_tenths_of_a_second(
    frames_per_second: float, gap: int, track: int
) -> None:
    assert track_after([100.0, 100.0], gap, plate(100, 300), frames_per_second) == track


@pytest.mark.parametrize(("off", "track"), [(190, 2), (270, 1), (760, 1), (810, 2)])
def test_where_a_plate_is_expected_that_drove_faster_in_its_last_two_frames(off: float, track: int) -> None:
    places = [100.0 + 20 * frame for frame in range(8)] + [300.0, 360.0]

    assert track_after(places, 10, plate(360 + off, 300)) == track


@pytest.mark.parametrize(("off", "track"), [(860, 1), (920, 2)])
def test_where_a_plate_is_expected_that_has_begun_to_come_nearer(off: float, track: int) -> None:
    places = [100.0 + 40 * frame for frame in range(11)]
    widths = [50.0 / (1 - 0.02 * max(0, frame - 3)) for frame in range(11)]

    found = plate(places[-1] + off, 300, width=50 / (1 - 0.02 * 19))

    assert track_after(places, 12, found, widths=widths) == track


def follow(scene: Scene) -> dict[int, list[tuple[int, int]]]:
    """The frames in which each vehicle was found, each with its track; more than one track's vehicle is an error."""
    tracker = Tracker(LOST_SECONDS)
    tracks_of: dict[int, list[tuple[int, int]]] = defaultdict(list)
    vehicle_of: dict[int, int] = {}
    for frame, found in enumerate(scene.frames):
        now = int(frame / scene.frames_per_second * SECOND)
        tracker.release(now)
        numbers = tracker.follow([PlateDetection(corners, 0.9, 1) for _, corners in found], now)
        for (vehicle, _), number in zip(found, numbers, strict=True):
            if vehicle is not None:
                assert number is not None, "the detector is sure of all these"
                assert vehicle_of.setdefault(number, vehicle) == vehicle, f"track {number} jumps in frame {frame}"
                tracks_of[vehicle].append((frame, number))
    return tracks_of


def assert_each_keeps_its_track(scene: Scene | None) -> None:
    """No track has two vehicles, and no vehicle two tracks."""
    assume(scene is not None)
    assert scene is not None
    for vehicle, observations in follow(scene).items():
        for (_, number), (frame, now) in pairwise(observations):
            assert number == now, f"vehicle {vehicle} gets a new track in frame {frame}"


@given(roads())
def test_on_any_road_no_track_has_two_vehicles_and_none_is_lost_while_in_view(road: Road) -> None:
    assert_each_keeps_its_track(road.scene())


@given(crossings())
def test_where_plates_cross_no_track_has_two_vehicles_and_none_is_lost_while_in_view(crossing: Crossing) -> None:
    assert_each_keeps_its_track(crossing.scene())
