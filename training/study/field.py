"""Complete systems end to end: on the strips of the test split, and on dataset folders through the real program."""

import hashlib
import json
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge_app.commands.progress import ProgressLine
from edge_app.config import Settings
from edge_app.evaluation.pictures import evaluate_dataset
from edge_app.evaluation.scoring import rounded, score_reading
from edge_app.recognizer import PlateRecognizer
from edge_app.stages import load_networks, stages_around
from edge_app.tflite_model import ModelManifest, Network
from training.study.plates import WIDE
from training.study.scores.plates import tested
from training.study.store import Store
from training.study.systems import System
from training.study.texts import greedy

Outputs = Mapping[str, NDArray[np.float32]]


class Remembering:
    """A network that runs once for each picture: every system is shown the same finds."""

    def __init__(self, network: Network) -> None:
        self._network = network
        self._known: dict[bytes, Outputs] = {}

    @property
    def manifest(self) -> ModelManifest:
        """The network's."""
        return self._network.manifest

    def run(self, pixels: NDArray[np.uint8]) -> Outputs:
        """What it gave before for the same pixels, or gives now."""
        key = hashlib.sha256(pixels.tobytes()).digest()
        if key not in self._known:
            self._known[key] = self._network.run(pixels)
        return self._known[key]


def run_systems(
    systems: Sequence[System], store: Store, depends_on: Mapping[str, str], datasets: Sequence[Path]
) -> dict[str, dict[str, Any]]:
    """By system: exact texts, characters and milliseconds on the test split, then exact texts on each dataset."""
    networks: tuple[Network, ...] = ()
    figures: dict[str, dict[str, Any]] = {}
    for system in systems:
        if system.detector is not None and not datasets:
            continue
        made_of = {name: depends_on[name] for name in system.networks}
        names = [str(folder) for folder in datasets]
        folder = store.place("systems", system.name, store.counts(), made_of, names, modules=("training.study.field",))
        path = folder / "result.json"
        if not path.is_file():
            networks = networks or tuple(map(Remembering, load_networks(Settings())[:2]))
            shown = datasets if system.on_pictures else ()
            figures_of = (_on_strips(system, store) if system.detector is None else {}) | {
                "datasets": {each.name: _on_dataset(system, networks, each) for each in shown}
            }
            path.write_text(json.dumps(rounded(figures_of), indent=1) + "\n", encoding="utf-8")
        figures[system.name] = json.loads(path.read_text(encoding="utf-8")) | {"title": system.title}
    return figures


def _on_strips(system: System, store: Store) -> dict[str, Any]:
    """Without formats and without a vote: what the reading alone is worth."""
    plates, numbers = store.plates(), tested(store)
    wide = system.network.manifest.input.width == WIDE[0]
    if system.name.startswith("tesseract"):
        numbers = numbers[: store.setting.read_by_tesseract]
    reads, took = [], []
    for number in numbers:
        strip = np.asarray((plates.wide if wide else plates.narrow)[number])[None, :, :, None]
        began = time.perf_counter()
        reads.append(greedy(system.network.run(strip)["logits"][0]))
        took.append((time.perf_counter() - began) * 1000)
    score = score_reading(list(zip(reads, plates.texts(np.array(numbers)), strict=True)))
    assert score is not None
    return {
        "exact": score.exact,
        "characters": score.character_accuracy,
        "milliseconds": float(np.median(took)),
        "tested": len(numbers),
    }


def _on_dataset(system: System, found_by: Sequence[Network], folder: Path) -> dict[str, Any]:
    """Aligner, formats and vote are ours, and the detector unless the system has its own."""
    stages = stages_around(system.detector or found_by[0], found_by[1], system.network, Settings())
    score = evaluate_dataset(PlateRecognizer(stages, effort=0), folder, ProgressLine(f"{system.name} {folder.name}"))
    return {"exact": score.reading.exact, "plates": score.reading.plates} if score.reading else {}
