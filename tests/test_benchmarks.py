"""The benchmarks run; their figures are for docs and commit messages."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.delivery.offline_day import drain
from benchmarks.trial.device_trial import DeviceTrial
from benchmarks.trial.report import Report
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


def test_every_row_of_the_trial_has_a_method_and_a_name_of_its_own() -> None:
    rows = DeviceTrial.rows(cuts=10)

    assert {words.partition(" ")[0] for words in rows.values()} <= set(dir(DeviceTrial))
    assert any("10 random moments" in what for what in rows)


def test_a_row_of_the_trial_is_chosen_by_its_words_and_a_miss_does_not_end_it() -> None:
    report = Report(only=["doctor"])
    assert report.wants("bookworm", "doctor: all is well")
    assert not report.wants("bookworm", "rollback")

    report.check("here", "well", lambda: "3 s")
    report.check("here", "amiss", lambda: str(1 // 0))

    assert [row.passed for row in report.rows] == [True, False]
    assert "1 of 2 passed" in report.table()
