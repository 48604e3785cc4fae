"""Broker, network and device fail at random while events are made: what arrives?

The broker is killed and started again. With SIGKILL a mosquitto may lose what it has acknowledged and not yet
forwarded; with SIGTERM it saves it. The line between is made a black hole and then reset. The device's process is
killed (SIGKILL). The number of each is an option; they are spread evenly over the events. Exit code 1 if an event that
the outbox had committed did not arrive, came without its picture, or out of its camera's order.

With `--refuse 0.01` the broker refuses one message in a hundred, pictures and reads, each for good: by turns as too
large, as not authorized, as wrong, for its quota, and by hanging up. All the others have to arrive, in order. A refused
read has to be kept in the outbox, a refused picture has to be given up and counted.
"""

import argparse
import contextlib
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks.delivery.archive import Archive
from edge_app.commands.progress import ProgressLine
from edge_app.outbox.outbox import Outbox
from tests.mosquitto import Mosquitto
from tests.uplink.fault_proxy import FaultProxy
from tests.uplink.refusing_proxy import PICTURE, READ, RefusingProxy, refusing

BROKER = (
    "allow_anonymous true",
    "max_inflight_messages 0",
    "max_queued_messages 0",
    "persistence true",  # so that the archive's session outlives the broker
    "autosave_interval 1",
    "autosave_on_changes true",
)
KINDS = ("broker", "network", "device")
QUIET_SECONDS = 180
"""Time without a new event after which it ends."""


class Setup:
    """Broker, network, device and archive, and the faults of each."""

    def __init__(
        self, folder: Path, events: int, rate: float, broker_signal: int, refuse: float, dice: random.Random
    ) -> None:
        settings = (*BROKER, f"persistence_location {folder}/")
        self.broker = Mosquitto(folder, settings)
        self.broker.start()
        self.refusing = RefusingProxy(self.broker.port, refusing(refuse))
        self.proxy = FaultProxy(self.refusing.port)
        self.archive = Archive(self.broker.port, ["anpr/+/+/read", "anpr/+/+/image/+"])
        self.archive.connected.wait(10)
        time.sleep(2)  # until the broker has saved the archive's subscription
        self._folder, self._events, self._rate, self._dice = folder, events, rate, dice
        self._broker_signal = broker_signal
        self.start_device()

    def start_device(self) -> None:
        """Start the device, or start it again."""
        command = [sys.executable, "-m", "benchmarks.delivery.device", self._folder / "device", self.proxy.port]
        command += ["--events", self._events, "--rate", self._rate]
        self.device = subprocess.Popen([str(word) for word in command], stderr=subprocess.DEVNULL)

    def kill_broker(self) -> None:
        """Kill the broker, and start it again a moment later."""
        self.broker.stop(self._broker_signal)
        time.sleep(self._dice.uniform(0, 1))
        self.broker.start()
        self.archive.connected.wait(10)

    def break_network(self) -> None:
        """Swallow everything for a moment, then reset."""
        self.proxy.black_hole.set()
        time.sleep(self._dice.uniform(0.2, 2))
        self.proxy.cut()
        self.proxy.black_hole.clear()

    def kill_device(self) -> None:
        """Kill the device, and start it again."""
        self.device.kill()
        self.device.wait()
        self.start_device()

    def committed(self) -> set[str]:
        """The ids of what the outbox has committed."""
        ledger = self._folder / "device" / "ledger"
        return set(ledger.read_text().split()) if ledger.exists() else set()

    @property
    def outbox_path(self) -> Path:
        """The device's outbox."""
        return self._folder / "device" / "outbox.sqlite"

    def missing(self) -> set[str]:
        """The ids of committed events that have not arrived and that the broker has not refused."""
        return self.committed() - self.archive.deliveries.keys() - self.refusing.refused[READ]

    def stop_device(self) -> None:
        """End the device, as its service would."""
        self.device.terminate()
        self.device.wait()

    def close(self) -> None:
        """End everything."""
        self.stop_device()
        self.archive.close()
        self.proxy.close()
        self.refusing.close()
        self.broker.stop()


def main() -> int:
    """Play it and print what came of it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=10_000, help="events to make (default: %(default)s)")
    parser.add_argument("--faults", type=int, default=20, help="faults of each kind (default: %(default)s)")
    parser.add_argument("--kinds", nargs="+", choices=KINDS, default=list(KINDS), help="of faults (default: all)")
    parser.add_argument(
        "--broker-signal", type=int, default=signal.SIGKILL, help="that ends the broker, 15 for SIGTERM (default: 9)"
    )
    parser.add_argument("--rate", type=float, default=200, help="events a second (default: %(default)s)")
    parser.add_argument(
        "--refuse", type=float, default=0.0, metavar="SHARE", help="of messages that the broker refuses (default: 0)"
    )
    parser.add_argument("--seed", type=int, default=1, help="of the order of faults (default: %(default)s)")
    arguments = parser.parse_args()
    dice = random.Random(arguments.seed)
    with tempfile.TemporaryDirectory() as folder:
        setup = Setup(Path(folder), arguments.events, arguments.rate, arguments.broker_signal, arguments.refuse, dice)
        with contextlib.closing(setup):
            began = time.monotonic()
            happened = play(setup, arguments.events, arguments.faults, arguments.kinds, dice)
            wanted = arguments.faults * len(arguments.kinds)
            print(f"faults: {happened} of {wanted}, {', '.join(arguments.kinds)}; {time.monotonic() - began:.0f} s")
            if happened < wanted or len(setup.committed()) < arguments.events:
                print("the device stopped before its time: these figures mean nothing")
                return 1
            return report(setup)


def play(setup: Setup, events: int, faults: int, kinds: Sequence[str], dice: random.Random) -> int:
    """Cause the faults, and wait until nothing new arrives; the number of faults."""
    progress = ProgressLine("arrived")
    possible = dict(zip(KINDS, (setup.kill_broker, setup.break_network, setup.kill_device), strict=True))
    happenings = [possible[kind] for kind in kinds] * faults
    dice.shuffle(happenings)
    arrived, arrived_at, happened = 0, time.monotonic(), 0
    while happened < len(happenings) or len(setup.committed()) < events or setup.missing():
        time.sleep(0.1)
        due = len(setup.committed()) * (len(happenings) + 1) // (events + 1)
        if happened < min(due, len(happenings)):
            happenings[happened]()
            happened += 1
        if len(setup.archive.deliveries) > arrived:
            arrived, arrived_at = len(setup.archive.deliveries), time.monotonic()
            progress(arrived, max(events, arrived + 1))
        elif time.monotonic() - arrived_at > QUIET_SECONDS:
            break
    progress(1, 1)
    return happened


def report(setup: Setup) -> int:
    """Print the figures; 1 if something was lost that was not refused, or was refused and is not accounted for."""
    archive, committed, lost, disordered = (
        setup.archive,
        setup.committed(),
        setup.missing(),
        setup.archive.out_of_order(),
    )
    print(f"events: {len(committed)} in the ledger, {len(archive.deliveries)} arrived")
    print(f"losses: {len(lost)}")
    if lost:
        with setup.broker.log_path.open(errors="replace") as lines:
            taken = {each for line in lines if "Received PUBLISH" in line for each in lost if each in line}
        print(f"  of these, the broker had received the picture of {len(taken)}, by its log")
    bare = archive.without_picture - setup.refusing.refused[PICTURE]
    print(f"without their picture: {len(bare)}")
    print(f"duplicates, all with the event_id of another: {archive.duplicates}")
    print(f"out of their camera's order: {disordered}")
    return 1 if lost or disordered or bare or not refusals_are_accounted_for(setup) else 0


def refusals_are_accounted_for(setup: Setup) -> bool:
    """Print what became of what the broker refused, and whether the outbox knows of all of it."""
    pictures, reads = (setup.refusing.refused[kind] for kind in (PICTURE, READ))
    if not (pictures or reads):
        return True
    setup.stop_device()
    with contextlib.closing(Outbox(setup.outbox_path)) as outbox:
        waiting = {each.read.event_id for each in outbox.pending(len(setup.committed()) + 1)}
        given_up = outbox.state().losses.images_refused
    print(f"refused: {len(pictures)} pictures, of which the outbox counts {given_up} as given up; {len(reads)} reads,")
    print(f"  of which {len(reads & waiting)} are kept in the outbox")
    return reads <= waiting and given_up >= len(pictures - reads)


if __name__ == "__main__":
    sys.exit(main())
