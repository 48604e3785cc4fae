"""Rendered roads with plates in Pascal VOC, converted to YOLO, validated and split by the plates' texts."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from xml.etree import ElementTree as ET

import cv2
import numpy as np
from tqdm import tqdm

from edge_app.geometry import Box, hulls
from edge_app.image_files import load_image
from edge_app.records import ImageBgr
from training.study.plates import split_of
from training.study.voc_to_yolo import convert, read_labels
from training.synthetic.scenes import SCENE_SIZE, Scene, render_scene

_JPEG_QUALITY = 92
_MIXED = "picture whose plates are of different splits"


@dataclass(frozen=True, slots=True)
class RoadPicture:
    """A picture and the boxes of its plates, in its pixels."""

    path: Path
    boxes: tuple[Box, ...]

    def image(self) -> ImageBgr:
        """The picture, `SCENE_SIZE`."""
        return load_image(self.path)


@dataclass(frozen=True, slots=True)
class Roads:
    """The pictures of a study."""

    folder: Path

    def of(self, split: str) -> list[RoadPicture]:
        """Those of a split."""
        facts = json.loads((self.folder / "splits.json").read_text(encoding="utf-8"))
        return [
            RoadPicture(
                self.folder / "images" / f"{stem}.jpg",
                tuple(read_labels(self.folder / "labels" / f"{stem}.txt", SCENE_SIZE)),
            )
            for stem in facts["splits"][split]
        ]

    def report(self) -> dict[str, object]:
        """What was kept and dropped, and why."""
        facts: dict[str, object] = json.loads((self.folder / "splits.json").read_text(encoding="utf-8"))["report"]
        return facts


def make_roads(folder: Path, count: int, seed: int) -> Roads:
    """Render the pictures, once, and prepare their labels."""
    if not (folder / "splits.json").is_file():
        splits: dict[str, list[str]] = {"train": [], "validation": [], "test": []}
        mixed = 0
        for name in ("images", "annotations"):
            (folder / name).mkdir(parents=True, exist_ok=True)
        for index in tqdm(range(count), desc="roads", mininterval=5):
            scene = render_scene(np.random.default_rng((seed, 77, index)))
            stem = f"{index:05d}"
            of = {split_of(plate.text) for plate in scene.plates} or {split_of(stem)}
            if len(of) > 1:
                mixed += 1
                continue
            splits[of.pop()].append(stem)
            cv2.imwrite(
                str(folder / "images" / f"{stem}.jpg"), scene.image_bgr, (cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY)
            )
            _write_voc(scene, folder / "annotations" / f"{stem}.xml")
        report = asdict(convert(folder / "annotations", folder / "labels"))
        report["dropped"] |= {_MIXED: mixed} if mixed else {}
        report["splits"] = {name: len(stems) for name, stems in splits.items()}
        facts = {"splits": splits, "report": report}
        (folder / "splits.json").write_text(json.dumps(facts, indent=1), encoding="utf-8")
    return Roads(folder)


def _write_voc(scene: Scene, path: Path) -> None:
    root = ET.Element("annotation")
    ET.SubElement(root, "filename").text = f"{path.stem}.jpg"
    size = ET.SubElement(root, "size")
    for name, value in zip(("width", "height", "depth"), (*SCENE_SIZE, 3), strict=True):
        ET.SubElement(size, name).text = str(value)
    quads = [(plate.corners_px, False) for plate in scene.plates] + [(corners, True) for corners in scene.unclear]
    for corners, difficult in quads:
        left, top, width, height = hulls(corners).tolist()
        item = ET.SubElement(root, "object")
        ET.SubElement(item, "name").text = "plate"
        ET.SubElement(item, "difficult").text = str(int(difficult))
        box = ET.SubElement(item, "bndbox")
        edges = (left, top, left + width, top + height)
        for name, value in zip(("xmin", "ymin", "xmax", "ymax"), edges, strict=True):
            ET.SubElement(box, name).text = f"{value:.1f}"
    ET.ElementTree(root).write(path)
