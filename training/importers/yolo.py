"""YOLO: a text file per image with `class x y width height` as shares of its size, or four corners."""

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from edge_app.errors import UsageError
from edge_app.file_kinds import IMAGE_SUFFIXES
from edge_app.geometry import hulls
from training.importers.dataset_writer import ImportedImage, ImportedPlate, image_size

_BOX_FIELDS, _CORNER_FIELDS = 5, 9


def read_yolo(source: Path, classes: frozenset[str], report: Callable[[str], None]) -> Iterator[ImportedImage]:
    """Every image below `source` with the plates of its text file; one without a file shows no plate.

    The text file lies beside the image, or under `labels/` if the image lies under `images/`. `classes` are the
    numbers of the classes that are plates; by default all are.
    """
    paths = sorted(path for path in source.rglob("*") if path.suffix.lower() in IMAGE_SUFFIXES)
    if not paths:
        raise UsageError(f"{source}: no image in it")
    if not any(_labels_of(path, source) for path in paths):
        raise UsageError(f"{source}: no image has a YOLO .txt beside it or under labels/")
    for path in paths:
        size = image_size(path)
        if size is None:
            report(f"{path}: left out, not readable")
            continue
        labels = _labels_of(path, source)
        try:
            plates = tuple(_plates(labels, size, classes)) if labels else ()
        except ValueError as error:
            report(f"{labels}: left out, {error}")
            continue
        yield ImportedImage(path, *size, plates)


def _labels_of(path: Path, source: Path) -> Path | None:
    parts = list(path.relative_to(source).parts)
    moved = source.joinpath(*("labels" if part == "images" else part for part in parts))
    # `source` itself may be the folder named images.
    outside = source.parent / "labels" / Path(*parts) if source.name == "images" else moved
    candidates = (candidate.with_suffix(".txt") for candidate in (path, moved, outside))
    return next((candidate for candidate in candidates if candidate.is_file()), None)


def _plates(labels: Path, size: tuple[int, int], classes: frozenset[str]) -> Iterator[ImportedPlate]:
    for number, line in enumerate(labels.read_text(encoding="utf-8-sig").splitlines(), start=1):
        fields = line.split()
        if not fields or (classes and fields[0] not in classes):
            continue
        if len(fields) not in (_BOX_FIELDS, _CORNER_FIELDS):
            raise ValueError(
                f"line {number} has {len(fields)} fields; expected class x y width height, or class and 4 corners"
            )
        try:
            shares = [float(field) for field in fields[1:]]
        except ValueError:
            raise ValueError(f"line {number} holds something else than numbers: {line.strip()!r}") from None
        yield _box_plate(shares, size) if len(fields) == _BOX_FIELDS else _corner_plate(shares, size)


def _box_plate(shares: list[float], size: tuple[int, int]) -> ImportedPlate:
    width, height = shares[2] * size[0], shares[3] * size[1]
    return ImportedPlate((shares[0] * size[0] - width / 2, shares[1] * size[1] - height / 2, width, height))


def _corner_plate(shares: list[float], size: tuple[int, int]) -> ImportedPlate:
    corners = tuple((x * size[0], y * size[1]) for x, y in zip(shares[::2], shares[1::2], strict=True))
    left, top, width, height = hulls(np.array(corners)).tolist()
    return ImportedPlate((left, top, width, height), corners)
