"""What arrived becomes a record of `messages` again: the way back from `event.encode`."""

import dataclasses
import functools
import json
import types
from collections.abc import Callable, Sequence
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
    hint: Any = kind
    record: Record = _reader(hint)(document, "")
    return record


Reader = Callable[[Any, str], Any]
"""Makes the value of a field of what JSON gives for it, found at the named place."""


@functools.cache
def _reader(hint: Any) -> Reader:
    """Of values of this type: type hints are looked at once, for that takes longer than reading a whole message."""
    arguments = get_args(hint)
    if get_origin(hint) is Annotated:
        return _limited(_reader(arguments[0]), arguments[1:])
    if get_origin(hint) in (Union, types.UnionType):  # always "or null"
        return _optional(_reader(arguments[0]))
    if get_origin(hint) is tuple:
        if arguments[-1] is Ellipsis:
            return _list(_reader(arguments[0]))
        return _tuple([_reader(argument) for argument in arguments])
    if dataclasses.is_dataclass(hint) and isinstance(hint, type):
        return _record(hint)
    return _plain(hint)


def _plain(kind: type) -> Reader:
    def read(value: Any, where: str) -> Any:
        if type(value) is kind:
            return value
        if type(value) is int and kind is float:
            return float(value)
        raise MessageError(f"{where} is of the wrong type")

    return read


def _limited(reader: Reader, limits: Sequence[Any]) -> Reader:
    def read(value: Any, where: str) -> Any:
        kept = reader(value, where)
        for limit in limits:
            if complaint := limit.complaint(kept):
                raise MessageError(f"{where}: {complaint}")
        return kept

    return read


def _optional(reader: Reader) -> Reader:
    return lambda value, where: None if value is None else reader(value, where)


def _list(reader: Reader) -> Reader:
    return lambda value, where: tuple([reader(item, where) for item in _checked_list(value, where)])


def _tuple(readers: Sequence[Reader]) -> Reader:
    def read(value: Any, where: str) -> Any:
        if len(_checked_list(value, where)) != len(readers):
            raise MessageError(f"{where} has {len(value)} items and not {len(readers)}")
        return tuple([reader(item, where) for reader, item in zip(readers, value, strict=True)])

    return read


def _checked_list(value: Any, where: str) -> list[Any]:
    if not isinstance(value, list):
        raise MessageError(f"{where} is not a list")
    return value


def _record(kind: Any) -> Reader:
    hints = get_type_hints(kind, include_extras=True)
    readers = {field.name: _reader(hints[field.name]) for field in dataclasses.fields(kind)}
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
