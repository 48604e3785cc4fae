"""`edge-anpr demo`, the way a newcomer runs it."""

import json
import signal
import subprocess
import sys
from pathlib import Path

import cv2
import pytest

from edge_app.demo import CLIP
from edge_app.evaluation.clips.truth import read_clips


def demo(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "edge_app", "demo", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)


def test_every_vehicle_is_read_right_and_shown(tmp_path: Path) -> None:
    vehicles = read_clips(CLIP.parent)[0].vehicles

    done = demo("--output", tmp_path / "out")

    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stderr == ""
    assert f"{len(vehicles)} of {len(vehicles)} vehicles right" in done.stdout
    reads = [json.loads(line) for line in (tmp_path / "out" / "reads.jsonl").read_text().splitlines()]
    assert {read["plate"]["text"] for read in reads} == {vehicle.plate for vehicle in vehicles}
    assert cv2.imread(str(tmp_path / "out" / "annotated.jpg")) is not None


def test_an_output_that_cannot_be_made_is_an_error_before_anything_is_played(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    (tmp_path / "out" / "reads.jsonl").mkdir(parents=True)

    no_folder = demo("--output", tmp_path / "file" / "out")
    no_file = demo("--output", tmp_path / "out")

    assert (no_folder.returncode, no_file.returncode) == (2, 2)
    assert "cannot be made" in no_folder.stderr
    assert "reads.jsonl: cannot be written (Is a directory)" in no_file.stderr
    assert "played" not in no_file.stdout


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_whoever_interrupts_it_gets_no_verdict(tmp_path: Path, number: signal.Signals) -> None:
    command = [sys.executable, "-u", "-m", "edge_app", "demo", "--output", str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        while "demo/road" not in process.stdout.readline():
            assert process.poll() is None

        process.send_signal(number)
        printed, _ = process.communicate(timeout=20)

    assert process.returncode == 130
    assert "vehicles right" not in printed
