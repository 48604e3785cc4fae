"""Score detection and reading on dataset folders.

A dataset folder holds `images/` and `labels.jsonl`. A detection is right at IoU 0.5; a read is right when its text
equals the truth; end to end, the most confident read of an image counts.
"""

import argparse
import json
from contextlib import nullcontext
from pathlib import Path

from edge_app import config
from edge_app.app import build_recognizer
from edge_app.commands.json_lines import JsonLinesFile
from edge_app.commands.progress import ProgressLine
from edge_app.config import Settings
from edge_app.errors import UsageError
from edge_app.evaluation import failures, run_over, score_dataset
from edge_app.scoring import DatasetScore

_COLUMNS = ("images", "recall", "precis.", "mAP50", "exact", "chars", "ms", "p95")
HEADER = f"{'dataset':<20} " + " ".join(f"{name:>7}" for name in _COLUMNS)
"""Of the table whose lines are `as_row`."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    parser.add_argument("datasets", type=Path, nargs="+", metavar="DATASET", help="a dataset folder")
    parser.add_argument("--json", action="store_true", help="print one JSON object a dataset")
    parser.add_argument("--config", type=Path, metavar="FILE", help="take models and formats from this file")
    parser.add_argument("--failures", type=Path, metavar="FILE", help="write what went wrong, one JSON object a line")


def run(arguments: argparse.Namespace) -> int:
    """Score each dataset in turn."""
    for folder in arguments.datasets:
        if not (folder / "labels.jsonl").is_file():
            raise UsageError(f"{folder}: no labels.jsonl here; give a dataset folder")
    recognizer = build_recognizer(config.load(arguments.config) if arguments.config else Settings())
    with JsonLinesFile(arguments.failures) if arguments.failures else nullcontext() as file:
        if not arguments.json:
            print(HEADER)
        for folder in arguments.datasets:
            results = run_over(recognizer, folder, ProgressLine(folder.name))
            score = score_dataset(folder, results)
            print(json.dumps(score.as_json()) if arguments.json else as_row(score), flush=True)
            if file is not None:
                file.write(failure for result in results for failure in failures(result))
    return 0


def as_row(score: DatasetScore) -> str:
    """A line of the table; a dash where the dataset has no boxes or no texts."""
    found, read = score.detection, score.reading
    figures = (
        found and found.recall,
        found and found.precision,
        found and found.map50,
        read and read.exact,
        read and read.character_accuracy,
    )
    cells = " ".join(f"{'–' if figure is None else f'{figure:.3f}':>7}" for figure in figures)
    return f"{score.dataset:<20} {score.images:>7} {cells} {score.elapsed_ms.median:>7.1f} {score.elapsed_ms.p95:>7.1f}"
