"""The unit is valid, sandboxed, and agrees with what is installed."""

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
    told = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", "--no-pager", "--threshold=20", str(UNIT)],
        capture_output=True,
        text=True,
        check=False,
    )

    assert told.returncode == 0, told.stdout[-400:] + told.stderr


@needs_systemd
def test_the_unit_verifies(tmp_path: Path) -> None:
    program = tmp_path / "edge-anpr"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    unit = tmp_path / "edge-anpr.service"
    unit.write_text(UNIT.read_text().replace("/opt/edge-anpr/venv/bin/edge-anpr", str(program)))

    told = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", "--recursive-errors=no", str(unit)],
        capture_output=True,
        text=True,
        check=False,
    )

    assert told.returncode == 0, told.stderr


def test_a_wrong_configuration_is_not_tried_again_and_a_hang_is_noticed() -> None:
    unit = UNIT.read_text()

    assert re.search(r"^RestartPreventExitStatus=2$", unit, re.M)
    assert re.search(r"^Type=notify$", unit, re.M)
    assert re.search(r"^WatchdogSec=\d+$", unit, re.M)


def test_the_installer_refuses_what_it_does_not_know_and_explains_itself() -> None:
    helped = subprocess.run([ROOT / "systemd/install.sh", "--help"], capture_output=True, text=True, check=True)
    wrong = subprocess.run([ROOT / "systemd/install.sh", "--rot"], capture_output=True, text=True, check=False)

    assert "--uninstall" in helped.stdout
    assert wrong.returncode == 2
    assert "unknown: --rot" in wrong.stderr
