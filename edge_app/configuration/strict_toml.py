"""A TOML file into frozen records, strictly: every error is found and told with its line."""

import difflib
import math
import re
import types
from collections.abc import Callable, Iterable
from dataclasses import MISSING, dataclass, fields, is_dataclass, replace
from pathlib import Path
from typing import Annotated, Any, TypeVar, Union, get_args, get_origin, get_type_hints

from edge_app.configuration.toml_lines import KeyPath, find_lines, line_of
from edge_app.errors import ConfigurationError
from edge_app.newer_python import tomllib

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


def read(path: Path, record_type: type[Record], check: Callable[[Record], Iterable[Complaint]]) -> Record:
    """The file as a record; relative paths in it start at the file's folder.

    `check` looks for what only several keys together show. Raises `ConfigurationError` with one line for each error.
    """
    text = _read_text(path)
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        place = re.search(r"at line (\d+)", str(error))
        line = int(place[1]) if place else len(text.rstrip().split("\n"))
        raise ConfigurationError(f"{path}:{line}: this is not TOML: {error}; mend this line") from error
    builder = _Builder(path.resolve().parent, record_type)
    record: Record = builder.record(record_type, table, ())
    complaints = builder.complaints
    told_of = {complaint.where[:length] for complaint in complaints for length in range(len(complaint.where) + 1)}
    complaints += [each for each in map(builder.placed, check(record)) if each.where not in told_of]
    if complaints:
        lines = find_lines(text)
        told = sorted((line_of(complaint.where, lines), _describe(complaint)) for complaint in complaints)
        raise ConfigurationError("\n".join(f"{path}:{line}: {words}" for line, words in told))
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
    """Turns parsed TOML into values of the wanted types and gathers what is wrong on the way."""

    def __init__(self, folder: Path, root: type) -> None:
        self.complaints: list[Complaint] = []
        self._folder = folder
        self._root = root
        self._kept: dict[KeyPath, list[int]] = {}
        """Of each list of records, which of the file's could be made."""

    def record(self, record_type: type[Record], table: dict[str, Any], where: KeyPath) -> Any:
        """The record; wrong fields get their default so that the rest can be looked at, or `_WRONG` without one."""
        hints = get_type_hints(record_type, include_extras=True)
        for key in table.keys() - hints.keys():
            self._complain((*where, key), self._unknown(key, list(hints), where))
        values = {key: self.value(hints[key], table[key], (*where, key)) for key in hints if key in table}
        values = {key: value for key, value in values.items() if value is not _WRONG}
        needed = [f.name for f in fields(record_type) if f.default is MISSING and f.default_factory is MISSING]  # type: ignore[arg-type]
        for key in needed:
            if key not in table:
                self._complain(where, f"`{key}` is missing; add it")
        return record_type(**values) if all(key in values for key in needed) else _WRONG

    def value(self, hint: Any, value: Any, where: KeyPath) -> Any:
        """The value as the type hint wants it, or `_WRONG`."""
        origin, arguments = get_origin(hint), get_args(hint)
        if origin is Annotated:
            return self._limited(arguments, value, where)
        if origin in (Union, types.UnionType):
            return self.value(next(kind for kind in arguments if kind is not types.NoneType), value, where)
        if origin is tuple:
            return self._tuple(arguments, value, where)
        if is_dataclass(hint) and isinstance(hint, type):
            if isinstance(value, dict):
                return self.record(hint, value, where)
            header = f"[[{where[0]}]]" if isinstance(where[-1], int) else f"[{where[0]}]"
            return self._complain(where, f"this is a section; write {header} and its keys below")
        return self._scalar(hint, value, where)

    def placed(self, complaint: Complaint) -> Complaint:
        """The complaint about an item of a list, at its place in the file: others before it may not have been made."""
        section, *rest = complaint.where
        if (section,) not in self._kept or not rest:
            return complaint
        index, *key = rest
        return replace(complaint, where=(section, self._kept[section,][int(index)], *key))

    def _limited(self, arguments: tuple[Any, ...], value: Any, where: KeyPath) -> Any:
        built = self.value(arguments[0], value, where)
        if built is _WRONG:
            return built
        complaints = [complaint for limit in arguments[1:] if (complaint := limit.complaint(built))]
        return self._complain(where, complaints[0]) if complaints else built

    def _tuple(self, arguments: tuple[Any, ...], value: Any, where: KeyPath) -> Any:
        if not isinstance(value, list):
            if not is_dataclass(arguments[0]):
                return self._complain(where, f"{_show(value)} is not a list; write it in [ ]")
            wrong = "this is one section" if isinstance(value, dict) else f"{_show(value)} is not a list"
            return self._complain(where, f"{wrong}; write [[{where[0]}]] before each")
        if arguments[-1] is not Ellipsis and len(value) != len(arguments):
            return self._complain(where, f"{_show(value)} has {len(value)} items; give {len(arguments)}")
        items = [self.value(arguments[0], item, (*where, index)) for index, item in enumerate(value)]
        kept = [index for index, item in enumerate(items) if item is not _WRONG]
        if is_dataclass(arguments[0]):
            self._kept[where] = kept
        elif len(kept) < len(items):
            return _WRONG
        return tuple(items[index] for index in kept)

    def _scalar(self, kind: type, value: Any, where: KeyPath) -> Any:
        if kind is float and type(value) is int:
            value = float(value)
        if kind is float and type(value) is float and not math.isfinite(value):
            return self._complain(where, f"{value} is no amount; give a finite number")
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
        hints = get_type_hints(self._root)
        return {name: [f.name for f in fields(kind)] for name, kind in hints.items() if is_dataclass(kind)}

    def _complain(self, where: KeyPath, what: str) -> Any:
        self.complaints.append(Complaint(where, what))
        return _WRONG


def _show(value: object) -> str:
    """The value as TOML has it."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key} = {_show(each)}" for key, each in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_show, value)) + "]"
    return f'"{value}"' if isinstance(value, str) else str(value)
