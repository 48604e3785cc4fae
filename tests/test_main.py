"""The `edge-anpr` command itself: its help, and what it loads for them."""

import importlib
import subprocess
import sys
from pathlib import Path

import pytest

from edge_app.__main__ import COMMANDS, EXIT_CODES, main

DEFAULT = Path(__file__).parent.parent / "config" / "default.toml"
HEAVY = {"numpy", "cv2", "paho", "sqlite3"}
MODULES_AFTER = """
import sys
before = set(sys.modules)  # measuring coverage loads some
from edge_app.__main__ import main
try:
    main(sys.argv[1:])
finally:
    print(*(set(sys.modules) - before), sep="\\n")
"""


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_describes_itself_as_the_help_does(name: str) -> None:
    module = importlib.import_module(f"edge_app.commands.{name.replace('-', '_')}")

    assert module.__doc__ is not None
    assert module.__doc__.splitlines()[0] == COMMANDS[name]


@pytest.mark.parametrize("name", COMMANDS)
def test_every_commands_help_has_the_exit_codes(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main([name, "--help"])

    assert EXIT_CODES in " ".join(capsys.readouterr().out.split())


@pytest.mark.parametrize("arguments", [["--help"], ["check-config", str(DEFAULT)]], ids=lambda words: words[0])
def test_help_and_a_check_of_the_configuration_wait_for_no_heavy_library(arguments: list[str]) -> None:
    command = [sys.executable, "-c", MODULES_AFTER, *arguments]

    done = subprocess.run(command, capture_output=True, text=True, check=True)

    assert HEAVY & set(done.stdout.splitlines()) == set()


def test_a_full_disk_behind_the_output_is_reported_in_a_line() -> None:
    with Path("/dev/full").open("w", encoding="utf-8") as full:
        command = [sys.executable, "-m", "edge_app", "check-config", str(DEFAULT)]
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, check=False)

    assert done.returncode == 1
    assert done.stderr == "edge-anpr: no space is left for the output; free some, or write elsewhere\n"
