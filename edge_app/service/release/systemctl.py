"""Questions and orders to systemd about the service."""

import subprocess
from pathlib import Path

SERVICE = "edge-anpr.service"
WATCH = "edge-anpr-watch.service"
RESCUE = "edge-anpr-rescue.service"
UNITS = Path("etc/systemd/system")


def runs_here() -> bool:
    """Whether systemd is this machine's init."""
    return Path("/run/systemd/system").is_dir()


def is_installed() -> bool:
    """Whether this machine's init is systemd, and has our service."""
    return runs_here() and (Path("/") / UNITS / SERVICE).exists()


def show(*names: str) -> dict[str, str]:
    """Properties of the service."""
    command = ["systemctl", "show", SERVICE, *(f"--property={name}" for name in names)]
    lines = subprocess.run(command, capture_output=True, text=True, check=False).stdout.splitlines()
    return dict(line.split("=", 1) for line in lines if "=" in line)


def call(*words: str) -> bool:
    """Run systemctl; whether it succeeded. What it complains of goes to standard error."""
    return subprocess.run(["systemctl", *words], stdout=subprocess.DEVNULL, check=False).returncode == 0
