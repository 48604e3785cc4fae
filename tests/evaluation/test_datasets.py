"""Dataset folders are read as documented, and a wrong line is named."""

import json
from pathlib import Path
from typing import Any

import pytest

from edge_app.errors import SourceError
from edge_app.evaluation.datasets import LabelledImage, read_dataset

PLATE = {"box": [10, 20, 40, 12], "corners": None, "text": "MH12AB1234", "country": "IN"}


def image(*plates: dict[str, Any], **more: object) -> str:
    return json.dumps({"image": "images/a.png", "width": 80, "height": 60, "plates": plates, **more})


def read(folder: Path, *lines: str) -> list[LabelledImage]:
    (folder / "labels.jsonl").write_text("\n".join(lines))
    return read_dataset(folder)


def test_a_label_is_read_with_its_picture_found_from_the_folder(tmp_path: Path) -> None:
    (label,) = read(tmp_path, image(PLATE))

    assert label.path == tmp_path / "images" / "a.png"
    (plate,) = label.plates
    assert (plate.box, plate.text, plate.country) == ((10, 20, 40, 12), "MH12AB1234", "IN")


def test_of_corners_alone_the_box_is_their_hull(tmp_path: Path) -> None:
    (label,) = read(tmp_path, image(PLATE | {"box": None, "corners": [[10, 20], [50, 24], [48, 40], [9, 36]]}))

    assert label.plates[0].box == (9, 20, 41, 20)


@pytest.mark.parametrize(("text", "kept"), [("mh 12-ab 1234", "MH12AB1234"), ("", None), (None, None), ("??", None)])
def test_of_a_text_letters_and_digits_are_kept(tmp_path: Path, text: str | None, kept: str | None) -> None:
    (label,) = read(tmp_path, image(PLATE | {"text": text}))

    assert label.plates[0].text == kept


@pytest.mark.parametrize(
    ("plates", "scene", "is_crop", "has_all_boxes"),
    [
        ([PLATE], False, False, True),
        ([PLATE | {"box": None}], False, True, False),
        ([PLATE | {"box": None}], True, False, False),
        ([PLATE, PLATE | {"box": None}], False, False, False),
        ([], False, False, True),
        ([], True, False, False),
    ],
)
def test_what_is_known_of_a_picture_decides_how_it_is_scored(
    tmp_path: Path, plates: list[dict[str, Any]], scene: bool, is_crop: bool, has_all_boxes: bool
) -> None:
    (label,) = read(tmp_path, image(*plates, scene=scene))

    assert (label.is_crop, label.has_all_boxes) == (is_crop, has_all_boxes)


def test_a_picture_that_may_show_plates_without_a_box_has_boxes_but_not_all(tmp_path: Path) -> None:
    (label,) = read(tmp_path, image(PLATE, boxes_complete=False))

    assert (label.has_boxes, label.has_all_boxes) == (True, False)


@pytest.mark.parametrize(
    "wrong",
    [
        "{",
        "[]",
        "7",
        '{"image": "a.png"}',
        '{"plates": []}',
        image(PLATE | {"box": [1, 2, 3]}),
        image(PLATE | {"box": [1, 2, 3, "x"]}),
        image(PLATE | {"text": 7}),
        image(PLATE | {"box": None, "corners": [1, 2]}),
    ],
)
def test_a_line_that_is_no_label_is_named_with_what_to_write(tmp_path: Path, wrong: str) -> None:
    with pytest.raises(SourceError, match=r"labels\.jsonl:3: this is no label .*; write \{\"image\""):
        read(tmp_path, image(PLATE), "", wrong)


@pytest.mark.parametrize("content", ["", "\n\n"])
def test_a_set_without_an_image_is_an_error(tmp_path: Path, content: str) -> None:
    with pytest.raises(SourceError, match=r"labels\.jsonl: holds no image; write one JSON object a line"):
        read(tmp_path, content)


def test_a_folder_without_labels_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"labels\.jsonl: cannot be read .*; a dataset folder holds images/"):
        read_dataset(tmp_path)
