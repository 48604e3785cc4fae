"""`models/NAME.json`: what a model is, where it came from, and what it scored."""

import hashlib
import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from converters.inspection import inspect
from edge_app.version import __version__
from training.exports import Export


def write_model(export: Export, content: bytes, macs: int, checkpoint: Path, calibration: str, out: Path) -> Path:
    """Write `NAME.tflite` and its manifest into `out`; the model's path.

    The working point of a manifest that is there already is kept where it was chosen for the same checkpoint.
    """
    out.mkdir(parents=True, exist_ok=True)
    path = out / f"{export.name}.tflite"
    facts = manifest_of(export, content, macs, checkpoint, calibration)
    facts |= _working_point(path.with_suffix(".json"), facts["training"]["checkpoint_sha256"])
    path.write_bytes(content)
    path.with_suffix(".json").write_text(json.dumps(facts, indent=2) + "\n", encoding="utf-8")
    return path


def manifest_of(export: Export, content: bytes, macs: int, checkpoint: Path, calibration: str) -> dict[str, Any]:
    """The manifest as JSON; scores are added by the parity gate."""
    return {
        "name": export.name,
        "version": __version__,
        "kind": export.kind,
        "input": asdict(export.input),
        "alphabet": export.alphabet,
        "blank": len(export.alphabet) if export.alphabet else None,
        "stride": export.stride or None,
        "sha256": hashlib.sha256(content).hexdigest(),
        "bytes": len(content),
        "multiply_accumulates": macs,
        "multiply_accumulates_budget": export.mac_budget,
        "quantization": asdict(inspect(content)),
        "calibration": calibration,
        "training": _training(checkpoint),
        "scores": {},
    }


def add_scores(model: Path, scores: dict[str, Any]) -> None:
    """Put measured scores into the manifest beside a model."""
    path = model.with_suffix(".json")
    facts = json.loads(path.read_text(encoding="utf-8"))
    facts["scores"] = scores
    path.write_text(json.dumps(facts, indent=2) + "\n", encoding="utf-8")


def add_working_point(model: Path, confidence: float, dataset: str) -> None:
    """Note the detection confidence to run at, and what it was chosen on, in the manifest beside a model."""
    path = model.with_suffix(".json")
    facts = json.loads(path.read_text(encoding="utf-8"))
    facts["working_point"] = {"confidence": round(confidence, 2), "chosen_on": dataset}
    path.write_text(json.dumps(facts, indent=2) + "\n", encoding="utf-8")


def _working_point(manifest: Path, checkpoint_sha256: str) -> dict[str, Any]:
    facts = json.loads(manifest.read_text(encoding="utf-8")) if manifest.is_file() else {}
    same = facts.get("training", {}).get("checkpoint_sha256") == checkpoint_sha256
    return {"working_point": facts["working_point"]} if same and "working_point" in facts else {}


def _training(checkpoint: Path) -> dict[str, Any]:
    """What the run folder said of the training, and which checkpoint it left."""
    told = checkpoint.with_suffix(".training.json")
    facts: dict[str, Any] = json.loads(told.read_text(encoding="utf-8")) if told.is_file() else {}
    return facts | {"checkpoint_sha256": hashlib.sha256(checkpoint.read_bytes()).hexdigest()}
