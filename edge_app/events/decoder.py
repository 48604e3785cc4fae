"""Turns a payload into a record of `messages` again: the inverse of `event.encode`."""

import dataclasses
import json
from typing import Any, TypeVar

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
    record: Record = _record(kind, document, "")
    return record


def _value(shape: Shape, value: object, where: str) -> Any:
    if value is None and shape.is_optional:
        return None
    if shape.item is not None:
        made = _tuple(shape.item, shape.length, value, where)
    elif dataclasses.is_dataclass(shape.kind):
        made = _record(shape.kind, value, where)
    else:
        made = _scalar(shape.kind, value, where)
    for limit in shape.limits:
        if complaint := limit.complaint(made):
            raise MessageError(f"{where}: {complaint}")
    return made


def _scalar(kind: type, value: object, where: str) -> Any:
    if type(value) is int and kind is float:
        return float(value)
    if type(value) is kind:
        return value
    raise MessageError(f"{where} is of the wrong type")


def _tuple(item: Shape, length: int | None, value: object, where: str) -> tuple[Any, ...]:
    if not isinstance(value, list):
        raise MessageError(f"{where} is not a list")
    if length not in (None, len(value)):
        raise MessageError(f"{where} has {len(value)} items and not {length}")
    return tuple(_value(item, each, where) for each in value)


def _record(kind: Any, value: object, where: str) -> Any:
    if not isinstance(value, dict):
        raise MessageError(f"{where or 'it'} is not an object")
    above = f"{where}." if where else ""
    for field in dataclasses.fields(kind):
        if field.name not in value and field.default is dataclasses.MISSING:
            raise MessageError(f"{above}{field.name} is missing")
    shapes = shapes_of(kind)
    return kind(**{key: _value(shape, value[key], f"{above}{key}") for key, shape in shapes.items() if key in value})
