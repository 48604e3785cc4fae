"""Notifies systemd of the state of the service (sd_notify)."""

import logging
import os
from collections.abc import Callable

log = logging.getLogger(__name__)

WATCHDOG_SECONDS = 1.0
STATUS_SECONDS = 10.0
_REMEDY = "apt install python3-systemd; the venv needs --system-site-packages"


class Systemd:
    """Notifies systemd of our state (sd_notify); does nothing without systemd."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._is_ready = False
        self._progress: tuple[int, int] | None = None
        self._fed_at = self._status_at = float("-inf")
        try:
            from systemd import daemon
        except ImportError:
            if "NOTIFY_SOCKET" in os.environ:
                log.error("systemd waits for our notification, but systemd-python is missing: %s", _REMEDY)
            self._send: Callable[[str], object] = lambda _: None
        else:
            self._send = daemon.notify

    def ready(self) -> None:
        """Notify once that the service works."""
        if not self._is_ready:
            self._is_ready = True
            self._send("READY=1")

    def alive(self, progress: tuple[int, int]) -> None:
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
