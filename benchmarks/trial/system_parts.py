"""A device that takes OpenCV, numpy and the runtime from Debian 12 and tflite-runtime, not from its release."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.trial.bundles import Bundler
from benchmarks.trial.containers import layer_above, make_tree
from benchmarks.trial.report import Report, expect
from converters.bundle.making import Target
from training.repository import REPOSITORY

_PYTHON = "3.11"
_RUNTIME = "tflite-runtime==2.14.0"
_PACKAGES = ("python3", "python3-opencv", "python3-numpy", "openssh-client")
_KNOWN = "/opt/edge-anpr/current/site/edge_app/demo/known"
_RUN = """[device]
state_directory = "/root/state"
[camera]
source = "file:/opt/edge-anpr/current/site/edge_app/demo/clip.mp4"
[mqtt]
host = "127.0.0.1"
port = 1
"""
_ROWS = {
    "what is taken": "edge-anpr doctor | grep '^.*models:'",
    "self-test": "edge-anpr self-test",
    "read": f"edge-anpr read --json {_KNOWN}/*.png | head -c 300",
    "run, a recording to its end": "edge-anpr run --config /root/run.toml 2>&1 | grep 'the recording ended'",
    "doctor": "edge-anpr doctor --config /root/run.toml | grep -c . ; true",
    "bench": "edge-anpr bench | sed -n 2p",
}
_TESTS = "the tests of what uses them"
_TESTED = (
    *("capture", "demo", "detection", "recognition", "tracking"),
    *("test_tflite_model.py", "test_recognizer.py", "test_pipeline.py", "test_image_files.py", "test_geometry.py"),
)
_REPLACED = ("ai_edge_litert", "cv2", "numpy", "opencv_python_headless")
"""Of the development environment: the system's are to be tested."""


def try_system_parts(folder: Path, mirror: str, bundler: Bundler, report: Report) -> None:
    """Install with the parts of the system, and let each command do its work."""
    if not any(report.wants("parts", what) for what in (*_ROWS, _TESTS)):
        return
    tree = make_tree(folder, "bookworm", mirror, packages=_PACKAGES, name="parts")
    _add_runtime(tree, folder)
    with layer_above(tree, folder / "lab/parts") as root:
        _try_in(root, bundler, report)


def _try_in(root: Path, bundler: Bundler, report: Report) -> None:
    shutil.copyfile(bundler.made(Target("x86_64", _PYTHON)), root / "root/bundle.tar")
    shutil.copyfile(f"{bundler.key}.pub", root / "root/key.pub")
    (root / "root/run.toml").write_text(_RUN, encoding="utf-8")
    (root / "etc/edge-anpr").mkdir(parents=True, exist_ok=True)
    (root / "etc/edge-anpr/system-parts").write_text("cv2 numpy ai_edge_litert\n", encoding="utf-8")
    report.check(
        "parts",
        "install",
        lambda: _in(root, "cd /root; tar -xf bundle.tar install.sh; sh install.sh bundle.tar --trust key.pub"),
    )
    for what, command in _ROWS.items():
        if report.wants("parts", what):
            report.check("parts", what, lambda command=command: _in(root, command))  # type: ignore[misc]
    if report.wants("parts", _TESTS) and f"{sys.version_info[0]}.{sys.version_info[1]}" == _PYTHON:
        report.check("parts", _TESTS, lambda: _run_tests(root))


def _run_tests(root: Path) -> str:
    """This repository's, with pytest from the environment that runs this, which has the same Python."""
    environment = Path(pytest.__file__).parents[1]
    packages = root / "root/packages"
    packages.mkdir()
    for each in environment.iterdir():
        if each.name.partition("-")[0].partition(".")[0] not in _REPLACED:
            (packages / each.name).symlink_to(Path("/environment", each.name))
    tests = " ".join(f"tests/{each}" for each in _TESTED)
    command = f"cd /repository; PYTHONPATH=/repository:/root/packages python3 -m pytest -q -p no:cacheprovider {tests}"
    binds = [f"--bind-ro={REPOSITORY}:/repository", f"--bind-ro={environment}:/environment"]
    return _in(
        root, f"export PYTHONDONTWRITEBYTECODE=1 HYPOTHESIS_STORAGE_DIRECTORY=/tmp/hypothesis; {command}", *binds
    )


def _add_runtime(tree: Path, folder: Path) -> None:
    """tflite-runtime, which Debian has not, as a wheel beside Debian's packages."""
    into = tree / "usr/local/lib/python3.11/dist-packages"
    if (into / "tflite_runtime").exists():
        return
    wheels = folder / "wheels"
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary", ":all:"]
    command += ["--python-version", _PYTHON, "--dest", str(wheels), _RUNTIME]
    subprocess.run(command, check=True)
    into.mkdir(parents=True, exist_ok=True)
    (wheel,) = wheels.glob("tflite_runtime-*.whl")
    shutil.unpack_archive(wheel, into, "zip")


def _in(root: Path, command: str, *options: str) -> str:
    nspawn = ["systemd-nspawn", "--quiet", f"--directory={root}", "--register=no", "--keep-unit", "--pipe", *options]
    ended = subprocess.run([*nspawn, "sh", "-ec", command], capture_output=True, text=True, check=False)
    expect(ended.returncode == 0, (ended.stdout.strip() + ended.stderr.strip())[-400:])
    expect("Traceback" not in ended.stdout + ended.stderr, ended.stderr[-400:])
    return ended.stdout.strip().splitlines()[-1]
