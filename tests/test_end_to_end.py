"""The daemon as a process on the demo's clip, into a real mosquitto."""

import hashlib
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from jsonschema import Draft202012Validator

from edge_app import __version__
from edge_app.demo import CLIP
from edge_app.evaluation.clips.truth import read_clips
from edge_app.events.event_schema import MESSAGES, schema_of
from edge_app.uplink.connection import Message
from tests import mosquitto
from tests.mosquitto import Mosquitto, Subscriber

RUN_SECONDS = 300  # on a machine that is busy with other work
SCHEMA_OF = {"read": "read-1.json", "last": "last-1.json", "telemetry": "telemetry-1.json"}


def run_daemon(
    directory: Path, broker: Mosquitto, more: str = "", clip: Path = CLIP
) -> subprocess.CompletedProcess[str]:
    """Play a clip to its end, with more settings."""
    configuration = directory / "config.toml"
    configuration.write_text(f"""
[device]
name = "gate-01"
state_directory = "{directory / "state"}"
[camera]
name = "north"
source = "file:{clip}"
[mqtt]
host = "127.0.0.1"
port = {broker.port}
{more}
""")
    command = [sys.executable, "-m", "edge_app", "run", "--config", str(configuration)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=RUN_SECONDS)


@pytest.fixture(scope="module")
def messages(tmp_path_factory: pytest.TempPathFactory) -> list[Message]:
    """The whole output of the daemon."""
    folder = tmp_path_factory.mktemp("device")
    with mosquitto.running(tmp_path_factory.mktemp("mosquitto")) as broker:
        subscriber = Subscriber(broker.port)
        done = run_daemon(folder, broker)
        assert done.returncode == 0, done.stderr
        assert f"edge-anpr {__version__} with {folder / 'config.toml'}: camera north" in done.stderr
        assert done.stderr.count("camera north: pictures arrive, 1280 × 720 pixels") == 1
        subscriber.until(2, "/status", seconds=20)
        subscriber.close()
        return subscriber.messages


def test_every_vehicle_becomes_one_event_with_the_right_text(messages: list[Message]) -> None:
    texts = [read["plate"]["text"] for read in reads_in(messages)]

    assert set(texts) == {vehicle.plate for vehicle in read_clips(CLIP.parent)[0].vehicles}
    assert len(set(texts)) == len(texts)


def test_every_message_keeps_to_its_schema_and_no_vehicle_is_published_twice(messages: list[Message]) -> None:
    reads = reads_in(messages)

    assert reads, "not one vehicle was read"
    assert len({read["plate"]["text"] for read in reads}) == len(reads)
    assert [read["sequence"] for read in reads] == list(range(1, len(reads) + 1))
    assert len({read["event_id"] for read in reads}) == len(reads)
    assert [message.payload for message in messages if message.topic.endswith("/status")] == [b"online", b"offline"]
    assert {check(message) for message in messages} == {"read", "last", "telemetry", "image", "status"}
    check_images(messages, reads)


def reads_in(messages: list[Message]) -> list[dict[str, Any]]:
    """The reads, in the order they came."""
    return [json.loads(message.payload) for message in messages if message.topic == "anpr/gate-01/north/read"]


def check(message: Message) -> str:
    """The kind of a message, once it is found to be right."""
    kind = re.fullmatch(r"anpr/gate-01/(?:north/)?(read|last|status|telemetry|image)(?:/[0-9a-f-]{36})?", message.topic)
    assert kind is not None, message.topic
    if kind[1] in SCHEMA_OF:
        Draft202012Validator(schema_of(MESSAGES[SCHEMA_OF[kind[1]]])).validate(json.loads(message.payload))
    return kind[1]


def check_images(messages: list[Message], reads: list[dict[str, Any]]) -> None:
    """Every read has its picture, sent before it."""
    pictures = {message.topic: message.payload for message in messages if "/image/" in message.topic}
    assert list(pictures) == [read["image"]["topic"] for read in reads]
    for read in reads:
        jpeg = pictures[read["image"]["topic"]]
        assert hashlib.sha256(jpeg).hexdigest() == read["image"]["sha256"]
        assert cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR) is not None
