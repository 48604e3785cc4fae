"""The entities that Home Assistant gets, and that it understands them."""

import dataclasses
import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import jinja2
import pytest

from edge_app.config import (
    CameraSettings,
    DeviceSettings,
    HomeAssistantSettings,
    ListSettings,
    MqttSettings,
    Settings,
)
from edge_app.events.event import encode
from edge_app.events.messages import CameraVitalsMessage, VitalsMessage
from edge_app.records import ListMatch
from edge_app.uplink.connection import Message
from edge_app.uplink.delivery import alarming_entries, as_alert, flatten
from edge_app.uplink.home_assistant import LATE_READ, READ, UPDATE, HomeAssistant
from tests.events.passes import event, factory, plate_pass
from tests.mosquitto import Mosquitto, Subscriber
from tests.uplink.test_publisher import Running

DENIED = ListMatch("stolen", "deny", "MH12AB1234", 0.0)
TOPIC = "homeassistant/device/edge-anpr-gate-01/config"


def settings(images: bool = True) -> Settings:
    return Settings(
        device=DeviceSettings(name="gate-01"),
        camera=CameraSettings(name="north"),
        lists=(ListSettings("stolen", "deny", Path("stolen.csv")),),
        mqtt=MqttSettings(images=images),
        home_assistant=HomeAssistantSettings(enabled=True),
    )


def components(images: bool = True) -> dict[str, dict[str, Any]]:
    entities: dict[str, dict[str, Any]] = json.loads(HomeAssistant(settings(images)).announcement.payload)["components"]
    return entities


def rendered(template: str, payload: bytes) -> str:
    """As Home Assistant does it: Jinja with a few filters of its own; what is no JSON is not defined."""
    environment = jinja2.Environment(autoescape=False)
    environment.filters["to_json"] = json.dumps
    return environment.from_string(template).render({"value_json": json.loads(payload)} if payload else {})


@pytest.fixture
def running(tmp_path: Path, broker: Mosquitto) -> Iterator[Running]:
    announcing = Running(tmp_path / "outbox.sqlite3", broker.settings, home_assistant=HomeAssistant(settings()))
    with closing(announcing):
        yield announcing


def test_one_retained_message_tells_of_every_entity(running: Running, broker: Mosquitto) -> None:
    running.start()
    running.waits_until(lambda: TOPIC in broker.log_path.read_text())

    with closing(Subscriber(broker.port, ["homeassistant/#"])) as late:
        (message,) = late.until(1, "/config")

    assert (message.topic, message.retain) == (TOPIC, True)
    shown = json.loads(message.payload)
    assert {entity["platform"] for entity in shown["components"].values()} == {
        "event",
        "image",
        "sensor",
        "binary_sensor",
    }


def test_it_gets_the_entities_again_when_home_assistant_starts(running: Running, broker: Mosquitto) -> None:
    with closing(Subscriber(broker.port, ["homeassistant/+/+/config"], "home-assistant")) as listening:
        running.start()
        listening.until(1, "/config")
        running.waits_until(lambda: "Sending SUBACK to edge-anpr-gate-01" in broker.log_path.read_text())

        listening.publish(Message("homeassistant/status", b"offline"))
        listening.publish(Message("homeassistant/status", b"online"))

        listening.until(2, "/config")


def test_a_broker_that_refuses_the_announcement_still_gets_the_reads(
    tmp_path: Path, broker: Mosquitto, caplog: pytest.LogCaptureFixture
) -> None:
    rules = tmp_path / "acl"
    rules.write_text("topic readwrite anpr/#\n")
    strict = Mosquitto(tmp_path, ["allow_anonymous true", f"acl_file {rules}"])
    strict.start()
    running = Running(tmp_path / "outbox.sqlite3", strict.settings, home_assistant=HomeAssistant(settings()))
    with closing(running), closing(Subscriber(strict.port)) as subscriber:
        running.start()
        running.put()

        subscriber.until(1, "/read")
        running.waits_until(running.is_drained)

    strict.stop()
    assert "the broker refuses homeassistant/device/edge-anpr-gate-01/config: Not authorized; let its" in caplog.text


def test_every_entity_is_identified_and_all_but_the_connection_vanish_with_the_device() -> None:
    entities = components()

    assert len({entity["unique_id"] for entity in entities.values()}) == len(entities)
    without = [key for key, entity in entities.items() if "availability_topic" not in entity]
    assert without == ["connectivity"]


def test_the_topics_are_those_that_the_device_sends_on(running: Running, subscriber: Subscriber) -> None:
    made = factory().make(plate_pass(), [DENIED])
    running.start()
    running.outbox.put(made)
    subscriber.until(1, "/last")
    subscriber.until(1, "/alert")
    sent = {message.topic for message in subscriber.messages}

    asked = {
        entity[key].replace("+", made.event_id)
        for entity in components().values()
        for key in ("state_topic", "image_topic", "availability_topic")
        if key in entity
    }

    assert asked <= sent


def test_the_last_plate_is_unknown_once_its_read_was_withdrawn() -> None:
    template = components()["north-last"]["value_template"]

    assert rendered(template, encode(flatten(event().message))) == "MH12AB1234"
    assert rendered(template, b"") == "None"  # Home Assistant's word for a state that is not known


@pytest.mark.parametrize(("historical", "event_type"), [(False, READ), (True, LATE_READ)])
def test_a_read_becomes_an_event(historical: bool, event_type: str) -> None:
    read = json.loads(event().payload()) | {"sequence": 1, "historical": historical}
    entity = components()["north-read"]

    shown = json.loads(rendered(entity["value_template"], json.dumps(read).encode()))

    assert shown["event_type"] == event_type
    assert event_type in entity["event_types"]
    assert (shown["text"], shown["event_id"]) == ("MH12AB1234", read["event_id"])


def test_an_update_is_an_event_of_its_own_so_that_no_gate_opens_twice() -> None:
    update = json.loads(event().payload()) | {"sequence": 2, "revision": "confirmed"}
    entity = components()["north-read"]

    shown = json.loads(rendered(entity["value_template"], json.dumps(update).encode()))

    assert shown["event_type"] == UPDATE
    assert UPDATE in entity["event_types"]


def test_telemetry_becomes_diagnostics(running: Running, subscriber: Subscriber) -> None:
    since, why = "2026-01-31T10:00:00.123Z", "no such camera"
    north = CameraVitalsMessage("north", "lost", since, why, None, 10, 2, 0, 7, 0, 0, ())
    running.publisher.vitals = VitalsMessage(
        10, frames_dropped=2, frames_corrupt=0, vehicles=7, picture="lost", lists=(), hook=None, cameras=(north,)
    )
    running.start()
    (telemetry,) = subscriber.until(1, "/telemetry")

    values = {
        key: rendered(entity["value_template"], telemetry.payload)
        for key, entity in components().items()
        if entity.get("state_topic") == telemetry.topic
    }

    assert values.pop("clock") in ("ON", "OFF")
    assert values == {
        "north-state": "lost",
        "vehicles": "7",
        "events-waiting": "0",
        "reads-sacrificed": "0",
        "images-sacrificed": "0",
    }
    attributes = json.loads(rendered(components()["north-state"]["json_attributes_template"], telemetry.payload))
    assert attributes == {"reason": why, "since": since}


def test_each_camera_has_entities_of_its_own() -> None:
    settings = Settings(cameras=(CameraSettings(name="north"), CameraSettings(name="yard")))

    entities = json.loads(HomeAssistant(settings).announcement.payload)["components"]

    for part in ("read", "image", "last", "alert", "state"):
        assert {f"north-{part}", f"yard-{part}"} <= entities.keys()


def test_what_the_daemon_does_not_know_yet_is_unknown(running: Running, subscriber: Subscriber) -> None:
    running.start()
    (telemetry,) = subscriber.until(1, "/telemetry")

    entities = components()

    assert (
        rendered(entities["north-state"]["value_template"], telemetry.payload) == "None"
    )  # Home Assistant's "unknown"
    assert rendered(entities["vehicles"]["value_template"], telemetry.payload) == "None"


def test_where_pictures_are_off_their_entity_is_taken_away() -> None:
    assert components(images=False)["north-image"] == {"platform": "image"}


@pytest.mark.parametrize(("historical", "kind"), [(False, "deny"), (True, "late_deny")])
def test_an_alert_is_an_event_of_the_kind_of_its_list(historical: bool, kind: str) -> None:
    entity = components()["north-alert"]
    made = factory().make(plate_pass(), [DENIED])
    read = dataclasses.replace(made.message, historical=historical)

    shown = json.loads(rendered(entity["value_template"], encode(as_alert(read, alarming_entries(read)))))

    assert shown["event_type"] == kind
    assert kind in entity["event_types"]
    assert (shown["list"], shown["text"], shown["event_id"]) == ("stolen", "MH12AB1234", made.event_id)


def test_without_a_list_that_may_raise_an_alert_there_is_no_event_for_it() -> None:
    announcement = HomeAssistant(dataclasses.replace(settings(), lists=())).announcement

    assert json.loads(announcement.payload)["components"]["north-alert"] == {"platform": "event"}
