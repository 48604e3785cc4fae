"""The plates in a CSV file."""

import codecs
import csv
import io
import os
import re
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from edge_app.errors import ConfigurationError

_HEADER = "plate"
_HEADERS = (
    *("PLATE", "NUMBERPLATE", "LICENSEPLATE", "LICENCEPLATE", "PLATENUMBER", "PLATENO"),
    *("REGISTRATIONNUMBER", "REGISTRATIONNO", "REGNO", "REGNUMBER", "VEHICLENUMBER", "VEHICLENO"),
    *("VEHICLEREGISTRATION", "VRN", "VRM", "REGISTRATION", "REG", "LICENSE", "LICENCE"),
)
"""What people call the column, the clearest first."""

_PARTS_OF_HEADERS = (
    *("PLATE", "KENNZEICHEN", "NUMMERNSCHILD", "KENTEKEN", "IMMATRICULATION", "PLAQUE", "MATRICULA", "PLACA", "TARGA"),
    *("REGISTRATIONN", "REGISTRAT", "REGN", "VEHICLEN", "CARN", "VEHICLE"),
    *("नंबर प्लेट", "पंजीकरण", "रजिस्ट्रेशन", "वाहन", "गाड़ी"),
)
"""What is in longer names of it, once again the clearest first."""

_SEPARATORS = ",;\t|"
_SEPARATOR_LINE = re.compile(r"\"?sep=(.)\"?\s*", re.IGNORECASE)
"""A line by which spreadsheets name the separator of their columns."""
_QUOTED = re.compile(r'"[^"]*"?')
_FILLING = re.compile(r"[\s.\"'`\u00b4\u2010-\u2015\u2018\u2019\u2212-]+")
_PLATE = re.compile(r"[A-Z0-9]{3,16}")
_LINES_NAMED = 5


@dataclass(frozen=True, slots=True)
class Entry:
    """A plate on a list."""

    line: int
    """Where it stands in the file."""
    text: str
    """A-Z and 0-9."""


def read_entries(path: Path) -> tuple[Entry, ...]:
    """The plates of a file, in large letters and without spaces, hyphens, dots, quotes and what cannot be seen.

    Columns are divided by `,`, `;`, `|` or a tab. The plate stands in the column that the first line calls `plate`, or
    by another of its names; without such a line, in the first. Empty lines and those that begin with `#` are passed
    over.

    Raises:
        ConfigurationError: it cannot be read, or a line has no plate. The message quotes no line: logs name no plate.
    """
    try:
        return parse_entries(path.read_bytes(), path)
    except OSError as error:
        raise ConfigurationError(f"{path}: the list cannot be read ({error.strerror}); put it there") from error


def parse_entries(content: bytes, where: object) -> tuple[Entry, ...]:
    """The same of a file's content; `where` is what errors call it."""
    text = _as_text(content, where)
    if not text.strip():
        raise ConfigurationError(f"{where}: the list is empty; write `{_HEADER}` in its first line, plates below")
    rows = list(_rows(text, where))
    column = _plate_column(rows[0][1]) if rows else None
    if column is None and rows and _is_heading(rows[0][1]):
        what = f"this line names columns, and none of them `{_HEADER}`; call that of the plates so"
        raise ConfigurationError(f"{where}:{rows[0][0]}: {what}")
    entries = [
        Entry(number, _bare(row[column or 0]) if len(row) > (column or 0) else "")
        for number, row in (rows if column is None else rows[1:])
    ]
    wrong = [each.line for each in entries if not _PLATE.fullmatch(each.text)]
    if wrong:
        others = f" (and {len(wrong) - 1} more lines)" if len(wrong) > 1 else ""
        place = f"in column {column + 1}" if column else "comes first"
        advice = "give 3 to 16 letters A-Z and digits"
        if wrong[0] == 1:
            advice += f", or call the column of the plates `{_HEADER}`"
        raise ConfigurationError(f"{where}:{wrong[0]}{others}: no plate {place}; {advice}")
    return tuple(entries)


def doubts(entries: Sequence[Entry], is_valid: Callable[[str], bool]) -> str | None:
    """Which lines fit no plate format, without quoting them; None if all do.

    Such an entry counts: it may be of another country. More often it is a heading, a sum, or mistyped.
    """
    lines = [each.line for each in entries if not is_valid(each.text)]
    if not lines:
        return None
    named = ", ".join(map(str, lines[:_LINES_NAMED])) + (", …" if len(lines) > _LINES_NAMED else "")
    many = "1 entry fits" if len(lines) == 1 else f"{len(lines)} entries fit"
    return f"{many} no format of [recognition] formats (line {named}); check what stands there"


def _rows(text: str, where: object) -> Iterator[tuple[int, list[str]]]:
    """Each row that has something in it, with the number of the line where it begins."""
    lines = list(io.StringIO(text, newline=""))  # only at what CSV calls a line's end
    separator = _separator(lines)
    if _SEPARATOR_LINE.fullmatch(lines[0]):
        lines[0] = "\n"
    reader = csv.reader(_without_comments(lines), delimiter=separator, skipinitialspace=True, strict=True)
    begins = 1
    try:
        for row in reader:
            if any(cell.strip() for cell in row):
                yield begins, row
            begins = reader.line_num + 1
    except csv.Error as error:
        what = "a quote is opened here and not closed as it should be; mend this line"
        raise ConfigurationError(f"{where}:{begins}: {what}") from error


def _without_comments(lines: Sequence[str]) -> Iterator[str]:
    """The lines, with nothing in those that begin with `#` and are no part of a quoted cell."""
    is_quoted = False
    for line in lines:
        is_comment = not is_quoted and line.lstrip().startswith("#")
        is_quoted ^= not is_comment and line.count('"') % 2 == 1
        yield "\n" if is_comment else line


def _separator(lines: Sequence[str]) -> str:
    """What divides the columns: named, or the commonest in the first line that has any outside of quotes."""
    if named := _SEPARATOR_LINE.fullmatch(lines[0]):
        return named[1]
    for line in lines:
        bare = "" if line.lstrip().startswith("#") else _QUOTED.sub("", line)
        if any(each in bare for each in _SEPARATORS):
            return max(_SEPARATORS, key=bare.count)
    return ","


def _plate_column(row: Sequence[str]) -> int | None:
    """The column of the plate, by the header; None if the row is none."""
    names = [_bare(cell) for cell in row]
    has_plate = any(_PLATE.fullmatch(name) and not _is_word(name) for name in names)
    words = [] if has_plate else [name for name in names if _is_word(name)]
    parts = [next((word for word in words if part in word), None) for part in _PARTS]
    return next((names.index(name) for name in (*_HEADERS, *parts) if name in names), None)


def _is_heading(row: Sequence[str]) -> bool:
    """Whether a row of several columns, none of them known, has nothing but words: no plate is without a digit."""
    return len(row) > 1 and all(_is_word(_bare(cell)) for cell in row)


def _is_word(name: str) -> bool:
    return name != "" and not any(each.isdigit() for each in name)


def _bare(cell: str) -> str:
    """In large letters and plain digits of this alphabet's width, without accents, marks and filling."""
    bare = []
    for each in unicodedata.normalize("NFKD", cell):
        if each.isdecimal():
            bare.append(str(unicodedata.decimal(each)))
        elif unicodedata.category(each) not in ("Cf", "Mn"):
            bare.append(each)
    return _FILLING.sub("", "".join(bare)).upper()


def replace(path: Path, content: bytes) -> None:
    """Replace a file, on the disk and in one step; `OSError` leaves it as it was."""
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
        if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):  # "Unicode text" of spreadsheets
            return content.decode("utf-16")
        return content.decode("utf-8-sig")  # spreadsheets begin the file with an invisible mark
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        raise ConfigurationError(f"{where}:{line}: this is not UTF-8 text; save the file as CSV UTF-8") from error


_PARTS = tuple(map(_bare, _PARTS_OF_HEADERS))
