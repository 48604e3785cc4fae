"""What the documentation shows is what the program does."""

import json
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import jsonschema
import pytest

from edge_app import config

ROOT = Path(__file__).parent.parent
PAGES = (
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    ROOT / "docs" / "events.md",
    ROOT / "docs" / "scaling.md",
    ROOT / "models" / "README.md",
)
BUILD_COMMANDS = ("setup", "demo", "test", "check", "train", "convert", "evaluate", "install", "lock")


def blocks(page: Path, language: str) -> list[str]:
    """The fenced blocks of a page in a language."""
    return re.findall(rf"^```{language}\n(.*?)^```", page.read_text(), re.DOTALL | re.MULTILINE)


def shown_help() -> list[tuple[str, str]]:
    """Each command that the README shows with its help, and that help."""
    pairs = [block.split("\n", maxsplit=1) for block in blocks(ROOT / "README.md", "console")]
    return [(command.removeprefix("$ "), output) for command, output in pairs if command.endswith("--help")]


def run(*command: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "COLUMNS": "110"}
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)


def test_the_readme_shows_the_help_of_both_commands() -> None:
    assert [command for command, _ in shown_help()] == ["./build.sh --help", "edge-anpr --help"]


@pytest.mark.parametrize(("command", "shown"), shown_help())
def test_the_help_shown_is_the_help_printed(command: str, shown: str) -> None:
    words = command.split()
    program = [sys.executable, "-m", "edge_app"] if words[0] == "edge-anpr" else words[:1]

    printed = run(*program, *words[1:])

    assert printed.stdout == shown


@pytest.mark.parametrize("command", BUILD_COMMANDS)
def test_every_build_command_has_help_of_its_own(command: str) -> None:
    printed = run("./build.sh", command, "--help")

    assert printed.returncode == 0
    assert f"./build.sh {command}" in printed.stdout.splitlines()[0]


def test_an_unknown_build_command_is_wrong_usage() -> None:
    printed = run("./build.sh", "conquer")

    assert printed.returncode == 2
    assert "no such command: conquer" in printed.stderr


@pytest.mark.parametrize("page", [ROOT / "README.md", ROOT / "docs" / "events.md"], ids=lambda page: page.name)
def test_the_sample_read_is_valid(page: Path) -> None:
    schema = json.loads((ROOT / "docs" / "schema" / "read-1.json").read_text())
    samples = [json.loads(block) for block in blocks(page, "json") if "edge-anpr/read/1" in block]

    assert samples
    for sample in samples:
        jsonschema.Draft202012Validator(schema).validate(sample)


@pytest.mark.parametrize("path", sorted((ROOT / "config").glob("*.toml")), ids=lambda path: path.name)
def test_every_configuration_file_loads(path: Path) -> None:
    assert isinstance(config.load(path), config.Settings)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_to_a_file(page: Path) -> None:
    links = re.findall(r"\]\(([^)#:]+)\)", page.read_text())

    missing = [link for link in links if not (page.parent / link).exists()]

    assert missing == []


def test_every_level_fixes_the_same_versions() -> None:
    versions: dict[str, set[str]] = {}
    for path in sorted((ROOT / "requirements").glob("*.txt")):
        for name, version in re.findall(r"^([a-z0-9-]+)==(\S+)", path.read_text(), re.MULTILINE):
            versions.setdefault(name, set()).add(version)

    assert {name: found for name, found in versions.items() if len(found) > 1} == {}


def test_requirements_name_no_package_index() -> None:
    for path in sorted((ROOT / "requirements").iterdir()):
        assert "://" not in path.read_text(), path


def test_the_package_asks_for_what_the_device_is_given() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    fixed = (ROOT / "requirements" / "device.in").read_text()

    assert [need for need in project["dependencies"] if need not in fixed] == []
