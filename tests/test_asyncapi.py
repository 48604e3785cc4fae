"""The AsyncAPI document says what the program does."""

import json
import re
from pathlib import Path
from typing import Any, get_args, get_type_hints

import pytest
import yaml  # type: ignore[import-untyped]

from edge_app.config import CommandSettings
from edge_app.uplink import topics
from edge_app.uplink.event_schema import MESSAGES, schema_of

PAGE = Path(__file__).parent.parent / "docs" / "asyncapi.yaml"
DOCUMENT: dict[str, Any] = yaml.safe_load(PAGE.read_text())

COMMANDS = get_type_hints(CommandSettings, include_extras=True)["allow"]
ROOT = topics.root("{prefix}", "{device}")
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


def test_every_channel_has_its_message_and_the_device_sends_on_it_or_hears_and_answers() -> None:
    for name, channel in DOCUMENT["channels"].items():
        assert channel["messages"] == {name: {"$ref": f"#/components/messages/{name}"}}
    heard = [operation for operation in DOCUMENT["operations"].values() if operation["action"] == "receive"]
    used = [operation["channel"]["$ref"] for operation in DOCUMENT["operations"].values()]
    assert sorted(used) == sorted(f"#/channels/{name}" for name in DOCUMENT["channels"])
    assert {resolve(operation["channel"]["$ref"])["address"] for operation in heard} == {
        topics.command(ROOT, name) for name in get_args(get_args(COMMANDS)[0])[1].choices
    }
    assert {operation["reply"]["channel"]["$ref"] for operation in heard} == {"#/channels/answer"}


def test_qos_and_retain_are_those_of_the_events_page() -> None:
    rows = re.findall(r"^\| `(.+?)` \|.*\| (\d) \| (yes|no) \|", (PAGE.parent / "events.md").read_text(), re.MULTILINE)
    told = {
        topic.replace("<", "{").replace(">", "}"): {"qos": int(qos), "retain": retained == "yes"}
        for topic, qos, retained in rows
    }

    documented = {}
    for operation in DOCUMENT["operations"].values():
        if operation["action"] == "receive":
            continue
        binding = operation["bindings"]["mqtt"]
        address = resolve(operation["channel"]["$ref"])["address"].removeprefix(f"{ROOT}/")
        documented[address] = {key: binding[key] for key in ("qos", "retain")}
    assert documented == told
