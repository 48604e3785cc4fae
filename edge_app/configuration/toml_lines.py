"""The line of each key of a TOML text, which `tomllib` does not provide."""

import re
from collections import Counter
from collections.abc import Iterator

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
    for number, paths, _ in _walk(text):
        for path in paths:
            lines.setdefault(path, number)
    return lines


def blocks_of(text: str, section: str) -> list[range]:
    """The lines, from 0, of each `[[section]]`, without the comments and empty lines at its end."""
    lines = text.split("\n")
    walked = list(_walk(text))
    headers = [(number - 1, paths[-1]) for number, paths, is_header in walked if is_header]
    ends = [number for number, _ in headers[1:]] + [len(lines)]
    found = []
    for (start, path), end in zip(headers, ends, strict=False):
        if path[0] != section or len(path) != 2:
            continue
        while not lines[end - 1].strip() or lines[end - 1].lstrip().startswith("#"):
            end -= 1  # noqa: PLW2901 - the header is a line of its own
        found.append(range(start, end))
    return found


def _walk(text: str) -> Iterator[tuple[int, list[KeyPath], bool]]:
    """Of each line with a header or a key: its number, what it names, and whether it is a header."""
    tables: Counter[KeyPath] = Counter()
    section: KeyPath = ()
    in_long_text = False
    for number, line in enumerate(text.split("\n"), start=1):  # TOML's only line end, beside its CRLF
        if not in_long_text:
            if line.lstrip().startswith("#"):
                continue
            if header := _HEADER.fullmatch(line):
                section = _split(header["name"])
                named = [section]
                if header["bracket"] == "[[":
                    tables[section] += 1
                    section = (*section, tables[section] - 1)
                    named.append(section)
                yield number, named, True
            elif key := _KEY.match(line):
                yield number, [(*section, *_split(key["name"]))], False
        in_long_text ^= len(_LONG_QUOTES.findall(line)) % 2 == 1


def line_of(where: KeyPath, lines: dict[KeyPath, int]) -> int:
    """The line of a key or, if it has none of its own, of the section that contains it."""
    while where and where not in lines:
        where = where[:-1]
    return lines.get(where, 1)


def _split(name: str) -> KeyPath:
    return tuple(part.strip().strip("\"'") for part in name.split("."))
