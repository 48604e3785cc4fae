"""The command `python -m training.accuracy`: measures the shipped models and writes the page."""

import argparse
import json
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from edge_app.commands.evaluate import HEADER, as_row
from edge_app.commands.progress import ProgressLine
from edge_app.config import FORMATS_DIRECTORY, Settings
from edge_app.errors import EdgeAnprError, UsageError
from edge_app.evaluation.pictures import evaluate_dataset, run_over, score_dataset
from edge_app.evaluation.scoring import DatasetScore
from edge_app.newer_python import tomllib
from edge_app.recognizer import PlateRecognizer
from edge_app.stages import FURTHER, Stages, stages_around
from training.accuracy.generated import generated_bins
from training.accuracy.outcomes import Outcome, outcomes_of, substitutions
from training.accuracy.page import Further, Measured, write_page
from training.networks import networks_as_converted, networks_as_trained
from training.repository import REPOSITORY

_COUNTRY = "IN"


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print the table, write the page; 2 for wrong usage."""
    parsed = _parser().parse_args(arguments)
    try:
        for folder in parsed.datasets:
            if not (folder / "labels.jsonl").is_file():
                raise UsageError(f"{folder}: no labels.jsonl here; give a dataset folder")
        if parsed.generated < 1:
            raise UsageError("--generated: at least 1")
        _write(parsed.models, parsed.datasets, parsed.generated, parsed.out)
    except EdgeAnprError as error:
        print(f"python -m training.accuracy: {error}", file=sys.stderr)
        return 2 if isinstance(error, UsageError) else 1
    return 0


def _write(models: Path, datasets: Sequence[Path], plates: int, out: Path) -> None:
    from training.accuracy.plots import draw_plots

    measured = _measure(models, datasets, plates)
    draw_plots(out.with_suffix(""), measured)
    out.write_text(write_page(measured, out.stem) + "\n", encoding="utf-8")
    print(f"{out}: written, its plots in {out.with_suffix('')}")


def _measure(models: Path, datasets: Sequence[Path], plates: int) -> Measured:
    stages = stages_around(*networks_as_converted(models), Settings())
    scores, outcomes = _run(stages, datasets)
    original = PlateRecognizer(stages_around(*networks_as_trained(models), Settings()), effort=0)
    generated = generated_bins(stages, plates, ProgressLine("generated plates"))
    return Measured(
        scores,
        [_run_further(stages, datasets, without) for without in (None, *FURTHER)],
        [evaluate_dataset(original, folder, ProgressLine(f"{folder.name} float")) for folder in datasets],
        outcomes,
        *generated,
        substitutions(outcomes),
        {path.stem: json.loads(path.with_suffix(".json").read_text()) for path in sorted(models.glob("*.tflite"))},
        tomllib.loads((FORMATS_DIRECTORY / f"{_COUNTRY.lower()}.toml").read_text(encoding="utf-8")),
        _COUNTRY,
    )


def _run_further(stages: Stages, datasets: Sequence[Path], without: str | None) -> Further:
    """Every set with effort 1, without one kind of further attempts."""
    recognizer = PlateRecognizer(replace(stages, further=tuple(kind for kind in FURTHER if kind != without)), effort=1)
    scores, cpu_ms = [], []
    for folder in datasets:
        begun = time.process_time()
        what = f"{folder.name} effort 1" + (f" without {without}" if without else "")
        scores.append(evaluate_dataset(recognizer, folder, ProgressLine(what)))
        cpu_ms.append((time.process_time() - begun) * 1e3 / scores[-1].images)
    return Further(without, scores, cpu_ms)


def _run(stages: Stages, datasets: Sequence[Path]) -> tuple[list[DatasetScore], list[Outcome]]:
    recognizer = PlateRecognizer(stages, effort=0)
    scores, outcomes = [], []
    print(HEADER)
    for folder in datasets:
        results = run_over(recognizer, folder, ProgressLine(folder.name))
        scores.append(score_dataset(folder, results, recognizer.effort))
        outcomes += [each for result in results for each in outcomes_of(scores[-1].dataset, result, stages.rectifier)]
        print(as_row(scores[-1]), flush=True)
    return scores, outcomes


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m training.accuracy",
        description="Score the int8 models beside the float networks on dataset folders that were not trained on, and "
        "write a page with tables and plots.",
    )
    parser.add_argument("datasets", type=Path, nargs="+", metavar="DATASET", help="a dataset folder")
    parser.add_argument(
        "--generated", type=int, default=200, metavar="N", help="plates at each size and blur (default: %(default)s)"
    )
    parser.add_argument(
        "--models", type=Path, default=REPOSITORY / "models", metavar="DIR", help="default: %(default)s"
    )
    parser.add_argument(
        "--out", type=Path, default=REPOSITORY / "docs/accuracy.md", metavar="FILE", help="default: %(default)s"
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
