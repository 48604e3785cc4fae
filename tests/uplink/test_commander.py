"""Requests through a real broker to a publisher, and the answers that come back."""

import base64
import hashlib
import json
import logging
import re
import shutil
import stat
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from datetime import datetime
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from jsonschema import Draft202012Validator

from edge_app import config
from edge_app.config import (
    CommandSettings,
    DeviceSettings,
    ListSettings,
    MqttSettings,
    PrivacySettings,
    Settings,
)
from edge_app.events.command_messages import AnswerMessage, PingRequest, ReloadRequest, SetListRequest, SnapshotRequest
from edge_app.events.event_schema import schema_of
from edge_app.events.lists.lists import Lists
from edge_app.newer_python import UTC
from edge_app.records import Frame
from edge_app.uplink.commander import Commander
from edge_app.uplink.connection import Message
from edge_app.uplink.rehearsal import rehearse_commands
from tests.mosquitto import Mosquitto, Subscriber
from tests.test_docs import blocks
from tests.uplink.fault_proxy import FaultProxy
from tests.uplink.test_publisher import Running

CMD, ANSWER = "anpr/gate-01/cmd/", "anpr/gate-01/answer"
ALL = CommandSettings(allow=("ping", "snapshot", "reload", "lists/set"))
PLATE = "MH12AB1234"
NOON = datetime(2026, 1, 31, 12, 0, 0, 123_456, tzinfo=UTC)

Document = dict[str, Any]
Answering = Callable[..., Commander]


@pytest.fixture
def answering(tmp_path: Path, broker: Mosquitto) -> Iterator[Answering]:
    """Starts a device that hears commands, with a list in `list.csv`."""
    (tmp_path / "list.csv").write_text("plate\nDL8CAF5030\n")
    (tmp_path / "config.toml").write_text("")

    def start(
        commands: CommandSettings = ALL,
        privacy: PrivacySettings = PrivacySettings(),  # noqa: B008 - frozen
        kind: str = "allow",
        mqtt: MqttSettings | None = None,
    ) -> Commander:
        settings = Settings(
            device=DeviceSettings(name="gate-01", state_directory=tmp_path),
            lists=(ListSettings("residents", kind, tmp_path / "list.csv"),),
            privacy=privacy,
            commands=commands,
        )
        commander = Commander(settings, tmp_path / "config.toml")
        mqtt = mqtt or broker.settings
        running = Running(tmp_path / "outbox.sqlite", mqtt, commander=commander)
        ending.enter_context(closing(running))
        running.start()
        if commands.allow:
            running.waits_until(lambda: f"{CMD}#" in broker.log_path.read_text())
        else:
            running.put()
            running.waits_until(running.is_drained)
        return commander

    with ExitStack() as ending:
        yield start


def asked(
    subscriber: Subscriber, command: str, request: object = b"", count: int = 1, **properties: Any
) -> list[Message]:
    """The answers to a request, all that came on the topic so far."""
    payload = request if isinstance(request, bytes) else json.dumps(request).encode()
    subscriber.publish(Message(CMD + command, payload, **properties))
    return subscriber.until(count, properties.get("response_topic") or "/answer")


def answer_in(message: Message) -> Document:
    """An answer, which keeps to its schema."""
    document: Document = json.loads(message.payload)
    Draft202012Validator(schema_of(AnswerMessage)).validate(document)
    return document


def frame(height_px: int = 48, width_px: int = 64) -> Frame:
    return Frame(np.full((height_px, width_px, 3), 90, np.uint8), NOON, 0, 1, "north", is_recorded=True)


def test_a_ping_is_answered_on_its_response_topic_with_its_correlation_data(
    answering: Answering, subscriber: Subscriber
) -> None:
    answering()

    (message,) = asked(subscriber, "ping", response_topic="anpr/gate-01/answer/me", correlation_data=b"\x00\xff")

    answer = answer_in(message)
    assert (message.topic, message.correlation_data, message.retain) == ("anpr/gate-01/answer/me", b"\x00\xff", False)
    assert (answer["ok"], answer["command"], answer["device"], answer["error"]) == (True, "ping", "gate-01", None)


def test_without_a_response_topic_the_answer_comes_where_it_always_does_and_has_the_id(
    answering: Answering, subscriber: Subscriber
) -> None:
    answering()

    (message,) = asked(subscriber, "ping", {"id": "a-7"})

    assert (message.topic, answer_in(message)["id"]) == (ANSWER, "a-7")


def test_a_device_that_speaks_mqtt_3_1_1_answers_there_too(
    answering: Answering, broker: Mosquitto, subscriber: Subscriber
) -> None:
    with closing(FaultProxy(broker.port)) as proxy:
        proxy.hangs_up_on_mqtt_5 = True
        answering(mqtt=MqttSettings(host="127.0.0.1", port=proxy.port))

        subscriber.publish(Message(f"{CMD}ping", b'{"id": "7"}', response_topic="elsewhere", correlation_data=b"x"))
        (message,) = subscriber.until(1, "/answer")

    assert answer_in(message)["ok"]
    assert message.correlation_data is None


@pytest.mark.parametrize("program", ["mosquitto_rr", "mosquitto_pub"])
def test_mosquittos_own_tools_are_answered(
    answering: Answering, broker: Mosquitto, subscriber: Subscriber, program: str
) -> None:
    if shutil.which(program) is None:
        pytest.skip(f"{program} is not installed")
    answering()
    where = ["-h", "127.0.0.1", "-p", str(broker.port), "-t", f"{CMD}ping"]

    if program == "mosquitto_rr":
        line = [program, *where, "-V", "mqttv5", "-e", f"{ANSWER}/me", "-n", "-W", "20"]
        output = subprocess.run(line, capture_output=True, check=True).stdout
    else:
        subprocess.run([program, *where, "-V", "mqttv311", "-n"], check=True)
        output = subscriber.until(1, "/answer")[0].payload

    assert answer_in(Message(ANSWER, output))["ok"]


def test_a_snapshot_is_the_newest_frame_and_may_be_made_smaller(answering: Answering, subscriber: Subscriber) -> None:
    commander = answering()

    none_yet = answer_in(asked(subscriber, "snapshot")[-1])
    commander.newest_frames["camera"] = frame()
    whole = answer_in(asked(subscriber, "snapshot", count=2)[-1])["snapshot"]
    small = answer_in(asked(subscriber, "snapshot", {"width": 32}, count=3)[-1])["snapshot"]

    assert "no picture comes from camera camera" in none_yet["error"]
    assert (whole["camera"], whole["captured_at"]) == ("north", "2026-01-31T12:00:00.123Z")
    jpeg = base64.b64decode(whole["data"])
    assert hashlib.sha256(jpeg).hexdigest() == whole["sha256"]
    assert cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR).shape == (48, 64, 3)
    assert (small["width"], small["height"]) == (32, 24)


@pytest.mark.parametrize(
    ("privacy", "kind", "what"),
    [
        (PrivacySettings(hash=True), "allow", "[privacy] hash"),
        (PrivacySettings(no_images=True), "allow", "[privacy] no_images"),
        (PrivacySettings(lists_only=True), "allow", "[privacy] lists_only"),
        (PrivacySettings(), "ignore", "the ignore list residents"),
    ],
)
def test_a_snapshot_shows_nothing_that_privacy_holds_back(
    answering: Answering, subscriber: Subscriber, privacy: PrivacySettings, kind: str, what: str
) -> None:
    answering(privacy=privacy, kind=kind).newest_frames["camera"] = frame()

    answer = answer_in(asked(subscriber, "snapshot")[0])

    assert (answer["ok"], answer["snapshot"]) == (False, None)
    assert what in answer["error"]


def test_a_list_is_replaced_and_the_device_takes_it_up(
    tmp_path: Path, answering: Answering, subscriber: Subscriber
) -> None:
    answering()
    (tmp_path / "list.csv").chmod(0o640)
    lists = Lists([ListSettings("residents", "allow", tmp_path / "list.csv")], lambda _: True)

    rows = f"plate,who\n{PLATE},x\n{PLATE}\n"
    answer = answer_in(asked(subscriber, "lists/set", {"list": "residents", "csv": rows})[0])

    assert (answer["ok"], answer["plates"]) == (True, 1)
    assert (tmp_path / "list.csv").read_text() == f"plate,who\n{PLATE},x\n{PLATE}\n"
    assert stat.S_IMODE((tmp_path / "list.csv").stat().st_mode) == 0o640
    assert [path.name for path in tmp_path.iterdir() if "list" in path.name] == ["list.csv"]
    lists.tend()
    lists.tend()
    matches = lists.match(PLATE)
    assert matches is not None
    assert [match.list for match in matches] == ["residents"]


@pytest.mark.parametrize(
    ("request_", "fault"),
    [
        ({"list": "residents", "csv": f"{PLATE}\n?\n"}, "the list stays as it was: csv:2: no plate comes first"),
        ({"list": "residents", "csv": ""}, "csv: the list is empty"),
        ({"list": "guests", "csv": PLATE}, 'there is no list "guests"; set one of: residents'),
        ({"list": "../evil", "csv": PLATE}, 'wrong request: list: "../evil" will not do; give 1 to 64 letters'),
        ({"list": "residents"}, "wrong request: csv is missing"),
        ({"list": "residents", "csv": 7}, "wrong request: csv is of the wrong type"),
        ({"list": "residents", "csv": PLATE, "kind": "deny"}, 'there is no key "kind"; take some of: list, csv, id'),
    ],
)
def test_a_wrong_list_changes_nothing(
    tmp_path: Path, answering: Answering, subscriber: Subscriber, request_: Document, fault: str
) -> None:
    answering()

    answer = answer_in(asked(subscriber, "lists/set", request_)[0])

    assert (answer["ok"], answer["plates"]) == (False, None)
    assert fault in answer["error"]
    assert (tmp_path / "list.csv").read_text() == "plate\nDL8CAF5030\n"


def test_a_list_that_cannot_be_written_stays_and_the_answer_names_where_to_keep_it(
    tmp_path: Path, answering: Answering, subscriber: Subscriber
) -> None:
    answering()
    (tmp_path / ".list.csv.new").mkdir()

    answer = answer_in(asked(subscriber, "lists/set", {"list": "residents", "csv": PLATE})[0])

    assert "the list stays as it was" in answer["error"]
    assert f"keep the list below {tmp_path}, where the service can write" in answer["error"]
    assert (tmp_path / "list.csv").read_text() == "plate\nDL8CAF5030\n"


@pytest.mark.parametrize(
    ("command", "payload", "fault"),
    [
        ("reboot", b"", 'there is no command "reboot"; send one of: ping, snapshot'),
        ("lists/get", b"", 'there is no command "lists/get"'),
        ("reload", b"", '"reload" is not allowed here; the operator can add it to [commands] allow'),
        ("ping", b"{", "the request is not JSON"),
        ("ping", b"[" * 100_000, "the request is not JSON"),
        ("ping", b'{"id": "\\ud800"}', "the request is not JSON"),
        ("ping", b"7", "the request is not a JSON object"),
        ("ping", b"\xff", "the request is not JSON"),
        ("ping", b'{"id": ""}', 'wrong request: id: "" will not do'),
        ("ping", json.dumps({"id": "x" * 9000}).encode(), f'id: "{"x" * 63}…" will not do'),
        ("ping", b'{"text": "x"}', 'there is no key "text"'),
        ("snapshot", b'{"width": 0}', "wrong request: width: 0 is out of range"),
        ("ping", b" " * 150_000, "150.0 kB are more than the 120 allowed; send less"),
    ],
)
def test_everything_else_is_refused_with_a_clear_error(
    answering: Answering, subscriber: Subscriber, command: str, payload: bytes, fault: str
) -> None:
    answering(CommandSettings(allow=("ping", "snapshot"), max_kilobytes=120))

    answer = answer_in(asked(subscriber, command, payload)[0])

    assert (answer["ok"], answer["command"]) == (False, command)
    assert fault in answer["error"]


def test_an_unknown_commands_name_comes_back_short_and_harmless(answering: Answering, subscriber: Subscriber) -> None:
    answering()

    answer = answer_in(asked(subscriber, "\u202e" + "x" * 5000)[0])

    assert answer["command"] == "\N{REPLACEMENT CHARACTER}" + "x" * 62 + "…"
    assert f'there is no command "{answer["command"]}"; send one of: ping' in answer["error"]


@pytest.mark.parametrize(
    ("response_topic", "is_taken"),
    [
        ("anpr/gate-01/answer", True),
        ("anpr/gate-01/answer/me", True),
        ("elsewhere/answer", True),
        ("anpr/gate-01/north/read", False),
        ("anpr/gate-02/cmd/reload", False),
        ("anpr/gate-01/answers", False),
        ("elsewhere/#", False),
        ("elsewhere/+/answer", False),
        ("$SYS/answer", False),
    ],
)
def test_an_answer_cannot_be_made_a_message_of_another_kind(
    answering: Answering, broker: Mosquitto, response_topic: str, is_taken: bool
) -> None:
    answering()

    with closing(Subscriber(broker.port, [response_topic, ANSWER], "asker")) as asker:
        asker.publish(Message(f"{CMD}ping", b'{"id": "7"}', response_topic=response_topic))
        (message,) = asker.until(1, "")

    assert (message.topic, answer_in(message)["ok"]) == ((response_topic, True) if is_taken else (ANSWER, False))


def test_a_retained_command_is_ignored_whether_it_was_there_before_or_comes_now(
    answering: Answering, broker: Mosquitto, subscriber: Subscriber, caplog: pytest.LogCaptureFixture
) -> None:
    subscriber.publish(Message(f"{CMD}ping", b'{"id": "before"}', retain=True))
    subscriber.until(1, "/ping")
    answering()

    subscriber.publish(Message(f"{CMD}ping", b'{"id": "now"}', retain=True))
    answers = asked(subscriber, "ping", {"id": "asked"})

    assert [answer_in(each)["id"] for each in answers] == ["asked"]
    assert caplog.text.count("a retained command is ignored") == 2


def test_what_doctor_tries_is_passed_over(answering: Answering, broker: Mosquitto, subscriber: Subscriber) -> None:
    answering()

    assert rehearse_commands(broker.settings, "gate-01")
    answers = asked(subscriber, "ping", {"id": "asked"})

    assert [answer_in(each)["id"] for each in answers] == ["asked"]


def test_nothing_is_heard_where_nothing_is_allowed(
    answering: Answering, broker: Mosquitto, subscriber: Subscriber
) -> None:
    answering(CommandSettings())

    assert "Received SUBSCRIBE from edge-anpr-gate-01" not in broker.log_path.read_text()


def test_a_broker_that_forbids_commands_does_not_keep_reads_back(
    tmp_path: Path, start: Callable[..., Mosquitto], caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "acl").write_text("topic write anpr/#\ntopic read anpr/+/+/read\n")
    strict = start("allow_anonymous true", f"acl_file {tmp_path / 'acl'}")
    settings = Settings(device=DeviceSettings(name="gate-01"), commands=ALL)
    running = Running(
        tmp_path / "outbox.sqlite", strict.settings, commander=Commander(settings, tmp_path / "config.toml")
    )

    with closing(running):
        running.start()
        running.put()
        running.waits_until(running.is_drained)


def test_no_plate_is_logged_above_debug(
    answering: Answering, subscriber: Subscriber, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    answering()

    asked(subscriber, PLATE)
    asked(subscriber, "lists/set", {"list": PLATE, "csv": PLATE}, count=2)
    asked(subscriber, "lists/set", {"list": "residents", "csv": f"{PLATE}\n{PLATE}?\n"}, count=3)
    asked(subscriber, "lists/set", {"list": "residents", "csv": PLATE}, count=4)

    levels = {record.levelno for record in caplog.records if PLATE in record.getMessage()}
    assert levels == {logging.DEBUG}
    assert "command of unknown name is refused" in caplog.messages
    assert "command lists/set: list residents has 1 plate" in caplog.messages


@pytest.mark.parametrize("kind", [PingRequest, SnapshotRequest, ReloadRequest, SetListRequest])
def test_the_schemas_of_requests_want_what_the_device_wants(kind: Any) -> None:
    schema = schema_of(kind)

    assert schema["required"] == (["list", "csv"] if kind is SetListRequest else [])


PAGE = Path(__file__).parents[2] / "docs" / "commands.md"


@pytest.mark.parametrize("example", [each for each in blocks(PAGE, "sh") if "_sub" not in each])
def test_the_examples_of_the_page_do_what_it_describes(
    tmp_path: Path, answering: Answering, broker: Mosquitto, subscriber: Subscriber, example: str
) -> None:
    needed = ("mosquitto_rr", "mosquitto_pub", "jq")
    if missing := [program for program in needed if shutil.which(program) is None]:
        pytest.skip(f"{missing[0]} is not installed")
    commander = answering()
    commander.newest_frames["camera"] = frame(1080, 1920)
    (tmp_path / "residents.csv").write_text(f"plate\n{PLATE}\n")
    line = re.sub(r"(mosquitto_\w+)", rf"\1 -h 127.0.0.1 -p {broker.port}", example).replace("-W 60", "-W 2")

    done = subprocess.run(["bash", "-c", line], cwd=tmp_path, capture_output=True, text=True, check=False)

    if "cmd/reload" in example:
        assert commander.reload is not None
    elif "cmd/snapshot" in example:
        assert cv2.imread(str(tmp_path / "snapshot.jpg")).shape == (720, 1280, 3)
    else:
        answer = done.stdout or subscriber.until(1, "/answer")[0].payload
        assert json.loads(answer)["ok"], answer
        assert (PLATE in (tmp_path / "list.csv").read_text()) == ("lists/set" in example)


def test_the_settings_and_the_answer_of_the_page_are_right(tmp_path: Path) -> None:
    (answer,) = blocks(PAGE, "json")
    (tmp_path / "config.toml").write_text("".join(blocks(PAGE, "toml")))

    settings = config.load(tmp_path / "config.toml")

    assert answer_in(Message(ANSWER, answer.encode()))["ok"]
    assert settings.commands == ALL
