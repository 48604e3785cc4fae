"""Converts and measures the networks of the study, each once."""

import json
from dataclasses import asdict
from typing import Any

from converters.macs import count_macs
from edge_app.evaluation.scoring import rounded
from training.study.device import Predict, float_predict, int8_of, int8_predict, load_int8, measure
from training.study.network import StudyNetwork
from training.study.scores import characters, detection, plates
from training.study.store import Store
from training.study.tasks.characters import CharacterTask
from training.study.tasks.detection import CharacterGridTask, OneBoxTask, PlateGridTask
from training.study.training import Trained

_BYTES_OF_FLOAT = 4

Result = dict[str, Any]
"""Every figure of a network, as JSON."""


def judge(network: StudyNetwork, trained: Trained, store: Store) -> Result:
    """The figures of a network, from an earlier run if nothing has changed since."""
    folder = store.place(
        network.name, "judged", store.counts(), str(trained.checkpoint), modules=("training.study.judging",)
    )
    path = folder / "result.json"
    if not path.is_file():
        model = trained.model()
        content = int8_of(network, model, network.task.material(store).calibration())
        (folder / "network.tflite").write_bytes(content)
        runtime = int8_predict(load_int8(content, network.name))
        result = {
            "name": network.name,
            "kind": network.task.kind,
            "input": "×".join(map(str, model.input.shape[1:])),
            "parameters": model.count_params(),
            "multiply_accumulates": count_macs(model),
            "float_bytes": model.count_params() * _BYTES_OF_FLOAT,
            "int8_bytes": len(content),
            "training_seconds": trained.seconds,
            "epochs": [asdict(epoch) for epoch in trained.epochs],
            "epochs_to_converge": trained.best.number,
            "backend": trained.backend,
            "tflite": str(folder.relative_to(store.folder) / "network.tflite"),
            **asdict(measure(folder / "network.tflite")),
            **_scores(network, store, float_predict(model), runtime),
        }
        path.write_text(json.dumps(rounded(result), indent=1) + "\n", encoding="utf-8")
    figures: Result = json.loads(path.read_text(encoding="utf-8"))
    return figures


def _scores(network: StudyNetwork, store: Store, as_trained: Predict, as_converted: Predict) -> Result:
    task = network.task
    if isinstance(task, CharacterTask):
        return characters.score(task, store, as_trained, as_converted)
    if isinstance(task, PlateGridTask):
        return detection.plates_score(task.grid, store, as_trained, as_converted)
    if isinstance(task, CharacterGridTask):
        return detection.characters_score(task.grid, store, as_trained, as_converted)
    if isinstance(task, OneBoxTask):
        return detection.one_box_score(task, store, as_trained, as_converted)
    of_kind = {"strips": plates.strip_score, "hybrid": plates.hybrid_score, "texts": plates.correction_score}
    return of_kind[task.kind](store, as_trained, as_converted)
