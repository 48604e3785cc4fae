"""The server: its sockets, TLS, and that nothing of it is loaded while it is off."""

import json
import socket
import ssl
import stat
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from edge_app.config import WebSettings
from edge_app.demo import CLIP
from edge_app.errors import ConfigurationError
from edge_app.service.release.health import ask
from tests.certificates import Authority
from tests.mosquitto import free_port
from tests.web.conftest import OpenSite
from tests.web.site import TOKEN


def test_the_unix_socket_takes_the_place_of_the_status_socket_and_needs_no_token(
    open_site: OpenSite, tmp_path: Path
) -> None:
    (tmp_path / "token").write_text(TOKEN)
    web = WebSettings(listen="127.0.0.1:0", token_file=tmp_path / "token")
    site = open_site(web=web, environment={"RUNTIME_DIRECTORY": str(tmp_path)})
    path = tmp_path / "http.sock"

    status, mode = ask("/v1/status", path), stat.S_IMODE(path.stat().st_mode)
    site.window.close()

    assert status is not None
    assert status["alive"] is True
    assert mode == 0o660
    assert not path.exists()


def test_connections_are_encrypted_where_a_certificate_is_set(open_site: OpenSite, tmp_path: Path) -> None:
    authority = Authority(tmp_path / "ca")
    made = authority.issue("gate")
    site = open_site(
        web=WebSettings(listen="127.0.0.1:0", certificate_file=made.certificate, key_file=made.key),
        environment={"RUNTIME_DIRECTORY": str(tmp_path)},
    )
    context = ssl.create_default_context(cafile=authority.own.certificate)

    with urllib.request.urlopen(f"https://127.0.0.1:{site.port}/healthz", context=context, timeout=30) as answer:
        assert json.load(answer) == {"ok": True}
    assert ask("/healthz", tmp_path / "http.sock") == {"ok": True}


def test_a_certificate_that_will_not_do_is_named(open_site: OpenSite, tmp_path: Path) -> None:
    first, second = (Authority(tmp_path / name).issue("gate") for name in ("one", "two"))

    with pytest.raises(ConfigurationError, match="certificate_file, key_file: they cannot be used"):
        open_site(web=WebSettings(listen="127.0.0.1:0", certificate_file=first.certificate, key_file=second.key))


def test_an_address_that_is_taken_ends_nothing(
    open_site: OpenSite, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    port = free_port()
    with socket.create_server(("127.0.0.1", port)):
        web = WebSettings(listen=f"127.0.0.1:{port}")
        with pytest.raises(AssertionError):  # the rig waits for a port
            open_site(web=web, environment={"RUNTIME_DIRECTORY": str(tmp_path)})

        assert ask("/healthz", tmp_path / "http.sock") == {"ok": True}
        assert "cannot be listened on" in caplog.text


OFF = """
import sys
from edge_app.app import build_daemon
from edge_app.config import DeviceSettings, CameraSettings, Settings
from pathlib import Path
settings = Settings(
    device=DeviceSettings(state_directory=Path(sys.argv[1])), camera=CameraSettings(source="file:" + sys.argv[2])
)
build_daemon(settings)
names = ("asyncio", "uvicorn", "starlette", "prometheus_client", "edge_app.web", "edge_app.lookup")
print([name for name in names if name in sys.modules])
"""


def test_while_it_is_off_nothing_of_it_is_loaded(tmp_path: Path) -> None:
    command = [sys.executable, "-c", OFF, str(tmp_path), str(CLIP)]

    loaded = subprocess.run(command, capture_output=True, text=True, check=True).stdout

    assert loaded.strip() == "[]"
