"""Complete systems: each reads a strip, so each can stand where our reader stands."""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge_app.geometry import Box
from edge_app.records import ImageGray
from edge_app.tflite_model import InputShape, ModelManifest, Network, TfliteModel
from training.repository import REPOSITORY
from training.shapes import ALPHABET
from training.study import ocr
from training.study.crops import cut, show
from training.study.device import load_int8
from training.study.finders import OneBox, OneStage
from training.study.judging import Result
from training.study.plates import NARROW, WIDE
from training.study.scores.detection import READ_FROM
from training.study.segmentation import contours, projections
from training.study.store import Store
from training.study.tasks.characters import CharacterTask
from training.study.tasks.detection import ROAD_GRID, STRIP_GRID
from training.study.tasks.hybrid import packed
from training.study.texts import as_pixels, as_steps, codes_of, greedy

Outputs = Mapping[str, NDArray[np.float32]]
Segment = Callable[[ImageGray], list[Box]]

SHIPPED = REPOSITORY / "models"
_ABSENT = -12.0


@dataclass(frozen=True, slots=True)
class System:
    """A way from a strip to a text."""

    name: str
    title: str
    network: Network
    networks: tuple[str, ...] = ()
    """Those of the study that it runs."""
    detector: Network | None = None
    """In our detector's place; such a system is run on pictures alone."""
    on_pictures: bool = True
    """False: too slow for whole dataset folders."""
    in_file: str = ""
    """The TFLite file that takes the reader's place by its manifest, relative to the store; "" if it is not one."""


def systems_of(results: dict[str, Result], store: Store, networks: dict[str, Any]) -> list[System]:
    """Every complete system whose networks are there."""
    found: list[System] = []

    def model(name: str) -> TfliteModel:
        return load_int8((store.folder / results[name]["tflite"]).read_bytes(), name)

    for by, segment in (("contours", contours.segment), ("projections", projections.segment)):
        for name in ("cellwise", "classical_handwriting", "classical_plates", "lenet_augmented"):
            if name in results and (by, name) != ("contours", "classical_handwriting"):
                cutting = SegmentingReader(segment, model(name), networks[name].task)
                found.append(System(f"{by}+{name}", f"{by}, then {name}", cutting, (name,)))
    if "yolo_characters" in results:
        finding = SecondDetector(model("yolo_characters"))
        found.append(System("yolo_characters", "second detector", finding, ("yolo_characters",)))
    for name in ("crnn", "lenet_ctc"):
        if name in results:
            whole = WholePlate(model(name))
            found.append(System(name, f"whole plate: {name}", whole, (name,), in_file=results[name]["tflite"]))
    ours = TfliteModel.load(SHIPPED / "plate_reader.tflite", "plate-reader")
    if "hybrid" in results:
        found.append(System("ours+hybrid", "our reader, then hybrid", Hybrid(ours, model("hybrid")), ("hybrid",)))
    found += [
        System(f"ours+{name}", f"our reader, then {name}", Corrected(ours, model(name)), (name,))
        for name in ("corrector_lstm", "corrector_gru")
        if name in results
    ]
    if ocr.has_tesseract():
        found.append(System("tesseract", "Tesseract", Tesseract(), on_pictures=False))
        if "corrector_lstm" in results:
            corrected = Corrected(Tesseract(), model("corrector_lstm"))
            title = "Tesseract, then corrector_lstm"
            made_of = ("corrector_lstm",)
            found.append(System("tesseract+corrector_lstm", title, corrected, made_of, on_pictures=False))
    if {"yolo_plates", "yolo_characters"} <= results.keys():
        title = "one-stage detectors of plates and of characters"
        finder = OneStage(model("yolo_plates"), ROAD_GRID)
        names = ("yolo_plates", "yolo_characters")
        found.append(System("yolo_plates+yolo_characters", title, SecondDetector(model(names[1])), names, finder))
    if "box_regression" in results:
        one = OneBox(model("box_regression"), networks["box_regression"].task)
        title = "box_regression, then our reader"
        found.append(System("box_regression+ours", title, ours, ("box_regression",), one))
    found.append(System("ours", "our reader, as shipped", ours))
    return found


def _manifest(name: str, size: tuple[int, int]) -> ModelManifest:
    return ModelManifest(name, "1.0.0", "plate-reader", InputShape(*size, 1, "GRAY"), "", alphabet=ALPHABET)


@dataclass(frozen=True, slots=True)
class SegmentingReader:
    """Cuts a wide strip into characters and tells each."""

    segment: Segment
    model: TfliteModel
    task: CharacterTask
    manifest: ModelManifest = field(default_factory=lambda: _manifest("segmenting", WIDE))

    def run(self, pixels: NDArray[np.uint8]) -> Outputs:
        """As a reader gives them: a step for each character, and blanks between."""
        strip = pixels[0, :, :, 0]
        columns = [ALPHABET.index(each) for each in self.task.alphabet]
        logits = np.full((0, len(ALPHABET) + 1), _ABSENT, np.float32)
        for box in self.segment(strip):
            shown = show(cut(strip, np.array(box)), self.task.shape)
            row = np.full((1, len(ALPHABET) + 1), _ABSENT, np.float32)
            row[0, columns] = self.model.run(shown[None, :, :, None])["logits"][0]
            logits = np.concatenate([logits, row])
        return {"logits": as_steps(logits)[None]}


@dataclass(frozen=True, slots=True)
class SecondDetector:
    """Finds the characters of a narrow strip and reads them from left to right."""

    model: TfliteModel
    manifest: ModelManifest = field(default_factory=lambda: _manifest("second detector", NARROW))

    def run(self, pixels: NDArray[np.uint8]) -> Outputs:
        """As a reader gives them."""
        found = STRIP_GRID.decode(self.model.run(pixels)["grid"][0], READ_FROM)
        found.sort(key=lambda each: each[0][0] + each[0][2] / 2)
        logits = np.full((len(found), len(ALPHABET) + 1), _ABSENT, np.float32)
        for row, (_, _, classes) in zip(logits, found, strict=True):
            row[:-1] = np.log(np.maximum(classes, 1e-6))
        return {"logits": as_steps(logits)[None]}


@dataclass(frozen=True, slots=True)
class WholePlate:
    """A network with a CTC layer."""

    model: TfliteModel
    manifest: ModelManifest = field(default_factory=lambda: _manifest("whole plate", NARROW))

    def run(self, pixels: NDArray[np.uint8]) -> Outputs:
        """As it is."""
        return self.model.run(pixels)


@dataclass(frozen=True, slots=True)
class Hybrid:
    """Reads a strip once more, knowing what a reader read."""

    reader: Network
    model: TfliteModel
    manifest: ModelManifest = field(default_factory=lambda: _manifest("hybrid", NARROW))

    def run(self, pixels: NDArray[np.uint8]) -> Outputs:
        """As a reader gives them."""
        read = greedy(self.reader.run(pixels)["logits"][0])
        places = self.model.run(packed(pixels[..., 0], [read]))["logits"][0]
        return {"logits": as_steps(_filled(places))[None]}


@dataclass(frozen=True, slots=True)
class Corrected:
    """What a reader read, corrected."""

    reader: Network
    model: TfliteModel

    @property
    def manifest(self) -> ModelManifest:
        """The reader's."""
        return self.reader.manifest

    def run(self, pixels: NDArray[np.uint8]) -> Outputs:
        """As a reader gives them."""
        read = greedy(self.reader.run(pixels)["logits"][0])
        return {"logits": as_steps(_filled(self.model.run(as_pixels([read]))["logits"][0]))[None]}


@dataclass(frozen=True, slots=True)
class Tesseract:
    """Tesseract, a process for each strip."""

    manifest: ModelManifest = field(default_factory=lambda: _manifest("tesseract", WIDE))

    def run(self, pixels: NDArray[np.uint8]) -> Outputs:
        """As a reader gives them, with no doubt."""
        codes = codes_of(ocr.read_by_tesseract(pixels[..., 0])[0])
        logits = np.where(np.eye(len(ALPHABET) + 1, dtype=bool)[codes[codes < len(ALPHABET)]], -_ABSENT, _ABSENT)
        return {"logits": as_steps(logits)[None]}


def _filled(places: NDArray[np.float32]) -> NDArray[np.float32]:
    """The places with a character; those without one drop out."""
    return places[places.argmax(axis=-1) < len(ALPHABET)]


def put_in_place(system: System, store: Store, result: Result, folder: Path) -> None:
    """Make a models folder whose reader is a whole-plate network of the study, for `edge-anpr evaluate --models`."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("plate_detector", "plate_aligner"):
        for suffix in (".tflite", ".json"):
            (folder / f"{name}{suffix}").write_bytes((SHIPPED / f"{name}{suffix}").read_bytes())
    content = (store.folder / system.in_file).read_bytes()
    facts = json.loads((SHIPPED / "plate_reader.json").read_text(encoding="utf-8"))
    manifest = {
        **{key: facts[key] for key in ("name", "kind", "input", "alphabet", "blank", "stride")},
        "version": "0.0.0",
        "sha256": hashlib.sha256(content).hexdigest(),
        "bytes": len(content),
        "multiply_accumulates": result["multiply_accumulates"],
        "study": system.name,
    }
    (folder / "plate_reader.tflite").write_bytes(content)
    (folder / "plate_reader.json").write_text(json.dumps(manifest, indent=2) + "\n", encoding="utf-8")
