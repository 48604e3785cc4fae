"""Secrets that systemd hands to the service as files."""

import os
from pathlib import Path

AS_SERVICE = "EDGE_ANPR_AS_SERVICE"
"""Set for a program that runs as the service does."""


def file_of(name: str) -> Path | None:
    """The file of a systemd credential, if the service was given one."""
    directory = os.environ.get("CREDENTIALS_DIRECTORY")
    path = Path(directory, name) if directory else None
    return path if path is not None and path.is_file() else None


def would_be_seen() -> bool:
    """Whether this process is the service, or runs as it does: others see no credential, given or not."""
    return "CREDENTIALS_DIRECTORY" in os.environ or AS_SERVICE in os.environ
