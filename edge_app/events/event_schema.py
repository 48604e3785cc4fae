"""JSON Schemas (2020-12) of the messages, generated from their records.

`python -m edge_app.events.event_schema DIRECTORY` writes them; the sentence under a field becomes its description.
"""

import dataclasses
import inspect
import json
import math
import sys
from pathlib import Path
from typing import Any

from edge_app.configuration.limits import Between, Matching, OneOf
from edge_app.configuration.record_fields import Shape, sentences, shape_of, shapes_of
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

_PLAIN = {str: "string", int: "integer", float: "number", bool: "boolean"}


def schema_of(message: Any) -> Schema:
    """The schema of a whole message: of a record, or of the text that a message without JSON consists of."""
    head = {"$schema": "https://json-schema.org/draft/2020-12/schema"}
    if dataclasses.is_dataclass(message) and isinstance(message, type):
        head["title"] = message.__name__
    return head | _of_shape(shape_of(message))


def write(directory: Path) -> None:
    """Write every message's schema."""
    directory.mkdir(parents=True, exist_ok=True)
    for name, message in MESSAGES.items():
        (directory / name).write_text(as_text(message), encoding="utf-8")


def as_text(message: Any) -> str:
    """The schema's file."""
    return json.dumps(schema_of(message), indent=2, ensure_ascii=False) + "\n"


def _of_record(record: type) -> Schema:
    shapes = shapes_of(record)
    descriptions = sentences(record)
    properties = {}
    for field in dataclasses.fields(record):
        properties[field.name] = _of_shape(shapes[field.name])
        if field.name in descriptions:
            properties[field.name]["description"] = descriptions[field.name]
    return {
        "description": inspect.getdoc(record),
        "type": "object",
        "properties": properties,
        "required": [field.name for field in dataclasses.fields(record) if field.default is dataclasses.MISSING],
    }


def _of_shape(shape: Shape) -> Schema:
    schema = _of_kind(shape)
    for limit in shape.limits:
        schema |= _of_limit(limit)
    return {"anyOf": [schema, {"type": "null"}]} if shape.is_optional else schema


def _of_kind(shape: Shape) -> Schema:
    if shape.item is not None:
        return _of_tuple(_of_shape(shape.item), shape.length)
    if dataclasses.is_dataclass(shape.kind) and isinstance(shape.kind, type):
        return _of_record(shape.kind)
    return {"type": _PLAIN[shape.kind]}


def _of_tuple(item: Schema, length: int | None) -> Schema:
    if length is None:
        return {"type": "array", "items": item}
    return {"type": "array", "prefixItems": [item] * length, "minItems": length, "maxItems": length}


def _of_limit(limit: object) -> Schema:
    if isinstance(limit, Matching):
        return {"pattern": limit.pattern}
    if isinstance(limit, OneOf):
        return {"enum": list(limit.choices)}
    if isinstance(limit, Between):
        bounds = {"minimum": limit.low, "maximum": limit.high}
        return {key: bound for key, bound in bounds.items() if math.isfinite(bound)}
    raise TypeError(f"{limit!r} has no form in a JSON Schema yet")


if __name__ == "__main__":
    write(Path(sys.argv[1]))
