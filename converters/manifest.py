"""`models/NAME.json`: what a model is, if it came from, and what it scored."""

import hashlib
import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from converters.inspection import inspect
from training.exports import Export

_FIRST_VERSION = "1.0.0"

_INTERFACE = ("kind", "input", "alphabet", "stride")
"""What the device's code has to fit."""


def write_model(export: Export, content: bytes, macs: int, checkpoint: Path, calibration: str, out: Path) -> Path:
    """Write `NAME.tflite` and its manifest into `out`; the model's path.

    A manifest that is there already gives the version to count on from, and the working point if it was chosen for the
    same checkpoint.
    """
    out.mkdir(parents=True, exist_ok=True)
    path = out / f"{export.name}.tflite"
    manifest = path.with_suffix(".json")
    before = json.loads(manifest.read_text(encoding="utf-8")) if manifest.is_file() else {}
    facts = manifest_of(export, content, macs, checkpoint, calibration)
    facts["version"] = next_version(before, facts)
    if "working_point" in before and _checkpoint_of(before) == _checkpoint_of(facts):
        facts["working_point"] = before["working_point"]
    path.write_bytes(content)
    manifest.write_text(json.dumps(facts, indent=2) + "\n", encoding="utf-8")
    return path


def next_version(before: dict[str, Any], facts: dict[str, Any]) -> str:
    """The version after that of the manifest `before`.

    Another interface counts the first number up, another checkpoint the second, another conversion the third.
    """
    if "version" not in before:
        return _FIRST_VERSION
    major, minor, patch = map(int, before["version"].split("."))
    if any(before[key] != facts[key] for key in _INTERFACE):
        return f"{major + 1}.0.0"
    if _checkpoint_of(before) != _checkpoint_of(facts):
        return f"{major}.{minor + 1}.0"
    return f"{major}.{minor}.{patch + (before['sha256'] != facts['sha256'])}"


def manifest_of(export: Export, content: bytes, macs: int, checkpoint: Path, calibration: str) -> dict[str, Any]:
    """The manifest as JSON; scores are added by the parity gate."""
    return {
        "name": export.name,
        "version": _FIRST_VERSION,
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


def _checkpoint_of(facts: dict[str, Any]) -> str | None:
    checkpoint: str | None = facts["training"].get("checkpoint_sha256")
    return checkpoint


def _training(checkpoint: Path) -> dict[str, Any]:
    """The run folder's record of the training, and the checkpoint that it left."""
    record = checkpoint.with_suffix(".training.json")
    facts: dict[str, Any] = json.loads(record.read_text(encoding="utf-8")) if record.is_file() else {}
    return facts | {"checkpoint_sha256": hashlib.sha256(checkpoint.read_bytes()).hexdigest()}
