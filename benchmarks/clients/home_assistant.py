"""Home Assistant finds the device by itself: also after each side's restart, and after a rename?

`benchmarks/clients/run.sh home-assistant` installs it and comes here. A real mosquitto, a Home Assistant that is set
up over its own REST interface, and the daemon, which plays a clip over and over. Exit code 1: something was missing.
"""

import argparse
import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edge_app.demo import CLIP
from edge_app.uplink.connection import Message
from tests.mosquitto import Mosquitto, Subscriber, free_port

START_SECONDS = 600.0
"""Home Assistant installs some of its own requirements when it starts for the first time."""
SETTLE_SECONDS = 90.0

ENTITIES = (
    "event.{device}_road_read",
    "image.{device}_road_picture",
    "sensor.{device}_road_last_plate",
    "binary_sensor.{device}_connection",
    "binary_sensor.{device}_clock",
    "sensor.{device}_road_state",
    "sensor.{device}_vehicles",
    "sensor.{device}_events_waiting",
    "sensor.{device}_reads_lost",
    "sensor.{device}_pictures_lost",
)
WITH_VALUE = ("_read", "_last_plate", "_connection", "_road_state", "_vehicles")
"""Entities that have to show more than that they are available."""


class HomeAssistant:
    """The program, with a folder of its own, and its REST interface."""

    def __init__(self, program: Path, folder: Path) -> None:
        self.log_path = folder / "output.log"
        self._url = f"http://127.0.0.1:{(port := free_port())}"
        self._command = [str(program), "--config", str(folder)]
        self._token: str | None = None
        (folder / "configuration.yaml").write_text(
            f"http:\n  server_host: 127.0.0.1\n  server_port: {port}\nlogger:\n  default: warning\n"
        )

    @property
    def version(self) -> str:
        """As it says itself."""
        version: str = self.ask("/api/config")["version"]
        return version

    def start(self) -> None:
        """Start, and wait until it answers."""
        environment = {"SSL_CERT_FILE": "/etc/ssl/certs/ca-certificates.crt"} | os.environ  # for what it installs
        output = self.log_path.open("ab")
        self._process = subprocess.Popen(self._command, stdout=output, stderr=output, env=environment)
        wait_for(self._answers, START_SECONDS)

    def stop(self) -> None:
        """End it, as a service would."""
        self._process.terminate()
        try:
            self._process.wait(60)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def set_up(self, mqtt_port: int) -> None:
        """Make a user, and add the MQTT integration."""
        owner = {"name": "owner", "username": "owner", "password": "owner", "language": "en"}
        code = self.ask("/api/onboarding/users", owner | {"client_id": self._url})["auth_code"]
        form = f"grant_type=authorization_code&code={code}&client_id={self._url}"
        self._token = self._request("/auth/token", form.encode(), "application/x-www-form-urlencoded")["access_token"]
        flow = self.ask("/api/config/config_entries/flow", {"handler": "mqtt"})["flow_id"]
        result = self.ask(f"/api/config/config_entries/flow/{flow}", {"broker": "127.0.0.1", "port": mqtt_port})
        if result["type"] != "create_entry":
            raise RuntimeError(f"MQTT could not be added: {result}")

    def states(self) -> dict[str, str]:
        """Every entity's state."""
        return {each["entity_id"]: each["state"] for each in self.ask("/api/states")}

    def device_of(self, entity: str) -> str:
        """The name of the device to which an entity belongs."""
        template = f"{{{{ device_attr('{entity}', 'name') }}}}"
        return str(self._request("/api/template", json.dumps({"template": template}).encode()))

    def ask(self, path: str, body: object = None) -> Any:
        """GET or, with a body, POST."""
        return self._request(path, None if body is None else json.dumps(body).encode())

    def _request(self, path: str, body: bytes | None, kind: str = "application/json") -> Any:
        headers = {"Content-Type": kind} | ({"Authorization": f"Bearer {self._token}"} if self._token else {})
        request = urllib.request.Request(self._url + path, body, headers)
        with urllib.request.urlopen(request, timeout=30) as answer:
            text = answer.read().decode()
        with contextlib.suppress(json.JSONDecodeError):
            return json.loads(text)
        return text

    def _answers(self) -> bool:
        if self._process.poll() is not None:
            raise RuntimeError(f"Home Assistant ended by itself; see {self.log_path}")
        try:
            self._request("/api/onboarding" if self._token is None else "/api/states", None)
        except OSError:  # urllib's errors are
            return False
        return True


@dataclass
class Daemon:
    """`edge-anpr run`, which plays the demo's clip for ever."""

    folder: Path
    port: int

    def start(self, device: str) -> None:
        """Start it under a name."""
        self.folder.mkdir(exist_ok=True)
        configuration = self.folder / "config.toml"
        configuration.write_text(
            f'[device]\nname = "{device}"\nstate_directory = "{self.folder}"\n'
            f'[camera]\nname = "road"\nsource = "file:{CLIP}?loop=1&speed=1"\n'
            "[tracking]\nreappear_seconds = 1\n"  # the clip's vehicles are the same each time
            f'[mqtt]\nhost = "127.0.0.1"\nport = {self.port}\n[home_assistant]\nenabled = true\n'
        )
        command = [sys.executable, "-m", "edge_app", "run", "--config", str(configuration)]
        output = (self.folder / "output.log").open("ab")
        self._process = subprocess.Popen(command, stdout=output, stderr=output)

    def stop(self) -> None:
        """End it, as a service would."""
        self._process.terminate()
        self._process.wait()


def wait_for(condition: Callable[[], bool], seconds: float) -> None:
    """Ask again until it holds."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError
        time.sleep(0.5)


def missing(home_assistant: HomeAssistant, device: str) -> list[str]:
    """Entities that are not there, not available, or show nothing though they should."""
    name, states = device.replace("-", "_"), home_assistant.states()
    found = {entity: states.get(entity) for entity in (each.format(device=name) for each in ENTITIES)}
    return [
        entity
        for entity, state in found.items()
        if state in (None, "unavailable") or (state == "unknown" and entity.endswith(WITH_VALUE))
    ]


def check(step: str, home_assistant: HomeAssistant, device: str) -> bool:
    """Wait until all is there, and print a row of the table."""
    began, name = time.monotonic(), device.replace("-", "_")
    with contextlib.suppress(TimeoutError):
        wait_for(lambda: not missing(home_assistant, device), SETTLE_SECONDS)
    lacking = missing(home_assistant, device)
    owner = home_assistant.device_of(f"binary_sensor.{name}_connection")
    found = len(ENTITIES) - len(lacking)
    print(
        f"| {step} | {owner} | {found} of {len(ENTITIES)} | {time.monotonic() - began:.0f} s |"
        f" {', '.join(lacking) or 'nothing'} |",
        flush=True,
    )
    return not lacking and owner == device


def main() -> int:
    """Each step of a table: is everything there?"""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program", type=Path, help="hass")
    parser.add_argument("--keep", type=Path, metavar="DIR", help="keep Home Assistant's folder and the logs there")
    arguments = parser.parse_args()
    with contextlib.ExitStack() as ending:
        folder = Path(ending.enter_context(tempfile.TemporaryDirectory(prefix="edge-anpr-home-assistant-")))
        if arguments.keep:
            ending.callback(shutil.copytree, folder, arguments.keep, dirs_exist_ok=True)
        (folder / "hass").mkdir()
        broker = Mosquitto(folder)
        broker.start()
        ending.callback(broker.stop)
        home_assistant = HomeAssistant(arguments.program.absolute(), folder / "hass")
        home_assistant.start()
        ending.callback(home_assistant.stop)
        home_assistant.set_up(broker.port)
        daemon = Daemon(folder / "device", broker.port)
        daemon.start("gate-01")
        ending.callback(daemon.stop)
        return 0 if all(rows(home_assistant, broker, daemon)) else 1


def rows(home_assistant: HomeAssistant, broker: Mosquitto, daemon: Daemon) -> list[bool]:
    """The steps, in order; of each, whether nothing was missing."""
    print(f"Home Assistant {home_assistant.version}\n")
    print("| step | device found | entities available | after | missing |\n| --- | --- | --- | --- | --- |")
    found = [check("first start", home_assistant, "gate-01")]

    home_assistant.stop()
    home_assistant.start()
    found.append(check("restart of Home Assistant", home_assistant, "gate-01"))

    broker.stop(signal.SIGKILL)  # it keeps nothing on disk
    broker.start()
    found.append(check("restart of the broker, memory lost", home_assistant, "gate-01"))

    broker.stop(signal.SIGKILL)
    home_assistant.stop()
    broker.start()
    home_assistant.start()
    found.append(check("both at once", home_assistant, "gate-01"))

    daemon.stop()
    daemon.start("gate-01")
    found.append(check("restart of the device", home_assistant, "gate-01"))

    daemon.stop()
    daemon.start("yard-07")
    found += [check("rename of the device", home_assistant, "yard-07"), is_removed(home_assistant, broker)]
    return found


def is_removed(home_assistant: HomeAssistant, broker: Mosquitto) -> bool:
    """Whether the former name is offline, and gone once its announcement is removed as docs/events.md says."""
    states = home_assistant.states()
    connection = states.get("binary_sensor.gate_01_connection")
    others = {states.get(each.format(device="gate_01")) for each in ENTITIES if not each.endswith("_connection")}
    with contextlib.closing(Subscriber(broker.port, ["nothing"], "remover")) as remover:
        remover.publish(Message("homeassistant/device/edge-anpr-gate-01/config", b"", retain=True))
        remover.listen(1.0)
    with contextlib.suppress(TimeoutError):
        wait_for(lambda: not any("gate_01" in each for each in home_assistant.states()), 30.0)
    left = [each for each in home_assistant.states() if "gate_01" in each]
    print(f"| former name | connection {connection}, others {', '.join(map(str, others))} | | |", end="")
    print(f" once removed, {len(left)} entities are left |")
    return (connection, others, left) == ("off", {"unavailable"}, [])


if __name__ == "__main__":
    sys.exit(main())
