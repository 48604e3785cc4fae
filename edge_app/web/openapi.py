"""The OpenAPI 3.1 document of what `application.py` answers."""

from functools import cache
from typing import Any

from edge_app.events.event_schema import schema_of
from edge_app.events.messages import ReadMessage, TelemetryMessage
from edge_app.version import __version__
from edge_app.web.drawn import Drawing
from edge_app.web.problems import MEDIA_TYPE as PROBLEM

Schema = dict[str, Any]

_NUMBER: Schema = {"type": "number"}
_COUNT: Schema = {"type": "integer", "minimum": 0}
_TEXT: Schema = {"type": "string"}
_YES_NO: Schema = {"type": "boolean"}
_POINT: Schema = {"type": "array", "items": _NUMBER, "minItems": 2, "maxItems": 2}
_SHARE: Schema = {"type": "number", "minimum": 0, "maximum": 1}


def _or_null(schema: Schema) -> Schema:
    return {"anyOf": [schema, {"type": "null"}]}


def _object(**properties: Schema) -> Schema:
    return {"type": "object", "properties": properties, "required": list(properties)}


def _list(items: Schema) -> Schema:
    return {"type": "array", "items": items}


def _ref(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}


_CANDIDATE = _object(text=_TEXT, confidence=_SHARE, valid=_YES_NO)
_PLATE = _object(
    text=_TEXT,
    confidence=_SHARE,
    detection_confidence=_SHARE,
    box={"type": "array", "items": _NUMBER, "minItems": 4, "maxItems": 4},
    corners={"type": "array", "items": _POINT, "minItems": 4, "maxItems": 4},
    lines={"type": "integer", "minimum": 1, "maximum": 2},
    colours=_object(background=_or_null(_TEXT), characters=_or_null(_TEXT)),
    category=_or_null(_TEXT),
    country=_or_null(_TEXT),
    format=_or_null(_TEXT),
    valid=_YES_NO,
    characters=_list(_object(value=_TEXT, confidence=_SHARE)),
    candidates=_list(_CANDIDATE),
)
_SEEN_PLATE = _object(
    corners={"type": "array", "items": _POINT, "minItems": 4, "maxItems": 4},
    detection_confidence=_SHARE,
    text=_or_null(_TEXT),
    confidence=_or_null(_SHARE),
    width_px=_NUMBER,
    line_height_px=_NUMBER,
    sharpness=_or_null(_NUMBER),
    outlook={"enum": ["good", "fair", "small", "blurred"]},
)
_PART = {
    "type": "object",
    "properties": {"well": _YES_NO, "state": _TEXT, "advice": _TEXT},
    "required": ["well", "state"],
}
_CONFIGURATION = _object(state={"enum": ["file", "trial", "former"]}, wrong=_or_null(_TEXT), reverted=_or_null(_TEXT))


def _schemas() -> dict[str, Schema]:
    return {
        "Problem": {
            "description": "Problem details (RFC 9457). `errors` lists each single fault, if there are several.",
            "type": "object",
            "properties": {
                "type": _TEXT,
                "title": _TEXT,
                "status": {"type": "integer"},
                "detail": _TEXT,
                "errors": _list(_TEXT),
            },
            "required": ["type", "title", "status", "detail"],
        },
        "Picture": _object(width=_COUNT, height=_COUNT, elapsed_ms=_NUMBER, plates=_list(_PLATE)),
        "Read": _message(ReadMessage),
        "Reads": _object(reads=_list(_object(read=_ref("Read"), has_picture=_YES_NO)), withheld=_or_null(_TEXT)),
        "Telemetry": _message(TelemetryMessage),
        "Status": _object(
            alive=_YES_NO,
            ready=_YES_NO,
            release=_or_null(_TEXT),
            parts={"type": "object", "additionalProperties": _PART},
            configuration=_CONFIGURATION,
            telemetry=_ref("Telemetry"),
        ),
        "Ok": _object(ok=_YES_NO),
        "Cameras": _object(cameras=_list(_object(name=_TEXT)), withheld=_or_null(_TEXT)),
        "View": _object(
            camera=_TEXT,
            sequence=_COUNT,
            captured_at=_TEXT,
            width=_COUNT,
            height=_COUNT,
            sharpness=_or_null(_NUMBER),
            edge_px=_or_null(_NUMBER),
            plates=_list(_SEEN_PLATE),
            jpeg={"type": "string", "contentEncoding": "base64", "contentMediaType": "image/jpeg"},
        ),
        "Settings": _message(Drawing),
        "Saved": _object(detail=_TEXT),
    }


def _message(record: type) -> Schema:
    schema = schema_of(record)
    return {key: value for key, value in schema.items() if key not in ("$schema", "title")}


def _json(name: str, words: str) -> Schema:
    return {"description": words, "content": {"application/json": {"schema": _ref(name)}}}


def _problem(words: str) -> Schema:
    return {"description": words, "content": {PROBLEM: {"schema": _ref("Problem")}}}


_BINARY: Schema = {}
_JPEG = {"description": "The picture.", "content": {"image/jpeg": {"schema": _BINARY}}}
_ALWAYS = {
    "403": _problem("The request comes from another site's page, or privacy settings hold this back."),
    "421": _problem("The device is not known by the name in the header Host."),
    "503": _problem("Too much at once, or nothing yet: try again after the seconds in Retry-After."),
}
_WITH_TOKEN = _ALWAYS | {
    "401": _problem("The token is missing or wrong."),
    "429": _problem("Too many wrong tokens: try again after the seconds in Retry-After."),
}
_TOKEN: list[dict[str, list[str]]] = [{"token": []}, {}]


def _whole(name: str, low: int, high: int, default: int | None, words: str) -> Schema:
    schema: Schema = {"type": "integer", "minimum": low, "maximum": high}
    if default is not None:
        schema["default"] = default
    return {"name": name, "in": "query", "description": words, "schema": schema}


def _in_path(name: str, words: str) -> Schema:
    return {"name": name, "in": "path", "required": True, "description": words, "schema": _TEXT}


_CAMERA = _in_path("camera", "Name of a camera.")
_WRONG_NUMBER = {"400": _problem("A number in the query is out of its range.")}
_NO_CAMERA = {"404": _problem("There is no such camera.")}
_BODY_FAULTS = {
    "400": _problem("The body was cut off or is not what it should be."),
    "408": _problem("The body came too slowly."),
    "413": _problem("The body is too large."),
    "422": _problem("The content of the body is wrong."),
}


def _get(words: str, good: Schema, *more: Schema, parameters: tuple[Schema, ...] = (), token: bool = True) -> Schema:
    answers = {"200": good} | (_WITH_TOKEN if token else _ALWAYS)
    for each in more:
        answers |= each
    operation: Schema = {"summary": words, "parameters": list(parameters), "responses": answers}
    return {"get": operation | {"security": _TOKEN if token else [{}]}}


@cache
def document() -> Schema:
    """The document."""
    width = _whole("width", 160, 3840, None, "Most pixels across.")
    settings = "/v1/cameras/{camera}/settings"
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "edge-anpr",
            "version": __version__,
            "description": "Reads number plates at the roadside. docs/http.md has examples.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "paths": {
            "/healthz": _get(
                "Whether the service's main loop goes on.",
                _json("Ok", "It does."),
                {"503": _json("Ok", "It does not.")},
                token=False,
            ),
            "/readyz": _get(
                "Whether pictures arrive and reads reach the broker.",
                _json("Ok", "They do."),
                {"503": _json("Ok", "They do not: /v1/status has the reason.")},
                token=False,
            ),
            "/metrics": _get(
                "Figures for Prometheus.",
                {"description": "Text.", "content": {"text/plain": {"schema": _TEXT}}},
            ),
            "/v1/status": _get("How the device is.", _json("Status", "As telemetry has it, and more.")),
            "/v1/recognize": {
                "post": {
                    "summary": "Read the plates of a picture.",
                    "description": "Answers as `edge-anpr read --json`. It has the lowest priority beside the cameras.",
                    "parameters": [_whole("effort", 0, 1, 1, "0: one attempt at each plate. 1: a few more in doubt.")],
                    "requestBody": {
                        "required": True,
                        "content": {kind: {"schema": _BINARY} for kind in ("image/jpeg", "image/png", "image/webp")},
                    },
                    "responses": {"200": _json("Picture", "What was read.")} | _WITH_TOKEN | _BODY_FAULTS,
                    "security": _TOKEN,
                }
            },
            "/v1/reads": _get(
                "The newest reads, the newest first.",
                _json("Reads", "None with [privacy] `hash` or `lists_only`; `withheld` names the setting."),
                _WRONG_NUMBER,
                parameters=(_whole("limit", 1, 50, 50, "Most reads."),),
            ),
            "/v1/reads/{event_id}/picture": _get(
                "The plate's picture of one of them.",
                _JPEG,
                {"404": _problem("There is none.")},
                parameters=(_in_path("event_id", "`event_id` of the read."),),
            ),
            "/v1/events": _get(
                "Server-sent events: `read` with a read, `status` with the status in short.",
                {"description": "They go on.", "content": {"text/event-stream": {"schema": _TEXT}}},
            ),
            "/v1/cameras": _get("The cameras.", _json("Cameras", "`withheld`: why their pictures are not shown.")),
            "/v1/cameras/{camera}/picture": _get(
                "The camera's newest picture.", _JPEG, _WRONG_NUMBER, _NO_CAMERA, parameters=(_CAMERA, width)
            ),
            "/v1/cameras/{camera}/view": _get(
                "The same with the plates in it.",
                _json("View", "Corners in pixels of the full picture."),
                {"204": {"description": "No newer picture has come."}},
                _WRONG_NUMBER,
                _NO_CAMERA,
                parameters=(
                    _CAMERA,
                    width,
                    _whole("after", 0, 2**53, None, "Wait for a picture with another `sequence`."),
                    _whole("focus", 0, 1, 0, "1: measure how sharp the middle of the picture is."),
                ),
            ),
            settings: _get(
                "Zones, crossing lines and preset of a camera.",
                _json("Settings", "`preset` is null if the camera has none."),
                _NO_CAMERA,
                parameters=(_CAMERA,),
            )
            | {
                "put": {
                    "summary": "Change them in the configuration file, and take it up.",
                    "parameters": [_CAMERA],
                    "requestBody": {
                        "required": True,
                        "content": {"application/json": {"schema": _ref("Settings")}},
                    },
                    "responses": {
                        "202": _json("Saved", "`configuration` of /v1/status shows whether they stay."),
                        "409": _problem("The file may not be written; `errors` has the text that should stand in it."),
                    }
                    | _WITH_TOKEN
                    | _BODY_FAULTS
                    | _NO_CAMERA,
                    "security": _TOKEN,
                }
            },
        },
        "components": {
            "schemas": _schemas(),
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
    }
