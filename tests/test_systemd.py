"""The unit is valid, sandboxed, and agrees with what is installed."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
UNIT = ROOT / "systemd" / "edge-anpr.service"
needs_systemd = pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed")


@needs_systemd
def test_the_unit_scores_two_or_less_in_exposure() -> None:
    result = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", "--no-pager", "--threshold=20", str(UNIT)],
        capture_output=True,
        text=True,
        check=False,
    )

    assert result.returncode == 0, result.stdout[-400:] + result.stderr


@needs_systemd
def test_the_unit_verifies(tmp_path: Path) -> None:
    program = tmp_path / "edge-anpr"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    unit = tmp_path / "edge-anpr.service"
    unit.write_text(UNIT.read_text().replace("/opt/edge-anpr/venv/bin/edge-anpr", str(program)))

    result = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", "--recursive-errors=no", str(unit)],
        capture_output=True,
        text=True,
        check=False,
    )

    assert result.returncode == 0, result.stderr


def values(key: str) -> list[str]:
    """What the unit sets a key to, line by line."""
    return re.findall(rf"^{key}=(.*)$", UNIT.read_text(), re.M)


def system_calls(names: str) -> set[str]:
    """System calls by name, sets such as `@clock` and the sets within them spelt out."""
    calls: set[str] = set()
    for name in names.split():
        if name.startswith("@"):
            command = ["systemd-analyze", "syscall-filter", "--no-pager", name]
            result = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()[1:]
            calls |= system_calls(" ".join(line for line in result if not line.strip().startswith("#")))
        else:
            calls.add(name)
    return calls


def test_a_wrong_configuration_is_not_tried_again_and_a_hang_is_noticed() -> None:
    assert values("RestartPreventExitStatus") == ["2"]
    assert values("Type") == ["notify"]
    assert int(values("WatchdogSec")[0]) > 0


def test_a_camera_that_is_away_for_long_is_tried_again_for_ever() -> None:
    assert values("Restart") == ["always"]
    assert values("StartLimitIntervalSec") == ["0"]


def test_the_networks_see_the_processor_and_events_the_boot() -> None:
    assert "pid" not in values("ProcSubset"), "hides /proc/cpuinfo and /proc/sys"


@needs_systemd
def test_the_service_may_ask_for_the_state_of_the_clock_but_not_set_it() -> None:
    allowed: set[str] = set()
    for names in values("SystemCallFilter"):
        if names.startswith("~"):
            allowed -= system_calls(names.removeprefix("~"))
        else:
            allowed |= system_calls(names)

    assert {"adjtimex", "clock_adjtime"} <= allowed
    assert not {"settimeofday", "clock_settime"} & allowed
    assert values("ProtectClock") == [], "forbids asking too"
    assert values("CapabilityBoundingSet") == [""], "or else the clock could be set by adjtimex"


def test_the_installer_refuses_what_it_does_not_know_and_explains_itself() -> None:
    helped = subprocess.run([ROOT / "systemd/install.sh", "--help"], capture_output=True, text=True, check=True)
    wrong = subprocess.run([ROOT / "systemd/install.sh", "--rot"], capture_output=True, text=True, check=False)

    assert "--uninstall" in helped.stdout
    assert wrong.returncode == 2
    assert "unknown: --rot" in wrong.stderr


@pytest.mark.parametrize(
    ("into", "missing"),
    [
        (["--root", "image"], "python3-venv"),
        pytest.param(
            [], "python3-venv python3-systemd", marks=pytest.mark.skipif(os.geteuid() != 0, reason="not root")
        ),
    ],
)
def test_the_installer_names_the_packages_that_are_missing_and_changes_nothing(
    into: list[str], missing: str, tmp_path: Path
) -> None:
    programs = tmp_path / "bin"
    programs.mkdir()
    for name in ("bash", "dirname", "realpath"):  # no apt-get
        (programs / name).symlink_to(str(shutil.which(name)))
    (programs / "python3").write_text("#!/bin/sh\nexit 1\n")
    (programs / "python3").chmod(0o755)

    result = subprocess.run(
        [ROOT / "systemd/install.sh", *into],
        cwd=tmp_path,
        env={"PATH": str(programs)},
        capture_output=True,
        text=True,
        check=False,
    )

    assert result.returncode == 1
    assert f"missing system packages (by their Debian names): {missing};" in result.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["bin"]
