"""Replay clips with two configurations and show where they differ, event by event.

A clip is a video, or one of a folder of videos. If `events.jsonl` lies beside it, it decides which is right. Motion
gate, tracker and voter run as in the daemon, in the clips' own time. To compare two models, name their folders as
`directory` in [models] of the two files. Exit code 1 if a video could not be played to its end; differences are no
error.
"""

import argparse
import json
import sys
from collections.abc import Iterator
from pathlib import Path

from edge_app import config
from edge_app.app import play_clip
from edge_app.commands.progress import ProgressLine
from edge_app.errors import SourceError, UsageError
from edge_app.evaluation.clips.comparison import Pair, compare
from edge_app.evaluation.clips.playback import ClipEvent
from edge_app.evaluation.clips.truth import LabelledClip, is_clip_folder, read_clip, read_clips
from edge_app.file_kinds import is_video
from edge_app.image_files import silence_opencv
from edge_app.stages import build_stages

HEADER = f"{'clip':<24} {'frame':>6}  {'truth':<12} {'A':<17} {'B':<17} verdict"
"""Of the table whose lines are `as_row`."""

Clip = tuple[Path, LabelledClip | None]
"""A video, and the vehicles that pass in it if they are known."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    parser.add_argument("clips", type=Path, nargs="+", metavar="CLIPS", help="a video, or a folder of them")
    parser.add_argument(
        "--compare", type=Path, nargs=2, required=True, metavar=("A", "B"), help="the two configuration files"
    )
    parser.add_argument(
        "--camera", metavar="NAME", help="the camera in both files whose zones and lines hold (default: the first)"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object an event that differs")


def run(arguments: argparse.Namespace) -> int:
    """Play every clip twice."""
    silence_opencv()
    clips = [clip for path in arguments.clips for clip in _expand(path)]
    configurations = [config.load(path).of_camera(arguments.camera) for path in arguments.compare]
    both = [(build_stages(settings), settings) for settings in configurations]
    progress = ProgressLine("replaying")
    compared = changed = damaged = 0
    for done, (path, labelled) in enumerate(clips):
        progress(done, len(clips))
        complaints = set[str]()  # the same of both replays
        first, second = (play_clip(path, stages, settings, complaints.add).events for stages, settings in both)
        if done == 0 and not arguments.json:
            print(HEADER)
        pairs = compare(path.name, labelled, first, second)
        different = [pair for pair in pairs if pair.differs]
        compared, changed = compared + len(pairs), changed + len(different)
        for pair in different:
            print(json.dumps(pair.as_json()) if arguments.json else as_row(pair), flush=True)
        for complaint in complaints:
            print(f"edge-anpr: {complaint}", file=sys.stderr, flush=True)
            damaged += 1
    progress(len(clips), len(clips))
    if not arguments.json:
        print(f"{changed} of {compared} events differ")
    return 1 if damaged else 0


def _expand(path: Path) -> Iterator[Clip]:
    if is_clip_folder(path):
        yield from ((clip.path, clip) for clip in read_clips(path))
    elif path.exists():
        videos = sorted(each for each in (path, *path.rglob("*")) if is_video(each))
        if not videos:
            raise UsageError(f"{path}: no video here; give a video, or a folder of them")
        yield from ((each, read_clip(each)) for each in videos)
    else:
        raise SourceError(f"{path}: no such file; check the path")


def as_row(pair: Pair) -> str:
    """A line of the table."""
    truth = "?" if pair.truth is None else pair.truth or "none"
    a, b = _cell(pair.first), _cell(pair.second)
    return f"{pair.video:<24} {pair.frame:>6}  {truth:<12} {a:<17} {b:<17} {pair.verdict}"


def _cell(event: ClipEvent | None) -> str:
    return "–" if event is None else f"{event.text} {event.confidence:.0%}"
