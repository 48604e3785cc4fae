"""The command `python -m training`: trains the detector, the reader or both, and puts the checkpoints in place."""

import argparse
import json
import shutil
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from edge_app.errors import EdgeAnprError, UsageError
from edge_app.evaluation.clips.truth import is_clip_folder
from training.plan import Plan
from training.rendered_clips import clip_frames
from training.repository import REPOSITORY

_FULL_DETECTOR, _QUICK_DETECTOR = Plan(6000, 10, 2e-3, checkpoint_every=500), Plan(260, 10, 3e-3)
_FULL_ALIGNER, _QUICK_ALIGNER = Plan(6000, 128, 2e-3, checkpoint_every=500), Plan(300, 64, 2e-3)
_FULL_READER, _QUICK_READER = Plan(12000, 96, 1.5e-3, checkpoint_every=500), Plan(400, 64, 2.5e-3)
_NETWORKS = ("detector", "aligner", "reader")
_WARM_RATE = 0.5
"""Factor of the plan's learning rate if a training begins with learned weights: more would unlearn them first."""
_FULL_SCENES, _QUICK_SCENES = 900, 700


def main(words: Sequence[str] | None = None) -> int:
    """Train what the command line asks for; 2 for wrong usage."""
    arguments = _parser().parse_args(words)
    try:
        _check(arguments)
        from training.train_aligner import train_aligner
        from training.train_detector import train_detector
        from training.train_reader import train_reader

        for network in _NETWORKS if arguments.network == "all" else (arguments.network,):
            run = arguments.run / network
            if network == "detector":
                plan = _plan(arguments, _QUICK_DETECTOR if arguments.quick else _FULL_DETECTOR)
                scenes = _QUICK_SCENES if arguments.quick else _FULL_SCENES
                made = train_detector(run, plan, arguments.data, scenes, arguments.start, arguments.clips)
            elif network == "aligner":
                plan = _plan(arguments, _QUICK_ALIGNER if arguments.quick else _FULL_ALIGNER)
                made = train_aligner(run, plan, arguments.data, arguments.start)
            else:
                plan = _plan(arguments, _QUICK_READER if arguments.quick else _FULL_READER)
                made = train_reader(run, plan, arguments.data, arguments.start)
            install(made, run, arguments.start, arguments.out)
    except EdgeAnprError as error:
        print(f"python -m training: {error}", file=sys.stderr)
        return 2 if isinstance(error, UsageError) else 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m training",
        description="Train the networks. Aligner and reader learn from real plates as the shipped detector finds them. "
        "An interrupted run resumes at its last checkpoint. With PyTorch installed, KERAS_BACKEND=torch trains "
        "faster on a processor.",
    )
    parser.add_argument(
        "network",
        nargs="?",
        choices=("all", *_NETWORKS),
        default="all",
        help="which to train (default: %(default)s)",
    )
    parser.add_argument(
        "--quick", action="store_true", help="from generated plates alone, under 15 minutes on two cores"
    )
    parser.add_argument("--data", type=Path, help="folder with real pictures and crops, as dataset folders")
    parser.add_argument("--clips", type=Path, help="folder with rendered clips that the detector learns from too")
    parser.add_argument("--run", type=Path, default=REPOSITORY / "runs/train", help="run folder (default: %(default)s)")
    parser.add_argument(
        "--out", type=Path, default=REPOSITORY / "models", help="folder of the checkpoints (default: %(default)s)"
    )
    parser.add_argument(
        "--from",
        dest="start",
        type=Path,
        metavar="FILE",
        help="begin with this checkpoint's weights, at half the learning rate",
    )
    parser.add_argument("--steps", type=int, help="optimizer steps instead of the plan's")
    parser.add_argument("--seed", type=int, default=1)
    return parser


def _plan(arguments: argparse.Namespace, plan: Plan) -> Plan:
    rate = plan.learning_rate * (_WARM_RATE if arguments.start else 1)
    return replace(plan, seed=arguments.seed, steps=arguments.steps or plan.steps, learning_rate=rate)


def _check(arguments: argparse.Namespace) -> None:
    for option in ("data", "clips"):
        if arguments.quick and getattr(arguments, option):
            raise UsageError(f"--quick trains from generated plates alone: leave out --{option}")
    if arguments.data and not arguments.data.is_dir():
        raise UsageError(f"--data {arguments.data}: no such folder")
    if arguments.clips and not is_clip_folder(arguments.clips):
        raise UsageError(f"--clips {arguments.clips}: holds no clips; render them with ./build.sh clips")
    if arguments.clips:
        clip_frames(arguments.clips)  # so that a wrong line is reported before anything begins
    if arguments.clips and arguments.network in ("aligner", "reader"):
        raise UsageError("--clips: only the detector learns from clips; leave it out, or train `all` or `detector`")
    if arguments.start and arguments.network == "all":
        raise UsageError("--from is one network's checkpoint: give `detector`, `aligner` or `reader`, not `all`")
    if arguments.start and not arguments.start.is_file():
        raise UsageError(f"--from {arguments.start}: no such file")
    if arguments.steps is not None and arguments.steps < 1:
        raise UsageError("--steps: at least 1")


def install(checkpoint: Path, run: Path, start: Path | None, out: Path) -> None:
    """Put the checkpoint into `out` with the record of its run, and of the run that made `start` if it is known."""
    record = json.loads((run / "run.json").read_text(encoding="utf-8"))
    before = start.with_suffix(".training.json") if start else None
    if before and before.is_file():
        record["began_with_run"] = json.loads(before.read_text(encoding="utf-8"))
    out.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(checkpoint, out / checkpoint.name)
    (out / f"{checkpoint.stem}.training.json").write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
