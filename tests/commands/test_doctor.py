"""`edge-anpr doctor` where something is wrong."""

import contextlib
import socket
from pathlib import Path

import pytest

from edge_app.commands.doctor import FAULT, OK, WARNING, Finding, check_camera, check_lists, check_privacy, examine
from edge_app.config import (
    CameraSettings,
    DeviceSettings,
    HookSettings,
    ListSettings,
    MqttSettings,
    PrivacySettings,
    Settings,
)
from edge_app.errors import ConfigurationError


def test_a_network_camera_that_is_away_is_given_up_and_its_password_not_shown(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("edge_app.commands.doctor._CAMERA_SECONDS", 0.2)
    with contextlib.closing(socket.create_server(("127.0.0.1", 0))) as taken:
        port = taken.getsockname()[1]
    camera = CameraSettings(source=f"rtsp://admin:top@secret@127.0.0.1:{port}/stream")

    finding = check_camera(Settings(camera=camera))

    words = f"rtsp://127.0.0.1:{port}/stream gives no picture; check cable, power and address"
    assert finding == Finding("camera", FAULT, words)
    assert "secret" not in caplog.text


def test_a_folder_that_may_not_be_looked_at_does_not_end_the_checks(tmp_path: Path) -> None:
    settings = Settings(
        device=DeviceSettings(state_directory=tmp_path / ("x" * 300)),  # an error for root, too
        camera=CameraSettings(source=f"images:{tmp_path}"),
        mqtt=MqttSettings(host="127.0.0.1", port=1),
    )

    findings = {finding.subject: finding for finding in examine(settings)}

    assert findings["disk"].state == WARNING
    assert "run this with sudo" in findings["disk"].words
    assert "service" in findings


def test_lists_are_told_with_how_many_plates_they_have(tmp_path: Path) -> None:
    (tmp_path / "stolen.csv").write_text("MH12AB1234\nDL8CAF5030\n")
    stolen = ListSettings("stolen", "deny", tmp_path / "stolen.csv")

    assert check_lists(Settings(lists=(stolen,))) == Finding("lists", OK, "stolen (deny) has 2 plates")
    assert check_lists(Settings()) == Finding("lists", OK, "none are set")
    with pytest.raises(ConfigurationError, match="absent is no program"):
        check_lists(Settings(lists=(stolen,), hook=HookSettings(tmp_path / "absent", kinds=("deny",))))


def test_the_key_of_the_hash_is_looked_for_where_it_can_be_seen(tmp_path: Path) -> None:
    credential = check_privacy(Settings(privacy=PrivacySettings(hash=True)))

    assert check_privacy(Settings(privacy=PrivacySettings(no_images=True))) == Finding("privacy", OK, "no_images")
    assert check_privacy(Settings()) == Finding("privacy", OK, "off")
    assert (credential.state, "plate-hash-key" in credential.words) == (WARNING, True)
    with pytest.raises(ConfigurationError, match="cannot be read"):
        check_privacy(Settings(privacy=PrivacySettings(hash=True, key_file=tmp_path / "absent")))
