"""The demo's annotated picture."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from edge_app.demo import CLIP, picture
from edge_app.errors import EdgeAnprError
from edge_app.evaluation.clips.truth import LabelledVehicle, read_clips
from edge_app.records import ImageBgr, PlateDetection, PlateRead, PlateText

VEHICLES = read_clips(CLIP.parent)[0].vehicles


def vehicle(first_frame: int, last_frame: int) -> LabelledVehicle:
    return LabelledVehicle("MH12AB1234", first_frame, last_frame, {})


class CannedRecognizer:
    """Reads one plate on every picture."""

    def recognize(self, image_bgr: ImageBgr) -> list[PlateRead]:
        """See `PlateRecognizer`."""
        corners = np.array([[100, 300], [300, 300], [300, 350], [100, 350]], np.float32)
        text = PlateText("MH12AB1234", 0.9, "IN", "standard", True, (), ())
        return [PlateRead(text, PlateDetection(corners, 0.9, 1))]


def test_the_frames_with_the_most_vehicles_are_read() -> None:
    vehicles = [vehicle(0, 10), vehicle(8, 20), vehicle(30, 40)]

    assert picture.crowded_frames(vehicles) == [8, 9, 10]


def test_no_more_than_a_few_frames_are_read() -> None:
    numbers = picture.crowded_frames([vehicle(0, 999)])

    assert len(numbers) == 8
    assert numbers[-1] > 800


def test_published_plates_are_drawn(tmp_path: Path) -> None:
    plain, drawn = tmp_path / "plain.png", tmp_path / "drawn.png"

    picture.write(plain, CannedRecognizer(), VEHICLES, texts=set())
    picture.write(drawn, CannedRecognizer(), VEHICLES, texts={"MH12AB1234"})

    assert cv2.imread(str(plain)).shape == cv2.imread(str(drawn)).shape
    assert np.any(cv2.imread(str(plain)) != cv2.imread(str(drawn)))


def test_a_place_that_cannot_be_written_is_a_clear_error(tmp_path: Path) -> None:
    with pytest.raises(EdgeAnprError, match="cannot be written"):
        picture.write(tmp_path / "none" / "a.jpg", CannedRecognizer(), VEHICLES, texts=set())
