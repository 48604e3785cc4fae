"""Secrets that systemd hands to the service as files."""

import os
from pathlib import Path


def file_of(name: str) -> Path | None:
    """The file of a systemd credential, if the service was given one."""
    directory = os.environ.get("CREDENTIALS_DIRECTORY")
    path = Path(directory, name) if directory else None
    return path if path is not None and path.is_file() else None
