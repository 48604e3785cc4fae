"""The `edge-anpr` command: the one place that prints errors and picks the exit code."""

import argparse
import errno
import importlib
import io
import os
import sys
from collections.abc import Sequence

from edge_app import journal
from edge_app.errors import EdgeAnprError, ModelError, UsageError
from edge_app.printable import printable_lines
from edge_app.version import __version__

COMMANDS = {
    "run": "Watch the camera and publish what passes, until it is stopped.",
    "read": "Read the plates of images, folders or videos.",
    "demo": "Show the whole path on a clip that comes with the package: no camera, no broker, no configuration.",
    "listen": "Subscribe to the broker and print reads as they arrive.",
    "evaluate": "Score detection and reading on dataset folders, and events on folders of clips.",
    "replay": "Replay clips with two configurations and show where they differ, event by event.",
    "bench": "Measure this machine: milliseconds of each stage, frames a second, memory.",
    "doctor": "Check this installation: models, camera, lists, broker, clock, disk, service. "
    "Gives the remedy for each fault.",
    "lookup": "Ask the configured source for a plate's registration details.",
    "recover": "Put what can be read of a damaged outbox, which the service has set aside, into the one in use.",
    "release": "Install a bundle beside the running release and switch to it, go back, or remove it all.",
    "self-test": "Try this installation on pictures with known plates, without a camera or a broker.",
    "make-key": "Make the pair of keys with which a device signs its reads.",
    "verify": "Check the signatures and the chain of reads in a file, as `listen --output` writes it.",
    "snapshot": "Save a frame of the configured camera, for drawing zones and lines.",
    "check-config": "Check a configuration file: every error with its line and key.",
}
"""Each is a module of `edge_app.commands`; this is the first line of its help."""

EXIT_CODES = "Exit codes: 0 done, 1 failed, 2 wrong usage or configuration, 3 damaged models."

DONE, FAILED, WRONG_USAGE, DAMAGED = 0, 1, 2, 3
INTERRUPTED = 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command that the arguments name; its exit code."""
    given = sys.argv[1:] if arguments is None else arguments
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # a name that is no text must not end the work
    if journal.stderr_is_journal(os.environ, sys.stderr):
        sys.excepthook = journal.print_crash
    parsed = _parser(given).parse_args(given)
    try:
        code: int = parsed.run(parsed)
        sys.stdout.flush()
        return code
    except EdgeAnprError as error:
        print(journal.last_words(f"edge-anpr: {printable_lines(str(error))}"), file=sys.stderr)
        if isinstance(error, ModelError):
            return DAMAGED
        return WRONG_USAGE if isinstance(error, UsageError) else FAILED
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:  # whoever read our output has gone
        _write_no_more()
        return FAILED
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        _write_no_more()
        print("edge-anpr: no space is left for the output; free some, or write elsewhere", file=sys.stderr)
        return FAILED


def _write_no_more() -> None:
    """Keep the interpreter from complaining when it flushes at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _parser(given: Sequence[str]) -> argparse.ArgumentParser:
    """The parser of what is given: a command that is not named there is not imported, nor numpy and OpenCV with it."""
    parser = argparse.ArgumentParser(
        prog="edge-anpr",
        description="Reads number plates at the roadside and publishes them over MQTT without losing one.",
        epilog=EXIT_CODES,
    )
    parser.add_argument("--version", action="version", version=f"edge-anpr {__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for name, summary in COMMANDS.items():
        command = commands.add_parser(name, help=summary, epilog=EXIT_CODES)
        if name in given:
            module = importlib.import_module(f"edge_app.commands.{name.replace('-', '_')}")
            command.description = module.__doc__
            module.add_arguments(command)
            command.set_defaults(run=module.run)
    return parser


if __name__ == "__main__":
    sys.exit(main())
