"""What every request has to pass: its host, its origin, the token; and the headers of every answer."""

import asyncio
import ipaddress
import re
from collections.abc import Collection
from http import HTTPStatus

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from edge_app.web.problems import HttpError, busy
from edge_app.web.token import Doorkeeper

OPEN_PATHS = frozenset({"/healthz", "/readyz"})
"""Without a token: they report nothing but yes or no. So does the page itself, which asks for the token."""
MOST_REQUESTS = 32
"""Answered at a time, streams among them; more get 503."""
SEND_SECONDS = 20.0
"""A client that takes no more of its answer for this long has gone."""

_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:;"
    " connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
    "Cache-Control": "no-store",
}


class Guard:
    """Lets a request through to `app`, or answers it itself.

    With `doorkeeper`, whatever begins with `/v1/` or `/metrics` needs the token. `is_local`: the Unix socket, whose
    rights are the file's.
    """

    def __init__(
        self, app: ASGIApp, host_names: Collection[str], doorkeeper: Doorkeeper | None, is_local: bool = False
    ) -> None:
        self._app = app
        self._host_names = frozenset(name.lower().removesuffix(".") for name in host_names)
        self._doorkeeper = doorkeeper
        self._is_local = is_local
        self._running = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See ASGI."""
        if scope["type"] != "http":
            if scope["type"] != "lifespan":
                raise ValueError(scope["type"])
            return
        sender = _Sender(send)
        try:
            if self._running >= MOST_REQUESTS:
                raise busy(f"{MOST_REQUESTS} requests are being answered", 1)
            if not self._is_local:
                self._check(scope)
        except HttpError as error:
            await error.answer()(scope, receive, sender)
            return
        self._running += 1
        try:
            await self._app(scope, receive, sender)
        except (TimeoutError, asyncio.TimeoutError, ConnectionError):
            return  # the client has gone, or takes nothing
        finally:
            self._running -= 1

    def _check(self, scope: Scope) -> None:
        headers = Headers(scope=scope)
        self._check_host(headers)
        if scope["method"] not in _SAFE:
            _check_origin(headers)
        path = scope["path"]
        if self._doorkeeper is None or path in OPEN_PATHS or not path.startswith(("/v1/", "/metrics", "/openapi")):
            return
        address = scope["client"][0] if scope.get("client") else ""
        if wait := self._doorkeeper.wait_seconds(address):
            words = "too many wrong tokens came; try again later"
            raise HttpError(HTTPStatus.TOO_MANY_REQUESTS, words, {"Retry-After": str(wait)})
        if not self._doorkeeper.admits(headers.get("authorization"), address):
            words = "send the token of [web] token_file in the header Authorization, as `Bearer TOKEN`"
            raise HttpError(HTTPStatus.UNAUTHORIZED, words, {"WWW-Authenticate": 'Bearer realm="edge-anpr"'})

    def _check_host(self, headers: Headers) -> None:
        """An attacker can let a name of his lead here (DNS rebinding), but not an address or a name of ours."""
        given = headers.get("host", "")
        host = given[1:].partition("]")[0] if given.startswith("[") else re.sub(r":\d+$", "", given)
        try:
            ipaddress.ip_address(host)
        except ValueError:
            if host.lower().removesuffix(".") not in self._host_names:
                words = "this device is not known by that name; open it by its address, or add the name to [web]"
                raise HttpError(HTTPStatus.MISDIRECTED_REQUEST, f"{words} host_names") from None


def _check_origin(headers: Headers) -> None:
    """A request that changes something must not come from another site's page."""
    origin = headers.get("origin")
    site = headers.get("sec-fetch-site")
    is_ours = origin is None or origin.partition("://")[2] == headers.get("host")
    if not is_ours or site not in (None, "same-origin", "none"):
        raise HttpError(HTTPStatus.FORBIDDEN, "this request comes from another site's page; use this device's own")


class _Sender:
    """Sends with the headers of every answer, and waits for nobody for ever."""

    def __init__(self, send: Send) -> None:
        self._send = send

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(raw=message["headers"])
            for name, value in _HEADERS.items():
                headers.setdefault(name, value)
        await asyncio.wait_for(self._send(message), SEND_SECONDS)
