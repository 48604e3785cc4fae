"""Whether the service is well: what systemd and the service itself report, watched for a while after a switch."""

import http.client
import json
import socket
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edge_app.service.release import systemctl

SOCKET = Path("/run/edge-anpr/http.sock")
POLL_SECONDS = 1.0
_ANSWER_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Health:
    """How the service is at one moment."""

    state: str
    """As systemd calls it: `active`, `failed`…; `ended` while systemd waits to start it again."""
    restarts: int
    """By systemd, since the service was last started by hand."""
    status: dict[str, Any] | None
    """The service's own `/v1/status`; None if it does not answer."""

    @property
    def well(self) -> tuple[str, ...]:
        """The parts that work."""
        parts = {} if self.status is None else self.status.get("parts", {})
        return tuple(sorted(name for name, part in parts.items() if part.get("well") is True))

    @classmethod
    def now(cls) -> "Health":
        """Ask both."""
        shown = systemctl.show("ActiveState", "SubState", "NRestarts")
        state = "ended" if shown.get("SubState") == "auto-restart" else shown.get("ActiveState", "unknown")
        return cls(state, int(shown.get("NRestarts") or 0), ask("/v1/status"))


def ask(path: str, socket_path: Path = SOCKET) -> dict[str, Any] | None:
    """The service's answer to a GET over its socket; None if there is none."""
    connection = _UnixConnection(socket_path)
    try:
        connection.request("GET", path)
        answer: dict[str, Any] = json.loads(connection.getresponse().read())
    except (OSError, http.client.HTTPException, ValueError):
        return None
    finally:
        connection.close()
    return answer


def fault(release: str, was_well: Collection[str], health: Health) -> str | None:
    """What keeps the service from being well in this release; None if nothing does."""
    if health.state != "active":
        return "the service ended" if health.state == "ended" else f"the service is {health.state}"
    if health.status is None:
        return "the service does not answer on its socket"
    if health.status.get("release") != release:
        return f"the service that answers runs {health.status.get('release')}"
    if lost := sorted(set(was_well) - set(health.well)):
        part = health.status["parts"].get(lost[0], {})
        return f"{lost[0]} worked before the switch and does not now: {part.get('state', 'unknown')}"
    return None


def watch(
    release: str,
    was_well: Collection[str],
    seconds: float,
    until_well: bool = False,
    look: Callable[[], Health] = Health.now,
    sleep: Callable[[float], None] = time.sleep,
    clock: Callable[[], float] = time.monotonic,
) -> str | None:
    """What is wrong with the service within these seconds after a switch; None if it is well at their end.

    A service that fails or is started again has failed at once; any other fault has until the end to go away.
    With `until_well` the first moment without a fault is the end.
    """
    end = clock() + seconds
    while True:
        health = look()
        found = fault(release, was_well, health)
        if health.state in ("failed", "ended"):
            return f"{found}; `journalctl -u edge-anpr` has its last words"
        if health.restarts:
            return f"the service ended and was started again {health.restarts} times"
        if clock() >= end or (until_well and found is None):
            return found
        sleep(POLL_SECONDS)


class _UnixConnection(http.client.HTTPConnection):
    """HTTP over a Unix socket."""

    def __init__(self, path: Path) -> None:
        super().__init__("localhost", timeout=_ANSWER_SECONDS)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self._path))
