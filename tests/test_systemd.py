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
def test_the_unit_scores_1_9_or_less_in_exposure() -> None:
    result = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", "--no-pager", "--threshold=19", str(UNIT)],
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
    unit.write_text(UNIT.read_text().replace("/opt/edge-anpr/current/bin/edge-anpr", str(program)))

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
    assert values("RestartPreventExitStatus") == ["2 3"], "a wrong configuration, a damaged file"
    assert values("Type") == ["notify"]
    assert int(values("WatchdogSec")[0]) > 0


def test_a_camera_that_is_away_for_long_is_tried_again_for_ever() -> None:
    assert values("Restart") == ["on-failure"], "a recording that has ended is not played again"
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


def test_what_is_not_configured_waits_instead_of_failing() -> None:
    assert values("ConditionPathExists") == ["/etc/edge-anpr/config.toml"]


def installer(bundle: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    command = ["sh", str(ROOT / "systemd/install.sh"), str(bundle)]
    environment = {"PATH": "/usr/bin:/bin"} | environment
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


def test_the_installer_explains_itself_and_wants_a_bundle(tmp_path: Path) -> None:
    helped = subprocess.run(["sh", ROOT / "systemd/install.sh", "--help"], capture_output=True, text=True, check=True)

    assert "--trust FILE.pub" in helped.stdout
    assert installer(tmp_path / "none").returncode == 2
    assert "no such file" in installer(tmp_path / "none").stderr


def test_a_32_bit_system_is_refused_with_the_reason(tmp_path: Path) -> None:
    (tmp_path / "getconf").write_text("#!/bin/sh\necho 32\n")
    (tmp_path / "getconf").chmod(0o755)
    (tmp_path / "bundle.tar").touch()

    refused = installer(tmp_path / "bundle.tar", PATH=f"{tmp_path}:/usr/bin:/bin")

    assert refused.returncode == 1
    assert "this is a 32-bit system, and the runtime of the networks exists for 64 bits only" in refused.stderr


@pytest.mark.skipif(os.geteuid() != 0, reason="not root")
def test_what_is_no_bundle_is_not_installed(tmp_path: Path) -> None:
    (tmp_path / "bundle.tar").write_bytes(b"no archive")

    refused = installer(tmp_path / "bundle.tar")

    assert refused.returncode == 1
    assert "no bundle, or cut off" in refused.stderr
