"""A TOML file that shows every key: the sentence below its field, its range and its default."""

import inspect
import textwrap
from collections.abc import Iterator
from dataclasses import MISSING, Field, dataclass, fields, is_dataclass
from typing import Any

from edge_app.configuration.limits import Between, OneOf, OnlyFor
from edge_app.configuration.record_fields import Shape, sentences, shapes_of
from edge_app.configuration.toml_text import as_toml

_WIDTH = 118
_UNBROKEN = "\N{NO-BREAK SPACE}"
"""Keeps a range or a default on one line until the text is wrapped."""


@dataclass(frozen=True, slots=True)
class SameKeysAs:
    """Marks a list of tables that have the keys of another section, which are not shown twice."""

    section: str
    purpose: str

    def complaint(self, _: object) -> None:
        """See `edge_app.configuration.limits.Limit`: everything is allowed."""


def default_file(record: type, introduction: str) -> str:
    """The file of a record whose fields are sections; a key without a default is commented out."""
    blocks = [[f"# {line}" for line in introduction.splitlines()]]
    blocks += [list(_section(name, shape)) for name, shape in shapes_of(record).items()]
    return "\n\n".join("\n".join(lines) for lines in blocks) + "\n"


def _section(name: str, shape: Shape) -> Iterator[str]:
    """One section; a list of tables is commented out as a whole."""
    if twin := next((each for each in shape.limits if isinstance(each, SameKeysAs)), None):
        yield from _comment(f"{twin.purpose} The keys are those of [{twin.section}]. Default: none.")
        yield f"# [[{name}]]"
        return
    is_list = shape.item is not None
    record = shape.item.kind if shape.item is not None else shape.kind
    yield from _comment(_purpose(record) + (" Default: none." if is_list else ""))
    yield f"# [[{name}]]" if is_list else f"[{name}]"
    purposes, shapes = sentences(record), shapes_of(record)
    for field in fields(record):
        yield from _comment(f"{purposes[field.name]} {_limits(field, shapes[field.name])}")
        yield _key(field, shapes[field.name], is_list)


def _purpose(record: type) -> str:
    """The record's docstring without the name of its section."""
    text = " ".join((inspect.getdoc(record) or "").split()).partition(": ")[2]
    return text[0].upper() + text[1:]


def _limits(field: "Field[Any]", shape: Shape) -> str:
    """What the key may be, and what it is if it is not set."""
    allowed = [_allowed(limit, "") for limit in shape.limits]
    if shape.item is not None and not is_dataclass(shape.item.kind):
        allowed += [_allowed(limit, "Some of ") for limit in shape.item.limits if isinstance(limit, OneOf)]
    default = "" if field.default is MISSING else f"Default: {_default(field.default)}."
    return " ".join(part.replace(" ", _UNBROKEN) for part in (*allowed, default) if part)


def _allowed(limit: object, before: str) -> str:
    if isinstance(limit, Between):
        return f"{limit.low:.10g} to {limit.high:.10g}."
    if isinstance(limit, OnlyFor):
        return f"For {' and '.join(limit.schemes) if len(limit.schemes) < 3 else 'network cameras'}."
    if isinstance(limit, OneOf):
        *first, last = map(as_toml, limit.choices)
        return f"{before}{', '.join(first)} {'and' if before else 'or'} {last}."
    return ""


def _default(value: object) -> str:
    return "not set" if value is None or value == () else as_toml(value)


def _key(field: "Field[Any]", shape: Shape, is_commented: bool) -> str:
    is_set = field.default is not MISSING and _default(field.default) != "not set"
    line = f"{field.name} = {as_toml(field.default if is_set else shape.example)}"
    return line if is_set and not is_commented else f"# {line}"


def _comment(text: str) -> list[str]:
    lines = textwrap.wrap(text, _WIDTH, break_long_words=False, break_on_hyphens=False)
    return [f"# {line.replace(_UNBROKEN, ' ')}" for line in lines]
