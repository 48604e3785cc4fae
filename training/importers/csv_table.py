"""CSV: a row per plate (or per image without one), columns found by their usual names."""

import csv
from collections.abc import Callable, Iterator
from pathlib import Path

from edge_app.errors import UsageError
from edge_app.evaluation.datasets import clean_text
from edge_app.geometry import Box
from training.importers.dataset_writer import ImportedImage, ImportedPlate, image_size

_IMAGE = ("image", "filename", "file", "file_name", "image_path", "img", "path")
_TEXT = (
    "text",
    "plate",
    "plate_text",
    "plate_number",
    "number_plate",
    "licence_plate",
    "license_plate",
    "label",
    "words",
)
_EDGES = (("xmin", "x_min", "left", "x1"), ("ymin", "y_min", "top", "y1"), ("xmax", "x_max", "right", "x2"),
          ("ymax", "y_max", "bottom", "y2"))  # fmt: skip
_EXTENT = (("x", "bbox_x"), ("y", "bbox_y"), ("w", "bbox_w", "bbox_width"), ("h", "bbox_h", "bbox_height"))

Row = dict[str, str]


def read_csv(source: Path, classes: frozenset[str], report: Callable[[str], None]) -> Iterator[ImportedImage]:
    """Every image a CSV file names; what cannot be used is reported and left out.

    `source` is the file, or a folder with one CSV file in it; image paths are taken from the file's folder. Columns: an
    image (`image`, `filename` …), a box (`xmin ymin xmax ymax` or `x y w h`, in pixels) and a text (`text`, `plate` …),
    the last two as far as they are there. A `class` column is held against `classes` where those are given.
    """
    table = _table(source)
    names, rows = _rows(table)
    image_column = _column(names, _IMAGE)
    if image_column is None:
        raise UsageError(f"{table}: none of its columns {sorted(names)} names an image ({', '.join(_IMAGE)})")
    rows_of: dict[str, list[Row]] = {}
    for row in rows:
        rows_of.setdefault(row[image_column] or "", []).append(row)
    columns = _Columns(names)
    for name, image_rows in rows_of.items():
        path = _find(table.parent, name)
        size = image_size(path) if path else None
        if path is None or size is None:
            report(f"{table}: {name!r} left out, missing or not readable")
            continue
        try:
            plates = tuple(plate for row in image_rows if (plate := columns.plate(row, classes)) is not None)
        except ValueError as error:
            report(f"{table}: {name!r} left out, {error}")
            continue
        yield ImportedImage(path, *size, plates)


class _Columns:
    """Which column of a table holds what."""

    def __init__(self, names: dict[str, str]) -> None:
        self._text = _column(names, _TEXT)
        self._class = _column(names, ("class", "category", "class_name"))
        self._edges = [_column(names, aliases) for aliases in _EDGES]
        self._extent = [_column(names, aliases) for aliases in _EXTENT]

    def plate(self, row: Row, classes: frozenset[str]) -> ImportedPlate | None:
        """The plate of a row, or None if it has neither box nor text or is of another class."""
        if classes and self._class and row[self._class] not in classes:
            return None
        text, box = clean_text(row[self._text]) if self._text else None, self._box(row)
        return None if box is None and text is None else ImportedPlate(box, text=text)

    def _box(self, row: Row) -> Box | None:
        if (edges := _numbers(row, self._edges)) is not None:
            left, top, right, bottom = edges
            return left, top, right - left, bottom - top
        return _numbers(row, self._extent)


def _table(source: Path) -> Path:
    if source.is_file():
        return source
    tables = sorted(source.glob("*.csv"))
    if len(tables) != 1:
        raise UsageError(f"{source}: {len(tables)} .csv files in it; name the one to import")
    return tables[0]


def _rows(table: Path) -> tuple[dict[str, str], list[Row]]:
    """The columns, by their names in small letters, and the rows."""
    try:
        with table.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file, skipinitialspace=True)
            return {(name or "").strip().lower(): name for name in reader.fieldnames or ()}, list(reader)
    except UnicodeDecodeError as error:
        raise UsageError(f"{table}: this is not UTF-8 text; save the table as UTF-8") from error
    except csv.Error as error:
        raise UsageError(f"{table}: this is no table of comma-separated values ({error})") from error


def _column(names: dict[str, str], aliases: tuple[str, ...]) -> str | None:
    return next((names[alias] for alias in aliases if alias in names), None)


def _numbers(row: Row, columns: list[str | None]) -> Box | None:
    fields = [row[column] for column in columns if column is not None]
    if len(fields) != len(columns) or not any(fields):
        return None
    if not all(fields):
        raise ValueError(f"only {sum(map(bool, fields))} of a box's {len(columns)} numbers are there")
    left, top, third, fourth = (float(field) for field in fields)
    return left, top, third, fourth


def _find(folder: Path, name: str) -> Path | None:
    candidates = (
        folder / name,
        folder / "images" / name,
        folder / Path(name).name,
        folder / "images" / Path(name).name,
    )
    return next((path for path in candidates if path.is_file()), None)
