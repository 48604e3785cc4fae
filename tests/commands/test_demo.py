"""`edge-anpr demo`, the way a newcomer runs it."""

import contextlib
import json
import signal
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import cv2
import pytest

from edge_app.demo import CLIP
from edge_app.evaluation.clips.truth import read_clips
from tests.mosquitto import free_port


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


def test_the_page_shows_the_clip_until_it_is_stopped() -> None:
    address = f"127.0.0.1:{free_port()}"
    command = [sys.executable, "-m", "edge_app", "demo", "--web", address]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            assert f"http://{address}/" in process.stdout.readline()
            picture = b""
            ends_at = time.monotonic() + 120
            while not picture:
                assert time.monotonic() < ends_at
                with contextlib.suppress(OSError):
                    url = f"http://{address}/v1/cameras/road/picture"
                    picture = urllib.request.urlopen(url, timeout=10).read()
            process.send_signal(signal.SIGINT)
            code = process.wait(60)
        finally:
            process.kill()

    assert picture.startswith(b"\xff\xd8")
    assert code == 0
