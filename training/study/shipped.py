"""The shipped models, scored as the networks of the study are."""

import json
from dataclasses import asdict
from typing import Any

import numpy as np

from edge_app.config import Settings
from edge_app.evaluation.scoring import rounded
from edge_app.stages import as_frame, build_stages
from edge_app.tflite_model import TfliteModel
from training.repository import REPOSITORY
from training.study.device import int8_predict, measure
from training.study.judging import Result
from training.study.scores.detection import FAINT, mean_precision
from training.study.scores.plates import strip_score
from training.study.store import Store

_MODELS = REPOSITORY / "models"


def judge_shipped(store: Store) -> dict[str, Result]:
    """Reader and detector, whose scores were made once for these files."""
    manifests = {
        name: json.loads((_MODELS / f"{name}.json").read_text(encoding="utf-8"))
        for name in ("plate_detector", "plate_aligner", "plate_reader")
    }
    sums = [facts["sha256"] for facts in manifests.values()]
    folder = store.place("shipped", store.counts(), sums, modules=("training.study.shipped",))
    path = folder / "results.json"
    if not path.is_file():
        reader = int8_predict(TfliteModel.load(_MODELS / "plate_reader.tflite", "plate-reader"))
        results = {
            "plate_reader": _facts(manifests["plate_reader"], "strips") | strip_score(store, reader, reader),
            "plate_detector": _facts(manifests["plate_detector"], "plates") | _boxes(store),
        }
        path.write_text(json.dumps(rounded(results), indent=1) + "\n", encoding="utf-8")
    figures: dict[str, Result] = json.loads(path.read_text(encoding="utf-8"))
    return figures


def _facts(manifest: dict[str, Any], kind: str) -> Result:
    name, shape = manifest["name"], manifest["input"]
    return {
        "name": name,
        "kind": kind,
        "input": f"{shape['height']}×{shape['width']}×{shape['channels']}",
        "multiply_accumulates": manifest["multiply_accumulates"],
        "int8_bytes": manifest["bytes"],
        **asdict(measure(_MODELS / f"{name}.tflite")),
    }


def _boxes(store: Store) -> Result:
    """Of detector and aligner together, as the daemon runs them, on the hulls of the corners."""
    stages = build_stages(Settings())
    pictures = store.roads().of("test")
    found = []
    for picture in pictures:
        plates = stages.find(as_frame(np.ascontiguousarray(picture.image())), FAINT)
        found.append([(plate.box_px, plate.confidence) for plate in plates])
    scores = mean_precision(found, [picture.boxes for picture in pictures])
    return {**scores, **{f"int8_{name}": value for name, value in scores.items()}, "tested": len(pictures)}
