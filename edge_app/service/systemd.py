"""Notifies systemd of the state of the service (sd_notify)."""

import logging
import os
import socket
from collections.abc import Callable, Mapping

log = logging.getLogger(__name__)

WATCHDOG_SECONDS = 1.0
STATUS_SECONDS = 10.0


class Systemd:
    """Notifies systemd of our state (sd_notify); does nothing without systemd."""

    def __init__(self, clock: Callable[[], float], environment: Mapping[str, str] = os.environ) -> None:
        self._clock = clock
        self._is_ready = False
        self._progress: int | None = None
        self._fed_at = self._status_at = float("-inf")
        self._socket = environment.get("NOTIFY_SOCKET", "")

    def ready(self) -> None:
        """Notify once that the service works."""
        if not self._is_ready:
            self._is_ready = True
            self._send("READY=1")

    def alive(self, progress: int) -> None:
        """Feed the watchdog, if there was progress since."""
        now = self._clock()
        if progress != self._progress and now - self._fed_at >= WATCHDOG_SECONDS:
            self._progress, self._fed_at = progress, now
            self._send("WATCHDOG=1")

    def status(self, line: str) -> None:
        """Show a line in `systemctl status`, not too often."""
        if self._clock() - self._status_at >= STATUS_SECONDS:
            self._status_at = self._clock()
            self._send(f"STATUS={line}")

    def stopping(self) -> None:
        """Notify that the service is about to end."""
        self._send("STOPPING=1")

    def _send(self, words: str) -> None:
        if not self._socket:
            return
        address = f"\0{self._socket[1:]}" if self._socket.startswith("@") else self._socket
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify:
                notify.sendto(words.encode(), address)
        except OSError as error:
            log.warning("systemd is not reached at %s: %s", self._socket, error)
