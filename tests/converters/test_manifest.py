"""How a model's version goes on."""

from typing import Any

import pytest

from converters.manifest import next_version

INTERFACE: dict[str, Any] = {
    "kind": "plate-reader",
    "input": {"width": 192, "height": 32, "channels": 1, "colour_order": "GRAY"},
    "alphabet": "AB",
    "stride": None,
}
BEFORE = INTERFACE | {"version": "1.4.2", "sha256": "a", "training": {"checkpoint_sha256": "c"}}


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({}, "1.4.2"),
        ({"sha256": "b"}, "1.4.3"),
        ({"sha256": "b", "training": {"checkpoint_sha256": "d"}}, "1.5.0"),
        ({"sha256": "b", "training": {"checkpoint_sha256": "d"}, "alphabet": "ABC"}, "2.0.0"),
    ],
)
def test_the_version_shows_what_has_changed(change: dict[str, Any], expected: str) -> None:
    assert next_version(BEFORE, BEFORE | change) == expected


def test_a_model_begins_with_its_first_version() -> None:
    assert next_version({}, BEFORE) == "1.0.0"
