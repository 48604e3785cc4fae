"""Check a configuration file: every error with its line and key."""

import argparse
from pathlib import Path

from edge_app import config


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    parser.add_argument("file", type=Path, metavar="FILE", help="the configuration, as TOML")


def run(arguments: argparse.Namespace) -> int:
    """Load the file as the daemon would."""
    config.load(arguments.file)
    print(f"{arguments.file}: correct")
    return 0
