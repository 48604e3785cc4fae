"""From a pass to an event."""

import dataclasses
import hashlib
import json
from datetime import datetime, timedelta

import cv2
import numpy as np
from jsonschema import Draft202012Validator

from edge_app.config import Settings
from edge_app.events.event import EventFactory
from edge_app.events.event_schema import schema_of
from edge_app.events.messages import ReadMessage
from edge_app.newer_python import UTC
from edge_app.records import LineCrossing, ListMatch
from tests.events.passes import NOON, SOFTWARE, event, factory, plate_pass

MATCH = ListMatch("stolen", "deny", "MH12AB1234", 0.0)


def test_an_event_has_the_content_of_the_pass() -> None:
    maker = EventFactory(
        Settings(),
        SOFTWARE,
        now=lambda: NOON + timedelta(seconds=3),
        monotonic_ns=lambda: 5_000_000_000,
        synchronized=lambda: False,
        random_bytes=bytes,
    )

    message = json.loads(maker.make(plate_pass(last_monotonic_ns=3_500_000_000)).payload())

    assert message["event_id"] == "019c13ec-aa33-7000-8000-000000000000"
    assert message["plate"]["text"] == "MH12AB1234"
    assert message["seen"] == {
        "first": "2026-01-31T11:59:59.123Z",
        "best": "2026-01-31T12:00:00.123Z",
        "last": "2026-01-31T12:00:01.123Z",
        "frames": 14,
        "reads": 9,
        "agreeing": 1,
        "clock_synchronized": False,
        "exposure": None,
    }
    assert message["geometry"]["corners"] == [[10.0, 20.0], [110.0, 22.0], [108.0, 50.0], [9.0, 48.0]]
    assert message["timing_ms"] == {"detect": 21.0, "read": 7.5, "capture_to_outbox": 1500.0}
    assert message["software"]["detector"] == SOFTWARE.detector


def test_its_picture_is_the_plate_and_its_digest_is_in_the_read() -> None:
    made = event()

    assert made.image_jpeg is not None
    assert made.message.image is not None
    assert made.message.image.topic == f"anpr/gate-01/north/image/{made.event_id}"
    assert made.message.image.sha256 == hashlib.sha256(made.image_jpeg).hexdigest()
    assert cv2.imdecode(np.frombuffer(made.image_jpeg, np.uint8), cv2.IMREAD_COLOR).shape == (48, 120, 3)


def test_without_pictures_the_key_is_there_and_null() -> None:
    made = factory(images=False).make(plate_pass())

    assert made.image_jpeg is None
    assert json.loads(made.payload())["image"] is None


def test_a_plate_that_fits_no_format_keeps_to_the_schema_too() -> None:
    made = factory().make(plate_pass("XYZ", valid=False))

    numbered = dataclasses.replace(made.message, sequence=1)

    message = json.loads(json.dumps(dataclasses.asdict(numbered)))
    Draft202012Validator(schema_of(ReadMessage)).validate(message)
    assert message["plate"]["country"] is None


def test_two_vehicles_have_two_ids() -> None:
    maker = factory()

    ids = {maker.make(plate_pass()).event_id for _ in range(100)}

    assert len(ids) == 100


def test_a_recording_played_fast_has_not_waited_a_negative_time() -> None:
    maker = EventFactory(Settings(), SOFTWARE, monotonic_ns=lambda: 0)

    made = maker.make(plate_pass(last_monotonic_ns=9_000_000_000))

    assert made.message.timing_ms.capture_to_outbox == 0.0


def test_an_update_has_the_id_of_its_read_and_a_revision() -> None:
    maker = factory()

    early = maker.make(dataclasses.replace(plate_pass(), vehicle=7, is_final=False))
    other = maker.make(dataclasses.replace(plate_pass(), vehicle=8))
    update = maker.make(dataclasses.replace(plate_pass(), vehicle=7, revision="confirmed"))

    assert (early.event_id, early.message.revision) == (update.event_id, None)
    assert update.message.revision == "confirmed"
    assert other.event_id != early.event_id
    Draft202012Validator(schema_of(ReadMessage)).validate(json.loads(update.payload(2)))


def test_an_update_of_what_was_not_published_is_a_read_of_its_own() -> None:
    made = factory().make(dataclasses.replace(plate_pass(), vehicle=7, revision="corrected"))

    assert made.message.revision is None


def test_an_update_or_withdrawal_is_as_old_as_itself_though_the_clock_was_set_after_the_early_read() -> None:
    times = iter([datetime(1970, 1, 2, tzinfo=UTC)] * 2 + [NOON] * 2)
    are_set = iter([False, False, True, True])
    maker = EventFactory(Settings(), SOFTWARE, now=lambda: next(times), synchronized=lambda: next(are_set))
    early = maker.make(dataclasses.replace(plate_pass(), vehicle=7, is_final=False))
    maker.make(dataclasses.replace(plate_pass(), vehicle=8, is_final=False))

    update, withdrawn = maker.make(dataclasses.replace(plate_pass(), vehicle=7)), maker.withdraw("north", 8)

    assert (early.origin.made_at_ms, early.origin.clock_synchronized) == (86_400_000, False)
    assert withdrawn is not None
    for later in (update, withdrawn):
        assert (later.origin.made_at_ms, later.origin.clock_synchronized) == (int(NOON.timestamp() * 1000), True)


def test_a_withdrawal_has_nothing_new_and_comes_once() -> None:
    maker = factory()
    early = maker.make(dataclasses.replace(plate_pass(), vehicle=7, is_final=False), [MATCH])

    withdrawn, again = maker.withdraw("north", 7), maker.withdraw("north", 7)

    assert withdrawn is not None
    assert again is None
    expected = dataclasses.replace(early.message, revision="withdrawn", lists=(), image=None)
    assert (withdrawn.message, withdrawn.image_jpeg) == (expected, None)
    Draft202012Validator(schema_of(ReadMessage)).validate(json.loads(withdrawn.payload(2)))


def test_lines_crossed_are_in_their_order() -> None:
    crossings = (LineCrossing("gate", "in"), LineCrossing("kerb", "leaving"))

    made = factory().make(dataclasses.replace(plate_pass(), crossings=crossings))

    message = json.loads(made.payload(1))
    Draft202012Validator(schema_of(ReadMessage)).validate(message)
    expected = [{"line": "gate", "label": "in"}, {"line": "kerb", "label": "leaving"}]
    assert message["geometry"]["crossings"] == expected


def test_the_times_of_a_live_vehicle_come_from_one_reading_of_a_clock_that_was_set_meanwhile() -> None:
    """The clock was in 1970 when the vehicle came into view, and is right when the event is made."""
    second = 1_000_000_000
    seen_in_1970 = dataclasses.replace(
        plate_pass(last_monotonic_ns=100 * second),
        first_seen=datetime(1970, 1, 1, tzinfo=UTC),
        best_seen=datetime(1970, 1, 1, tzinfo=UTC),
        is_recorded=False,
    )
    maker = EventFactory(
        Settings(), SOFTWARE, now=lambda: NOON, monotonic_ns=lambda: 103 * second, synchronized=lambda: True
    )

    seen = maker.make(seen_in_1970).message.seen

    assert (seen.first, seen.best, seen.last) == (
        "2026-01-31T11:59:55.123Z",
        "2026-01-31T11:59:56.123Z",
        "2026-01-31T11:59:57.123Z",
    )
    assert seen.clock_synchronized


def test_the_clock_is_asked_whether_it_is_right_before_it_is_read() -> None:
    asked: list[str] = []
    maker = EventFactory(
        Settings(),
        SOFTWARE,
        now=lambda: asked.append("time") or NOON,  # type: ignore[func-returns-value]
        synchronized=lambda: not asked.append("synchronized"),  # type: ignore[func-returns-value]
    )

    maker.make(plate_pass())

    assert asked == ["synchronized", "time"]
