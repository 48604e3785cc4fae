"""Plates on a list on their way to a real broker."""

import json
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from edge_app.events.event_schema import MESSAGES, schema_of
from edge_app.outbox.outbox import Outbox
from edge_app.records import ListMatch
from tests.events.passes import factory, plate_pass
from tests.mosquitto import Mosquitto, Start, Subscriber
from tests.uplink.test_publisher import Running


@pytest.fixture
def running(tmp_path: Path, broker: Mosquitto) -> Iterator[Running]:
    with closing(Running(tmp_path / "outbox.sqlite3", broker.settings)) as publishing:
        yield publishing


def put(outbox: Outbox, *matches: ListMatch) -> str:
    """Put a vehicle that these entries match; its id."""
    made = factory().make(plate_pass(), matches)
    outbox.put(made)
    return made.event_id


def entry(kind: str, cost: float = 0.0) -> ListMatch:
    return ListMatch(f"the-{kind}-list", kind, "MH12AB1234", cost)


@pytest.mark.parametrize("kind", ["deny", "watch"])
def test_a_plate_on_a_deny_or_watch_list_raises_an_alert_behind_its_read(
    running: Running, subscriber: Subscriber, kind: str
) -> None:
    event_id = put(running.outbox, entry(kind, 0.5))

    running.start()
    subscriber.until(1, "/alert")
    running.waits_until(running.is_drained)

    topics = [message.topic for message in subscriber.messages if "/north/" in message.topic]
    assert topics == [
        f"anpr/gate-01/north/image/{event_id}",
        "anpr/gate-01/north/read",
        "anpr/gate-01/north/alert",
    ]
    alert = json.loads(subscriber.on("/alert")[0].payload)
    Draft202012Validator(schema_of(MESSAGES["alert-1.json"])).validate(alert)
    assert (alert["event_id"], alert["text"], alert["historical"]) == (event_id, "MH12AB1234", False)
    assert alert["lists"] == [{"list": f"the-{kind}-list", "kind": kind, "entry": "MH12AB1234", "cost": 0.5}]
    assert not subscriber.on("/alert")[0].retain


def test_plates_that_are_allowed_or_unknown_raise_none(running: Running, subscriber: Subscriber) -> None:
    put(running.outbox, entry("allow"))
    put(running.outbox)

    running.start()
    reads = subscriber.until(2, "/read")
    running.waits_until(running.is_drained)
    subscriber.listen(0.2)

    assert [len(json.loads(read.payload)["lists"]) for read in reads] == [1, 0]
    assert subscriber.on("/alert") == []


def test_an_alert_tells_the_lists_that_raise_it(running: Running, subscriber: Subscriber) -> None:
    put(running.outbox, entry("allow"), entry("watch"))

    running.start()
    (alert,) = subscriber.until(1, "/alert")

    assert [match["kind"] for match in json.loads(alert.payload)["lists"]] == ["watch"]


def test_an_event_whose_alert_the_broker_refuses_is_kept(
    tmp_path: Path, start: Start, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "acl").write_text("topic readwrite anpr/gate-01/status\ntopic readwrite anpr/+/+/read\n")
    broker = start("allow_anonymous true", f"acl_file {tmp_path / 'acl'}")
    with closing(Running(tmp_path / "outbox.sqlite3", broker.settings)) as running:
        running.outbox.put(factory(images=False).make(plate_pass(), [entry("deny")]))

        running.start()
        running.waits_until(lambda: "refuses an alert on anpr/gate-01/north/alert: Not" in caplog.text)

        assert not running.is_drained()


@pytest.mark.parametrize(("revision", "alerts"), [("confirmed", 1), ("corrected", 2)])
def test_an_update_raises_an_alert_of_its_own_only_where_it_corrects(
    running: Running, subscriber: Subscriber, revision: str, alerts: int
) -> None:
    maker = factory()
    early = maker.make(replace(plate_pass(), vehicle=7, is_final=False), [entry("deny")])
    update = maker.make(replace(plate_pass(), vehicle=7, revision=revision), [entry("deny")])
    running.outbox.put(early, update)

    running.start()
    subscriber.until(2, "/read")
    running.waits_until(running.is_drained)

    reads = [json.loads(message.payload) for message in subscriber.on("/read")]
    assert [read["revision"] for read in reads] == [None, revision]
    assert reads[0]["event_id"] == reads[1]["event_id"]
    assert reads[1]["sequence"] == reads[0]["sequence"] + 1
    subscriber.until(alerts, "/alert")
    assert len(subscriber.on("/alert")) == alerts
