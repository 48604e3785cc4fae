"""Put what can be read of a damaged outbox, which the service has set aside, into the one in use.

The service does this by itself at once; this is for a file that its disk had no room for then, or that comes from
another disk. Stop the service before, and run this as its user. What is there already stays as it is, and what was sent
before is sent again: consumers know it by its `event_id`.
"""

import argparse
import contextlib
from pathlib import Path

from edge_app import config
from edge_app.app import load_sealer, open_lists, open_outbox
from edge_app.commands.run import CONFIGURATION
from edge_app.errors import EdgeAnprError, UsageError
from edge_app.events import hash_keys
from edge_app.events.disk_state import DiskState
from edge_app.printable import counted


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    parser.add_argument("file", type=Path, metavar="FILE", help="as outbox.sqlite.damaged-20260131T120000.123456")
    parser.add_argument(
        "--config", type=Path, metavar="CONFIG", default=CONFIGURATION, help="the settings (default: %(default)s)"
    )


def run(arguments: argparse.Namespace) -> int:
    """Recover the file; 1 if not all that can be read of it has found room."""
    settings = config.load(arguments.config)
    if not arguments.file.is_file():
        raise UsageError(f"{arguments.file}: there is no such file; give one that the service has set aside")
    lists, keys = open_lists(settings), hash_keys.load(settings.privacy)
    with contextlib.closing(open_outbox(settings, lists, keys, load_sealer(settings))) as outbox:
        if outbox.disk is DiskState.LOCKED:
            raise EdgeAnprError("the outbox is in use; stop the service first: `systemctl stop edge-anpr`")
        done = outbox.recover(arguments.file)
        waiting = outbox.state().events
    lost = f"{counted(done.losses.reads_damaged, 'read')} and {counted(done.losses.images_damaged, 'picture')}"
    print(f"{counted(done.events, 'event')} recovered, {lost} known lost; {counted(waiting, 'event')} wait to be sent")
    if not done.is_done:
        raise EdgeAnprError(f"the disk is {outbox.disk}: there was no room for the rest; free some and run this again")
    return 0
