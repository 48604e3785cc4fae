"""Four cameras in one daemon, and in four: what is published, processor time and memory.

`python -m benchmarks.cameras.four [SECONDS [SPEED]]` plays the demo's clip as two files, in real time or at another
speed, and over RTSP; the fourth camera is missing.
"""

import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from benchmarks.cameras.rtsp import free_port, serve
from edge_app.demo import CLIP
from tests.mosquitto import Mosquitto

DEFAULTS = (75.0, 1.0)
TICKS = os.sysconf("SC_CLK_TCK")


def main(seconds: float, speed: float) -> int:
    """Print both rows; 1 if a vehicle of the demo is missing, or the missing camera is not lost."""
    rtsp_port = free_port()
    server = serve(rtsp_port, "--file", str(CLIP))
    sources = {
        "one": f"file:{CLIP}?speed={speed}",
        "two": f"file:{CLIP}?speed={speed}",
        "three": f"rtsp://127.0.0.1:{rtsp_port}/main",
        "four": f"rtsp://127.0.0.1:{free_port()}/main",
    }
    shown = {json.loads(line)["plate"] for line in CLIP.with_name("events.jsonl").read_text().splitlines()}
    with tempfile.TemporaryDirectory() as folder:
        good = _measure(Path(folder) / "together", [sources], shown, seconds)
        _measure(Path(folder) / "apart", [{name: source} for name, source in sources.items()], shown, seconds)
    server.kill()
    server.wait()
    return int(not good)


def _measure(folder: Path, groups: Sequence[Mapping[str, str]], shown: set[str], duration: float) -> bool:
    """Run a daemon for each group of cameras; whether all vehicles came and the missing camera was reported."""
    folder.mkdir()
    broker = Mosquitto(folder)
    broker.start()
    texts: dict[str, set[str]] = defaultdict(set)
    states: dict[str, str] = {}
    heard = threading.Lock()

    def note(_client: mqtt.Client, _data: object, message: mqtt.MQTTMessage) -> None:
        with heard:
            if message.topic.endswith("/read"):
                texts[message.topic.split("/")[-2]].add(json.loads(message.payload)["plate"]["text"])
            elif message.topic.endswith("/telemetry") and (vitals := json.loads(message.payload)["vitals"]):
                states.update({each["name"]: each["state"] for each in vitals["cameras"]})

    listener = mqtt.Client(CallbackAPIVersion.VERSION2)
    listener.on_message = note
    listener.connect("127.0.0.1", broker.port)
    listener.subscribe("anpr/#", qos=1)
    listener.loop_start()
    daemons = [_start(folder / str(number), number, cameras, broker.port) for number, cameras in enumerate(groups)]
    deadline, usage = time.monotonic() + duration, [(0.0, 0)] * len(daemons)
    while time.monotonic() < deadline:
        time.sleep(1)
        usage = [_usage(daemon) or before for daemon, before in zip(daemons, usage, strict=True)]
    for daemon in daemons:
        daemon.send_signal(signal.SIGTERM)
        daemon.wait(30)
    time.sleep(1)
    listener.loop_stop()
    broker.stop()
    seconds, megabytes = sum(cpu for cpu, _ in usage), sum(memory for _, memory in usage)
    found = ", ".join(f"{name} {len(texts[name] & shown)} of {len(shown)}" for name in ("one", "two", "three"))
    cost = f"{seconds:.1f} s of processor time in {duration:g} s, {megabytes} MB"
    print(f"daemons: {len(daemons)}; {cost}; {found}; {states}", flush=True)
    return all(shown <= texts[name] for name in ("one", "two", "three")) and states.get("four") == "lost"


def _start(folder: Path, number: int, cameras: Mapping[str, str], port: int) -> "subprocess.Popen[bytes]":
    folder.mkdir(parents=True)
    lines = ["[device]", f'name = "gate-{number}"', f'state_directory = "{folder}"']
    for name, source in cameras.items():
        lines += ["[[cameras]]", f'name = "{name}"', f'source = "{source}"']
    lines += ["[mqtt]", 'host = "127.0.0.1"', f"port = {port}"]
    (folder / "config.toml").write_text("\n".join(lines) + "\n", encoding="utf-8")
    command = [sys.executable, "-m", "edge_app", "run", "--config", str(folder / "config.toml")]
    with (folder / "log").open("wb") as log:
        return subprocess.Popen(command, stderr=log, stdout=log)


def _usage(daemon: "subprocess.Popen[bytes]") -> tuple[float, int] | None:
    """Processor seconds and megabytes at most; None once it has ended."""
    try:
        stat = Path(f"/proc/{daemon.pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
        status = Path(f"/proc/{daemon.pid}/status").read_text(encoding="ascii")
    except OSError:
        return None
    peak = [int(line.split()[1]) // 1000 for line in status.splitlines() if line.startswith("VmHWM")]
    return ((int(stat[11]) + int(stat[12])) / TICKS, peak[0]) if peak else None


if __name__ == "__main__":
    given = [float(each) for each in sys.argv[1:]]
    sys.exit(main(*given, *DEFAULTS[len(given) :]))
