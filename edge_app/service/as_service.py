"""Run a program as the service runs: its user, its sandbox, its credentials. Needs root and systemd."""

import subprocess
from collections.abc import Iterator, Sequence

from edge_app.configuration.systemd_credentials import AS_SERVICE
from edge_app.service.release.systemctl import SERVICE

_OWN = (
    "Exec", "Type=", "NotifyAccess=", "Restart", "Watchdog", "Timeout", "RuntimeDirectory", "Standard", "OOMPolicy="
)  # fmt: skip
"""Settings of the service's own life, and of its folder in /run, which would go with the program."""


def command(program: Sequence[str]) -> list[str]:
    """What runs the program so; its standard output comes through."""
    shown = subprocess.run(["systemctl", "cat", SERVICE], capture_output=True, text=True, check=False).stdout
    properties = [f"--property={line}" for line in settings_of(shown)]
    begin = ["systemd-run", "--quiet", "--pipe", "--wait", "--collect", "--service-type=exec"]
    return [*begin, *properties, f"--setenv={AS_SERVICE}=1", *program]


def settings_of(unit: str) -> Iterator[str]:
    """The settings under [Service] in a unit and its drop-ins, in order, without those of the service's own life."""
    section = ""
    for line in unit.replace("\\\n", " ").splitlines():
        words = line.strip()
        if words.startswith("["):
            section = words
        elif section == "[Service]" and "=" in words and not words.startswith(("#", ";", *_OWN)):
            yield words
