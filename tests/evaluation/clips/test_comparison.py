"""Where two replays differ."""

import json

from edge_app.evaluation.clips.comparison import compare, pair_events
from tests.evaluation.clips.examples import clip, event, vehicle


def test_events_are_paired_by_place_before_text() -> None:
    first = [event("MH12AB1234", lane=0), event("KA01MN4567", lane=1)]
    second = [event("KA01MN4561", lane=1), event("MH12AB1234", lane=0)]

    assert pair_events(first, second) == [(0, 1), (1, 0)]


def test_events_that_saw_a_vehicle_at_other_times_are_paired_by_text() -> None:
    early, late = event("MH12AB1234", first=10, last=15), event("MH12AB1234", first=20, last=25)

    assert pair_events([early], [late]) == [(0, 0)]
    assert pair_events([early], [event("KA01MN4567", first=20, last=25)]) == [(0, None), (None, 0)]


def test_differences_are_in_the_order_of_time_with_who_is_right() -> None:
    street = clip(*(vehicle(text, lane=lane) for lane, text in enumerate(("MH12AB1234", "KA01MN4567", "DL3CAY9052"))))
    first = [event("MH12AB1234", 0), event("KA01MN4561", 1, first=13), event("DL3CAY9052", 2), event("EXIT", 5, 30)]
    second = [event("MH12AB1234", 0), event("KA01MN4567", 1), event("DL3CAY905Z", 2, first=11)]

    pairs = [pair for pair in compare("a.mp4", street, first, second) if pair.differs]

    assert [(each.frame, each.truth, each.verdict) for each in pairs] == [
        (11, "DL3CAY9052", "A right"),
        (12, "KA01MN4567", "B right"),
        (30, "", "only A, false"),
    ]


def test_without_a_truth_nobody_is_called_right() -> None:
    (other_text,) = compare("a.mp4", None, [event("MH12AB1234")], [event("MH12AB1284")])
    (only_b,) = compare("a.mp4", None, [], [event("MH12AB1284")])

    assert (other_text.truth, other_text.verdict, only_b.verdict) == (None, "other text", "only B")
    assert json.loads(json.dumps(only_b.as_json())) == {
        "video": "a.mp4", "frame": 12, "truth": None, "a": None,
        "b": {"text": "MH12AB1284", "confidence": 0.9, "frames": [12, 38]}, "verdict": "only B",
    }  # fmt: skip


def test_events_of_two_vehicles_differ_although_their_texts_are_equal() -> None:
    street = clip(vehicle("MH12AB1234", lane=0), vehicle("KA01MN4567", lane=1))

    pairs = compare("a.mp4", street, [event("MH12AB1234", lane=0)], [event("MH12AB1234", lane=1)])

    assert [(each.truth, each.verdict, each.differs) for each in pairs] == [
        ("MH12AB1234", "A right", True),
        ("KA01MN4567", "only B", True),
    ]
