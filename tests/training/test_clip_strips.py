"""Strips of rendered clips, with the detector as shipped."""

import json
from pathlib import Path

import numpy as np
import pytest

from edge_app.errors import SourceError
from tests.evaluation.clips.film import PLATE, car_that_comes_near
from training.clip_strips import clip_strips
from training.clips import write_clip
from training.strips import encode

DETECTOR = Path(__file__).parent.parent.parent / "models" / "plate_detector.keras"

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # Keras' and TensorFlow's own


def test_a_plate_gives_two_strips_of_each_frame_in_which_it_can_be_told(tmp_path: Path) -> None:
    (line,) = write_clip(car_that_comes_near(), 1, tmp_path / "car.mp4")
    line["clear_frames"] = line["clear_frames"][-4:]
    (tmp_path / "events.jsonl").write_text(json.dumps(line) + "\n")

    strips = clip_strips(tmp_path, DETECTOR, seed=1)

    assert strips.images.shape == (8, 32, 192)
    assert (strips.labels == encode(PLATE)).all()
    assert np.abs(strips.images[0].astype(int) - strips.images[1]).max() > 0, "the second has other corners"


def test_clips_without_a_plate_that_can_be_told_give_no_strips(tmp_path: Path) -> None:
    (line,) = write_clip(car_that_comes_near(), 1, tmp_path / "car.mp4")
    line["clear_frames"] = []
    (tmp_path / "events.jsonl").write_text(json.dumps(line) + "\n")

    with pytest.raises(SourceError, match="no plate of its clips can be told"):
        clip_strips(tmp_path, DETECTOR, seed=1)
