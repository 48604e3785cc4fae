"""The status over the Unix socket, asked for as `edge-anpr release` does."""

import stat
from pathlib import Path

from edge_app.service.release.health import ask
from edge_app.service.status_socket import Status, StatusSocket, open_status_socket


def test_the_status_is_given_to_whoever_may_open_the_socket(tmp_path: Path) -> None:
    socket = StatusSocket(tmp_path / "http.sock", lambda: Status(alive=True, ready=False, fields={"release": "one"}))

    answers = {path: ask(path, tmp_path / "http.sock") for path in ("/healthz", "/readyz", "/v1/status", "/else")}
    mode = stat.S_IMODE((tmp_path / "http.sock").stat().st_mode)
    socket.close()

    assert answers["/healthz"] == {"ok": True}
    assert answers["/readyz"] == {"ok": False}
    assert answers["/v1/status"] == {"alive": True, "ready": False, "release": "one"}
    assert "there are /healthz" in str(answers["/else"])
    assert mode == 0o660


def test_a_service_that_has_ended_gives_no_status(tmp_path: Path) -> None:
    socket = StatusSocket(tmp_path / "http.sock", lambda: Status(alive=True, ready=True, fields={}))
    socket.close()

    assert ask("/v1/status", tmp_path / "http.sock") is None
    assert not (tmp_path / "http.sock").exists()


def test_without_a_folder_of_systemds_there_is_no_socket(tmp_path: Path) -> None:
    assert open_status_socket(lambda: Status(alive=True, ready=True, fields={}), {}) is None


def test_a_socket_that_cannot_be_opened_is_named_in_the_log_and_does_no_harm(tmp_path: Path, caplog: object) -> None:
    environment = {"RUNTIME_DIRECTORY": str(tmp_path / "none")}

    assert open_status_socket(lambda: Status(alive=True, ready=True, fields={}), environment) is None
