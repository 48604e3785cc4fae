"""Score detection and reading on dataset folders, and events on folders of clips.

A dataset folder holds `images/` and `labels.jsonl`. A detection is right at IoU 0.5. A read is right when its text
equals the truth. End to end, the most confident read of an image counts. Each dataset folder is scored with effort 0,
one attempt at each plate as the daemon reads a frame, and with effort 1, a few more while doubt remains. A folder of
clips holds videos and `events.jsonl`, a line for each vehicle. Motion gate, tracker and voter run as in the daemon, in
the clips' own time. Each vehicle must become one event. docs/clips.md explains the format and what counts as right.
"""

import argparse
import json
from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

from edge_app import config
from edge_app.app import play_clip
from edge_app.commands.json_lines import JsonLinesFile
from edge_app.commands.progress import ProgressLine
from edge_app.config import Settings
from edge_app.errors import UsageError
from edge_app.evaluation.clips import scores
from edge_app.evaluation.clips.matching import ClipOutcome, judge
from edge_app.evaluation.clips.scores import ClipsScore, score_clips
from edge_app.evaluation.clips.truth import EVENTS_FILE, is_clip_folder, read_clips
from edge_app.evaluation.pictures import failures, run_over, score_dataset
from edge_app.evaluation.scoring import DatasetScore
from edge_app.image_files import silence_opencv
from edge_app.recognizer import EFFORTS, PlateRecognizer
from edge_app.stages import Stages, build_stages

_COLUMNS = ("effort", "images", "boxes", "recall", "precis.", "false", "mAP50", "texts", "exact", "chars", "ms", "p95")
HEADER = f"{'dataset':<20} " + " ".join(f"{name:>7}" for name in _COLUMNS)
"""Of the table whose lines are `as_row`."""

_CLIP_COLUMNS = (
    "vehicles", "recall", "precis.", "twice", "exact", "joint", "1 frame", "switched", "broken", "late s", "ms",
)  # fmt: skip
CLIPS_HEADER = f"{'clips':<20} " + " ".join(f"{name:>8}" for name in _CLIP_COLUMNS)
"""Of the table whose lines are `as_clips_row`."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    parser.add_argument(
        "datasets", type=Path, nargs="+", metavar="DATASET", help="a dataset folder, or a folder of clips"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object a row")
    parser.add_argument(
        "--effort",
        type=int,
        choices=EFFORTS,
        nargs="+",
        default=list(EFFORTS),
        help="score dataset folders with these only",
    )
    parser.add_argument("--config", type=Path, metavar="FILE", help="take models, formats and tracking from this file")
    parser.add_argument("--models", type=Path, metavar="DIR", help="take the models from this folder instead")
    parser.add_argument(
        "--camera", metavar="NAME", help="with --config: whose zones and lines hold for clips (default: the first's)"
    )
    parser.add_argument("--failures", type=Path, metavar="FILE", help="write what went wrong, one JSON object a line")


def run(arguments: argparse.Namespace) -> int:
    """Score each folder in turn."""
    silence_opencv()
    for folder in arguments.datasets:
        if not folder.exists():
            raise UsageError(f"{folder}: no such folder; check the path")
        if not (is_clip_folder(folder) or (folder / "labels.jsonl").is_file()):
            raise UsageError(
                f"{folder}: no labels.jsonl here and no {EVENTS_FILE}; give a dataset folder or a folder of clips"
            )
    settings = (config.load(arguments.config) if arguments.config else Settings()).of_camera(arguments.camera)
    if arguments.models is not None:
        if not arguments.models.is_dir():
            raise UsageError(f"--models {arguments.models}: no such folder; name the one with the models")
        settings = replace(settings, models=replace(settings.models, directory=arguments.models))
    stages = build_stages(settings)
    header = None
    with JsonLinesFile(arguments.failures) if arguments.failures else nullcontext() as file:
        for folder in arguments.datasets:
            if is_clip_folder(folder):
                above, scored = CLIPS_HEADER, iter([_score_clips(folder, stages, settings)])
            else:
                above, scored = HEADER, (_score_pictures(folder, stages, effort) for effort in arguments.effort)
            if not arguments.json and above != header:
                print(above)
                header = above
            for score, wrong, row in scored:
                print(json.dumps(score.as_json()) if arguments.json else row, flush=True)
                if file is not None:
                    file.write(wrong)
    return 0


Scored = tuple[DatasetScore | ClipsScore, Iterator[dict[str, Any]], str]
"""A folder's scores, what went wrong in it, and its line in the table."""


def _score_pictures(folder: Path, stages: Stages, effort: int) -> Scored:
    results = run_over(PlateRecognizer(stages, effort), folder, ProgressLine(folder.name))
    score = score_dataset(folder, results, effort)
    wrong = (failure | {"effort": effort} for result in results for failure in failures(result))
    return score, wrong, as_row(score)


def _score_clips(folder: Path, stages: Stages, settings: Settings) -> Scored:
    clips, progress, outcomes = read_clips(folder), ProgressLine(folder.name), list[ClipOutcome]()
    for done, clip in enumerate(clips):
        progress(done, len(clips))
        outcomes.append(judge(clip, play_clip(clip.path, stages, settings)))
    progress(len(clips), len(clips))
    score = score_clips(folder.resolve().name, outcomes)
    return score, (wrong for outcome in outcomes for wrong in scores.failures(outcome)), as_clips_row(score)


def as_row(score: DatasetScore) -> str:
    """A line of the table; a dash if the dataset has no boxes or no texts."""
    found, read = score.detection, score.reading
    figures = (
        score.effort,
        score.images,
        found.plates if found else None,
        found.recall if found else None,
        found.precision if found else None,
        found.false if found else None,
        found.map50 if found else None,
        read.plates if read else None,
        read.exact if read else None,
        read.character_accuracy if read else None,
    )
    cells = " ".join(f"{_cell(figure):>7}" for figure in figures)
    return f"{score.dataset:<20} {cells} {score.elapsed_ms.median:>7.1f} {score.elapsed_ms.p95:>7.1f}"


def as_clips_row(score: ClipsScore) -> str:
    """A line of the clips' table; a dash if the labels lack it."""
    events, read, vote, track, late = score.events, score.reading, score.voting, score.tracking, score.latency_seconds
    figures = (
        events.vehicles,
        events.recall,
        events.precision,
        events.duplicates,
        read.exact if read else None,
        vote.joint if vote else None,
        vote.best_frame if vote else None,
        track.ids_switched if track else None,
        track.tracks_broken if track else None,
        late.median if late else None,
        score.elapsed_ms.median,
    )
    return f"{score.clips:<20} " + " ".join(f"{_cell(figure):>8}" for figure in figures)


def _cell(figure: float | None) -> str:
    if figure is None:
        return "–"
    return f"{figure:.3f}" if isinstance(figure, float) else str(figure)
