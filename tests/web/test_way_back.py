"""`edge-anpr run` with the page: a saved zone is in the next read; if the broker goes, file and settings return."""

import json
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from edge_app import config
from edge_app.demo import CLIP
from tests.mosquitto import Mosquitto, free_port

PATIENCE_SECONDS = 180.0  # on a machine that is busy with other work


class Device:
    """What the page asks."""

    def __init__(self, port: int) -> None:
        self._root = f"http://127.0.0.1:{port}/v1"

    def get(self, path: str) -> Any:
        """An answer."""
        with urllib.request.urlopen(f"{self._root}/{path}", timeout=30) as answer:
            return json.load(answer)

    def draw(self, *zones: dict[str, Any]) -> None:
        """Save zones."""
        body = json.dumps({"zones": zones, "crossing_lines": []}).encode()
        request = urllib.request.Request(f"{self._root}/cameras/north/settings", body, method="PUT")
        with urllib.request.urlopen(request, timeout=30) as answer:
            assert answer.status == 202

    def until(self, done: Callable[[], Any]) -> Any:
        """What it gives, once that is something."""
        ends_at = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < ends_at:
            with suppress(OSError):
                if found := done():
                    return found
            time.sleep(0.2)
        raise AssertionError(self.get("status"))


@contextmanager
def running(folder: Path, broker: Mosquitto) -> Iterator[tuple[Device, Path]]:
    path, port = folder / "config.toml", free_port()
    path.write_text(f"""
[device]
state_directory = "state"
[camera]
name = "north"
source = "file:{CLIP}?loop=1&speed=1"
[mqtt]
host = "127.0.0.1"
port = {broker.port}
[commands]
reload_seconds = 8
[web]
listen = "127.0.0.1:{port}"
""")
    command = [sys.executable, "-m", "edge_app", "run", "--config", str(path)]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as process:
        try:
            yield Device(port), path
            process.terminate()
            assert process.wait(30) == 0
        finally:
            process.kill()


ROAD = {"name": "road", "polygon": [[0, 0], [1, 0], [1, 1], [0, 1]]}


def test_a_saved_zone_is_in_the_next_read_and_one_that_fails_is_taken_back(tmp_path: Path, broker: Mosquitto) -> None:
    with running(tmp_path, broker) as (device, path):
        device.until(lambda: device.get("status")["ready"])
        device.draw(ROAD)
        device.until(lambda: device.get("cameras/north/settings")["zones"])
        zones = device.until(lambda: [each["read"]["geometry"]["zones"] for each in device.get("reads")["reads"]][:1])
        device.until(lambda: device.get("status")["configuration"]["state"] == "file")
        saved = path.read_text()

        broker.stop()
        device.draw(ROAD, {**ROAD, "name": "never"})
        assert "never" in path.read_text()
        reverted = device.until(lambda: device.get("status")["configuration"]["reverted"])
        configuration = device.get("status")["configuration"]

        assert zones == [["road"]]
        assert config.load(path).zones[0].name == "road"
        assert path.read_text() == saved
        assert "the broker was not reached" in reverted
        assert (configuration["state"], configuration["wrong"]) == ("file", None)
