"""Watch the camera and publish what passes, until told to stop."""

import argparse
from pathlib import Path

from edge_app import app, config, logs

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
    settings = config.load(arguments.config)
    logs.configure(settings.log)
    app.build_daemon(settings).run()
    return 0
