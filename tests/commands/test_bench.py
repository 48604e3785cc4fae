"""`edge-anpr bench` measures the shipped networks on this machine."""

import json
import platform
import subprocess
import sys
from pathlib import Path

import pytest

from edge_app.__main__ import main
from edge_app.commands.bench import as_text
from edge_app.tflite_model import runtime_name


@pytest.fixture(autouse=True)
def _few_frames(monkeypatch: pytest.MonkeyPatch) -> None:
    """Enough to have every stage measured."""
    monkeypatch.setattr("edge_app.commands.bench._EVERY", 40)


def test_json_has_every_stage_on_one_thread_and_on_those_that_are_set(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "config.toml").write_text("[models]\nthreads = 3\n")

    code = main(["bench", "--json", "--config", str(tmp_path / "config.toml")])

    printed = json.loads(capsys.readouterr().out)
    assert code == 0
    assert (printed["machine"], printed["runtime"]) == (platform.machine(), runtime_name())
    assert set(printed["models"]) == {"plate_detector", "plate_aligner", "plate_reader"}
    assert 10 < printed["memory_mb"] < 100_000
    assert [run["threads"] for run in printed["runs"]] == [1, 3]
    for run in printed["runs"]:
        stages = run["stages_ms"]
        assert set(stages) == {"detect", "align", "rectify", "read", "vote", "frame"}
        assert all(0 < figures["median"] <= figures["p95"] for figures in stages.values())
        assert stages["detect"]["median"] < stages["frame"]["p95"]
        assert 0 < run["frames_per_second"] < 1000 / stages["detect"]["median"] * 2


@pytest.mark.parametrize(
    ("content", "code", "fault"),
    [
        ('[models]\ndirectory = "/proc"\n', 3, "the manifest cannot be read"),
        ('[models]\ndirectory = "absent"\n', 2, "no such folder"),
        ("[models]\nthreads = 0\n", 2, "out of range"),
    ],
)
def test_without_networks_or_with_a_wrong_configuration_nothing_is_measured(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: str, code: int, fault: str
) -> None:
    (tmp_path / "config.toml").write_text(content)

    assert main(["bench", "--config", str(tmp_path / "config.toml")]) == code

    printed = capsys.readouterr()
    assert printed.out == ""
    assert fault in printed.err


def test_people_get_a_table() -> None:
    stages = {"detect": {"median": 15.8, "p95": 20.0}, "frame": {"median": 30.25, "p95": 41.5}}
    report = {
        "machine": "aarch64",
        "runtime": "ai_edge_litert",
        "models": {"plate_detector": "0.1.0"},
        "runs": [{"threads": 1, "stages_ms": stages, "frames_per_second": 31.5}],
        "memory_mb": 180,
    }

    lines = as_text(report).splitlines()

    assert "1 thread(s): 31.5 frames a second" in lines
    assert "  detect      15.80 ms median    20.00 ms p95" in lines
    assert "  frame       30.25 ms median    41.50 ms p95" in lines
    assert lines[-1] == "most memory: 180 MB"
    assert "ai-edge-litert runs the networks several times faster" in as_text(report | {"runtime": "tflite_runtime"})


def memory_mb(folder: Path, every: int) -> int:
    """Peak memory of a process of its own for one frame in `n`."""
    (folder / "config.toml").write_text("[models]\nthreads = 1\n")
    program = "import sys; from edge_app.commands import bench; from edge_app.__main__ import main;"
    program += f"bench._EVERY = {every}; main(['bench', '--json', '--config', sys.argv[1]])"
    command = [sys.executable, "-c", program, str(folder / "config.toml")]
    printed = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    return int(printed["memory_mb"])


def test_the_memory_printed_does_not_grow_with_the_frames_measured(tmp_path: Path) -> None:
    assert memory_mb(tmp_path, every=10) < memory_mb(tmp_path, every=150) + 30
