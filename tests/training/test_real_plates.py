"""Real plates are cut out with their surroundings, in the layout in which their known text reads."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from edge_app.evaluation.datasets import read_dataset
from edge_app.recognition.rectifier import plate_size
from tests.converters.tiny import drawn_crops, drawn_scenes
from training.real_plates import MAX_LENGTH, find_real_plates, shrink
from training.strips import StripSource, real_strip
from training.synthetic.plates import render_plate


def test_plates_of_scenes_and_of_crops_are_found_where_they_lie(tmp_path: Path) -> None:
    scenes, crops = drawn_scenes(tmp_path / "gate"), drawn_crops(tmp_path / "crops")

    plates = find_real_plates([*read_dataset(scenes), *read_dataset(crops)])

    assert {plate.text for plate in plates} >= {"MH12AB1234", "KA01MN4567"}
    for plate in plates:
        height, width = plate.image_bgr.shape[:2]
        across, down = plate_size(plate.places[0])
        assert plate.lines == 1
        assert 3 < across / down < 6
        assert across < 1.1 * width
        assert down < 1.1 * height


def test_a_plate_of_two_lines_is_recognised_by_its_text_and_labelled_corners_are_a_place(tmp_path: Path) -> None:
    drawn = render_plate(np.random.default_rng(4), "hsrp_two", height_px=60)
    plate = drawn.image_bgr
    wall = np.full((384, 640, 3), 70, np.uint8)
    height, width = plate.shape[:2]
    wall[150 : 150 + height, 200 : 200 + width] = plate
    corners = [[200, 150], [200 + width, 150], [200 + width, 150 + height], [200, 150 + height]]
    (tmp_path / "images").mkdir()
    cv2.imwrite(str(tmp_path / "images" / "1.png"), wall)
    label = {"image": "images/1.png", "plates": [{"box": None, "corners": corners, "text": drawn.text}]}
    (tmp_path / "labels.jsonl").write_text(json.dumps(label))

    (found,) = find_real_plates(read_dataset(tmp_path))

    assert found.lines == 2
    assert plate_size(found.places[0]) == pytest.approx((width, height), rel=0.01)


def test_a_text_that_no_label_can_hold_is_left_out(tmp_path: Path) -> None:
    crops = drawn_crops(tmp_path / "crops")
    lines = [json.loads(line) for line in (crops / "labels.jsonl").read_text().splitlines()]
    for line in lines:
        line["plates"][0]["text"] = "A" * (MAX_LENGTH + 1)
    (crops / "labels.jsonl").write_text("\n".join(map(json.dumps, lines)))

    assert find_real_plates(read_dataset(crops)) == []


def test_a_plate_is_shown_smaller_but_never_larger_than_it_is(tmp_path: Path) -> None:
    (plate, *_) = find_real_plates(read_dataset(drawn_scenes(tmp_path / "gate")))
    tall = plate_size(plate.places[0])[1]

    smaller, same = shrink(plate, tall / 1.25 / 2), shrink(plate, tall * 2)

    assert plate_size(smaller.places[0])[1] == pytest.approx(tall / 2, rel=0.1)
    assert same is plate


def test_real_strips_are_drawn_by_their_share(tmp_path: Path) -> None:
    plates = find_real_plates(read_dataset(drawn_scenes(tmp_path / "gate")))

    with StripSource(plates, seed=1, processes=1, held=480) as source:
        real = source.draw(40, stream=0, real=1.0)
        batch = next(source.batches(96, step=0))

    known = {plate.text for plate in plates}
    assert {len(label[label >= 0]) for label in real.labels} == {len(text) for text in known}
    assert len(batch) == 96
    assert real_strip(np.random.default_rng(1), plates[0]).shape == real.images.shape[1:]
