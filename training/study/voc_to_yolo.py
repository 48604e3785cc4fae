"""Pascal VOC labels become YOLO labels; what is dropped is counted, with the reason."""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree as ET

_SMALLEST_PX = 8.0
"""Narrower boxes are dropped: nothing can be read there."""
_SHAPES = (0.6, 8.0)
"""Width over height that a plate can have in a picture."""


@dataclass(frozen=True, slots=True)
class Report:
    """What became of the labels."""

    pictures: int
    kept: int
    dropped: dict[str, int]
    """Boxes or files by reason."""


def convert(annotations: Path, labels: Path, classes: tuple[str, ...] = ("plate",)) -> Report:
    """Write a `.txt` for each `.xml`: class, middle, width and height as shares of the picture."""
    labels.mkdir(parents=True, exist_ok=True)
    dropped: Counter[str] = Counter()
    pictures = kept = 0
    for file in sorted(annotations.glob("*.xml")):
        try:
            # Annotations come from people we chose; expat as of 2.4.1 stops entity expansion.
            root = ET.parse(file).getroot()  # noqa: S314
            size = float(root.findtext("size/width", "")), float(root.findtext("size/height", ""))
        except (ET.ParseError, ValueError):
            dropped["file that is no annotation, or without its picture's size"] += 1
            continue
        lines: list[str] = []
        for item in root.iter("object"):
            line = _line(item, size, classes)
            if line in lines:
                dropped["the same box twice"] += 1
            elif line[:1].isdigit():
                lines.append(line)
            else:
                dropped[line] += 1
        pictures, kept = pictures + 1, kept + len(lines)
        text = "".join(f"{line}\n" for line in lines)
        (labels / f"{file.stem}.txt").write_text(text, encoding="utf-8")
    return Report(pictures, kept, dict(sorted(dropped.items())))


def _line(item: ET.Element, size: tuple[float, float], classes: tuple[str, ...]) -> str:
    """The YOLO line of an object, or why there is none."""
    name = item.findtext("name", "")
    if name not in classes:
        return "of another class"
    if item.findtext("difficult") == "1":
        return "marked as difficult: hidden, cut off or too small"
    try:
        left, top, right, bottom = (float(item.findtext(f"bndbox/{edge}", "")) for edge in _EDGES)
    except ValueError:
        return "an edge of the box is missing"
    if right <= left or bottom <= top:
        return "no extent: right before left, or bottom before top"
    left, right = max(left, 0.0), min(right, size[0])
    top, bottom = max(top, 0.0), min(bottom, size[1])
    if right <= left or bottom <= top:
        return "outside the picture"
    if right - left < _SMALLEST_PX:
        return f"narrower than {_SMALLEST_PX:.0f} pixels"
    if not _SHAPES[0] <= (right - left) / (bottom - top) <= _SHAPES[1]:
        return "of no plate's shape"
    middle = (left + right) / 2 / size[0], (top + bottom) / 2 / size[1]
    extent = (right - left) / size[0], (bottom - top) / size[1]
    return " ".join([str(classes.index(name)), *(f"{share:.6f}" for share in (*middle, *extent))])


_EDGES = ("xmin", "ymin", "xmax", "ymax")


def read_labels(path: Path, size: tuple[int, int]) -> list[tuple[float, float, float, float]]:
    """Left, top, width, height in pixels of a picture of `size` of each line of a label file."""
    boxes = []
    for line in path.read_text(encoding="utf-8").splitlines():
        x, y, width, height = (float(field) for field in line.split()[1:])
        boxes.append(((x - width / 2) * size[0], (y - height / 2) * size[1], width * size[0], height * size[1]))
    return boxes
