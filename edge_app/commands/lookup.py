"""Ask the configured source for a plate's registration details."""

import argparse
import json
import time
from pathlib import Path

from edge_app import config
from edge_app.commands.run import CONFIGURATION
from edge_app.errors import UsageError
from edge_app.lookup.lookup import ask_once
from edge_app.lookup.sources import bare, open_source, shown
from edge_app.printable import printable


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    parser.add_argument("plate", metavar="PLATE", help="as it stands on the vehicle")
    parser.add_argument("--config", type=Path, default=CONFIGURATION, metavar="FILE", help="default: %(default)s")
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def run(arguments: argparse.Namespace) -> int:
    """Print the fields; 1 if the source does not answer."""
    settings = config.load(arguments.config).lookup
    if settings.source == "off":
        raise UsageError(f"{arguments.config}: [lookup] is off; set `source` (docs/lookup.md has examples)")
    plate = bare(arguments.plate)
    if not plate:
        raise UsageError("a plate has letters A-Z and digits; give one")
    source = open_source(settings)
    began = time.monotonic()
    found = ask_once(settings, source, plate)
    elapsed_ms = (time.monotonic() - began) * 1e3
    if arguments.json:
        print(json.dumps({"found": found is not None, "fields": found or {}, "elapsed_ms": round(elapsed_ms, 1)}))
        return 0
    for name, value in (found or {}).items():
        print(f"{name}: {printable(value) if value is not None else '-'}")
    what = "known" if found is not None else "not known"
    print(f"{what} to {shown(settings)}, answered in {elapsed_ms:.1f} ms (limit: {settings.limit_milliseconds} ms)")
    return 0
