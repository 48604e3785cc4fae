"""The saving of reading with economy: clips played with it and without, and whether the events are the same.

`python -m benchmarks.economy CLIPS…` prints, for each folder of clips (docs/clips.md), reads an event with
`[tracking] economy` on and off, and every event that differs.
"""

import argparse
import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from edge_app import config
from edge_app.app import play_clip
from edge_app.config import Settings
from edge_app.errors import EdgeAnprError, UsageError
from edge_app.evaluation.clips.playback import ClipEvent
from edge_app.evaluation.clips.truth import EVENTS_FILE, is_clip_folder, read_clips
from edge_app.image_files import silence_opencv
from edge_app.stages import build_stages

HEADER = f"{'clips':<20} {'events':>7} {'same':>7} {'found':>8} {'reads on':>9} {'off':>6}"


def main(given: Sequence[str] | None = None) -> int:
    """Play every clip twice; 1 if events differ or a clip cannot be played, 2 for wrong usage."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.economy", description=__doc__)
    parser.add_argument("clips", type=Path, nargs="+", metavar="CLIPS", help="a folder of clips")
    parser.add_argument("--config", type=Path, metavar="FILE", help="take models, formats and tracking from this file")
    arguments = parser.parse_args(given)
    silence_opencv()
    try:
        for folder in arguments.clips:
            if not is_clip_folder(folder):
                raise UsageError(f"{folder}: no {EVENTS_FILE} here; give a folder of clips")
        settings = config.load(arguments.config) if arguments.config else Settings()
        print(HEADER)
        different = [folder for folder in arguments.clips if not compare(folder, settings)]
    except EdgeAnprError as error:
        print(f"python -m benchmarks.economy: {error}", file=sys.stderr)
        return 2 if isinstance(error, UsageError) else 1
    return 1 if different else 0


def compare(folder: Path, settings: Settings) -> bool:
    """Print a folder's line; whether the texts of its events are the same with economy and without."""
    stages = build_stages(settings)
    thrifty: list[ClipEvent] = []
    lavish: list[ClipEvent] = []
    differences: list[str] = []
    for clip in read_clips(folder):
        on, off = (
            play_clip(clip.path, stages, replace(settings, tracking=replace(settings.tracking, economy=economy))).events
            for economy in (True, False)
        )
        texts = sorted(event.text for event in on), sorted(event.text for event in off)
        if texts[0] != texts[1]:
            differences.append(f"  {clip.path.name}: on {texts[0]}, off {texts[1]}")
        thrifty += on
        lavish += off
    found = _mean(len(event.boxes) for event in lavish)
    reads = _mean(event.reads for event in thrifty), _mean(event.reads for event in lavish)
    same = sum((Counter(event.text for event in lavish) & Counter(event.text for event in thrifty)).values())
    print(f"{folder.resolve().name:<20} {len(lavish):>7} {same:>7} {found:>8.1f} {reads[0]:>9.1f} {reads[1]:>6.1f}")
    print(*differences, sep="\n", end="\n" if differences else "")
    return not differences


def _mean(counts: Iterable[int]) -> float:
    values = list(counts)
    return sum(values) / max(1, len(values))


if __name__ == "__main__":
    sys.exit(main())
