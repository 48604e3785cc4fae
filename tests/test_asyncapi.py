"""The AsyncAPI document describes what the program does."""

import json
import re
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]

from edge_app.config import CommandSettings, DeviceSettings, HomeAssistantSettings, Settings
from edge_app.configuration.limits import OneOf
from edge_app.configuration.record_fields import shapes_of
from edge_app.events import topics
from edge_app.events.event_schema import MESSAGES, schema_of
from edge_app.uplink.home_assistant import HomeAssistant
from edge_app.uplink.rehearsal import rehearse, rehearse_commands
from tests.mosquitto import Mosquitto, Subscriber
from tests.uplink.test_publisher import Running

PAGE = Path(__file__).parent.parent / "docs" / "asyncapi.yaml"
DOCUMENT: dict[str, Any] = yaml.safe_load(PAGE.read_text())

ALLOWED = shapes_of(CommandSettings)["allow"].item
assert ALLOWED is not None
COMMANDS = [name for limit in ALLOWED.limits if isinstance(limit, OneOf) for name in limit.choices]
ROOT = topics.root("{prefix}", "{device}")
HOME_ASSISTANT = HomeAssistant(
    Settings(
        device=DeviceSettings(name="{device}"),
        home_assistant=HomeAssistantSettings(enabled=True, discovery_prefix="{discovery_prefix}"),
    )
)
ADDRESSES = {
    "read": topics.read(ROOT, "{camera}"),
    "last": topics.last(ROOT, "{camera}"),
    "alert": topics.alert(ROOT, "{camera}"),
    "image": topics.image(ROOT, "{camera}", "{event_id}"),
    "status": topics.status(ROOT),
    "telemetry": topics.telemetry(ROOT),
    "ping": topics.command(ROOT, "ping"),
    "snapshot": topics.command(ROOT, "snapshot"),
    "reload": topics.command(ROOT, "reload"),
    "lists-set": topics.command(ROOT, "lists/set"),
    "answer": topics.answer(ROOT),
    "doctor": topics.doctor(ROOT),
    "doctor-command": topics.doctor_command(ROOT),
    "home-assistant": HOME_ASSISTANT.announcement.topic,
    "home-assistant-status": HOME_ASSISTANT.status_topic,
}


def references(part: object) -> list[str]:
    """Every `$ref` in a part of the document."""
    if isinstance(part, list):
        return [found for item in part for found in references(item)]
    if isinstance(part, dict):
        inner = [found for value in part.values() for found in references(value)]
        return [part["$ref"], *inner] if "$ref" in part else inner
    return []


def resolve(reference: str) -> Any:
    """What a `$ref` leads to: a place in the document, or a file beside it."""
    if not reference.startswith("#/"):
        return json.loads((PAGE.parent / reference).read_text())
    place = DOCUMENT
    for step in reference.removeprefix("#/").split("/"):
        place = place[step]
    return place


def test_it_is_asyncapi_3_with_the_parts_that_must_be_there() -> None:
    assert DOCUMENT["asyncapi"] == "3.0.0"
    assert {"title", "version"} <= DOCUMENT["info"].keys()


def test_the_channels_are_the_topics_that_the_program_makes() -> None:
    assert {name: channel["address"] for name, channel in DOCUMENT["channels"].items()} == ADDRESSES


@pytest.mark.parametrize("channel", DOCUMENT["channels"].values(), ids=list(DOCUMENT["channels"]))
def test_the_parameters_are_those_in_the_address(channel: dict[str, Any]) -> None:
    assert set(re.findall(r"{(\w+)}", channel["address"])) == channel["parameters"].keys()


@pytest.mark.parametrize("reference", sorted(set(references(DOCUMENT))))
def test_every_reference_leads_somewhere(reference: str) -> None:
    assert resolve(reference)


def test_the_payloads_are_the_generated_schemas() -> None:
    messages = DOCUMENT["components"]["messages"]

    payloads = {name: resolve(message["payload"]["$ref"]) for name, message in messages.items() if "payload" in message}

    assert payloads == {name.removesuffix("-1.json"): schema_of(record) for name, record in MESSAGES.items()}


def test_every_channel_has_its_message_and_the_device_sends_or_receives_on_it() -> None:
    for name, channel in DOCUMENT["channels"].items():
        assert channel["messages"] == {name: {"$ref": f"#/components/messages/{name}"}}
    heard = [operation for operation in DOCUMENT["operations"].values() if "reply" in operation]
    used = [operation["channel"]["$ref"] for operation in DOCUMENT["operations"].values()]
    assert sorted(used) == sorted(f"#/channels/{name}" for name in DOCUMENT["channels"])
    assert {resolve(operation["channel"]["$ref"])["address"] for operation in heard} == {
        topics.command(ROOT, name) for name in COMMANDS
    }
    assert {operation["reply"]["channel"]["$ref"] for operation in heard} == {"#/channels/answer"}


def test_qos_and_retain_are_those_of_the_events_page() -> None:
    rows = re.findall(r"^\| `(.+?)` \|.*\| (\d) \| (yes|no) \|", (PAGE.parent / "events.md").read_text(), re.MULTILINE)
    published = {
        topic.replace("<", "{").replace(">", "}"): {"qos": int(qos), "retain": retained == "yes"}
        for topic, qos, retained in rows
    }

    documented = {}
    for operation in DOCUMENT["operations"].values():
        address = resolve(operation["channel"]["$ref"])["address"]
        if operation["action"] == "send" and address.startswith(ROOT):
            documented[address.removeprefix(f"{ROOT}/")] = bound(operation)
    assert documented == published


def bound(operation: dict[str, Any]) -> dict[str, Any]:
    """How an operation sends."""
    return {key: operation["bindings"]["mqtt"][key] for key in ("qos", "retain")}


def test_what_is_published_is_what_the_document_describes(tmp_path: Path, broker: Mosquitto) -> None:
    settings = Settings(device=DeviceSettings(name="gate-01"))
    running = Running(tmp_path / "outbox.sqlite", broker.settings, home_assistant=HomeAssistant(settings))
    with closing(running), closing(Subscriber(broker.port, ["#"])) as subscriber:
        running.start()
        running.put()
        rehearse(broker.settings, "gate-01")
        rehearse_commands(broker.settings, "gate-01")
        subscriber.until(1, "/last")
        subscriber.until(2, "/doctor")

    sent = {operation["channel"]["$ref"]: operation for operation in DOCUMENT["operations"].values()}
    addresses = {
        re.sub(r"{\w+}", "[^/]+", channel["address"]): bound(sent[f"#/channels/{name}"])["qos"]
        for name, channel in DOCUMENT["channels"].items()
        if sent[f"#/channels/{name}"]["action"] == "send"
    }
    for message in subscriber.messages:
        assert [qos for address, qos in addresses.items() if re.fullmatch(address, message.topic)] == [message.qos]
