"""What counts as a right event, a false one, a duplicate, a switch."""

import pytest

from edge_app.errors import SourceError
from edge_app.evaluation.clips.matching import judge
from tests.evaluation.clips.examples import FRAMES, boxes, clip, event, playback, vehicle


def test_an_event_belongs_to_the_vehicle_on_whose_plate_it_was_found_whatever_its_text() -> None:
    street = clip(vehicle("MH12AB1234", lane=0), vehicle("KA01MN4567", lane=1))
    published = event("MH12AB1234", lane=1)

    outcome = judge(street, playback(published))

    assert outcome.events_of == ((), (published,))
    assert outcome.false_events == ()


def test_without_boxes_the_text_decides_among_the_vehicles_in_the_picture() -> None:
    street = clip(
        vehicle("MH12AB1234", located=False),
        vehicle("KA01MN4567", located=False),
        vehicle("MH12AB1235", first=60, last=80, located=False),
    )
    published = event("MH12AB1235", first=20, last=30)

    outcome = judge(street, playback(published))

    assert outcome.events_of == ((published,), (), ())
    assert outcome.switches is None
    assert outcome.broken_tracks is None


def test_an_event_of_no_vehicle_is_false() -> None:
    elsewhere, other_text = event("MH12AB1234", lane=3), event("PB65AW7420")

    assert judge(clip(vehicle("MH12AB1234")), playback(elsewhere)).false_events == (elsewhere,)
    assert judge(clip(vehicle("MH12AB1234", located=False)), playback(other_text)).false_events == (other_text,)
    assert judge(clip(), playback(other_text)).false_events == (other_text,)


def test_a_plate_that_nobody_could_read_takes_the_events_that_fit_no_other() -> None:
    right, anything = event("MH12AB1234"), event("PB65AW7420")
    for located in (True, False):
        street = clip(vehicle("MH12AB1234", located=located), vehicle(None, lane=1, located=located))

        outcome = judge(street, playback(right, event("PB65AW7420", lane=1) if located else anything))

        assert outcome.false_events == ()
        assert [len(events) for events in outcome.events_of] == [1, 1]


def test_events_of_one_vehicle_keep_the_order_of_publication() -> None:
    first, second = event("MH12AB1284", first=12, last=20), event("MH12AB1234", first=25, last=38)

    outcome = judge(clip(vehicle("MH12AB1234")), playback(first, second))

    assert outcome.events_of == ((first, second),)


def test_two_tracks_that_change_vehicles_are_two_switches() -> None:
    street = clip(vehicle("MH12AB1234", lane=0), vehicle("KA01MN4567", lane=1))
    tracks = {1: boxes(0, 12, 20) | boxes(1, 21, 38), 2: boxes(1, 12, 20) | boxes(0, 21, 38)}

    outcome = judge(street, playback(tracks=tracks))

    assert outcome.switches is not None
    assert [(each.frame, each.track, each.was, each.now) for each in outcome.switches] == [(21, 1, 0, 1), (21, 2, 1, 0)]
    assert outcome.broken_tracks == 0


def test_a_track_that_goes_over_to_a_vehicle_never_seen_before_is_a_switch() -> None:
    street = clip(vehicle("MH12AB1234", lane=0, last=30), vehicle("KA01MN4567", lane=1, first=31, last=60))

    outcome = judge(street, playback(tracks={1: boxes(0, 12, 30) | boxes(1, 31, 60)}))

    assert outcome.switches is not None
    assert [each.now for each in outcome.switches] == [1]


def test_a_vehicle_with_a_new_number_is_a_broken_track_and_no_switch() -> None:
    tracks = {1: boxes(0, 12, 20), 2: boxes(0, 30, 38), 3: boxes(5, 12, 38)}

    outcome = judge(clip(vehicle("MH12AB1234")), playback(tracks=tracks))

    assert (outcome.switches, outcome.broken_tracks) == ((), 1)


def test_the_truth_of_a_longer_clip_is_an_error_with_its_remedy() -> None:
    with pytest.raises(
        SourceError, match=r"clips/a\.mp4: has 100 frames.* from \d+ until 100; correct clips/events\.jsonl"
    ) as error:
        judge(clip(vehicle("MH12AB1234", last=FRAMES)), playback())

    assert "MH12AB1234" not in str(error.value)
