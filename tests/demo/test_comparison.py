"""The demo's table."""

from typing import Any

from edge_app.demo.comparison import as_table, compare
from edge_app.evaluation.clips.truth import LabelledVehicle

FIRST, SECOND = LabelledVehicle("MH12AB1234", 0, 30, {}), LabelledVehicle("KA01MN4567", 10, 40, {})


def read(text: str, frames: int = 9) -> dict[str, Any]:
    return {"plate": {"text": text}, "seen": {"frames": frames}}


def verdicts(*texts: str) -> list[str]:
    return [row.verdict for row in compare([FIRST, SECOND], [read(text) for text in texts])]


def test_every_vehicle_read_right_in_whatever_order() -> None:
    assert verdicts("KA01MN4567", "MH12AB1234") == ["right", "right"]


def test_a_wrong_character_is_a_misread_of_its_vehicle() -> None:
    assert verdicts("KA01MN4567", "MH12A81234") == ["misread", "right"]


def test_nothing_read_is_a_miss() -> None:
    assert verdicts("KA01MN4567") == ["missed", "right"]


def test_a_text_unlike_any_is_false() -> None:
    assert verdicts("KA01MN4567", "ZZ99ZZ9999") == ["missed", "right", "false"]


def test_the_same_vehicle_twice_is_a_duplicate() -> None:
    assert verdicts("KA01MN4567", "MH12AB1234", "MH12AB1234") == ["right", "right", "duplicate"]


def test_the_table_names_what_was_shown_what_was_read_and_in_how_many_frames() -> None:
    rows = compare([FIRST, SECOND], [read("MH12AB1234", frames=14), read("ZZ99ZZ9999")])

    lines = as_table(rows).splitlines()

    assert lines[0].split() == ["plate", "shown", "plate", "read", "frames", "seen", "verdict"]
    assert lines[1].split() == ["MH12AB1234", "MH12AB1234", "14", "right"]
    assert lines[2].split() == ["KA01MN4567", "-", "0", "missed"]
    assert lines[-1] == "1 of 2 vehicles right, 1 read too many"
