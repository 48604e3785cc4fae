"""The line of each key of a TOML text, which `tomllib` does not provide."""

import re
from collections import Counter

KeyPath = tuple[str | int, ...]
"""As one would index the parsed file: `("mqtt", "port")`, `("zones", 0, "name")`."""

_NAME = r"""[\d-]*[A-Za-z_"'][\w\-."' ]*"""
_HEADER = re.compile(rf"\s*(?P<bracket>\[\[?)\s*(?P<name>{_NAME}?)\s*\]\]?\s*(#.*)?")
_KEY = re.compile(rf"\s*(?P<name>{_NAME}?|[\d-]+)\s*=")
_LONG_QUOTES = re.compile(r'"""|\'\'\'')


def find_lines(text: str) -> dict[KeyPath, int]:
    """Line numbers, from 1, of the sections and keys of a text that `tomllib` accepts.

    Keys inside inline tables are left out: they have the line of the table's own key.
    """
    lines: dict[KeyPath, int] = {}
    tables: Counter[KeyPath] = Counter()
    section: KeyPath = ()
    in_long_text = False
    for number, line in enumerate(text.split("\n"), start=1):  # TOML's only line end, beside its CRLF
        if not in_long_text:
            if line.lstrip().startswith("#"):
                continue
            if header := _HEADER.fullmatch(line):
                section = _split(header["name"])
                if header["bracket"] == "[[":
                    tables[section] += 1
                    lines.setdefault(section, number)
                    section = (*section, tables[section] - 1)
                lines.setdefault(section, number)
            elif key := _KEY.match(line):
                lines.setdefault((*section, *_split(key["name"])), number)
        in_long_text ^= len(_LONG_QUOTES.findall(line)) % 2 == 1
    return lines


def line_of(where: KeyPath, lines: dict[KeyPath, int]) -> int:
    """The line of a key or, if it has none of its own, of the section that contains it."""
    while where and where not in lines:
        where = where[:-1]
    return lines.get(where, 1)


def _split(name: str) -> KeyPath:
    return tuple(part.strip().strip("\"'") for part in name.split("."))
