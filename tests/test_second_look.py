"""A plate of a frame is read again from close by, with the shipped networks."""

import numpy as np
import pytest

from edge_app.config import Settings
from edge_app.recognition.ctc import best_path
from edge_app.records import Corners, ImageBgr, PlateDetection, Reading
from edge_app.second_look import SecondLook
from edge_app.stages import Stages, build_stages
from training.synthetic.lettering import shipped_fonts
from training.synthetic.plates import render_plate


@pytest.fixture(scope="module")
def stages() -> Stages:
    """As shipped."""
    return build_stages(Settings())


def plate_on_a_wall(style: str, text: str, height_px: int) -> tuple[ImageBgr, Corners]:
    """The surroundings of a plate as they are cut from a frame, and the plate's corners."""
    plate = render_plate(np.random.default_rng(1), style, text, height_px, shipped_fonts()).image_bgr
    height, width = plate.shape[:2]
    wall = np.full((4 * height, 2 * width, 3), 70, np.uint8)
    left, top = width // 2, 3 * height // 2
    wall[top : top + height, left : left + width] = plate
    corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    return wall, corners + np.array([left, top], np.float32)


def text_of(stages: Stages, reading: Reading) -> str:
    return best_path(reading.log_probs, stages.reader.alphabet)[0]


@pytest.mark.parametrize(
    ("style", "text", "height_px", "cut"),
    [
        ("white", "MH 12 AB 1234", 24, (0.2, 0.0)),
        ("white", "MH 12 AB 1234", 24, (-0.2, 0.3)),
        ("white_two", "MH 12/AB 1234", 48, (0.1, 0.3)),
    ],
)
def test_a_plate_whose_corners_are_off_is_found_where_it_lies_and_read(
    stages: Stages, style: str, text: str, height_px: int, cut: tuple[float, float]
) -> None:
    wall, corners = plate_on_a_wall(style, text, height_px)
    width, height = np.ptp(corners, axis=0)
    found = PlateDetection(corners, 0.6, lines=text.count("/") + 1).moved(cut[0] * width, cut[1] * height)
    assert text_of(stages, stages.look(wall, found).reading) != "MH12AB1234"

    detection, reading = SecondLook(stages).read(wall, found)

    assert text_of(stages, reading) == "MH12AB1234"
    assert np.abs(detection.corners_px - corners).max() <= 0.1 * width


def test_where_no_plate_is_found_again_it_stays_where_it_was(stages: Stages) -> None:
    wall = np.full((80, 200, 3), 70, np.uint8)
    corners = np.array([[50, 30], [150, 30], [150, 50], [50, 50]], np.float32)

    detection, _ = SecondLook(stages).read(wall, PlateDetection(corners, 0.6, lines=1))

    assert np.array_equal(detection.corners_px, corners)
