"""The benchmarks run; their figures are for docs and commit messages."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.delivery.offline_day import drain
from edge_app.errors import OutboxError
from edge_app.outbox.disk_queue import RETRY_SECONDS
from edge_app.outbox.outbox import Outbox
from tests import mosquitto
from tests.events.passes import event
from tests.mosquitto import Mosquitto
from tests.outbox.disks import largest_file

ROOT = Path(__file__).parent.parent


@pytest.mark.skipif(mosquitto.PROGRAM is None, reason="mosquitto is not installed")
def test_a_small_fleet_loses_nothing() -> None:
    command = [
        sys.executable,
        "-m",
        "benchmarks.delivery.fleet",
        "--devices",
        "3",
        "--consumers",
        "2",
        "--seconds",
        "1",
    ]

    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)

    result = json.loads(done.stdout)
    assert (done.returncode, result["reads"], result["missing"]) == (0, 6, 0)


def test_a_publisher_that_ends_ends_the_measurement(tmp_path: Path, broker: Mosquitto) -> None:
    now = 0.0
    with largest_file(0):  # it cannot be opened at first
        outbox = Outbox(tmp_path / "outbox.sqlite", clock=lambda: now)
    outbox.put(*(event() for _ in range(100)))
    (tmp_path / "outbox.sqlite").unlink()
    (tmp_path / "outbox.sqlite").mkdir()

    now = RETRY_SECONDS
    with pytest.raises(OutboxError, match="check that its directory is writable"):
        drain(outbox, broker.settings, 100)
