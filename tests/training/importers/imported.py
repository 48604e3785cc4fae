"""Runs an importer as its command does, on pictures 80 pixels wide and 60 high."""

import json
from pathlib import Path
from typing import Any

from tests.capture.pictures import write_picture
from training.importers.__main__ import main


def picture(path: Path, level: int = 90) -> Path:
    """Write a picture, and the folders it lies in."""
    path.parent.mkdir(parents=True, exist_ok=True)
    return write_picture(path, level)


def run(form: str, source: Path, destination: Path, *options: str) -> int:
    """The exit code."""
    return main(["--from", form, str(source), str(destination), *options])


def labels(destination: Path) -> list[dict[str, Any]]:
    """What stands in the dataset folder's `labels.jsonl`."""
    return [json.loads(line) for line in (destination / "labels.jsonl").read_text().splitlines()]


def plates(destination: Path) -> dict[str, list[dict[str, Any]]]:
    """The plates of each image, by the image's file name."""
    return {Path(label["image"]).name: label["plates"] for label in labels(destination)}
