"""Watch the camera and publish what passes, until it is stopped."""

import argparse
import logging
import signal
from pathlib import Path

from edge_app import app, config, logs
from edge_app.service import reload
from edge_app.version import __version__

log = logging.getLogger(__name__)

CONFIGURATION = Path("/etc/edge-anpr/config.toml")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    parser.add_argument(
        "--config",
        type=Path,
        default=CONFIGURATION,
        metavar="FILE",
        help="the settings (default: %(default)s)",
    )


def run(arguments: argparse.Namespace) -> int:
    """Run the daemon to its end."""
    signal.signal(signal.SIGHUP, signal.SIG_IGN)  # until the daemon hears it, and between its lives
    settings = config.load(arguments.config)
    logs.configure(settings.log)
    names = ", ".join(camera.name for camera in settings.every_camera)
    log.info("edge-anpr %s with %s: camera %s", __version__, arguments.config, names)
    reload.run(settings, arguments.config, app.build_daemon)
    return 0
