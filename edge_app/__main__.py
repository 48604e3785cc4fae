"""The `edge-anpr` command: the one place that prints errors and picks the exit code."""

import argparse
import os
import sys
from collections.abc import Sequence
from types import ModuleType

from edge_app import __version__
from edge_app.commands import bench, check_config, demo, doctor, evaluate, listen, read, run
from edge_app.errors import EdgeAnprError, UsageError

COMMANDS: tuple[ModuleType, ...] = (run, read, demo, listen, evaluate, bench, doctor, check_config)

DONE, FAILED, WRONG_USAGE = 0, 1, 2
INTERRUPTED = 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command that the arguments name; its exit code."""
    parsed = _parser().parse_args(arguments)
    try:
        code: int = parsed.run(parsed)
        sys.stdout.flush()
        return code
    except EdgeAnprError as error:
        print(f"edge-anpr: {error}", file=sys.stderr)
        return WRONG_USAGE if isinstance(error, UsageError) else FAILED
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        # Whoever read our output has gone; keep the interpreter from complaining when it flushes at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="edge-anpr",
        description="Reads number plates at the roadside and publishes them over MQTT without losing one.",
        epilog="Exit codes: 0 done, 1 failed, 2 wrong usage or configuration.",
    )
    parser.add_argument("--version", action="version", version=f"edge-anpr {__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for module in COMMANDS:
        name = module.__name__.rsplit(".", maxsplit=1)[-1].replace("_", "-")
        about = (module.__doc__ or "").strip()
        command = commands.add_parser(name, help=about.splitlines()[0], description=about)
        module.add_arguments(command)
        command.set_defaults(run=module.run)
    return parser


if __name__ == "__main__":
    sys.exit(main())
