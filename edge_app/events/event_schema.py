"""JSON Schemas (2020-12) of the messages, generated from their records.

`python -m edge_app.events.event_schema DIRECTORY` writes them; the sentence under a field becomes its description.
"""

import ast
import dataclasses
import inspect
import json
import math
import sys
import textwrap
import types
from pathlib import Path
from typing import Annotated, Any, Union, get_args, get_origin, get_type_hints

from edge_app.configuration.limits import Between, Matching, OneOf
from edge_app.events.command_messages import AnswerMessage, PingRequest, ReloadRequest, SetListRequest, SnapshotRequest
from edge_app.events.messages import AlertMessage, LastMessage, ReadMessage, StatusMessage, TelemetryMessage

Schema = dict[str, Any]

MESSAGES: dict[str, Any] = {
    "read-1.json": ReadMessage,
    "last-1.json": LastMessage,
    "alert-1.json": AlertMessage,
    "telemetry-1.json": TelemetryMessage,
    "status-1.json": StatusMessage,
    "ping-1.json": PingRequest,
    "snapshot-1.json": SnapshotRequest,
    "reload-1.json": ReloadRequest,
    "lists-set-1.json": SetListRequest,
    "answer-1.json": AnswerMessage,
}
"""By the name of the schema's file."""

_PLAIN = {str: "string", int: "integer", float: "number", bool: "boolean", type(None): "null"}


def schema_of(message: Any) -> Schema:
    """The schema of a whole message: of a record, or of the text that a message without JSON consists of."""
    head = {"$schema": "https://json-schema.org/draft/2020-12/schema"}
    if dataclasses.is_dataclass(message) and isinstance(message, type):
        head["title"] = message.__name__
    return head | _of_type(message)


def write(directory: Path) -> None:
    """Write every message's schema."""
    directory.mkdir(parents=True, exist_ok=True)
    for name, message in MESSAGES.items():
        (directory / name).write_text(as_text(message), encoding="utf-8")


def as_text(message: Any) -> str:
    """The schema's file."""
    return json.dumps(schema_of(message), indent=2, ensure_ascii=False) + "\n"


def _of_record(record: type) -> Schema:
    hints = get_type_hints(record, include_extras=True)
    sentences = _sentences(record)
    properties = {}
    for field in dataclasses.fields(record):
        properties[field.name] = _of_type(hints[field.name])
        if field.name in sentences:
            properties[field.name]["description"] = sentences[field.name]
    return {
        "description": inspect.getdoc(record),
        "type": "object",
        "properties": properties,
        "required": [field.name for field in dataclasses.fields(record) if field.default is dataclasses.MISSING],
    }


def _of_type(hint: Any) -> Schema:
    arguments = get_args(hint)
    if get_origin(hint) is Annotated:
        return _of_type(arguments[0]) | _of_limit(arguments[1])
    if get_origin(hint) in (Union, types.UnionType):
        return {"anyOf": [_of_type(argument) for argument in arguments]}
    if get_origin(hint) is tuple:
        return _of_tuple(arguments)
    if dataclasses.is_dataclass(hint) and isinstance(hint, type):
        return _of_record(hint)
    return {"type": _PLAIN[hint]}


def _of_tuple(items: tuple[Any, ...]) -> Schema:
    if items[-1] is Ellipsis:
        return {"type": "array", "items": _of_type(items[0])}
    return {
        "type": "array",
        "prefixItems": [_of_type(item) for item in items],
        "minItems": len(items),
        "maxItems": len(items),
    }


def _of_limit(limit: object) -> Schema:
    if isinstance(limit, Matching):
        return {"pattern": limit.pattern}
    if isinstance(limit, OneOf):
        return {"enum": list(limit.choices)}
    if isinstance(limit, Between):
        bounds = {"minimum": limit.low, "maximum": limit.high}
        return {key: bound for key, bound in bounds.items() if math.isfinite(bound)}
    raise TypeError(f"{limit!r} has no form in a JSON Schema yet")


def _sentences(record: type) -> dict[str, str]:
    """The string under each field, which Python itself forgets."""
    tree = ast.parse(textwrap.dedent(inspect.getsource(record))).body[0]
    assert isinstance(tree, ast.ClassDef)
    sentences = {}
    for field, below in zip(tree.body, tree.body[1:], strict=False):
        if isinstance(field, ast.AnnAssign) and isinstance(below, ast.Expr) and isinstance(below.value, ast.Constant):
            sentences[ast.unparse(field.target)] = inspect.cleandoc(str(below.value.value))
    return sentences


if __name__ == "__main__":
    write(Path(sys.argv[1]))
