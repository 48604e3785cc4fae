"""A device without its camera: a real outbox and a real publisher, fed with made-up vehicles until it is killed.

Writes the id of every event into LEDGER as soon as the outbox has committed it.
"""

import argparse
import contextlib
import os
import signal
import threading
from pathlib import Path

from benchmarks.delivery.vehicles import events
from edge_app.backoff import Backoff
from edge_app.config import MqttSettings
from edge_app.outbox.outbox import Outbox
from edge_app.outbox.spilling_queue import Limits
from edge_app.uplink.publisher import Publisher

DRAIN_PER_SECOND = 100_000


def run(folder: Path, port: int, name: str, total: int, per_second: float, stop: threading.Event) -> int:
    """Commit events until the ledger has `total`, and publish them until `stop`; the number in the ledger."""
    folder.mkdir(parents=True, exist_ok=True)
    ledger_path = folder / "ledger"
    committed = len(ledger_path.read_bytes().split()) if ledger_path.exists() else 0
    settings = MqttSettings(host="127.0.0.1", port=port, drain_per_second=DRAIN_PER_SECOND)
    limits = Limits(resend_seconds=settings.resend_seconds)
    with (
        contextlib.closing(Outbox(folder / "outbox.sqlite", limits)) as outbox,
        ledger_path.open("ab", 0) as ledger,
    ):
        publisher = Publisher(settings, name, outbox, stop, backoff=Backoff(0.1, 0.5))
        thread = threading.Thread(target=publisher.run)
        thread.start()
        made = events(name, seed=os.getpid())
        while not stop.wait(1 / per_second) and committed < total:
            event = next(made)
            outbox.put(event)
            ledger.write(event.event_id.encode() + b"\n")
            committed += 1
            publisher.wake()
        while not stop.wait(0.2):
            outbox.tend()
        thread.join()
    return committed


def main() -> None:
    """Run one device."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("port", type=int)
    parser.add_argument("--name", default="gate-01")
    parser.add_argument("--events", type=int, required=True, help="number of events to commit, over all runs")
    parser.add_argument("--rate", type=float, default=200, help="events a second (default: %(default)s)")
    arguments = parser.parse_args()
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    run(arguments.folder, arguments.port, arguments.name, arguments.events, arguments.rate, stop)


if __name__ == "__main__":
    main()
