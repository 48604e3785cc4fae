"""Check a configuration file: every error with its line and key.

The files that it names are checked too, if they are on this machine: lists of plates, the hook's program, the key of
the hash, the broker's certificates. Missing files and folders, recordings among them, are reported but are no error:
the configuration may be for another machine.
"""

import argparse
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from edge_app import config
from edge_app.camera_settings import keys_without_effect
from edge_app.config import ListSettings, Settings
from edge_app.configuration import source_url
from edge_app.errors import ConfigurationError
from edge_app.events import hash_keys
from edge_app.events.lists.plate_file import doubts, read_entries
from edge_app.printable import counted
from edge_app.recognition.plate_formats import PlateFormats
from edge_app.uplink import credentials


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    either = parser.add_mutually_exclusive_group(required=True)
    either.add_argument("file", type=Path, nargs="?", metavar="FILE", help="the configuration, as TOML")
    either.add_argument("--defaults", action="store_true", help="print a file with every key and its default")


def run(arguments: argparse.Namespace) -> int:
    """Load the file, and the files it names, as the daemon would."""
    if arguments.defaults:
        print(config.default_toml(), end="")
        return 0
    settings = config.load(arguments.file)
    for key, path in config.paths_in(settings):
        if not path.exists():
            print(f"{arguments.file}: {key}: {path} is not on this machine", file=sys.stderr)
    for line in without_effect(settings):
        print(f"{arguments.file}: {line}", file=sys.stderr)
    if complaints := list(_complaints(settings)):
        raise ConfigurationError("\n".join(complaints))
    for each in settings.lists:
        if each.file.exists():
            print(_about(each, PlateFormats.load(settings.recognition.formats)))
    print(f"{arguments.file}: correct")
    return 0


def without_effect(settings: Settings) -> Iterator[str]:
    """A line for each key that a camera's source does not have."""
    section = "[[cameras]]" if settings.cameras else "[camera]"
    for camera in settings.every_camera:
        scheme = source_url.parse(camera.source).scheme
        for key in keys_without_effect(camera):
            yield f"{section} {key}: a {scheme} source has no such control: it has no effect on {camera.name}"


def _about(settings: ListSettings, formats: PlateFormats) -> str:
    """How long a list is, and what is to be checked in it."""
    entries = read_entries(settings.file)
    found = doubts(entries, lambda text: formats.match(text).valid)
    return f"{settings.file}: {counted(len(entries), 'plate')}" + (f"; {found}" if found else "")


def _complaints(settings: Settings) -> Iterator[str]:
    """Errors with which `run` would refuse the files that are here."""
    for check in _checks(settings):
        try:
            check()
        except ConfigurationError as error:
            yield str(error)


def _checks(settings: Settings) -> Iterator[Callable[[], object]]:
    for plates in settings.lists:
        if plates.file.exists():
            yield partial(read_entries, plates.file)
    if settings.hook.program is not None and settings.hook.program.exists():
        from edge_app.events.lists import hook  # late: it waits for numpy

        yield partial(hook.check, settings.hook)
    if settings.privacy.key_file is not None and settings.privacy.key_file.exists():
        yield partial(hash_keys.load, settings.privacy)
    if all(path.exists() for key, path in config.paths_in(settings) if key.startswith("[mqtt]")):
        yield partial(credentials.load, settings.mqtt)
