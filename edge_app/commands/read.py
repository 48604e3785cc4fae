"""Read the plates of images, folders or videos.

One JSON object (or a line for people) for each image or, in a video, for each vehicle. Exit code 1 where a file could
not be read; an image without a plate is no error.
"""

import argparse
import json
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

from edge_app import config
from edge_app.annotate import annotate
from edge_app.app import build_stages, pipeline_around
from edge_app.capture.source import open_source
from edge_app.commands.progress import ProgressLine
from edge_app.config import CameraSettings, Settings
from edge_app.errors import EdgeAnprError, SourceError
from edge_app.image_files import is_video, list_media, load_image, save_image, silence_opencv
from edge_app.recognizer import PlateRecognizer, Stages
from edge_app.records import PlatePass, PlateRead


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    parser.add_argument("paths", type=Path, nargs="+", metavar="PATH", help="an image, a video, or a folder of them")
    parser.add_argument("--json", action="store_true", help="print one JSON object an image or vehicle")
    parser.add_argument("--annotate", type=Path, metavar="DIR", help="write each image with its plates drawn in")
    parser.add_argument("--config", type=Path, metavar="FILE", help="take models, formats and tracking from this file")


def run(arguments: argparse.Namespace) -> int:
    """Read every file; one that cannot be read leaves the others unharmed."""
    silence_opencv()
    settings = config.load(arguments.config) if arguments.config else Settings()
    stages = build_stages(settings)
    files, failed = _expand(arguments.paths)
    progress = ProgressLine("reading")
    for done, path in enumerate(files):
        progress(done, len(files))
        try:
            for line in _read_file(path, stages, settings, arguments):
                print(json.dumps(line) if arguments.json else as_text(line), flush=True)
        except EdgeAnprError as error:
            failed = _complain(error)
    progress(len(files), len(files))
    return 1 if failed else 0


def _expand(paths: list[Path]) -> tuple[list[Path], bool]:
    files: list[Path] = []
    failed = False
    for path in paths:
        try:
            files += list_media(path)
        except EdgeAnprError as error:
            failed = _complain(error)
    return files, failed


def _complain(error: EdgeAnprError) -> bool:
    print(f"edge-anpr: {error}", file=sys.stderr, flush=True)
    return True


def _read_file(
    path: Path, stages: Stages, settings: Settings, arguments: argparse.Namespace
) -> Iterator[dict[str, Any]]:
    if is_video(path):
        yield from (vehicle_as_json(path, each) for each in _passes(path, stages, settings))
    else:
        yield _read_image(path, PlateRecognizer(stages), arguments.annotate)


def _read_image(path: Path, recognizer: PlateRecognizer, annotated: Path | None) -> dict[str, Any]:
    image_bgr = load_image(path)
    began = time.perf_counter()
    reads = recognizer.recognize(image_bgr)
    elapsed_ms = (time.perf_counter() - began) * 1e3
    if annotated is not None:
        save_image(annotated / f"{path.stem}.png", annotate(image_bgr, reads))
    height, width = image_bgr.shape[:2]
    return {
        "image": str(path),
        "width": width,
        "height": height,
        "elapsed_ms": round(elapsed_ms, 1),
        "plates": [plate_as_json(read) for read in reads],
    }


def _passes(path: Path, stages: Stages, settings: Settings) -> Iterator[PlatePass]:
    if not path.is_file():
        raise SourceError(f"{path}: no such file; check the path")
    pipeline = pipeline_around(stages, settings)
    with closing(open_source(CameraSettings(name=path.stem, source=f"file:{path}"))) as source:
        for frame in source.frames():
            yield from pipeline.process(frame)
        yield from pipeline.flush()


def plate_as_json(read: PlateRead) -> dict[str, Any]:
    """One plate as `read --json` prints it; pixels of the image as given."""
    plate, detection = read.plate, read.detection
    return {
        "text": plate.text,
        "confidence": round(plate.confidence, 4),
        "detection_confidence": round(detection.confidence, 4),
        "box": [round(value, 1) for value in detection.box_px],
        "corners": [[round(float(value), 1) for value in corner] for corner in detection.corners_px],
        "lines": detection.lines,
        "country": plate.country,
        "format": plate.format,
        "valid": plate.valid,
        "characters": [{"value": each.value, "confidence": round(each.confidence, 4)} for each in plate.characters],
        "candidates": [
            {"text": each.text, "confidence": round(each.confidence, 4), "valid": each.valid}
            for each in plate.candidates
        ],
    }


def vehicle_as_json(path: Path, plate_pass: PlatePass) -> dict[str, Any]:
    """One vehicle of a video; the plate as it lay in its best frame."""
    width, height = plate_pass.frame_size
    return {
        "video": str(path),
        "width": width,
        "height": height,
        "frames": plate_pass.frames,
        "reads": plate_pass.reads,
        "direction": plate_pass.direction,
        "plates": [plate_as_json(plate_pass.read)],
    }


def as_text(line: dict[str, Any]) -> str:
    """The same for people."""
    found = [f"{plate['text']} {plate['confidence']:.0%}" for plate in line["plates"]] or ["no plate"]
    frames = f"  (seen in {line['frames']} frames)" if "frames" in line else ""
    return f"{line.get('image', line.get('video'))}: {', '.join(found)}{frames}"
