"""Renders clips of traffic whose truth is known, for `edge-anpr evaluate`: DIR/0000-town.mp4 … and DIR/events.jsonl.

Roads, traffic, light, weather and cameras of every kind in turn, all from our own drawing; the same seed gives the same
clips. Those that are measured on are never trained on. A plate's text in a clip is random and means nobody.
"""

import argparse
import json
import os
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from edge_app.errors import EdgeAnprError, UsageError
from edge_app.evaluation.clips.truth import EVENTS_FILE, read_clips
from edge_app.geometry import hulls
from edge_app.printable import counted
from edge_app.records import Corners, ImageBgr
from training.synthetic.clip_film import ClipFilm
from training.synthetic.clip_scenes import KINDS, clip_film
from training.synthetic.traffic import SeenPlate
from training.synthetic.video import write_video

_CODING = ("-preset", "veryfast", "-crf", "20", "-maxrate", "6000k", "-bufsize", "12000k")
"""About what a network camera sends of such a picture."""

_SEEN_SHARE, _SEEN_WIDTH_PX = 0.3, 16.0
"""A plate can be seen from this share of it and this width on."""

_CLEAR_SHARE, _CLEAR_LINE_PX, _CLEAR_FRAMES = 0.95, 12.0, 4
"""A plate gets a text if this share of it is seen, with lines of this height, in this number of frames. The height of a
line is the plate's height divided by its lines."""


@dataclass(slots=True)
class _Sighting:
    """One plate over a clip."""

    lines: int
    corners_px: dict[int, Corners] = field(default_factory=dict)
    visible: dict[int, float] = field(default_factory=dict)
    clear_frames: list[int] = field(default_factory=list)

    def add(self, frame: int, seen: SeenPlate) -> None:
        sides = np.linalg.norm(np.roll(seen.corners_px, -1, 0) - seen.corners_px, axis=1)
        width, height = (sides[0] + sides[2]) / 2, (sides[1] + sides[3]) / 2
        if seen.visible >= _SEEN_SHARE and width >= _SEEN_WIDTH_PX:
            self.corners_px[frame], self.visible[frame] = seen.corners_px, seen.visible
            if seen.visible >= _CLEAR_SHARE and height / self.lines >= _CLEAR_LINE_PX:
                self.clear_frames.append(frame)


def write_clip(film: ClipFilm, seed: int, path: Path) -> list[dict[str, Any]]:
    """Render a film into a file; its lines of `events.jsonl`."""
    sightings = {passer.plate.text: _Sighting(passer.plate.lines) for passer in film.passers}

    def images() -> Iterator[ImageBgr]:
        for frame, (image_bgr, plates) in enumerate(film.shots(seed)):
            for seen in plates:
                sightings[seen.plate.text].add(frame, seen)
            yield image_bgr

    write_video(images(), path, film.size, film.frames_per_second, _CODING)
    lines = [_line(path.name, text, each) for text, each in sightings.items() if each.corners_px]
    return sorted(lines, key=lambda line: int(line["first_frame"])) or [{"video": path.name}]


def _line(video: str, text: str, sighting: _Sighting) -> dict[str, Any]:
    return {
        "video": video,
        "plate": text if len(sighting.clear_frames) >= _CLEAR_FRAMES else None,
        "clear_frames": sighting.clear_frames,
        "lines": sighting.lines,
        "first_frame": min(sighting.corners_px),
        "last_frame": max(sighting.corners_px),
        "boxes": {str(frame): _rounded(hulls(corners_px)) for frame, corners_px in sighting.corners_px.items()},
        "corners": {str(frame): _rounded(corners_px) for frame, corners_px in sighting.corners_px.items()},
        "visible": {str(frame): round(share, 2) for frame, share in sighting.visible.items()},
    }


def _rounded(values: NDArray[np.float32]) -> list[Any]:
    rounded: list[Any] = values.astype(float).round(1).tolist()
    return rounded


def write_clips(folder: Path, seed: int, count: int, seconds: float, kinds: Sequence[str], processes: int = 1) -> None:
    """Render clips of these kinds in turn, each from its own seed, so that fewer of them are the same as more."""
    folder.mkdir(parents=True, exist_ok=True)
    jobs = [(folder, seed, number, seconds, kinds[number % len(kinds)]) for number in range(count)]
    with (
        (folder / EVENTS_FILE).open("w", encoding="utf-8") as file,
        ProcessPoolExecutor(processes, get_context("forkserver"), cv2.setNumThreads, (1,)) as pool,
    ):
        for lines in tqdm(pool.map(_render, jobs), total=count, desc="clips", unit="clip"):
            file.writelines(json.dumps(line) + "\n" for line in lines)
            file.flush()


def _render(job: tuple[Path, int, int, float, str]) -> list[dict[str, Any]]:
    folder, seed, number, seconds, kind = job
    film = clip_film(np.random.default_rng((seed, number)), kind, seconds)
    return write_clip(film, seed + number, folder / f"{number:04}-{kind}.mp4")


def main(words: Sequence[str] | None = None) -> int:
    """Render what the command line asks for; 2 for wrong usage."""
    arguments = _parser().parse_args(words)
    try:
        _check(arguments)
        write_clips(
            arguments.out, arguments.seed, arguments.count, arguments.seconds, arguments.kinds, arguments.processes
        )
        clips = read_clips(arguments.out)
    except EdgeAnprError as error:
        print(f"python -m training.clips: {error}", file=sys.stderr)
        return 2 if isinstance(error, UsageError) else 1
    vehicles = sum(len(clip.vehicles) for clip in clips)
    print(f"{counted(len(clips), 'clip')}, {counted(vehicles, 'vehicle')} in {arguments.out.resolve()}")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m training.clips", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="a new or empty folder")
    parser.add_argument("--count", type=int, default=60, help="of clips (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=10.0, help="of each clip (default: %(default)s)")
    parser.add_argument(
        "--processes", type=int, default=os.cpu_count() or 1, help="that render side by side (default: %(default)s)"
    )
    parser.add_argument(
        "--kinds", nargs="+", choices=list(KINDS), default=list(KINDS), metavar="KIND", help=f"of {', '.join(KINDS)}"
    )
    return parser


def _check(arguments: argparse.Namespace) -> None:
    for option in ("count", "seconds", "processes"):
        if getattr(arguments, option) <= 0:
            raise UsageError(f"--{option}: more than 0")
    if arguments.out.exists() and not arguments.out.is_dir():
        raise UsageError(f"--out {arguments.out}: is a file; name a folder")
    if arguments.out.is_dir() and any(arguments.out.iterdir()):
        raise UsageError(f"--out {arguments.out}: holds something already; name a new folder, or empty this one")


if __name__ == "__main__":
    sys.exit(main())
