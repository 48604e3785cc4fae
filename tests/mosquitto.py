"""A real mosquitto on a loopback port, for one test."""

import shutil
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from edge_app.config import MqttSettings
from edge_app.uplink import credentials
from edge_app.uplink.connection import MQTT_5, Connection, Message
from edge_app.uplink.waker import Waker

PROGRAM = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def refuse_a_subscription(server: socket.socket, reasons: bytes) -> bytes:
    """Answer one client in the bytes of MQTT 5 (3.9: SUBACK): a mosquitto with an access list would grant it all.

    The client's reply is returned.
    """
    line, _ = server.accept()
    with line:
        line.recv(4096)
        line.sendall(b"\x20\x03\x00\x00\x00")
        line.recv(4096)
        line.sendall(bytes((0x90, 3 + len(reasons), 0, 1, 0)) + reasons)
        line.settimeout(10)
        try:
            return line.recv(4096)
        except OSError:
            return b""


class Mosquitto:
    """A broker that can be stopped and started again on the same port."""

    def __init__(self, directory: Path, settings: Sequence[str] = ("allow_anonymous true",)) -> None:
        self.port = free_port()
        self.log_path = directory / "mosquitto.log"
        self._configuration = directory / "mosquitto.conf"
        lines = [
            f"listener {self.port} 127.0.0.1",
            "user root",
            f"log_dest file {self.log_path}",
            "log_type all",
            *settings,
        ]
        self._configuration.write_text("\n".join(lines) + "\n")
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def settings(self) -> MqttSettings:
        """What a client needs."""
        return MqttSettings(host="127.0.0.1", port=self.port)

    @property
    def process_id(self) -> int:
        """While it runs."""
        assert self._process is not None
        return self._process.pid

    def start(self) -> None:
        """Start, and wait until it listens."""
        assert PROGRAM is not None
        self._process = subprocess.Popen([PROGRAM, "-c", str(self._configuration)], stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + 10
        while not self._listens():
            assert self._process.poll() is None, self.log_path.read_text()
            assert time.monotonic() < deadline, "mosquitto does not listen"
            time.sleep(0.01)

    def stop(self, signal_number: int = signal.SIGKILL) -> None:
        """Kill it; with SIGTERM it first saves what it has acknowledged and not yet delivered."""
        if self._process is not None:
            self._process.send_signal(signal_number)
            self._process.wait()
            self._process = None

    def _listens(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0


@contextmanager
def running(directory: Path, settings: Sequence[str] = ("allow_anonymous true",)) -> Iterator[Mosquitto]:
    """A broker for a while."""
    if PROGRAM is None:
        pytest.skip("mosquitto is not installed")
    broker = Mosquitto(directory, settings)
    broker.start()
    try:
        yield broker
    finally:
        broker.stop()


Start = Callable[..., Mosquitto]
"""Starts a broker with lines of configuration of its own."""


class Subscriber:
    """Collects what arrives on some topics."""

    def __init__(
        self,
        port: int,
        topics: Sequence[str] = ("anpr/#",),
        client_id: str = "subscriber",
        settings: MqttSettings | None = None,
    ) -> None:
        self.messages: list[Message] = []
        # Nobody answers the broker while a test waits for a daemon to end.
        settings = settings or MqttSettings(host="127.0.0.1", port=port, keepalive_seconds=600)
        self._connection = Connection(
            settings, credentials.load(settings), client_id, MQTT_5, Waker(), threading.Event()
        )
        self._connection.subscribe(topics)

    def until(self, count: int, ending: str, seconds: float = 10.0) -> list[Message]:
        """The messages on topics that end so, once there are as many."""
        deadline = time.monotonic() + seconds
        while len(found := self.on(ending)) < count:
            assert time.monotonic() < deadline, f"only {len(found)} of {count} messages on …{ending}"
            self.listen(0.05)
        return found

    def listen(self, seconds: float) -> None:
        """Collect for a while."""
        self._connection.exchange(seconds)
        while self._connection.received:
            self.messages.append(self._connection.received.popleft())

    def on(self, ending: str) -> list[Message]:
        """The messages so far on topics that end so."""
        return [message for message in self.messages if message.topic.endswith(ending)]

    def publish(self, message: Message) -> None:
        """Publish something oneself."""
        self._connection.send(message)

    def close(self) -> None:
        """Leave."""
        self._connection.log_out()
        self._connection.close()
