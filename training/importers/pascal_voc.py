"""Pascal VOC: an XML file per image, its plate text often in place of the class name."""

import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from xml.etree import ElementTree as ET

from edge_app.errors import UsageError
from edge_app.evaluation.datasets import clean_text
from edge_app.file_kinds import IMAGE_SUFFIXES
from training.importers.dataset_writer import ImportedImage, ImportedPlate, image_size

_PLATE_CLASSES = {"licence", "licenceplate", "license", "licenseplate", "lp", "number", "numberplate", "plate"}
_TEXT_TAGS = ("text", "plate_text", "number", "attributes/attribute[name='text']/value")


def read_pascal_voc(source: Path, classes: frozenset[str], report: Callable[[str], None]) -> Iterator[ImportedImage]:
    """Every annotated image below `source`; what cannot be used is reported and left out.

    An object is a plate if its name is one of `classes` (by default the usual names of a plate). It is one, too, if its
    name is like a plate's text, with 4 to 11 letters and digits, one a digit at least: then the name is its text.
    """
    files = sorted(source.rglob("*.xml"))
    if not files:
        raise UsageError(f"{source}: no .xml file in it; Pascal VOC has one per image")
    images = defaultdict[str, list[Path]](list)
    for path in sorted(source.rglob("*")):
        if path.suffix.lower() in IMAGE_SUFFIXES:
            images[path.name].append(path)
            images[path.stem].append(path)
    for file in files:
        try:
            # Annotations come from people we chose; expat as of 2.4.1 stops entity expansion.
            root = ET.parse(file).getroot()  # noqa: S314
            image = _image_of(file, root, images)
            plates = tuple(_plates(root, classes))
        except (ET.ParseError, LookupError, OSError, ValueError) as error:
            report(f"{file}: left out, damaged ({error})")
            continue
        size = image_size(image) if image is not None else None
        if image is None or size is None:
            report(f"{file}: left out, its image is missing or not readable")
        else:
            yield ImportedImage(image, *size, plates)


def _image_of(file: Path, root: ET.Element, images: Mapping[str, list[Path]]) -> Path | None:
    """The image an annotation names, or the one named like it; of several, the one that lies nearest."""
    found = images.get(Path(root.findtext("filename") or "").name) or images.get(file.stem) or []
    return max(found, key=lambda path: len({*path.parts} & {*file.parts}), default=None)


def _plates(root: ET.Element, classes: frozenset[str]) -> Iterator[ImportedPlate]:
    for item in root.iter("object"):
        name = item.findtext("name") or ""
        is_class = _class_name(name) in ({_class_name(given) for given in classes} or _PLATE_CLASSES)
        if not is_class and not _reads_like_plate(name):
            continue
        text = next((found for tag in _TEXT_TAGS if (found := clean_text(item.findtext(tag)))), None)
        corner = {edge: float(item.findtext(f"bndbox/{edge}") or "nan") for edge in ("xmin", "ymin", "xmax", "ymax")}
        if any(value != value for value in corner.values()):
            raise ValueError(f"an object named {name!r} has no complete bndbox")
        width, height = corner["xmax"] - corner["xmin"], corner["ymax"] - corner["ymin"]
        box = (corner["xmin"], corner["ymin"], width, height)
        yield ImportedPlate(box, text=text or (None if is_class else clean_text(name)))


def _class_name(name: str) -> str:
    return re.sub(r"[^a-z]", "", name.lower())


def _reads_like_plate(name: str) -> bool:
    text = clean_text(name) or ""
    return 4 <= len(text) <= 11 and any(character.isdigit() for character in text)
