"""Writes a dataset folder from what an importer read."""

import json
import math
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

import cv2

from edge_app.errors import UsageError
from edge_app.geometry import Box

_SMALLEST_PX = 2.0

Quadrilateral = tuple[tuple[float, float], ...]
"""Four points x, y in pixels, clockwise from the plate's own top left."""


@dataclass(frozen=True, slots=True)
class ImportedPlate:
    """A plate as annotated; with neither box nor corners the image is a crop of it."""

    box: Box | None = None
    corners: Quadrilateral | None = None
    text: str | None = None
    """A-Z and 0-9, or None if it was not annotated."""


@dataclass(frozen=True, slots=True)
class ImportedImage:
    """An image and the plates on it; the importer has checked its size."""

    path: Path
    width: int
    height: int
    plates: tuple[ImportedPlate, ...]


@dataclass(frozen=True, slots=True)
class Summary:
    """What was written."""

    images: int
    plates: int
    skipped_plates: int
    """Plates outside their image, without extent, or whose place is no number."""


def image_size(path: Path) -> tuple[int, int] | None:
    """Width and height as the device sees the image (turned by its EXIF), or None if it is not readable."""
    image = cv2.imread(str(path)) if path.is_file() else None
    return None if image is None else (image.shape[1], image.shape[0])


def write_dataset(images: Iterable[ImportedImage], destination: Path, country: str | None, scene: bool) -> Summary:
    """Copy the images and write the labels, in the order given; if there is no image, nothing is made.

    Raises:
        UsageError: something is there already.
    """
    if destination.exists() and (not destination.is_dir() or any(destination.iterdir())):
        raise UsageError(f"{destination}: already there and not empty; name a new folder")
    coming = iter(images)
    first = next(coming, None)  # a source that is of no use fails here, before anything is made
    if first is None:
        return Summary(0, 0, 0)
    (destination / "images").mkdir(parents=True, exist_ok=True)
    written = kept = skipped = 0
    taken: set[str] = set()
    with (destination / "labels.jsonl").open("w", encoding="utf-8") as labels:
        for image in chain([first], coming):
            plates = [plate for annotated in image.plates if (plate := _within(annotated, image)) is not None]
            name = _free_name(image.path, taken)
            shutil.copyfile(image.path, destination / "images" / name)
            record = _record(image, plates, name, country, scene)
            labels.write(json.dumps(record, ensure_ascii=False) + "\n")
            written, kept = written + 1, kept + len(plates)
            skipped += len(image.plates) - len(plates)
    return Summary(written, kept, skipped)


def _record(
    image: ImportedImage, plates: list[ImportedPlate], name: str, country: str | None, scene: bool
) -> dict[str, Any]:
    labels = [
        {
            "box": None if plate.box is None else [round(value, 2) for value in plate.box],
            "corners": plate.corners and [[round(x, 2), round(y, 2)] for x, y in plate.corners],
            "text": plate.text,
            "country": country,
        }
        for plate in plates
    ]
    record: dict[str, Any] = {
        "image": f"images/{name}",
        "width": image.width,
        "height": image.height,
        "plates": labels,
    }
    return record | {"scene": True} if scene else record


def _within(plate: ImportedPlate, image: ImportedImage) -> ImportedPlate | None:
    """The plate with its box cut at the image's edges, or None if nothing of it is left."""
    if plate.box is None:
        return plate
    if not all(map(math.isfinite, plate.box)):
        return None
    left, top = max(0.0, plate.box[0]), max(0.0, plate.box[1])
    right = min(float(image.width), plate.box[0] + plate.box[2])
    bottom = min(float(image.height), plate.box[1] + plate.box[3])
    if right - left < _SMALLEST_PX or bottom - top < _SMALLEST_PX:
        return None
    return ImportedPlate((left, top, right - left, bottom - top), plate.corners, plate.text)


def _free_name(path: Path, taken: set[str]) -> str:
    """The image's own name; where two folders share it, the folder's name comes first."""
    name, count = path.name, 1
    while name.lower() in taken:
        name = f"{path.parent.name}_{path.stem}{'' if count == 1 else f'_{count}'}{path.suffix}"
        count += 1
    taken.add(name.lower())
    return name
