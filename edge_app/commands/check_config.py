"""Check a configuration file: every error with its line and key.

So is what it names, where that is on this machine: lists of plates, the hook's program, the key of the hash, the
broker's certificates. Files and folders that are not here, recordings among them, are told, but are no error: the
configuration may be another's.
"""

import argparse
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from edge_app import config
from edge_app.config import Settings
from edge_app.errors import ConfigurationError
from edge_app.events import hash_keys
from edge_app.events.lists.plate_file import read_plates
from edge_app.uplink import credentials


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    parser.add_argument("file", type=Path, metavar="FILE", help="the configuration, as TOML")


def run(arguments: argparse.Namespace) -> int:
    """Load the file, and what it names, as the daemon would."""
    settings = config.load(arguments.file)
    for key, path in config.paths_in(settings):
        if not path.exists():
            print(f"{arguments.file}: {key}: {path} is not on this machine", file=sys.stderr)
    if complaints := list(_complaints(settings)):
        raise ConfigurationError("\n".join(complaints))
    print(f"{arguments.file}: correct")
    return 0


def _complaints(settings: Settings) -> Iterator[str]:
    """What `run` would refuse of the files that are here."""
    for check in _checks(settings):
        try:
            check()
        except ConfigurationError as error:
            yield str(error)


def _checks(settings: Settings) -> Iterator[Callable[[], object]]:
    for plates in settings.lists:
        if plates.file.exists():
            yield partial(read_plates, plates.file)
    if settings.hook.program is not None and settings.hook.program.exists():
        from edge_app.events.lists import hook  # late: it waits for numpy

        yield partial(hook.check, settings.hook)
    if settings.privacy.key_file is not None and settings.privacy.key_file.exists():
        yield partial(hash_keys.load, settings.privacy)
    if all(path.exists() for key, path in config.paths_in(settings) if key.startswith("[mqtt]")):
        yield partial(credentials.load, settings.mqtt)
