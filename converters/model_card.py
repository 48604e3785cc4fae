"""`models/README.md`: the model cards, written from the manifests."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

_INTRODUCTION = """# Model cards

Written by `./build.sh convert` from the manifests beside this page. `*.keras` are the float checkpoints that
`./build.sh convert` makes `*.tflite` from. `*.training.json` records the run that made each checkpoint, and the runs
before it; [docs/training.md](../docs/training.md) explains them.
"""

_DATA = """
## Data

The networks learned from plates and scenes that this project draws, and from real photos of public repositories. None
of the photos is in this repository.

| set | what | licence as stated by its source |
| --- | --- | --- |
| openimages | street photos with plate boxes | CC BY |
| openlpr | vehicles with one plate box each | Apache-2.0 |
| ro_dashcam | dashcam frames with plate boxes | MIT |
| negatives | pictures without a plate | CC BY |
| in_bikes_mit, in_ludhiana, in_tractors | Indian motorcycles, cars and tractors, part with corners | MIT, CC BY |
| in_campus, in_campus_pb | an Indian car park | Apache-2.0, MIT |
| id_bikes, vn_riders, vn_gate_mit, vn_bikes_gate | motorcycles and riders of Indonesia and Vietnam | CC BY, MIT |
| world_corners_mit, world_cc0, ru_scenes_mit | vehicles of many countries, part with corners | MIT, CC0 |
| world_crops | plate crops read by eye | Apache-2.0, CC BY |
| auto_crops | plate crops that two other readers agreed on | as their photos |
| clips | traffic by `./build.sh clips`: 72 clips of 8 s, seed 401; the reader also 48 of 10 s, seed 301 | our own |

## Intended use

Reading number plates if the law and the operator's duties allow it. Plates are personal data. The networks have
learned Latin letters and Arabic digits only, and India's plates most of all. Expect less on others. A read is evidence,
not proof: every event carries its confidence and the other texts that were considered.
"""


def write_cards(models: Path) -> Path:
    """Write the page for every manifest in `models`; its path."""
    manifests = [
        json.loads(path.read_text(encoding="utf-8"))
        for path in sorted(models.glob("*.json"))
        if path.with_suffix(".tflite").is_file()
    ]
    page = models / "README.md"
    page.write_text("\n".join([_INTRODUCTION, *map(_card, manifests)]) + _DATA, encoding="utf-8")
    return page


def _card(facts: dict[str, Any]) -> str:
    size, training = facts["input"], facts["training"]
    macs, budget = (facts[name] / 1e6 for name in ("multiply_accumulates", "multiply_accumulates_budget"))
    rows = {
        "kind": facts["kind"],
        "input": f"{size['width']}×{size['height']}×{size['channels']} {size['colour_order']}, uint8",
        "inside": "int8, weights per channel",
        "file": f"{facts['bytes'] / 1e3:.0f} kB, sha256 `{facts['sha256'][:16]}…`",
        "multiply-accumulates": f"{macs:.1f} million (budget {budget:.0f})",
        "calibration": facts["calibration"],
        "trained by": _run(training) if training.get("command") else "unknown",
        "weights": _weights(training),
        "runs before": str(len(list(_earlier(training)))),
        "working point": _pairs(facts.get("working_point", {})) or "–",
        "plan": _pairs(training.get("plan", {})),
        "data": _pairs(training.get("data", {})),
    }
    table = "\n".join(f"| {name} | {value} |" for name, value in rows.items())
    return f"## {facts['name']} {facts['version']}\n\n| | |\n| --- | --- |\n{table}\n\n{_scores(facts['scores'])}"


def _earlier(training: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The runs whose weights this one began with, the latest first."""
    while before := training.get("began_with_run"):
        yield before
        training = before


def _weights(training: dict[str, Any]) -> str:
    mean_of = ", ".join(f"`{each[:16]}…`" for each in training.get("mean_of", ()))
    return f"the mean of the checkpoints with sha256 {mean_of}" if mean_of else "as trained"


def _run(training: dict[str, Any]) -> str:
    steps = training.get("plan", {}).get("steps", "unknown")
    legs = [training, *training.get("resumed", [])]
    commands = ", resumed by ".join(f"`{leg['command']}` at commit `{leg['commit'][:12]}`" for leg in legs)
    return f"{commands} ({steps} steps)"


def _pairs(values: dict[str, Any]) -> str:
    return ", ".join(
        f"{name} {', '.join(value) if isinstance(value, list) else value}" for name, value in values.items()
    )


def _scores(scores: dict[str, Any]) -> str:
    if not scores:
        return "Not measured yet.\n"
    lines = ["| dataset | recall | precision | exact match | characters |", "| --- | --- | --- | --- | --- |"]
    for name, score in scores.items():
        found, read = score["detection"] or {}, score["reading"] or {}
        figures = (found.get("recall"), found.get("precision"), read.get("exact"), read.get("character_accuracy"))
        cells = " | ".join("–" if figure is None else f"{figure:.3f}" for figure in figures)
        lines.append(f"| {name} | {cells} |")
    return "End to end, int8, on held-out pictures:\n\n" + "\n".join(lines) + "\n"
