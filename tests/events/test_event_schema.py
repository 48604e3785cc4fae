"""Schemas and what is shipped of them."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator, ValidationError

from edge_app.events import event_schema
from edge_app.events.event_schema import MESSAGES, schema_of
from edge_app.events.messages import ReadMessage
from tests.events.passes import event

REPOSITORY = Path(__file__).parents[2]


@pytest.mark.parametrize("name", MESSAGES)
def test_the_shipped_schema_is_generated_from_the_records(name: str) -> None:
    shipped = REPOSITORY / "docs" / "schema" / name

    generated = event_schema.as_text(MESSAGES[name])

    assert shipped.read_text() == generated, "run: python -m edge_app.events.event_schema docs/schema"


@pytest.mark.parametrize("record", MESSAGES.values())
def test_every_schema_is_one_itself(record: type) -> None:
    Draft202012Validator.check_schema(schema_of(record))


def test_the_sentence_under_a_field_is_its_description() -> None:
    schema = schema_of(ReadMessage)

    assert schema["properties"]["sequence"]["description"].startswith("Rises by one")
    assert schema["properties"]["seen"]["properties"]["reads"]["description"] == "Frames in which it was read."


@pytest.mark.parametrize(
    ("key", "wrong"),
    [("sequence", 0), ("event_id", "7"), ("historical", "no"), ("schema", "edge-anpr/read/2"), ("image", {})],
)
def test_a_wrong_value_is_refused(key: str, wrong: object) -> None:
    message = json.loads(event().payload()) | {"sequence": 1}
    validator = Draft202012Validator(schema_of(ReadMessage))
    validator.validate(message)

    with pytest.raises(ValidationError):
        validator.validate(message | {key: wrong})


def test_a_missing_key_is_refused() -> None:
    message = json.loads(event().payload()) | {"sequence": 1}
    del message["seen"]["clock_synchronized"]

    with pytest.raises(ValidationError, match="clock_synchronized"):
        Draft202012Validator(schema_of(ReadMessage)).validate(message)


def test_the_module_writes_the_files(tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-m", "edge_app.events.event_schema", tmp_path], check=True, cwd=REPOSITORY)

    assert {path.name for path in tmp_path.iterdir()} == set(MESSAGES)


def test_the_example_in_the_documentation_keeps_to_the_schema() -> None:
    page = (REPOSITORY / "docs" / "events.md").read_text()

    example = json.loads(page.split("```json\n", 1)[1].split("```", 1)[0])

    Draft202012Validator(schema_of(ReadMessage)).validate(example)
