"""Turns a payload into a record of `messages` again: the inverse of `event.encode`."""

import dataclasses
import functools
import json
from collections.abc import Callable, Hashable
from typing import Any, TypeVar

from edge_app.configuration.limits import Limit
from edge_app.configuration.record_fields import Shape, shapes_of
from edge_app.errors import EdgeAnprError

Record = TypeVar("Record")


class MessageError(EdgeAnprError):
    """The payload is no such message."""


def decode(kind: type[Record], payload: bytes) -> Record:
    """The record; unknown keys are ignored, because a later version may add some.

    Raises:
        MessageError: the payload is not JSON, a key is missing, or a value does not fit the schema.
    """
    try:
        document = json.loads(payload)
    except (ValueError, RecursionError) as error:
        raise MessageError(f"this is not JSON: {error}") from error
    return as_record(kind, document)


def as_record(kind: type[Record], document: object) -> Record:
    """The same for JSON that is parsed already."""
    hint: Any = kind
    record: Record = _record(hint)(document, "")
    return record


Reader = Callable[[Any, str], Any]
"""Makes the value of a field of its JSON, found at the named place."""


def _reader(shape: Shape) -> Reader:
    kind: Hashable = shape.kind
    if shape.item is not None:
        reader = _tuple(_reader(shape.item), shape.length)
    elif dataclasses.is_dataclass(kind):
        reader = _record(kind)
    else:
        reader = _scalar(shape.kind)
    if shape.limits:
        reader = _limited(reader, shape.limits)
    return _optional(reader) if shape.is_optional else reader


def _scalar(kind: type) -> Reader:
    def read(value: Any, where: str) -> Any:
        if type(value) is kind:
            return value
        if type(value) is int and kind is float:
            return float(value)
        raise MessageError(f"{where} is of the wrong type")

    return read


def _limited(reader: Reader, limits: tuple[Limit, ...]) -> Reader:
    def read(value: Any, where: str) -> Any:
        made = reader(value, where)
        for limit in limits:
            if complaint := limit.complaint(made):
                raise MessageError(f"{where}: {complaint}")
        return made

    return read


def _optional(reader: Reader) -> Reader:
    return lambda value, where: None if value is None else reader(value, where)


def _tuple(reader: Reader, length: int | None) -> Reader:
    def read(value: Any, where: str) -> Any:
        if not isinstance(value, list):
            raise MessageError(f"{where} is not a list")
        if length not in (None, len(value)):
            raise MessageError(f"{where} has {len(value)} items and not {length}")
        return tuple([reader(item, where) for item in value])

    return read


@functools.cache  # reading type hints takes longer than reading a whole message
def _record(kind: Any) -> Reader:
    readers = {name: _reader(shape) for name, shape in shapes_of(kind).items()}
    required = [field.name for field in dataclasses.fields(kind) if field.default is dataclasses.MISSING]

    def read(value: Any, where: str) -> Any:
        if not isinstance(value, dict):
            raise MessageError(f"{where or 'it'} is not an object")
        above = f"{where}." if where else ""
        for name in required:
            if name not in value:
                raise MessageError(f"{above}{name} is missing")
        return kind(**{key: reader(value[key], above + key) for key, reader in readers.items() if key in value})

    return read
