"""A day without a broker: events queue on the disk, then the broker comes back and takes them all.

Prints events a second, the resident memory and the share of one core, of both halves.
"""

import argparse
import contextlib
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from benchmarks.delivery.vehicles import events
from edge_app.commands.progress import ProgressLine
from edge_app.config import MqttSettings
from edge_app.outbox.outbox import Outbox
from edge_app.outbox.spilling_queue import Limits
from edge_app.uplink.publisher import Publisher
from tests.mosquitto import Mosquitto

MEGABYTE = 1e6


@dataclass
class Meter:
    """Time, processor time and memory of this process from one moment on."""

    began: float = field(default_factory=time.monotonic)
    cpu_began: float = field(default_factory=time.process_time)
    rss_bytes: list[int] = field(default_factory=list)

    def note(self) -> None:
        """Note the resident memory."""
        self.rss_bytes.append(psutil.Process().memory_info().rss)

    def line(self, what: str, count: int) -> str:
        """The figures in a line."""
        self.note()
        seconds, cpu = time.monotonic() - self.began, time.process_time() - self.cpu_began
        first, most, last = (each / MEGABYTE for each in (self.rss_bytes[0], max(self.rss_bytes), self.rss_bytes[-1]))
        return (
            f"{what}: {count} events, {count / seconds:.0f} a second, {cpu / seconds:.0%} of a core"
            f" ({cpu / count * 1e3:.2f} ms of processor each), RSS {first:.0f} MB at first, {most:.0f} at most,"
            f" {last:.0f} at last"
        )


def main() -> None:
    """Queue, drain, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=50_000, help="events to queue (default: %(default)s)")
    parser.add_argument("--rate", type=float, default=100_000, help="drain_per_second (default: %(default)s, no limit)")
    parser.add_argument("--in-flight", type=int, default=20, help="as in [mqtt] (default: %(default)s)")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        outbox = Outbox(Path(folder) / "outbox.sqlite", Limits(10**10, resend_seconds=MqttSettings().resend_seconds))
        with contextlib.closing(outbox):
            queue(outbox, arguments.events)
            print(f"on the disk: {(Path(folder) / 'outbox.sqlite').stat().st_size / MEGABYTE:.0f} MB")
            broker = Mosquitto(Path(folder))
            broker.start()
            settings = MqttSettings(
                host="127.0.0.1",
                port=broker.port,
                drain_per_second=arguments.rate,
                in_flight=arguments.in_flight,
            )
            drain(outbox, settings, arguments.events)
            broker.stop()


def queue(outbox: Outbox, count: int) -> None:
    """Commit one event after the other."""
    progress, meter, made = ProgressLine("queued"), Meter(), events("gate-01")
    for number in range(count):
        outbox.put(next(made))
        if number % 100 == 0:
            meter.note()
            progress(number, count)
    progress(count, count)
    print(meter.line("queued", count))


def drain(outbox: Outbox, settings: MqttSettings, count: int) -> None:
    """Publish until nothing waits; what ends the publisher before is raised."""
    progress, meter, stop = ProgressLine("drained"), Meter(), threading.Event()
    with ThreadPoolExecutor() as pool, contextlib.ExitStack() as ending:
        ending.callback(stop.set)
        publishing = pool.submit(Publisher(settings, "gate-01", outbox, stop).run)
        while (waiting := outbox.state().events) and not publishing.done():
            meter.note()
            progress(count - waiting, count)
            time.sleep(0.5)
        figures = meter.line("drained", count)
    publishing.result()
    progress(count, count)
    print(figures)


if __name__ == "__main__":
    main()
