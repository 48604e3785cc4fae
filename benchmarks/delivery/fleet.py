"""A fleet on one mosquitto: is a read lost, and how fast do they come?

`python -m benchmarks.delivery.fleet --devices 200 --seconds 30`: every device is an outbox on disk and a publisher of
its own, as in the daemon; `edge-anpr listen` with a shared subscription writes down what arrives. Exit code 1: a read
is missing. Poorer brokers: `--broker "retain_available false"`, `--mqtt-3 --broker "message_size_limit 3000"`,
`--broker "max_inflight_messages 1"`.
"""

import argparse
import dataclasses
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

import psutil

from edge_app.config import MqttSettings
from edge_app.events.event import EventFactory
from edge_app.outbox.outbox import Outbox
from edge_app.outbox.spilling_queue import Limits
from edge_app.uplink.publisher import Publisher
from tests.events.passes import factory, plate_pass
from tests.mosquitto import Mosquitto
from tests.uplink.fault_proxy import FaultProxy

SHARED = "$share/archive/anpr/+/+/read"


class Device:
    """One device without a camera."""

    def __init__(self, name: str, settings: MqttSettings, folder: Path) -> None:
        self._factory: EventFactory = factory(images=False, device=name)
        self._stop = threading.Event()
        self.outbox = Outbox(folder / f"{name}.sqlite", Limits(10_000_000, resend_seconds=settings.resend_seconds))
        self._publisher = Publisher(settings, name, self.outbox, self._stop)
        self._thread = threading.Thread(target=self._publisher.run)
        self._thread.start()

    def see(self) -> None:
        """A vehicle passes."""
        self.outbox.put(self._factory.make(plate_pass()))
        self._publisher.wake()

    def stop(self) -> None:
        """End."""
        self._stop.set()
        self._publisher.wake()
        self._thread.join()
        self.outbox.close()


@contextmanager
def listening(broker: Mosquitto, consumers: int, folder: Path) -> Iterator[list[Path]]:
    """Consumers that share the reads, each with a file of what it got."""
    files = [folder / f"consumer-{number}.jsonl" for number in range(consumers)]
    command = [sys.executable, "-m", "edge_app", "listen", "--host", "127.0.0.1", "--port", str(broker.port)]
    processes = [
        subprocess.Popen([*command, "--topic", SHARED, "--output", str(file)], stdout=subprocess.DEVNULL)
        for file in files
    ]
    while broker.log_path.read_text().count("Received SUBSCRIBE from edge-anpr-listen") < consumers:
        time.sleep(0.05)
    yield files
    for process in processes:
        process.terminate()
        process.wait()


def lines_in(files: list[Path]) -> int:
    """Reads that have arrived so far."""
    return sum(file.read_bytes().count(b"\n") for file in files if file.exists())


def play(devices: list[Device], seconds: float, reads_per_second: float) -> int:
    """Let vehicles pass at every device in turn; the number of vehicles."""
    total = round(len(devices) * seconds * reads_per_second)
    began = time.monotonic()
    for number in range(total):
        due = began + number / (len(devices) * reads_per_second)
        time.sleep(max(0.0, due - time.monotonic()))
        devices[number % len(devices)].see()
    return total


def main() -> int:
    """Play, wait, count."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--devices", type=int, default=200)
    parser.add_argument("--consumers", type=int, default=1)
    parser.add_argument("--reads-per-second", type=float, default=2.0, help="of each device")
    parser.add_argument("--seconds", type=float, default=30.0)
    parser.add_argument("--broker", action="append", default=[], metavar="LINE", help="of mosquitto's configuration")
    parser.add_argument("--mqtt-3", action="store_true", help="the broker hangs up on MQTT 5")
    arguments = parser.parse_args()

    with ExitStack() as ending:
        folder = Path(ending.enter_context(tempfile.TemporaryDirectory(prefix="edge-anpr-fleet-")))
        broker = Mosquitto(folder, ["allow_anonymous true", "log_type subscribe", *arguments.broker])
        broker.start()
        ending.callback(broker.stop)
        files = ending.enter_context(listening(broker, arguments.consumers, folder))
        settings = broker.settings
        if arguments.mqtt_3:
            old = ending.enter_context(closing(FaultProxy(broker.port)))
            old.hangs_up_on_mqtt_5 = True
            settings = dataclasses.replace(settings, port=old.port)
        devices = [Device(f"gate-{number:03}", settings, folder) for number in range(arguments.devices)]

        began = time.monotonic()
        total = play(devices, arguments.seconds, arguments.reads_per_second)
        put_at = time.monotonic()
        while lines_in(files) < total and time.monotonic() < put_at + 60:
            time.sleep(0.02)
        done_at = time.monotonic()
        broker_times = psutil.Process(broker.process_id).cpu_times()
        for device in devices:
            device.stop()
        reads = [json.loads(line) for file in files for line in file.read_bytes().splitlines()]

    found = Counter((read["device"], read["sequence"]) for read in reads)
    result = {
        "broker": arguments.broker,
        "mqtt": "3.1.1" if arguments.mqtt_3 else "5",
        "devices": arguments.devices,
        "consumers": arguments.consumers,
        "reads": total,
        "missing": total - len(found),
        "repeats": found.total() - len(found),
        "reads_per_second": round(total / (put_at - began), 1),
        "broker_cpu_ms_per_read": round(1000 * (broker_times.user + broker_times.system) / total, 3),
        "last_arrives_after_ms": round(1000 * (done_at - put_at)),
        "cores": os.cpu_count(),
        "load": round(os.getloadavg()[0], 1),
    }
    print(json.dumps(result))
    return 0 if len(found) == total else 1


if __name__ == "__main__":
    sys.exit(main())
