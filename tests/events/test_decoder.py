"""Messages there and back."""

import dataclasses
import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from jsonschema import Draft202012Validator

from edge_app.events.decoder import MessageError, decode
from edge_app.events.event import encode
from edge_app.events.event_schema import schema_of
from edge_app.events.messages import LastMessage, ReadMessage, TelemetryMessage
from tests.events.made_messages import made
from tests.events.passes import event

VALIDATORS = {kind: Draft202012Validator(schema_of(kind)) for kind in (ReadMessage, LastMessage, TelemetryMessage)}


def comes_back(message: Any) -> None:
    payload = encode(message)

    VALIDATORS[type(message)].validate(json.loads(payload))
    assert decode(type(message), payload) == message


@settings(max_examples=200, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(made(ReadMessage))
def test_every_read_fits_the_schema_and_comes_back_as_it_was(message: ReadMessage) -> None:
    comes_back(message)


@given(made(LastMessage) | made(TelemetryMessage))
def test_so_does_every_other_message(message: LastMessage | TelemetryMessage) -> None:
    comes_back(message)


def sample() -> dict[str, Any]:
    message: dict[str, Any] = json.loads(event().payload()) | {"sequence": 1}
    return message


def test_a_key_of_a_later_version_is_ignored() -> None:
    message = sample()
    later = message | {"weather": "fog", "seen": message["seen"] | {"lane": 2}}

    decoded = decode(ReadMessage, json.dumps(later).encode())

    assert json.loads(encode(decoded)) == message


@pytest.mark.parametrize(
    ("wrong", "complaint"),
    [
        ({"schema": "edge-anpr/read/2"}, "schema: "),
        ({"sequence": "1"}, "sequence is of the wrong type"),
        ({"sequence": True}, "sequence is of the wrong type"),
        ({"sequence": 0}, "sequence: 0 is out of range"),
        ({"seen": None}, "seen is not an object"),
        ({"image": {}}, "image.topic is missing"),
        ({"geometry": {"frame_size": [1]}}, "geometry.corners is missing"),
    ],
)
def test_what_the_schema_refuses_is_refused_and_the_key_is_named(wrong: dict[str, Any], complaint: str) -> None:
    message = sample() | wrong
    assert not VALIDATORS[ReadMessage].is_valid(message)

    with pytest.raises(MessageError, match=complaint):
        decode(ReadMessage, json.dumps(message).encode())


def test_a_list_of_the_wrong_length_is_refused() -> None:
    message = sample()
    message["geometry"]["frame_size"] = [1, 2, 3]

    with pytest.raises(MessageError, match="frame_size has 3 items and not 2"):
        decode(ReadMessage, json.dumps(message).encode())


@pytest.mark.parametrize("payload", [b"online", b"\xff\xd8\xff", b"", b"[" * 100_000])
def test_what_is_no_json_is_refused(payload: bytes) -> None:
    with pytest.raises(MessageError, match="not JSON"):
        decode(ReadMessage, payload)


def test_json_of_another_kind_is_refused() -> None:
    with pytest.raises(MessageError, match="it is not an object"):
        decode(ReadMessage, b"[]")


def test_null_stays_null() -> None:
    message = dataclasses.replace(event(images=False).message, sequence=1)

    assert decode(ReadMessage, encode(message)).image is None
