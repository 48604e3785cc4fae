"""The service's state over HTTP on a Unix socket: `GET /healthz`, `/readyz`, `/v1/status`, for root and our group."""

import json
import logging
import os
import socketserver
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

log = logging.getLogger(__name__)

FILE = "http.sock"
_MODE = 0o660


@dataclass(frozen=True, slots=True)
class Status:
    """How the service is."""

    alive: bool
    """The main loop goes on."""
    ready: bool
    """Every part does its work: pictures arrive, and what is read in them reaches the broker."""
    fields: Mapping[str, Any]
    """What `/v1/status` reports besides."""


class StatusSocket:
    """Answers from a thread of its own until it is closed."""

    def __init__(self, path: Path, status: Callable[[], Status]) -> None:
        path.unlink(missing_ok=True)

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                code, body = _answer(self.path, status)
                content = json.dumps(body).encode() + b"\n"
                self.send_response(code)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_: object) -> None:
                """Requests are no news."""

        self._path = path
        self._server = _Server(str(path), Handler)
        path.chmod(_MODE)
        threading.Thread(target=self._server.serve_forever, name="status", daemon=True).start()

    def close(self) -> None:
        """Answer no more."""
        self._server.shutdown()
        self._server.server_close()
        self._path.unlink(missing_ok=True)


class _Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True

    def handle_error(self, *_: object) -> None:
        log.debug("status: a request failed", exc_info=True)


def open_status_socket(
    status: Callable[[], Status], environment: Mapping[str, str] = os.environ
) -> StatusSocket | None:
    """The socket in the folder that systemd gave the service; None if there is none."""
    folder = environment.get("RUNTIME_DIRECTORY")
    if not folder:
        return None
    try:
        return StatusSocket(Path(folder, FILE), status)
    except OSError as error:
        log.error("status: %s cannot be opened (%s): nobody can ask how this service is", Path(folder, FILE), error)
        return None


def _answer(path: str, status: Callable[[], Status]) -> tuple[HTTPStatus, Mapping[str, Any]]:
    if path not in ("/healthz", "/readyz", "/v1/status"):
        return HTTPStatus.NOT_FOUND, {"error": f"{path}: there are /healthz, /readyz and /v1/status"}
    found = status()
    if path == "/v1/status":
        return HTTPStatus.OK, {"alive": found.alive, "ready": found.ready, **found.fields}
    good = found.alive if path == "/healthz" else found.alive and found.ready
    return HTTPStatus.OK if good else HTTPStatus.SERVICE_UNAVAILABLE, {"ok": good}
