"""A mosquitto that can be switched off, and what arrived at it."""

import contextlib
import json
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

PORT = 18830
"""Lets everybody in; the next one wants a password."""
USER, PASSWORD = "device", "of the trial"
_SUBSCRIBE = ["mosquitto_sub", "-p", str(PORT), "-c", "-i", "trial", "-q", "1", "-t", "anpr/+/+/read"]


class Broker:
    """Keeps the reads of every device; repeats are dropped as a subscriber would drop them."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._processes: list[subprocess.Popen[bytes]] = []
        self._reads = folder / "reads.jsonl"
        for left in (self._reads, folder / "mosquitto.db"):
            left.unlink(missing_ok=True)

    def on(self) -> None:
        """Listen, and note what comes; what comes before the subscriber is back waits for it."""
        if self._processes:
            return
        configuration = self._folder / "mosquitto.conf"
        passwords = self._folder / "passwords"
        if not passwords.exists():
            command = ["mosquitto_passwd", "-c", "-b", str(passwords), USER, PASSWORD]
            subprocess.run(command, check=True, capture_output=True)
        configuration.write_text(
            f"user root\npersistence true\npersistence_location {self._folder}/\nmax_queued_messages 0\n"
            f"per_listener_settings true\nlistener {PORT} 0.0.0.0\nallow_anonymous true\n"
            f"listener {PORT + 1} 0.0.0.0\nallow_anonymous false\npassword_file {passwords}\n"
        )
        broker = subprocess.Popen(
            ["mosquitto", "-c", str(configuration)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        self._processes = [broker]
        wait_until(lambda: _listens() or broker.poll() is not None, 30, "a listening mosquitto")
        if broker.poll() is not None:
            raise RuntimeError(f"mosquitto ended at once: is another one at port {PORT}?")
        with self._reads.open("ab") as out:
            self._processes.append(subprocess.Popen(_SUBSCRIBE, stdout=out))

    def off(self) -> None:
        """Be gone."""
        for process in reversed(self._processes):
            process.send_signal(signal.SIGTERM)
            process.wait()
        self._processes = []

    def count(self, device: str) -> int:
        """How many deliveries of reads have come from a device."""
        return self._reads.read_text(encoding="utf-8").count(f'"device":"{device}"') if self._reads.exists() else 0

    def reads(self, device: str) -> dict[int, dict[str, Any]]:
        """The reads of a device by their sequence numbers."""
        lines = self._reads.read_text(encoding="utf-8").splitlines() if self._reads.exists() else []
        found = {}
        for line in lines:
            with contextlib.suppress(ValueError):
                read = json.loads(line)
                if read["device"] == device:
                    found[read["sequence"]] = read
        return found


def _listens() -> bool:
    try:
        socket.create_connection(("127.0.0.1", PORT), timeout=1).close()
    except OSError:
        return False
    return True


@contextlib.contextmanager
def broker_in(folder: Path) -> Iterator[Broker]:
    """A broker for the time of the trial."""
    broker = Broker(folder)
    broker.on()
    try:
        yield broker
    finally:
        broker.off()


def wait_until(condition: Callable[[], bool], seconds: float, what: str) -> float:
    """Wait for something; how long it took."""
    began = time.monotonic()
    while not condition():
        if time.monotonic() - began > seconds:
            raise TimeoutError(f"{what}: not within {seconds:.0f} s")
        time.sleep(0.25)
    return time.monotonic() - began
