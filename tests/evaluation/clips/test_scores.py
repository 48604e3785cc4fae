"""The figures of a folder of clips."""

import json

from edge_app.evaluation.clips.matching import judge
from edge_app.evaluation.clips.scores import failures, score_clips
from tests.evaluation.clips.examples import boxes, clip, event, playback, vehicle

STREET = clip(
    vehicle("MH12AB1234", lane=0),
    vehicle("KA01MN4567", lane=1),
    vehicle("DL3CAY9052", lane=2),
    vehicle("TN09BC2718", lane=3),
    vehicle(None, lane=4),
)
OUTCOME = judge(
    STREET,
    playback(
        event("MH12AB1234", lane=0, best_frame="MH12A81234", late=1.0),
        event("KA01MN4561", lane=1, late=2.0),
        event("DL3CAY9052", lane=2, late=None),
        event("DL3CAY9052", lane=2, late=9.0),
        event("XX", lane=4, late=9.0),
        event("POLICE", lane=6, late=9.0),
        tracks={1: boxes(0, 12, 30) | boxes(1, 31, 38), 2: boxes(2, 12, 20), 3: boxes(2, 22, 38)},
    ),
)


def test_found_false_and_duplicate_events_count_whatever_the_text() -> None:
    events = score_clips("street", [OUTCOME]).events

    assert (events.vehicles, events.found, events.false, events.duplicates) == (4, 3, 1, 1)
    assert (events.recall, events.precision, events.duplicate_rate) == (3 / 4, 3 / 5, 1 / 4)


def test_a_vehicle_without_an_event_is_read_wrong() -> None:
    reading = score_clips("street", [OUTCOME]).reading

    assert reading is not None
    assert (reading.plates, reading.exact, reading.character_accuracy) == (4, 2 / 4, 1 - 11 / 40)


def test_the_joint_text_and_the_best_frames_are_compared_on_the_vehicles_found() -> None:
    voting = score_clips("street", [OUTCOME]).voting

    assert voting is not None
    assert (voting.vehicles, voting.joint, voting.best_frame) == (3, 2 / 3, 1 / 3)


def test_switches_and_breaks_are_summed_and_unknown_if_one_clip_has_no_boxes() -> None:
    blind = judge(clip(vehicle("MH12AB1234", located=False)), playback())

    tracking = score_clips("street", [OUTCOME, OUTCOME]).tracking

    assert tracking is not None
    assert (tracking.ids_switched, tracking.tracks_broken) == (2, 2)
    assert score_clips("street", [OUTCOME, blind]).tracking is None


def test_latency_is_that_of_first_events_published_before_the_end() -> None:
    latency = score_clips("street", [OUTCOME]).latency_seconds

    assert latency is not None
    assert (latency.median, round(latency.p95, 6)) == (1.5, 1.95)


def test_clips_in_which_nothing_passes_have_no_shares() -> None:
    written = score_clips("empty", [judge(clip(), playback())]).as_json()

    assert written["events"] == {
        "vehicles": 0, "found": 0, "false": 0, "duplicates": 0, "recall": None, "precision": None,
        "duplicate_rate": None,
    }  # fmt: skip
    assert (written["reading"], written["voting"], written["latency_seconds"]) == (None, None, None)


def test_each_failure_names_its_clip_kind_and_frames() -> None:
    written = [json.loads(json.dumps(failure)) for failure in failures(OUTCOME)]

    assert [(each["kind"], each.get("truth"), each.get("read")) for each in written] == [
        ("misread", "KA01MN4567", "KA01MN4561"),
        ("duplicate", "DL3CAY9052", "DL3CAY9052"),
        ("missed", "TN09BC2718", None),
        ("false", None, "POLICE"),
        ("switched", ["MH12AB1234", "KA01MN4567"], None),
    ]
    assert {each["video"] for each in written} == {"clips/a.mp4"}
    assert written[2]["vehicle_frames"] == [10, 40]
