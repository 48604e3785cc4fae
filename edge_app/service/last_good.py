"""A copy of the configuration that worked, for a start at which the present one cannot be used."""

import contextlib
import logging
import os
from collections.abc import Mapping
from pathlib import Path

from edge_app import config
from edge_app.config import Settings
from edge_app.errors import ConfigurationError

log = logging.getLogger(__name__)

FILE = "last-good.toml"


class LastGood:
    """Kept in the state folder that systemd gives; without systemd there is none."""

    def __init__(self, configuration: Path, environment: Mapping[str, str] = os.environ) -> None:
        folder = environment.get("STATE_DIRECTORY", "").partition(":")[0]
        self._file = configuration
        self._copy = Path(folder, FILE) if folder else None

    def load(self) -> tuple[Settings, str | None]:
        """The settings; those of the copy if the file is wrong, with what is wrong with it.

        Raises:
            ConfigurationError: the file is wrong, and there is no copy that is right.
        """
        try:
            return config.load(self._file), None
        except ConfigurationError as error:
            wrong = error
        if self._copy is None or not self._copy.is_file():
            raise wrong
        try:
            settings = config.load(self._copy, starting_at=self._file.parent)
        except ConfigurationError:  # of another release, in which it was right
            raise wrong from None
        return settings, str(wrong)

    def keep(self, settings: Settings) -> None:
        """Copy the file, if it still is what these settings, which have proved good, were read from."""
        if self._copy is None:
            return
        with contextlib.suppress(ConfigurationError):  # then they were read from another
            if config.load(self._file) == settings:
                self._write(self._copy)

    def _write(self, copy: Path) -> None:
        try:
            content = self._file.read_bytes()
            if copy.is_file() and copy.read_bytes() == content:
                return
            new = copy.with_suffix(".new")
            with new.open("wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            new.replace(copy)
        except OSError as error:
            log.warning("the configuration that works cannot be kept for a bad day: %s", error)
