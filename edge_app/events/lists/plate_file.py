"""The plates in a CSV file."""

import os
import re
from pathlib import Path

from edge_app.errors import ConfigurationError

_HEADER = "plate"
_COLUMN_END = re.compile(r"[,;\t]")
_FILLING = re.compile(r"[\s.\"-]+")
_PLATE = re.compile(r"[A-Z0-9]{3,16}")


def read_plates(path: Path) -> tuple[str, ...]:
    """The first column of every line, in large letters and without spaces, hyphens, dots and quotes.

    Columns are divided by `,`, `;` or a tab. Empty lines and those that begin with `#` are passed over, and so is a
    first line whose first column is `plate`.

    Raises:
        ConfigurationError: it cannot be read, or a line has no plate. The message quotes no line: logs name no plate.
    """
    try:
        return parse_plates(path.read_bytes(), path)
    except OSError as error:
        raise ConfigurationError(f"{path}: the list cannot be read ({error.strerror}); put it there") from error


def parse_plates(content: bytes, where: object) -> tuple[str, ...]:
    """The same of a file's content; `where` is what errors call it."""
    lines = _as_text(content, where).splitlines()
    if not lines:
        raise ConfigurationError(f"{where}: the list is empty; write `{_HEADER}` in its first line, plates below")
    first = 1 if _first_column(lines[0]) == _HEADER.upper() else 0
    plates = [
        (number, _first_column(line))
        for number, line in enumerate(lines[first:], start=first + 1)
        if line.strip() and not line.lstrip().startswith("#")
    ]
    wrong = [number for number, plate in plates if not _PLATE.fullmatch(plate)]
    if wrong:
        others = f" (and {len(wrong) - 1} more lines)" if len(wrong) > 1 else ""
        raise ConfigurationError(
            f"{where}:{wrong[0]}{others}: no plate stands first; give 3 to 16 letters A-Z and digits"
        )
    return tuple(plate for _, plate in plates)


def _first_column(line: str) -> str:
    return _FILLING.sub("", _COLUMN_END.split(line, maxsplit=1)[0]).upper()


def replace(path: Path, content: bytes) -> None:
    """Put another list in the place of a file, on the disk and all at once; `OSError` leaves it as it was."""
    path = path.resolve()  # a link stays one
    fresh = path.with_name(f".{path.name}.new")
    try:
        with fresh.open("wb") as file:
            file.write(content)
            file.flush()
            os.fchmod(file.fileno(), path.stat().st_mode & 0o777 if path.exists() else 0o644)
            os.fsync(file.fileno())
        fresh.rename(path)
    finally:
        fresh.unlink(missing_ok=True)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)  # or a power cut could bring the old name back
    finally:
        os.close(folder)


def _as_text(content: bytes, where: object) -> str:
    try:
        return content.decode("utf-8-sig")  # spreadsheets begin the file with an invisible mark
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        raise ConfigurationError(f"{where}:{line}: this is not UTF-8 text; save the file as CSV UTF-8") from error
