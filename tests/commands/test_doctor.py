"""`edge-anpr doctor` where something is wrong."""

import contextlib
import socket
from pathlib import Path

import pytest

from edge_app.commands.doctor import FAULT, WARNING, Finding, check_camera, examine
from edge_app.config import CameraSettings, DeviceSettings, MqttSettings, Settings


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
