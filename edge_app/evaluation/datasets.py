"""Dataset folders: `images/` and `labels.jsonl`, one JSON object a line; docs/datasets.md explains the fields."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from edge_app.errors import SourceError, UsageError
from edge_app.evaluation.scoring import normalize_text
from edge_app.geometry import Box, hulls


@dataclass(frozen=True, slots=True)
class LabelledPlate:
    """What is known of a plate."""

    box: Box | None
    """Left, top, width, height in pixels; the hull of the corners if only those are known."""
    text: str | None
    """A-Z and 0-9; None if nobody could read it."""
    country: str | None
    corners: tuple[tuple[float, float], ...] | None = None
    """Four points x, y in pixels, clockwise from the plate's own top left, if they are known."""


@dataclass(frozen=True, slots=True)
class LabelledImage:
    """A picture and its plates."""

    path: Path
    plates: tuple[LabelledPlate, ...]
    scene: bool
    """The whole scene is seen, though no box may be known."""
    boxes_complete: bool = True
    """False: plates without a box may be seen too, so nothing that is found is false."""

    @property
    def is_crop(self) -> bool:
        """The picture shows one plate and little else."""
        return not self.scene and len(self.plates) == 1 and self.plates[0].box is None

    @property
    def has_boxes(self) -> bool:
        """The place of every plate that is named is known; so too if there is no plate."""
        return all(plate.box is not None for plate in self.plates) and not (self.scene and not self.plates)

    @property
    def has_all_boxes(self) -> bool:
        """Every plate's place is known, so that whatever else is found is false; so too if there is no plate."""
        return self.boxes_complete and self.has_boxes


def dataset_folders(folder: Path) -> list[Path]:
    """The dataset folders that lie in a folder, by name; `UsageError` if there is none."""
    found = sorted(path.parent for path in folder.glob("*/labels.jsonl"))
    if not found:
        raise UsageError(f"{folder}: no dataset folder in it; one holds images/ and labels.jsonl")
    return found


def read_dataset(folder: Path) -> list[LabelledImage]:
    """The labelled pictures of a folder; `SourceError` names the line that is wrong."""
    labels = folder / "labels.jsonl"
    try:
        lines = labels.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise SourceError(
            f"{labels}: cannot be read ({error}); a dataset folder holds images/ and labels.jsonl"
        ) from error
    images = [_image(folder, f"{labels}:{number}", line) for number, line in enumerate(lines, 1) if line.strip()]
    if not images:
        raise SourceError(f"{labels}: holds no image; write one JSON object a line")
    return images


def _image(folder: Path, place: str, line: str) -> LabelledImage:
    try:
        fields = json.loads(line)
        plates = tuple(_plate(plate) for plate in fields["plates"])
        return LabelledImage(
            folder / fields["image"],
            plates,
            scene=bool(fields.get("scene", False)),
            boxes_complete=fields.get("boxes_complete") is not False,
        )
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        wanted = '{"image": "images/x.jpg", "width": …, "height": …, "plates": […]}'
        raise SourceError(f"{place}: this is no label ({error!r}); write {wanted}, see docs/datasets.md") from error


def _plate(fields: dict[str, Any]) -> LabelledPlate:
    box, corners = fields.get("box"), None
    if fields.get("corners"):
        points = np.array(fields["corners"], np.float64).reshape(4, 2)
        corners = tuple((float(x), float(y)) for x, y in points)
        box = box or hulls(points).tolist()
    if box is not None:
        left, top, width, height = (float(number) for number in box)
        box = (left, top, width, height)
    return LabelledPlate(box, clean_text(fields.get("text")), fields.get("country"), corners)


def clean_text(text: str | None) -> str | None:
    """A label's text with only A-Z and 0-9 kept; None if nothing is left."""
    return normalize_text(text or "") or None
