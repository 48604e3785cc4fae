"""Save a frame of the configured camera, for drawing zones and lines.

With --aim it finds the plates in it, and prints how well they are read and what would help: closer, a longer lens, a
shorter exposure, focus, light. With --grid it shows a grid in the unit of the configuration (shares of width and
height), and the configured zones and lines. Included zones are green, excluded ones red. Each line has the labels of
its directions. The service must not run meanwhile: most cameras serve one program only.
"""

import argparse
from collections.abc import Iterator
from pathlib import Path

from edge_app import config
from edge_app.camera_settings import shutter_microseconds
from edge_app.capture.source import take_frame
from edge_app.commands.run import CONFIGURATION
from edge_app.config import CameraSettings
from edge_app.drawing.annotate import annotate
from edge_app.drawing.grid import draw_grid
from edge_app.errors import SourceError, UsageError
from edge_app.file_kinds import IMAGE_SUFFIXES
from edge_app.image_files import save_image, silence_opencv
from edge_app.printable import counted
from edge_app.recognition.aiming import Aim, aim_of, pixels_per_metre
from edge_app.recognizer import PlateRecognizer
from edge_app.records import ImageBgr
from edge_app.stages import build_stages

_PATIENCE_SECONDS = 10.0
_SETTLE_SECONDS = 1.0
"""The first pictures of a camera are too dark or too bright."""
SPEEDS_KMH = (30.0, 60.0, 100.0)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    parser.add_argument("--config", type=Path, default=CONFIGURATION, metavar="FILE", help="default: %(default)s")
    parser.add_argument("--camera", metavar="NAME", help="which of several cameras (default: the first)")
    parser.add_argument("--grid", action="store_true", help="draw a grid, the zones and the lines")
    parser.add_argument("--aim", action="store_true", help="measure the plates in it, and draw them")
    parser.add_argument("out", type=Path, metavar="OUT.jpg", help="the picture to write")


def run(arguments: argparse.Namespace) -> int:
    """Write one picture."""
    if arguments.out.suffix.lower() not in IMAGE_SUFFIXES:
        raise UsageError(f"{arguments.out}: no picture's name; let it end with .jpg or .png")
    if not arguments.out.parent.is_dir():
        raise UsageError(f"{arguments.out.parent}: no such folder; make it, or give another")
    silence_opencv()
    settings = config.load(arguments.config).of_camera(arguments.camera)
    taken_bgr = take_picture(settings.camera)
    height, width = taken_bgr.shape[:2]
    drawn_bgr, words = taken_bgr, [f"{width} × {height} pixels"]
    if arguments.grid:
        drawn_bgr = draw_grid(drawn_bgr, settings.zones, settings.crossing_lines)
        words += [counted(len(settings.zones), "zone"), counted(len(settings.crossing_lines), "line")]
    aims: list[Aim] = []
    if arguments.aim:
        found = PlateRecognizer(build_stages(settings)).recognize(taken_bgr)
        reads = [read for read in found if read.plate.valid]  # not what stands on a wall
        aims = [aim_of(taken_bgr, read) for read in reads]
        drawn_bgr = annotate(drawn_bgr, reads)
        words.append(counted(len(aims), "plate"))
    save_image(arguments.out, drawn_bgr)
    print(f"{arguments.out}: {', '.join(words)}")
    if arguments.aim:
        print(*_help(aims, settings.camera), sep="\n")
    return 0


def _help(aims: list[Aim], camera: CameraSettings) -> Iterator[str]:
    """How each plate shows, and what follows for the camera."""
    if not aims:
        yield "no plate was found: let a vehicle stand where plates are to be read, and take it by day"
    for aim in aims:
        yield (
            f"{aim.text}: {aim.width_px:.0f} px wide, smear {aim.smear_px:.1f} px, contrast {aim.contrast:.0f} of 255;"
            f" {aim.expected_share:.0%} of such single frames are read right"
        )
        yield from (f"  {each}" for each in aim.advice())
    if (density := pixels_per_metre(aims)) is not None:
        angle = camera.road_angle_degrees
        limits = ", ".join(
            f"{shutter_microseconds(speed, density, angle)} µs at {speed:g} km/h" for speed in SPEEDS_KMH
        )
        yield f"pixels_per_metre = {density:.0f}; longest exposure at {angle:g}° to the road: {limits}"


def take_picture(camera: CameraSettings) -> ImageBgr:
    """A frame of the camera; `SourceError` if it gives none."""
    frame = take_frame(camera, _PATIENCE_SECONDS, _SETTLE_SECONDS)
    if frame is None:
        raise SourceError(f"camera {camera.name} gives no picture; check cable, power and address")
    return frame.image_bgr
