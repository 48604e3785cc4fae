"""The plates in a CSV file."""

import re
from pathlib import Path

from edge_app.errors import ConfigurationError

_HEADER = "plate"
_COLUMN_END = re.compile(r"[,;\t]")
_FILLING = re.compile(r"[\s.\"-]+")
_PLATE = re.compile(r"[A-Z0-9]{2,16}")


def read_plates(path: Path) -> tuple[str, ...]:
    """The first column of every line, in large letters and without spaces, hyphens, dots and quotes.

    Columns are divided by `,`, `;` or a tab. Empty lines and those that begin with `#` are passed over, and so is a
    first line whose first column is `plate`.

    Raises:
        ConfigurationError: it cannot be read, or a line has no plate. The message quotes no line: logs name no plate.
    """
    lines = _read_text(path).splitlines()
    if not lines:
        raise ConfigurationError(f"{path}: the list is empty; write `{_HEADER}` in its first line, plates below")
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
            f"{path}:{wrong[0]}{others}: no plate stands first; give 2 to 16 letters A-Z and digits"
        )
    return tuple(plate for _, plate in plates)


def _first_column(line: str) -> str:
    return _FILLING.sub("", _COLUMN_END.split(line, maxsplit=1)[0]).upper()


def _read_text(path: Path) -> str:
    try:
        return path.read_bytes().decode("utf-8-sig")  # spreadsheets begin the file with an invisible mark
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        raise ConfigurationError(f"{path}:{line}: this is not UTF-8 text; save the file as CSV UTF-8") from error
    except OSError as error:
        raise ConfigurationError(f"{path}: the list cannot be read ({error.strerror}); put it there") from error
