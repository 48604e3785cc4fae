"""Tables of the report: CSV for programs, Markdown for people."""

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from training.shapes import ALPHABET
from training.study.judging import Result
from training.study.published import APPROACHES

COLUMNS = (
    "name", "approach", "title", "published", "kind", "input", "parameters", "multiply_accumulates", "float_bytes",
    "int8_bytes", "accuracy", "precision", "recall", "f1", "auc", "average_precision", "int8_accuracy", "exact",
    "int8_exact", "home_exact", "abroad_exact", "abroad_accuracy", "map50", "map50_95", "int8_map50", "int8_map50_95",
    "tested", "epochs", "epochs_to_converge", "training_seconds", "milliseconds", "peak_megabytes", "backend",
)  # fmt: skip


def write_results(path: Path, results: Sequence[Result]) -> None:
    """A line for each network."""
    with path.open("w", encoding="utf-8", newline="") as file:
        table = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        table.writeheader()
        for result in results:
            approach = APPROACHES[result["name"]]
            facts = {key: value for key, value in result.items() if key in COLUMNS} | {
                "title": approach.title,
                "approach": approach.approach,
                "published": approach.published,
                "epochs": len(result.get("epochs", ())) or "",
            }
            table.writerow(facts)


def write_epochs(path: Path, results: Sequence[Result]) -> None:
    """A line for each epoch of each network."""
    with path.open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(["name", "stage", "epoch", "loss", "validation_loss", "score", "seconds"])
        for result in results:
            for epoch in result.get("epochs", ()):
                figures = (epoch[key] for key in ("stage", "number", "loss", "validation_loss", "score", "seconds"))
                table.writerow([result["name"], *figures])


def write_classes(path: Path, results: Sequence[Result]) -> None:
    """Precision, recall and F1 by network and class."""
    with path.open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(["name", "class", "precision", "recall", "f1"])
        for result in results:
            if "by_class" in result:
                figures = (result["by_class"][each] for each in ("precision", "recall", "f1"))
                for row in zip(ALPHABET, *figures, strict=True):
                    table.writerow([result["name"], *("" if each is None else each for each in row)])


def write_systems(path: Path, systems: Mapping[str, Mapping[str, Any]], datasets: Sequence[str]) -> None:
    """A line for each complete system."""
    with path.open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(["name", "title", "exact", "characters", "milliseconds", "tested", *datasets])
        for name, facts in systems.items():
            figures = (facts.get(each, "") for each in ("title", "exact", "characters", "milliseconds", "tested"))
            table.writerow([name, *figures, *(facts["datasets"].get(each, {}).get("exact", "") for each in datasets)])


def markdown(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def share(value: float | None) -> str:
    """A share with three digits; a dash if there is none."""
    return "–" if value is None else f"{value:.3f}"


def millions(value: float | None) -> str:
    """A count in millions."""
    return "–" if value is None else f"{value / 1e6:.2f}" if value < 1e8 else f"{value / 1e6:.0f}"
