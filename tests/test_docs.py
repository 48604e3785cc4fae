"""What the documentation shows is what the program does."""

import importlib.util
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest

from edge_app import config
from edge_app.__main__ import main
from edge_app.events.hash_keys import HashKey
from edge_app.events.lists.plate_file import read_entries
from edge_app.newer_python import tomllib
from tests.events.passes import event

ROOT = Path(__file__).parent.parent
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "models").glob("*.md")])
TIMELESS = [page for page in PAGES if page.name != "CHANGELOG.md"]
"""Pages that speak of what is there now."""
BUILD_COMMANDS = (
    "setup",
    "demo",
    "test",
    "check",
    "train",
    "convert",
    "evaluate",
    "study",
    "import",
    "clips",
    "bundle",
    "deploy",
    "rollback",
    "status",
    "install",
    "make-signing-key",
    "trial",
    "lock",
)


def blocks(page: Path, language: str) -> list[str]:
    """The fenced blocks of a page in a language."""
    return re.findall(rf"^```{language}\n(.*?)^```", page.read_text(), re.DOTALL | re.MULTILINE)


def code_in(page: Path) -> list[str]:
    """What a page shows as code: spans in backticks, and the lines of shell blocks."""
    lines = [line for language in ("sh", "console") for block in blocks(page, language) for line in block.splitlines()]
    return lines + re.findall(
        r"`([^`\n]+)`", re.sub(r"^```.*?^```", "", page.read_text(), flags=re.DOTALL | re.MULTILINE)
    )


def keys_of(document: object) -> object:
    """The keys of a JSON document, without its values; of a list those of its first item."""
    if isinstance(document, dict):
        return {key: keys_of(value) for key, value in document.items()}
    return [keys_of(each) for each in document[:1] if isinstance(each, dict)] if isinstance(document, list) else None


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


@pytest.mark.parametrize("page", [ROOT / "README.md", ROOT / "docs" / "events.md"], ids=lambda page: page.name)
def test_the_sample_read_has_the_keys_that_are_sent(page: Path) -> None:
    (sample, *_) = (json.loads(block) for block in blocks(page, "json") if "edge-anpr/read/1" in block)

    assert keys_of(sample) == keys_of(json.loads(event().payload()))


def test_the_page_on_lists_shows_settings_a_list_and_a_hash_that_are_right(tmp_path: Path) -> None:
    page = ROOT / "docs" / "lists.md"
    (tmp_path / "config.toml").write_text("".join(blocks(page, "toml")))
    (tmp_path / "residents.csv").write_text("".join(blocks(page, "csv")))
    (tmp_path / "plate-hash-key").write_text("5f" * 32 + "\n")
    (command,) = (block for block in blocks(page, "sh") if "openssl dgst" in block)

    settings = config.load(tmp_path / "config.toml")
    hashed = subprocess.run(["sh", "-c", command], cwd=tmp_path, capture_output=True, text=True, check=True).stdout

    assert [each.kind for each in settings.lists] == ["allow", "deny"]
    assert [each.text for each in read_entries(tmp_path / "residents.csv")] == ["MH12AB1234", "DL8CAF5030"]
    assert hashed.strip() == HashKey(b"5f" * 32).hash("MH12AB1234")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_to_a_file_and_its_heading(page: Path) -> None:
    links = re.findall(r"\]\(([^):]+)\)", page.read_text())

    for link in links:
        name, _, anchor = link.partition("#")
        target = page.parent / name if name else page
        assert target.exists(), link
        headings = re.findall(r"^#+ (.+)$", target.read_text(), re.MULTILINE) if anchor else []
        assert not anchor or anchor in [re.sub(r"[^\w -]", "", each.lower()).replace(" ", "-") for each in headings], (
            link
        )


@pytest.mark.parametrize("page", TIMELESS, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_file_that_a_page_names_is_there(page: Path) -> None:
    folders = "benchmarks|config|converters|docs|edge_app|models|requirements|systemd|tests|training"

    named = {code for code in code_in(page) if re.fullmatch(rf"(?:{folders})/[a-z0-9_./-]*", code)}

    assert [name for name in sorted(named) if not (ROOT / name).exists()] == []


@pytest.mark.parametrize("page", TIMELESS, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_setting_that_a_page_names_may_be_set(page: Path) -> None:
    sections = {name: getattr(config.Settings(), name) for name in config.Settings.__dataclass_fields__}

    named = [found for code in code_in(page) if (found := re.fullmatch(r"([a-z]+)\.([a-z_]+)", code))]

    assert [found[0] for found in named if found[1] in sections and not hasattr(sections[found[1]], found[2])] == []


def test_every_command_that_a_page_names_exists_and_takes_the_options_shown(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    shown = {code.partition(" #")[0].strip() for page in TIMELESS for code in code_in(page)}
    ours = [found for code in sorted(shown) if (found := re.fullmatch(r"(?:sudo )?edge-anpr ([a-z][a-z-]*)(.*)", code))]

    assert len(ours) > 3
    for found in ours:
        with pytest.raises(SystemExit) as ended:
            main([found[1], "--help"])
        options = capsys.readouterr().out
        assert ended.value.code == 0, found[0]
        assert [option for option in re.findall(r"--[a-z-]+", found[2]) if option not in options] == [], found[0]


def test_every_task_and_module_that_a_page_names_exists() -> None:
    shown = {code for page in TIMELESS for code in code_in(page)}
    tasks = {found[1] for code in shown if (found := re.match(r"(?:sudo |\$ )?\./build\.sh ([a-z][a-z-]*)", code))}
    modules = {found[1] for code in shown if (found := re.match(r"python -m ([a-z_.]+)", code))}

    assert tasks
    assert tasks <= set(BUILD_COMMANDS)
    assert modules
    assert [module for module in modules if importlib.util.find_spec(module) is None] == []


def test_the_readme_shows_every_task() -> None:
    (_, overall), _ = shown_help()

    assert tuple(re.findall(r"^  ([a-z-]+)(?: |$)", overall, re.MULTILINE)) == BUILD_COMMANDS


def test_every_level_fixes_the_same_versions() -> None:
    versions: dict[str, set[str]] = {}
    for path in sorted({*(ROOT / "requirements").glob("*.txt")} - {ROOT / "requirements/device-3.10.txt"}):
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
