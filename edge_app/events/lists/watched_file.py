"""One list's file, read again whenever it has changed. While it is wrong or missing, the last good content holds."""

import logging
from collections.abc import Callable
from pathlib import Path

from edge_app.errors import ConfigurationError
from edge_app.events.lists.plate_file import doubts, read_entries
from edge_app.printable import counted

log = logging.getLogger(__name__)

_Stamp = tuple[int, int, int, int] | None
"""Times of change of content and of rights, size and number of the file; None if there is none."""


class WatchedFile:
    """A list's plates, by their shape.

    `shape` brings together what may be confused, `is_valid` returns whether a text fits a country's format. Raises
    `ConfigurationError` if the file is wrong at the start.
    """

    def __init__(self, name: str, path: Path, shape: Callable[[str], str], is_valid: Callable[[str], bool]) -> None:
        self.fault: str | None = None
        """What is wrong with the file now."""
        self.count = 0
        self.doubts: str | None = None
        """Which of its lines fit no format."""
        self._name = name
        self._path = path
        self._shape = shape
        self._is_valid = is_valid
        self._by_shape: dict[str, list[str]] = {}
        self._judged = self._seen = _stamp(path)
        self._load()

    def like(self, text: str) -> list[str]:
        """The plates of the same shape as a text."""
        return self._by_shape.get(self._shape(text), [])

    def tend(self) -> None:
        """Read the file again if it has changed and rests: a file that is still being written has half a list."""
        stamp = _stamp(self._path)
        rests, self._seen = stamp == self._seen, stamp
        if stamp == self._judged or not rests:
            return
        try:
            self._load()
        except ConfigurationError as error:
            if not isinstance(error.__cause__, OSError):  # else its content is still unknown: try again
                self._judged = stamp
            if str(error) != self.fault:
                log.error(
                    "list %s: the last good one, of %s, holds: %s", self._name, counted(self.count, "plate"), error
                )
            self.fault = str(error)
        else:
            self._judged, self.fault = stamp, None
            log.info("list %s: read again, %s", self._name, counted(self.count, "plate"))

    def _load(self) -> None:
        entries = read_entries(self._path)
        self.doubts = doubts(entries, self._is_valid)
        if self.doubts:
            log.warning("list %s: %s: %s", self._name, self._path, self.doubts)
        by_shape: dict[str, list[str]] = {}
        for plate in dict.fromkeys(each.text for each in entries):
            by_shape.setdefault(self._shape(plate), []).append(plate)
        self._by_shape, self.count = by_shape, sum(map(len, by_shape.values()))


def _stamp(path: Path) -> _Stamp:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_ctime_ns, status.st_size, status.st_ino
