"""Read the plates of images, folders or videos.

One JSON object (or a line for people) for each image or, in a video, for each vehicle. A file's content
decides its kind. Exit code 1 if a file could not be read, a video not to its end, or a folder holds what is neither;
each is named with the reason. An image without a plate is no error; files whose names begin with a dot are passed over.
"""

import argparse
import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

from edge_app import config
from edge_app.app import open_video, pipeline_around
from edge_app.commands.progress import ProgressLine
from edge_app.config import Settings
from edge_app.drawing.annotate import annotate
from edge_app.errors import EdgeAnprError, SourceError, UsageError
from edge_app.file_kinds import IMAGE_SUFFIXES, FileKind, files_below, is_regular, kind_of
from edge_app.image_files import load_image, save_image, silence_opencv
from edge_app.plate_json import image_as_json, plate_as_json
from edge_app.printable import counted, printable, printable_lines
from edge_app.recognizer import PlateRecognizer
from edge_app.records import ImageBgr, PlatePass, PlateRead
from edge_app.stages import Stages, build_stages


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    parser.add_argument("paths", type=Path, nargs="+", metavar="PATH", help="an image, a video, or a folder of them")
    parser.add_argument("--json", action="store_true", help="print one JSON object an image or vehicle")
    parser.add_argument(
        "--effort",
        type=int,
        choices=(0, 1),
        default=1,
        help="of images: 0 one attempt at each plate, as the daemon reads a frame; 1 a few more while doubt remains "
        "(default: %(default)s)",
    )
    parser.add_argument(
        "--annotate",
        type=Path,
        metavar="DIR",
        help="write each image, and the best frame of each vehicle, with its plates drawn in",
    )
    parser.add_argument("--config", type=Path, metavar="FILE", help="take models, formats and tracking from this file")


def run(arguments: argparse.Namespace) -> int:
    """Read every file; one that cannot be read does not affect the others."""
    silence_opencv()
    drawings = Drawings(arguments.annotate, arguments.paths) if arguments.annotate else None
    settings = config.load(arguments.config) if arguments.config else Settings()
    stages = build_stages(settings)
    files, failed = _expand(arguments.paths)
    progress = ProgressLine("reading")
    for done, path in enumerate(files):
        progress(done, len(files))
        try:
            is_empty = True
            for line in _read_file(path, PlateRecognizer(stages, arguments.effort), stages, settings, drawings):
                print(json.dumps(line) if arguments.json else as_text(line), flush=True)
                is_empty = False
            if is_empty and not arguments.json:
                print(f"{printable(str(path))}: no plate", flush=True)
        except EdgeAnprError as error:
            failed = _complain(error)
    progress(len(files), len(files))
    return 1 if failed else 0


def _expand(paths: list[Path]) -> tuple[list[Path], bool]:
    files: list[Path] = []
    failed = False
    for path in paths:
        try:
            files += _files_of(path)
        except EdgeAnprError as error:
            failed = _complain(error)
    return files, failed


def _complain(error: EdgeAnprError) -> bool:
    print(f"edge-anpr: {printable_lines(str(error))}", file=sys.stderr, flush=True)
    return True


def _files_of(path: Path) -> list[Path]:
    """The path itself or, for a folder, everything in it and below."""
    if not path.is_dir():
        return [path]
    found = list(files_below(path))
    if not found:
        raise SourceError(f"{path}: this folder holds no picture and no video; give another")
    return found


class Drawings:
    """Pictures with their plates drawn in, below `folder` as what is read lies below the folder common to `paths`."""

    def __init__(self, folder: Path, paths: list[Path]) -> None:
        folders = [path if path.is_dir() else path.parent for path in paths]
        self._common = os.path.commonpath([os.path.normpath(each.absolute()) for each in folders])
        self._folder = folder
        if folder.exists() and folder.samefile(self._common):
            raise UsageError(
                f"{folder}: what is read lies here and would be overwritten; give --annotate another folder"
            )
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UsageError(f"{folder}: cannot be made ({error.strerror}); give --annotate another folder") from error

    def of_image(self, path: Path, image_bgr: ImageBgr, reads: list[PlateRead]) -> None:
        """Write an image under its own name; as PNG if the name has no known suffix."""
        place = self._place_of(path)
        if place.suffix.lower() not in IMAGE_SUFFIXES:
            place = place.with_name(f"{place.name}.png")
        save_image(place, annotate(image_bgr, reads))

    def of_video(self, path: Path, passes: list[PlatePass]) -> None:
        """Write the best frame of each vehicle, by its number, into a folder named as the video."""
        with closing(open_video(path, lambda _: None)) as source:  # it was read before, with its warnings
            for frame in source.frames():
                reads = [each.read for each in passes if each.best_seen == frame.captured_at]
                if reads:
                    save_image(self._place_of(path) / f"{frame.sequence:06}.jpg", annotate(frame.image_bgr, reads))

    def _place_of(self, path: Path) -> Path:
        return self._folder / os.path.relpath(path, self._common)


def _read_file(
    path: Path, recognizer: PlateRecognizer, stages: Stages, settings: Settings, drawings: Drawings | None
) -> Iterator[dict[str, Any]]:
    if path.exists() and not is_regular(path):
        raise SourceError(f"{path}: a pipe, a device or a folder, and no file; give a picture or a video")
    kind = kind_of(path)
    if kind is FileKind.PHONE_PICTURE:
        raise SourceError(f"{path}: a phone's picture (HEIF or AVIF), which is not read here; save it as JPEG")
    if kind is FileKind.OTHER:
        raise SourceError(f"{path}: this is neither a picture nor a video; give a JPEG, PNG or MP4 file")
    if kind is FileKind.VIDEO:
        yield from _read_video(path, stages, settings, drawings)
    else:
        yield _read_image(path, recognizer, drawings)


def _read_image(path: Path, recognizer: PlateRecognizer, drawings: Drawings | None) -> dict[str, Any]:
    image_bgr = load_image(path)
    began = time.perf_counter()
    reads = recognizer.recognize(image_bgr)
    elapsed_ms = (time.perf_counter() - began) * 1e3
    if drawings is not None:
        drawings.of_image(path, image_bgr, reads)
    return {"image": str(path), **image_as_json(image_bgr, elapsed_ms, reads)}


def _read_video(path: Path, stages: Stages, settings: Settings, drawings: Drawings | None) -> Iterator[dict[str, Any]]:
    passes = []
    complaints: list[str] = []
    for plate_pass in _passes(path, stages, settings, complaints.append):
        yield vehicle_as_json(path, plate_pass)
        if drawings is not None:
            passes.append(plate_pass)
    if drawings is not None:
        drawings.of_video(path, passes)
    if complaints:
        raise SourceError(complaints[0])


def _passes(path: Path, stages: Stages, settings: Settings, warn: Callable[[str], object]) -> Iterator[PlatePass]:
    if not path.is_file():
        raise SourceError(f"{path}: no such file; check the path")
    pipeline = pipeline_around(stages, settings)
    with closing(open_video(path, warn)) as source:
        for frame in source.frames():
            yield from (each for each in pipeline.process(frame) if each.is_final)
        yield from pipeline.flush()


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
    found = [_plate_as_text(plate) for plate in line["plates"]] or ["no plate"]
    frames = f"  (seen in {counted(line['frames'], 'frame')})" if "frames" in line else ""
    return f"{printable(str(line.get('image', line.get('video'))))}: {', '.join(found)}{frames}"


def _plate_as_text(plate: dict[str, Any]) -> str:
    doubt = "" if plate["valid"] else " (fits no format)"
    return f"{plate['text']} {plate['confidence']:.0%}{doubt}"
