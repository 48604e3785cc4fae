"""Save a frame of the configured camera, for drawing zones and lines.

With --grid it shows a grid in the unit of the configuration (shares of width and height), and the configured zones and
lines. Included zones are green, excluded ones red. Each line has the labels of its directions. The service must not run
meanwhile: most cameras serve one program only.
"""

import argparse
from pathlib import Path

from edge_app import config
from edge_app.capture.source import take_frame
from edge_app.commands.run import CONFIGURATION
from edge_app.config import CameraSettings
from edge_app.drawing.grid import draw_grid
from edge_app.errors import SourceError, UsageError
from edge_app.file_kinds import IMAGE_SUFFIXES
from edge_app.image_files import save_image, silence_opencv
from edge_app.printable import counted
from edge_app.records import ImageBgr

_PATIENCE_SECONDS = 10.0
_SETTLE_SECONDS = 1.0
"""The first pictures of a camera are too dark or too bright."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    parser.add_argument("--config", type=Path, default=CONFIGURATION, metavar="FILE", help="default: %(default)s")
    parser.add_argument("--camera", metavar="NAME", help="which of several cameras (default: the first)")
    parser.add_argument("--grid", action="store_true", help="draw a grid, the zones and the lines")
    parser.add_argument("out", type=Path, metavar="OUT.jpg", help="the picture to write")


def run(arguments: argparse.Namespace) -> int:
    """Write one picture."""
    if arguments.out.suffix.lower() not in IMAGE_SUFFIXES:
        raise UsageError(f"{arguments.out}: no picture's name; let it end with .jpg or .png")
    if not arguments.out.parent.is_dir():
        raise UsageError(f"{arguments.out.parent}: no such folder; make it, or give another")
    silence_opencv()
    settings = config.load(arguments.config).of_camera(arguments.camera)
    image_bgr = take_picture(settings.camera)
    height, width = image_bgr.shape[:2]
    if arguments.grid:
        image_bgr = draw_grid(image_bgr, settings.zones, settings.crossing_lines)
    save_image(arguments.out, image_bgr)
    drawn = (
        f", {counted(len(settings.zones), 'zone')}, {counted(len(settings.crossing_lines), 'line')}"
        if arguments.grid
        else ""
    )
    print(f"{arguments.out}: {width} × {height} pixels{drawn}")
    return 0


def take_picture(camera: CameraSettings) -> ImageBgr:
    """A frame of the camera; `SourceError` if it gives none."""
    frame = take_frame(camera, _PATIENCE_SECONDS, _SETTLE_SECONDS)
    if frame is None:
        raise SourceError(f"camera {camera.name} gives no picture; check cable, power and address")
    return frame.image_bgr
