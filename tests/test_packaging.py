"""What a wheel carries."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from edge_app.version import __version__

pytest.importorskip("setuptools")

ROOT = Path(__file__).parent.parent
BUILD = "import sys; from setuptools import build_meta; print(build_meta.build_wheel(sys.argv[1]))"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """The names of the files in a wheel built from a copy of the sources."""
    folder = tmp_path_factory.mktemp("wheel")
    for name in ("pyproject.toml", "README.md", "LICENSE", "edge_app", "models"):
        subprocess.run(["cp", "-a", str(ROOT / name), str(folder)], check=True)
    subprocess.run([sys.executable, "-c", BUILD, "dist"], cwd=folder, check=True, capture_output=True)
    with zipfile.ZipFile(next((folder / "dist").glob("*.whl"))) as archive:
        return set(archive.namelist())


def test_the_wheel_carries_models_formats_and_the_demo(wheel: set[str]) -> None:
    wanted = {
        "edge_app/models/plate_detector.tflite",
        "edge_app/models/plate_detector.json",
        "edge_app/models/plate_reader.tflite",
        "edge_app/models/plate_reader.json",
        "edge_app/recognition/formats/in.toml",
        "edge_app/demo/clip.mp4",
        "edge_app/demo/events.jsonl",
        "edge_app/py.typed",
    }

    assert wanted - wheel == set()


def test_the_wheel_has_the_version_that_the_program_prints(wheel: set[str]) -> None:
    assert f"edge_anpr-{__version__}.dist-info/METADATA" in wheel


def test_the_wheel_carries_every_module_of_the_device(wheel: set[str]) -> None:
    modules = {str(path.relative_to(ROOT)) for path in (ROOT / "edge_app").rglob("*.py")}

    assert modules - wheel == set()


def test_the_wheel_leaves_the_workstation_at_home(wheel: set[str]) -> None:
    assert [
        name for name in wheel if name.startswith(("training", "converters", "tests")) or name.endswith(".keras")
    ] == []
