"""Check a configuration file: every error with its line and key.

So is every list of plates that it names. Files and folders that are not on this machine are told, but are no error: the
configuration may be another's.
"""

import argparse
import sys
from pathlib import Path

from edge_app import config
from edge_app.lists.plate_file import read_plates


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    parser.add_argument("file", type=Path, metavar="FILE", help="the configuration, as TOML")


def run(arguments: argparse.Namespace) -> int:
    """Load the file as the daemon would."""
    settings = config.load(arguments.file)
    for key, path in config.paths_in(settings):
        if not path.exists():
            print(f"{arguments.file}: {key}: {path} is not on this machine", file=sys.stderr)
    for plates in settings.lists:
        if plates.file.exists():
            read_plates(plates.file)
    print(f"{arguments.file}: correct")
    return 0
