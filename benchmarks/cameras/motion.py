"""The motion gate on clips: milliseconds a frame at 1920 × 1080, frames saved, and vehicles that it would lose.

`python -m benchmarks.cameras.motion CLIPS…` A vehicle is lost if the gate lets fewer of the frames that show its plate
through than it takes to publish it.
"""

import argparse
import contextlib
import statistics
import sys
import time
from pathlib import Path

import cv2
import numpy as np

from edge_app.capture.file_source import FileSource
from edge_app.capture.motion_gate import MotionGate
from edge_app.config import Settings
from edge_app.errors import EdgeAnprError
from edge_app.evaluation.clips.truth import LabelledClip, read_clips
from edge_app.image_files import silence_opencv

FULL_SIZE = (1920, 1080)


def main() -> int:
    """Print a line for each folder; 1 if a vehicle is lost."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.cameras.motion", description=__doc__)
    parser.add_argument("clips", type=Path, nargs="+", metavar="CLIPS", help="folders of clips")
    arguments = parser.parse_args()
    silence_opencv()
    least, lost = Settings().tracking.min_reads, 0
    try:
        for folder in arguments.clips:
            clips = read_clips(folder)
            played = [_play(clip) for clip in clips]
            admitted = sum(sum(frames) for frames, _ in played)
            total = sum(len(frames) for frames, _ in played)
            vehicles = [(clip, each) for clip in clips for each in clip.vehicles if each.plate]
            missed = [
                (clip.path.name, each.plate, shown)
                for (clip, (frames, _)) in zip(clips, played, strict=True)
                for each in clip.vehicles
                if each.plate
                and (shown := sum(frames[each.first_frame : each.last_frame + 1]))
                < min(least, each.last_frame + 1 - each.first_frame)
            ]
            lost += len(missed)
            gate_ms = statistics.median(each for _, elapsed in played for each in elapsed)
            print(
                f"{folder.name}: {len(clips)} clips, {total} frames, {1 - admitted / total:.1%} saved;"
                f" {len(vehicles)} vehicles, {len(missed)} lost; {gate_ms:.2f} ms a frame"
            )
            print(*(f"  lost in {name}: {plate}, {shown} frames" for name, plate, shown in missed), sep="\n")
    except EdgeAnprError as error:
        print(f"python -m benchmarks.cameras.motion: {error}", file=sys.stderr)
        return 2
    return int(lost > 0)


def _play(clip: LabelledClip) -> tuple[list[bool], list[float]]:
    """Whether each frame is admitted, and the milliseconds that it takes."""
    gate, timed = MotionGate(Settings().motion), MotionGate(Settings().motion)
    admitted, elapsed_ms = [], []
    with contextlib.closing(FileSource(clip.path, "camera")) as source:
        for number, frame in enumerate(source.frames()):
            admitted.append(gate.admits(frame))
            if number % 10 == 0:
                large = np.asarray(cv2.resize(frame.image_bgr, FULL_SIZE), np.uint8)
                enlarged = type(frame)(large, frame.captured_at, frame.monotonic_ns, frame.sequence, frame.camera)
                began = time.process_time()
                timed.admits(enlarged)
                elapsed_ms.append((time.process_time() - began) * 1e3)
    return admitted, elapsed_ms


if __name__ == "__main__":
    sys.exit(main())
