"""`edge-anpr doctor` where something is wrong."""

import contextlib
import json
import socket
import threading
from pathlib import Path

import cv2
import pytest

from edge_app.__main__ import main
from edge_app.capture import source
from edge_app.capture.opencv_stream import OpenCvStream
from edge_app.commands.doctor import (
    check_broker,
    check_camera,
    check_commands,
    check_lists,
    check_privacy,
    examine,
)
from edge_app.commands.finding import FAULT, OK, WARNING, Finding
from edge_app.config import (
    CameraSettings,
    CommandSettings,
    DeviceSettings,
    HookSettings,
    ListSettings,
    MqttSettings,
    PrivacySettings,
    Settings,
)
from edge_app.configuration.systemd_credentials import AS_SERVICE
from edge_app.errors import ConfigurationError, SourceError
from edge_app.uplink.connection import BrokerRefusedError
from tests.capture.pictures import write_clip
from tests.mosquitto import Mosquitto, Start, refuse_a_subscription
from tests.uplink.fault_proxy import FaultProxy


def test_a_network_camera_that_is_away_is_a_fault_and_its_password_not_shown(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with contextlib.closing(socket.create_server(("127.0.0.1", 0))) as taken:
        port = taken.getsockname()[1]
    camera = CameraSettings(source=f"rtsp://admin:top@secret@127.0.0.1:{port}/stream")

    findings = {each.subject: each for each in examine(Settings(camera=camera))}

    words = (
        f"rtsp://127.0.0.1:{port}/…: nothing listens at port {port};"
        " check the port, and that the camera's service for it is on"
    )
    assert findings["camera"] == Finding("camera", FAULT, words)
    assert "secret" not in str(findings)
    assert "secret" not in caplog.text


def test_a_folder_that_may_not_be_read_does_not_end_the_checks(tmp_path: Path) -> None:
    settings = Settings(
        device=DeviceSettings(state_directory=tmp_path / ("x" * 300)),  # an error for root, too
        camera=CameraSettings(source=f"images:{tmp_path}"),
        mqtt=MqttSettings(host="127.0.0.1", port=1),
    )

    findings = {finding.subject: finding for finding in examine(settings)}

    assert findings["disk"].state == WARNING
    assert "run this with sudo" in findings["disk"].words
    assert "broker" in findings


def test_lists_are_shown_with_their_number_of_plates(tmp_path: Path) -> None:
    (tmp_path / "stolen.csv").write_text("MH12AB1234\nDL8CAF5030\n")
    stolen = ListSettings("stolen", "deny", tmp_path / "stolen.csv")

    assert check_lists(Settings(lists=(stolen,))) == Finding("lists", OK, "stolen (deny) has 2 plates")
    assert check_lists(Settings()) == Finding("lists", OK, "none are set")
    with pytest.raises(ConfigurationError, match="absent cannot be run"):
        check_lists(Settings(lists=(stolen,), hook=HookSettings(tmp_path / "absent", kinds=("deny",))))


def test_the_key_of_the_hash_is_checked_if_it_can_be_seen(tmp_path: Path) -> None:
    credential = check_privacy(Settings(privacy=PrivacySettings(hash=True)))

    assert check_privacy(Settings(privacy=PrivacySettings(no_images=True))) == Finding("privacy", OK, "no_images")
    assert check_privacy(Settings()) == Finding("privacy", OK, "off")
    assert (credential.state, "plate-hash-key" in credential.words) == (WARNING, True)
    with pytest.raises(ConfigurationError, match="cannot be read"):
        check_privacy(Settings(privacy=PrivacySettings(hash=True, key_file=tmp_path / "absent")))


def test_a_secret_that_only_the_service_can_read_is_not_called_missing() -> None:
    """Given by LoadCredential, it is seen by the service and by what runs as it does."""
    finding = check_broker(Settings(mqtt=MqttSettings(host="127.0.0.1", port=1, username="gate")))

    words = "the password may be the credential `mqtt-password`, which the service alone can read; run this with sudo"
    assert finding == Finding("broker", WARNING, words)


def test_what_runs_as_the_service_does_finds_a_missing_credential(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(AS_SERVICE, "1")

    with pytest.raises(ConfigurationError, match="plate-hash-key"):
        check_privacy(Settings(privacy=PrivacySettings(hash=True)))


def test_a_camera_has_its_ten_seconds_from_the_moment_it_is_open(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("edge_app.commands.doctor._CAMERA_SECONDS", 0.3)
    clip = write_clip(tmp_path / "clip.avi", frames=3)

    def open_slowly(path: str) -> cv2.VideoCapture:
        threading.Event().wait(1.0)
        return cv2.VideoCapture(path)

    slow = OpenCvStream("gate", "slow", lambda: open_slowly(str(clip)), lambda _: SourceError("it has ended"))
    monkeypatch.setitem(source._OPENERS, "gst", lambda *_: slow)

    assert check_camera(CameraSettings(source="gst:slow"), Settings()).state == OK


def test_every_finding_is_a_json_object_and_a_fault_is_exit_code_1(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "config.toml").write_text("nonsense = 1\n")

    code = main(["doctor", "--json", "--config", str(tmp_path / "config.toml")])

    printed = json.loads(capsys.readouterr().out)
    assert (code, printed["ok"]) == (1, False)
    found = {each["subject"]: each for each in printed["findings"]}
    assert found["configuration"]["state"] == FAULT
    assert "config.toml:1:" in found["configuration"]["words"]
    assert {"heat", "power", "memory card", "clock", "room"} <= found.keys()


def hearing(mqtt: MqttSettings) -> Settings:
    """A device that hears commands."""
    return Settings(device=DeviceSettings(name="gate-01"), mqtt=mqtt, commands=CommandSettings(allow=("ping",)))


def test_commands_that_arrive_are_ok_and_nothing_is_tried_if_none_is_allowed(broker: Mosquitto) -> None:
    assert check_commands(hearing(broker.settings)) == Finding(
        "commands", OK, "what is sent to anpr/gate-01/cmd/# arrives"
    )
    assert check_commands(Settings()) == Finding("commands", OK, "off")


@pytest.mark.parametrize(
    ("rules", "state", "words"),
    [
        ("topic write anpr/gate-01/#", FAULT, "grants anpr/gate-01/cmd/# and forwards nothing; let its access list"),
        (
            "topic read anpr/gate-01/#",
            WARNING,
            "whether it may read anpr/gate-01/cmd/# is not known (this device may not write",
        ),
    ],
)
def test_an_access_list_that_grants_commands_and_drops_them_is_seen_through(
    tmp_path: Path, start: Start, monkeypatch: pytest.MonkeyPatch, rules: str, state: str, words: str
) -> None:
    monkeypatch.setattr("edge_app.uplink.rehearsal._ARRIVAL_SECONDS", 0.3)
    (tmp_path / "acl").write_text(f"{rules}\n")
    guarded = start("allow_anonymous true", f"acl_file {tmp_path / 'acl'}")

    finding = check_commands(hearing(guarded.settings))

    assert (finding.state, words in finding.words) == (state, True), finding.words


def test_what_mqtt_3_1_1_cannot_report_is_not_claimed(
    tmp_path: Path, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("edge_app.uplink.rehearsal._ARRIVAL_SECONDS", 0.3)
    (tmp_path / "acl").write_text("topic write anpr/gate-01/#\n")
    guarded = start("allow_anonymous true", f"acl_file {tmp_path / 'acl'}")
    with contextlib.closing(FaultProxy(guarded.port)) as old:
        old.hangs_up_on_mqtt_5 = True

        finding = check_commands(hearing(MqttSettings(host="127.0.0.1", port=old.port)))

    assert finding.state == WARNING


def test_a_broker_that_hangs_up_on_who_may_not_write_is_not_called_a_fault(broker: Mosquitto) -> None:
    with contextlib.closing(FaultProxy(broker.port)) as strict:
        strict.cuts_at = b"anpr/gate-01/cmd/doctor"

        finding = check_commands(hearing(MqttSettings(host="127.0.0.1", port=strict.port)))

    assert (finding.state, "this device may not write there" in finding.words) == (WARNING, True)
    assert strict.cuts == 1


def test_a_command_that_takes_its_time_arrives() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=hand_on_late, args=(server, 3.0)).start()

        finding = check_commands(hearing(MqttSettings(host="127.0.0.1", port=server.getsockname()[1])))

    assert finding.state == OK, finding.words


def hand_on_late(server: socket.socket, seconds: float) -> None:
    """A broker that acknowledges everything at once, in the bytes of MQTT 5, and hands a command on later."""
    topic = b"anpr/gate-01/cmd/doctor"
    line, _ = server.accept()
    with line:
        for answer in (b"\x20\x03\x00\x00\x00", b"\x90\x04\x00\x01\x00\x01", b"\x40\x02\x00\x02"):
            line.recv(4096)
            line.sendall(answer)
        threading.Event().wait(seconds)
        line.sendall(bytes((0x30, 3 + len(topic), 0, len(topic))) + topic + b"\x00")
        line.recv(4096)


def test_a_broker_that_refuses_the_commands_topic_is_reported_with_it() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        mqtt = MqttSettings(host="127.0.0.1", port=server.getsockname()[1])
        threading.Thread(target=refuse_a_subscription, args=(server, b"\x87")).start()

        with pytest.raises(BrokerRefusedError, match=r"refuses to let us read anpr/gate-01/cmd/#: Not authorized"):
            check_commands(hearing(mqtt))
