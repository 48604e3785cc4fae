"""`edge-anpr run`, reloaded over a real broker: with settings that work, and with such that do not."""

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from edge_app.demo import CLIP
from edge_app.uplink.connection import Message
from tests.mosquitto import Mosquitto, Subscriber, free_port
from tests.uplink.test_commander import answer_in

ANSWER = "anpr/gate-01/answer"
PATIENCE_SECONDS = 120.0  # on a machine that is busy with other work


class Device:
    """The daemon as a process, and somebody who sends it commands."""

    def __init__(self, folder: Path, broker: Mosquitto, process: subprocess.Popen[str]) -> None:
        self.process = process
        self.log: list[str] = []
        self._folder = folder
        self._subscriber = Subscriber(broker.port)
        self._port = broker.port
        self._began = time.monotonic()
        self.seconds_to_pictures = 0.0
        """Of its first life, on this machine as busy as it is."""
        threading.Thread(target=self._read_log, daemon=True).start()

    def until_pictures_arrive(self, times: int = 1) -> None:
        """Wait for the first picture of so many lives, and the broker."""
        self._subscriber.until(1, "/status", PATIENCE_SECONDS)
        while sum("camera north: pictures arrive" in line for line in self.log) < times:
            assert self.process.poll() is None, self.log
            self._subscriber.listen(0.2)
        self.seconds_to_pictures = self.seconds_to_pictures or time.monotonic() - self._began

    def reload(self, count: int = 1, **settings: Any) -> dict[str, Any]:
        """Write other settings, have them taken up, and give the answer."""
        configure(self._folder, self._port, **settings)
        return self.ask("reload", count)

    def ask(self, command: str, count: int = 1) -> dict[str, Any]:
        """The answer to a request."""
        self._subscriber.publish(Message(f"anpr/gate-01/cmd/{command}", b"", correlation_data=b"7"))
        return self.answers(count)[-1]

    def answers(self, count: int) -> list[dict[str, Any]]:
        """As many as came, once they have."""
        messages = self._subscriber.until(count, "/answer", PATIENCE_SECONDS)
        assert all(message.correlation_data == b"7" for message in messages)
        return [answer_in(message) for message in messages]

    def stop(self) -> int:
        """End it as systemd does."""
        self.process.terminate()
        code = self.process.wait(PATIENCE_SECONDS)
        self._subscriber.close()
        return code

    def _read_log(self) -> None:
        assert self.process.stderr is not None
        self.log.extend(iter(self.process.stderr.readline, ""))


def configure(folder: Path, port: int, camera: str = "north", seconds: float = 60.0, more: str = "") -> None:
    (folder / "config.toml").write_text(f"""
[device]
name = "gate-01"
state_directory = "state"
[camera]
name = "{camera}"
source = "file:{CLIP}?loop=1&speed=1"
[mqtt]
host = "127.0.0.1"
port = {port}
[commands]
allow = ["ping", "snapshot", "reload"]
reload_seconds = {seconds}
{more}
""")


@contextmanager
def running(folder: Path, broker: Mosquitto, more: str = "") -> Iterator[Device]:
    configure(folder, broker.port, more=more)
    command = [sys.executable, "-m", "edge_app", "run", "--config", str(folder / "config.toml")]
    environment = {**os.environ, "STATE_DIRECTORY": str(folder)}  # as systemd has it
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment) as process:
        try:
            device = Device(folder, broker, process)
            device.until_pictures_arrive()
            yield device
        finally:
            process.kill()


@pytest.mark.parametrize("how", ["works", "fails"])
def test_other_settings_stay_if_they_have_proved_good_and_are_dropped_if_not(
    tmp_path: Path, broker: Mosquitto, how: str
) -> None:
    with running(tmp_path, broker) as device:
        refused = device.reload(more="[mqtt2]\n")
        if how == "works":
            answer = device.reload(2, camera="south")
        else:
            patience = 3 * device.seconds_to_pictures + 1
            configure(tmp_path, free_port(), camera="south", seconds=patience)  # nobody listens there
            answer = device.ask("reload", 2)
            device.until_pictures_arrive(times=2)
        snapshot = device.ask("snapshot", 3)
        code = device.stop()

    assert "nothing was changed: " in refused["error"]
    assert "[mqtt2]: there is no such section" in refused["error"]
    if how == "works":
        assert (answer["ok"], answer["error"]) == (True, None)
        assert snapshot["snapshot"]["camera"] == "south"
    else:
        assert not answer["ok"]
        assert "the former configuration is back: the broker was not reached (unreachable: " in answer["error"]
        assert snapshot["snapshot"]["camera"] == "north"
    assert code == 0
    assert "Traceback" not in "".join(device.log)


def test_settings_with_which_nothing_can_be_built_are_dropped(tmp_path: Path, broker: Mosquitto) -> None:
    (tmp_path / "models").mkdir()
    with running(tmp_path, broker) as device:
        answer = device.reload(more='[models]\ndirectory = "models"\n')
        again = device.ask("ping", 2)
        device.stop()

    assert not answer["ok"]
    assert "the former configuration is back" in answer["error"]
    assert "plate_detector" in answer["error"]
    assert again["ok"]
    assert json.dumps(answer).count("config.toml") == 1


def test_a_wrong_file_at_the_start_gives_way_to_the_last_one_that_worked(tmp_path: Path, broker: Mosquitto) -> None:
    with running(tmp_path, broker) as device:
        assert device.ask("ping")["ok"]
        device.stop()

    with running(tmp_path, broker, more="nonsense = 1\n") as again:
        mended = again.reload(camera="south")
        again.stop()

    log = "".join(again.log)
    assert "THE LAST GOOD CONFIGURATION IS USED, for the present one is wrong" in log
    assert "config.toml:14: [commands] nonsense" in log
    assert mended["ok"], "and a reload takes the mended file"
