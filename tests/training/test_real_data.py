"""Whatever lies in the folder of `--data` is learned from, each picture by its labels."""

import json
from pathlib import Path

import numpy as np
import pytest

from edge_app.errors import UsageError
from tests.converters.tiny import drawn_crops, drawn_scenes
from training.plate_pictures import real_pictures
from training.real_data import real_labels, sets_of


def test_pictures_and_crops_of_any_dataset_folder_are_found_by_their_labels(tmp_path: Path) -> None:
    drawn_scenes(tmp_path / "our_gate")
    drawn_crops(tmp_path / "our_crops")

    labels = real_labels(tmp_path)

    assert sets_of(labels) == ["our_crops", "our_gate"]
    assert sets_of([label for label in labels if label.has_all_boxes]) == ["our_gate"]


def test_corners_that_are_labelled_are_taken_as_exact(tmp_path: Path) -> None:
    gate = drawn_scenes(tmp_path / "our_gate", texts=("MH 12 AB 1234",))
    label = json.loads((gate / "labels.jsonl").read_text())
    corners = [[160, 190], [300, 205], [300, 240], [160, 225]]
    label["plates"][0] |= {"box": None, "corners": corners}
    (gate / "labels.jsonl").write_text(json.dumps(label))

    view = real_pictures(real_labels(tmp_path)).view(np.random.default_rng(4), 0)

    (plate,) = view.plates
    sides = np.linalg.norm(np.diff(plate.corners_px, axis=0), axis=1)
    assert plate.exact
    assert sides[0] / sides[1] == pytest.approx(np.hypot(140, 15) / 35, rel=0.01)


def test_a_folder_without_datasets_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no dataset folder in it"):
        real_labels(tmp_path)


def test_without_data_there_is_nothing_real_to_learn_from() -> None:
    assert real_labels(None) == []
