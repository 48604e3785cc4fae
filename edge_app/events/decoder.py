"""What arrived becomes a record of `messages` again: the way back from `event.encode`."""

import dataclasses
import json
import types
from typing import Annotated, Any, TypeVar, Union, get_args, get_origin, get_type_hints

from edge_app.errors import EdgeAnprError

Record = TypeVar("Record")


class MessageError(EdgeAnprError):
    """What arrived is no such message."""


def decode(kind: type[Record], payload: bytes) -> Record:
    """The record; keys that it has not got are passed over, for a later version may add some.

    Raises:
        MessageError: the payload is not JSON, a key is missing, or a value is not what the schema wants.
    """
    try:
        document = json.loads(payload)
    except (ValueError, RecursionError) as error:
        raise MessageError(f"this is not JSON: {error}") from error
    return as_record(kind, document)


def as_record(kind: type[Record], document: object) -> Record:
    """The same for JSON that is parsed already."""
    record: Record = _value(kind, document, "")
    return record


def _value(hint: Any, value: object, where: str) -> Any:
    arguments = get_args(hint)
    if get_origin(hint) is Annotated:
        return _limited(arguments, value, where)
    if get_origin(hint) in (Union, types.UnionType):  # always "or null"
        return None if value is None else _value(arguments[0], value, where)
    if get_origin(hint) is tuple:
        return _tuple(arguments, value, where)
    if dataclasses.is_dataclass(hint):
        return _record(hint, value, where)
    if type(value) is int and hint is float:
        return float(value)
    if type(value) is hint:
        return value
    raise MessageError(f"{where} is of the wrong type")


def _limited(arguments: tuple[Any, ...], value: object, where: str) -> Any:
    kept = _value(arguments[0], value, where)
    for limit in arguments[1:]:
        if complaint := limit.complaint(kept):
            raise MessageError(f"{where}: {complaint}")
    return kept


def _tuple(items: tuple[Any, ...], value: object, where: str) -> tuple[Any, ...]:
    if not isinstance(value, list):
        raise MessageError(f"{where} is not a list")
    hints = items[:1] * len(value) if items[-1] is Ellipsis else items
    if len(hints) != len(value):
        raise MessageError(f"{where} has {len(value)} items and not {len(hints)}")
    return tuple(_value(hint, item, where) for hint, item in zip(hints, value, strict=True))


def _record(kind: Any, value: object, where: str) -> Any:
    if not isinstance(value, dict):
        raise MessageError(f"{where or 'it'} is not an object")
    hints = get_type_hints(kind, include_extras=True)
    above = f"{where}." if where else ""
    for field in dataclasses.fields(kind):
        if field.name not in value and field.default is dataclasses.MISSING:
            raise MessageError(f"{above}{field.name} is missing")
    return kind(**{key: _value(hint, value[key], f"{above}{key}") for key, hint in hints.items() if key in value})
