"""A TOML file into frozen records, strictly: every error is found and reported with its line.

A library such as msgspec stops at the first error, knows no lines and takes limits in a form of its own.
"""

import difflib
import math
import re
from collections.abc import Callable, Iterable
from dataclasses import MISSING, dataclass, fields, is_dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

from edge_app.configuration.record_fields import Shape, shapes_of
from edge_app.configuration.toml_lines import KeyPath, find_lines, line_of
from edge_app.configuration.toml_text import as_toml
from edge_app.errors import ConfigurationError
from edge_app.newer_python import tomllib
from edge_app.printable import without_secrets

Record = TypeVar("Record")

_WORDS = {
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    str: "a text in quotes",
    Path: "a path in quotes",
}
_WRONG = object()


@dataclass(frozen=True, slots=True)
class Complaint:
    """Something wrong in a file."""

    where: KeyPath
    what: str
    """What is wrong; what to do."""


def read(
    path: Path, record_type: type[Record], check: Callable[[Record], Iterable[Complaint]], folder: Path | None = None
) -> Record:
    """The file as a record; relative paths in it start at its folder, or at `folder`.

    `check` finds errors that only several keys together show. Raises `ConfigurationError` with one line for each error.
    """
    text = _read_text(path)
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        place = re.search(r"at line (\d+)", str(error))
        line = int(place[1]) if place else len(text.rstrip().split("\n"))
        raise ConfigurationError(f"{path}:{line}: this is not TOML: {error}; correct this line") from error
    builder = _Builder((folder or path.parent).resolve(), record_type)
    record: Record = builder.record(record_type, table, ())
    complaints = builder.complaints
    reported = {complaint.where[:length] for complaint in complaints for length in range(len(complaint.where) + 1)}
    complaints += [each for each in map(builder.placed, check(record)) if each.where not in reported]
    if complaints:
        lines = find_lines(text)
        messages = sorted((line_of(complaint.where, lines), _describe(complaint)) for complaint in complaints)
        raise ConfigurationError("\n".join(f"{path}:{line}: {words}" for line, words in messages))
    return record


def _read_text(path: Path) -> str:
    try:
        return path.read_bytes().decode("utf-8-sig")  # some editors begin the file with an invisible mark
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        raise ConfigurationError(f"{path}:{line}: this is not UTF-8 text; save the file as UTF-8") from error
    except OSError as error:
        raise ConfigurationError(
            f"{path}: the configuration cannot be read ({error.strerror}); copy config/default.toml there, "
            "or give the right path"
        ) from error


def _describe(complaint: Complaint) -> str:
    section, *rest = complaint.where
    words = f"[[{section}]]" if rest and isinstance(rest[0], int) else f"[{section}]"
    for step in rest[1:] if words.startswith("[[") else rest:
        words += f" item {step + 1}" if isinstance(step, int) else f" {step}"
    return f"{words}: {complaint.what}"


class _Builder:
    """Turns parsed TOML into values of the wanted types and collects the errors."""

    def __init__(self, folder: Path, root: type) -> None:
        self.complaints: list[Complaint] = []
        self._folder = folder
        self._root = root
        self._kept: dict[KeyPath, list[int]] = {}
        """For each list of records, the indices of those that could be made."""

    def record(self, record_type: type[Record], table: dict[str, Any], where: KeyPath) -> Any:
        """The record; a wrong field gets its default, so that the rest can be checked. `_WRONG` if one has none."""
        shapes = shapes_of(record_type)
        for key in table.keys() - shapes.keys():
            self._complain((*where, key), self._unknown(key, list(shapes), where))
        values = {key: self.value(shapes[key], table[key], (*where, key)) for key in shapes if key in table}
        values = {key: value for key, value in values.items() if value is not _WRONG}
        needed = [f.name for f in fields(record_type) if f.default is MISSING and f.default_factory is MISSING]  # type: ignore[arg-type]
        for key in needed:
            if key not in table:
                self._complain(where, f"`{key}` is missing; add it")
        return record_type(**values) if all(key in values for key in needed) else _WRONG

    def value(self, shape: Shape, value: Any, where: KeyPath) -> Any:
        """The value as its field wants it, or `_WRONG`."""
        if shape.item is not None:
            return self._tuple(shape.item, shape.length, value, where)
        if is_dataclass(shape.kind):
            return self._section(shape.kind, value, where)
        made = self._scalar(shape.kind, value, where)
        if made is _WRONG:
            return made
        complaints = [complaint for limit in shape.limits if (complaint := limit.complaint(made))]
        return self._complain(where, complaints[0]) if complaints else made

    def placed(self, complaint: Complaint) -> Complaint:
        """The complaint about an item of a list, at its place in the file: items before it may be wrong."""
        section, *rest = complaint.where
        if (section,) not in self._kept or not rest:
            return complaint
        index, *key = rest
        return replace(complaint, where=(section, self._kept[section,][int(index)], *key))

    def _section(self, record_type: Any, value: Any, where: KeyPath) -> Any:
        if isinstance(value, dict):
            return self.record(record_type, value, where)
        header = f"[[{where[0]}]]" if isinstance(where[-1], int) else f"[{where[0]}]"
        return self._complain(where, f"this is a section; write {header} and its keys below")

    def _tuple(self, item: Shape, length: int | None, value: Any, where: KeyPath) -> Any:
        if not isinstance(value, list):
            if not is_dataclass(item.kind):
                return self._complain(where, f"{_show(value)} is not a list; write it in [ ]")
            wrong = "this is one section" if isinstance(value, dict) else f"{_show(value)} is not a list"
            return self._complain(where, f"{wrong}; write [[{where[0]}]] before each")
        if length is not None and len(value) != length:
            return self._complain(where, f"{_show(value)} has {len(value)} items; give {length}")
        items = [self.value(item, each, (*where, index)) for index, each in enumerate(value)]
        kept = [index for index, each in enumerate(items) if each is not _WRONG]
        if is_dataclass(item.kind):
            self._kept[where] = kept
        elif len(kept) < len(items):
            return _WRONG
        return tuple(items[index] for index in kept)

    def _scalar(self, kind: type, value: Any, where: KeyPath) -> Any:
        if kind is float and type(value) is int:
            value = float(value)
        if kind is float and type(value) is float and not math.isfinite(value):
            return self._complain(where, f"{value} is not a finite number; give one")
        if kind is Path and type(value) is str and value:
            return self._folder / value
        if type(value) is not kind or kind is Path:
            return self._complain(where, f"{_show(value)} is of the wrong type; give {_WORDS[kind]}")
        return value

    def _unknown(self, key: str, known: list[str], where: KeyPath) -> str:
        kind = "key" if where else "section"
        nearest = difflib.get_close_matches(key, known, n=1, cutoff=0.6)
        if nearest:
            return f"there is no such {kind}; did you mean `{nearest[0]}`?"
        homes = [name for name, keys in self._sections().items() if key in keys and (name,) != where]
        if homes:
            return f"there is no such {kind}; it belongs in [{homes[0]}]"
        return f"there is no such {kind}; remove it, or take one of: {', '.join(sorted(known))}"

    def _sections(self) -> dict[str, list[str]]:
        kinds = {name: shape.kind for name, shape in shapes_of(self._root).items()}
        return {name: [f.name for f in fields(kind)] for name, kind in kinds.items() if is_dataclass(kind)}

    def _complain(self, where: KeyPath, what: str) -> Any:
        self.complaints.append(Complaint(where, what))
        return _WRONG


def _show(value: object) -> str:
    """The value as TOML has it, without a secret that may be in it."""
    return without_secrets(as_toml(value))
