"""The benchmarks run; their figures are for docs and commit messages."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests import mosquitto

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
