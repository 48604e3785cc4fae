"""Serves the application on its sockets, from a thread of its own."""

import asyncio
import logging
import socket
import ssl
import threading
from pathlib import Path
from typing import Any

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol

from edge_app.config import WebSettings
from edge_app.configuration import listen_address
from edge_app.errors import ConfigurationError

log = logging.getLogger(__name__)

HEAD_SECONDS = 10.0
"""Longest time for a request's first line and headers, from the beginning of a connection."""
IDLE_SECONDS = 15.0
"""A connection without a request is closed after this time."""
MOST_CONNECTIONS = 64
AGAIN_SECONDS = 5.0
"""Time after which an address that could not be had is tried again."""
END_SECONDS = 1.0
_BACKLOG = 32
_MODE = 0o660


class PatientProtocol(H11Protocol):
    """Closes a connection whose first request does not come: uvicorn itself waits for ever."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """See `asyncio.Protocol`."""
        super().connection_made(transport)
        self._head_timer = self.loop.call_later(HEAD_SECONDS, self._close_if_headless)

    def connection_lost(self, exc: Exception | None) -> None:
        """See `asyncio.Protocol`."""
        self._head_timer.cancel()
        super().connection_lost(exc)

    def on_response_complete(self) -> None:
        """See `H11Protocol`."""
        super().on_response_complete()
        self._head_timer.cancel()
        if not self.transport.is_closing() and (self.cycle is None or self.cycle.response_complete):
            self._head_timer = self.loop.call_later(HEAD_SECONDS + IDLE_SECONDS, self._close_if_headless)

    def _close_if_headless(self) -> None:
        if self.cycle is None or self.cycle.response_complete:
            self.transport.close()


class WebServer:
    """Answers until it is closed: `local` on the Unix socket, if there is one, `remote` on the network."""

    def __init__(self, remote: ASGIApp, local: ASGIApp, settings: WebSettings, unix_path: Path | None) -> None:
        assert settings.listen is not None
        self._remote, self._local = remote, local
        self._address = listen_address.split(settings.listen)
        self._tls = _tls_context(settings)
        self._unix_path = unix_path
        self._servers: list[uvicorn.Server] = []
        self._is_closing = threading.Event()
        self.port: int | None = None
        """Once it listens: the port, chosen by the system if 0 was given."""
        self.fault: str | None = None
        """Why nobody is listened to on the network; None if that goes well."""
        self._settled = threading.Event()
        self._thread = threading.Thread(target=self._run, name="web", daemon=True)
        self._thread.start()
        self._settled.wait(END_SECONDS * 5)

    def close(self) -> None:
        """Answer no more."""
        self._is_closing.set()
        for server in tuple(self._servers):
            server.should_exit = server.force_exit = True
        self._thread.join(2 * END_SECONDS)
        if self._unix_path is not None:
            self._unix_path.unlink(missing_ok=True)

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        except Exception:
            log.exception("web: the page has ended; the rest goes on")
        finally:
            self._settled.set()

    async def _serve(self) -> None:
        tasks = [asyncio.ensure_future(self._serve_network())]
        if (local := self._open_unix()) is not None:
            tasks.append(asyncio.ensure_future(self._serve_socket(self._local, local, None)))
        await asyncio.gather(*tasks)

    async def _serve_network(self) -> None:
        while not self._is_closing.is_set():
            try:
                opened = _open(self._address)
            except OSError as error:
                if self.fault is None:
                    host, port = self._address
                    words = "is another program there, or is the address another machine's?"
                    self.fault = f"{host}:{port} cannot be listened on ({error.strerror}); {words}"
                    log.error("web: %s", self.fault)
                self._settled.set()
                await asyncio.sleep(AGAIN_SECONDS)
                continue
            self.fault, self.port = None, opened.getsockname()[1]
            scheme = "https" if self._tls else "http"
            log.info("web: the page is at %s://%s:%d", scheme, self._address[0], self.port)
            self._settled.set()
            await self._serve_socket(self._remote, opened, self._tls)

    async def _serve_socket(self, app: ASGIApp, opened: socket.socket, tls: ssl.SSLContext | None) -> None:
        config = _Config(
            app,
            http=PatientProtocol,
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            limit_concurrency=MOST_CONNECTIONS,
            backlog=_BACKLOG,
            timeout_keep_alive=int(IDLE_SECONDS),
            timeout_graceful_shutdown=1,
            h11_max_incomplete_event_size=16_384,
        )
        config.load()
        config.ssl = tls
        server = uvicorn.Server(config)
        self._servers.append(server)
        if self._is_closing.is_set():
            return
        await server.serve(sockets=[opened])

    def _open_unix(self) -> socket.socket | None:
        if self._unix_path is None:
            return None
        self._unix_path.unlink(missing_ok=True)
        opened = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            opened.bind(str(self._unix_path))
            self._unix_path.chmod(_MODE)
            opened.listen(_BACKLOG)
        except OSError as error:
            opened.close()
            log.error("status: %s cannot be opened (%s): nobody can ask how this service is", self._unix_path, error)
            return None
        opened.setblocking(False)
        return opened


class _Config(uvicorn.Config):
    """Without the files of certificates: the context is ours."""

    ssl: ssl.SSLContext | None

    @property
    def is_ssl(self) -> bool:
        """Whether connections are encrypted."""
        return getattr(self, "ssl", None) is not None


def _open(address: tuple[str, int]) -> socket.socket:
    family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
    opened = socket.socket(family, socket.SOCK_STREAM)
    try:
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        opened.bind(address)
        opened.listen(_BACKLOG)
    except OSError:
        opened.close()
        raise
    opened.setblocking(False)
    return opened


def _tls_context(settings: WebSettings) -> ssl.SSLContext | None:
    """What encrypts connections.

    Raises:
        ConfigurationError: certificate or key cannot be used.
    """
    if settings.certificate_file is None or settings.key_file is None:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    files: dict[str, Any] = {"certfile": settings.certificate_file, "keyfile": settings.key_file}
    try:
        context.load_cert_chain(**files, password=lambda: "")  # or the key's password would be asked for
    except (OSError, ssl.SSLError) as error:
        raise ConfigurationError(
            f"[web] certificate_file, key_file: they cannot be used ({error.strerror or error}); give PEM files that"
            " belong together, the key without a password"
        ) from error
    return context
