"""Watch the camera and publish what passes, until it is stopped."""

import argparse
import contextlib
import os
import signal
import sys
from pathlib import Path

from edge_app import app
from edge_app.errors import ModelError
from edge_app.journal import stderr_is_journal
from edge_app.service import native_lines, reload
from edge_app.service.release.releases import Release

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
    with contextlib.ExitStack() as at_the_end:
        if stderr_is_journal(os.environ, sys.stderr):
            at_the_end.enter_context(native_lines.caught())
        if (release := Release.running()) is not None and (altered := release.altered_models()):
            raise ModelError(f"{altered[0]}: altered since {release.name} was installed; install it again")
        reload.run(arguments.config, app.build_daemon)
    return 0
