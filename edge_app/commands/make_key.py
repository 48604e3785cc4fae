"""Make the pair of keys with which a device signs its reads.

FILE gets the private key, which only its owner can read. FILE.pub gets the public one, for `edge-anpr verify`. Neither
is ever overwritten.
"""

import argparse
from pathlib import Path

from edge_app.events.evidence import keys


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    parser.add_argument("file", type=Path, metavar="FILE", help="file for the private key")


def run(arguments: argparse.Namespace) -> int:
    """Make both files."""
    public = keys.make(arguments.file)
    print(f"key {public.name}: private in {arguments.file}, public in {keys.public_path_of(arguments.file)}")
    return 0
