"""The token that lets programs and people in, and what is done about guessing."""

import hashlib
import hmac
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from edge_app.config import WebSettings
from edge_app.configuration import listen_address, secret_files, systemd_credentials
from edge_app.errors import ConfigurationError

if TYPE_CHECKING:
    from pathlib import Path

LEAST_CHARACTERS = 16
MOST_FAILURES = 5
"""Wrong tokens from one address within `FORGIVE_SECONDS`, after which it is not heard."""
MOST_FAILURES_OF_ALL = 50
"""The same from all addresses together, after which only addresses that have shown the token are heard."""
FORGIVE_SECONDS = 60.0
_CREDENTIAL = "web-token"


def load(settings: WebSettings) -> str | None:
    """The token; None if there is none and only this machine may ask.

    Raises:
        ConfigurationError: its file cannot be read, it is too short, or others could ask without one.
    """
    path: Path | None = settings.token_file or systemd_credentials.file_of(_CREDENTIAL)
    if path is None:
        if settings.listen is not None and not listen_address.is_loopback(settings.listen):
            raise ConfigurationError(
                f'[web] listen: others could reach "{settings.listen}"; set `token_file`, or listen on 127.0.0.1 alone'
            )
        return None
    token = secret_files.read_line(path, "[web] token_file")
    if len(token) < LEAST_CHARACTERS or not token.isascii() or any(each.isspace() for each in token):
        raise ConfigurationError(
            f"[web] token_file: {path} holds no token of {LEAST_CHARACTERS} or more letters, digits and signs; write"
            " one, as from `openssl rand -hex 16`"
        )
    return token


class Doorkeeper:
    """Lets in whoever has the token; used from one thread."""

    def __init__(self, token: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._digest = _digest(token.encode())
        self._clock = clock
        self._failures: list[tuple[float, str]] = []
        self._known: set[str] = set()

    def wait_seconds(self, address: str) -> int:
        """For how long this address is not heard; 0 if it is."""
        now = self._clock()
        self._failures = [each for each in self._failures if now - each[0] < FORGIVE_SECONDS][-MOST_FAILURES_OF_ALL:]
        own = [at for at, who in self._failures if who == address]
        if len(own) >= MOST_FAILURES:
            return 1 + int(FORGIVE_SECONDS - (now - own[-MOST_FAILURES]))
        if len(self._failures) >= MOST_FAILURES_OF_ALL and address not in self._known:
            return 1 + int(FORGIVE_SECONDS - (now - self._failures[0][0]))
        return 0

    def admits(self, authorization: str | None, address: str) -> bool:
        """Whether the header `Authorization` has the token; a wrong one is counted, none is not."""
        scheme, _, given = (authorization or "").partition(" ")
        if scheme.lower() != "bearer":
            return False
        if hmac.compare_digest(_digest(given.strip().encode()), self._digest):
            if len(self._known) < MOST_FAILURES_OF_ALL:
                self._known.add(address)
            return True
        self._failures.append((self._clock(), address))
        return False


def _digest(token: bytes) -> bytes:
    """Of one length whatever the token's is: comparing takes as long."""
    return hashlib.sha256(token).digest()
