"""Single pictures are read by the shipped networks."""

from typing import Any

import cv2
import numpy as np
import pytest

from edge_app import PlateRecognizer
from edge_app.config import DetectionSettings, Settings
from edge_app.errors import ImageError
from edge_app.records import Corners, ImageBgr, PlateDetection
from edge_app.stages import build_stages
from training.synthetic.lettering import shipped_fonts
from training.synthetic.plates import render_plate


def two_lines_on_a_wall() -> tuple[ImageBgr, Corners]:
    """A picture of 640×384 with a plate with the text MH12AB1234, and the plate's corners."""
    plate = render_plate(np.random.default_rng(2), "white_two", "MH 12/AB 1234", 96, shipped_fonts()).image_bgr
    height, width = plate.shape[:2]
    wall = np.full((384, 640, 3), 70, np.uint8)
    wall[100 : 100 + height, 200 : 200 + width] = plate
    corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32) + np.array(
        [200, 100], np.float32
    )
    return wall, corners


def test_a_plate_whose_lines_were_miscounted_is_read_in_the_other_layout() -> None:
    wall, corners = two_lines_on_a_wall()

    (read,) = PlateRecognizer().read(wall, [PlateDetection(corners, 0.9, lines=1)])

    assert read.text == "MH12AB1234"
    assert read.detection.lines == 2


def test_a_plate_of_which_the_lower_line_was_found_is_read_whole_and_placed_where_it_lies() -> None:
    wall, corners = two_lines_on_a_wall()
    lower = corners.copy()
    lower[:2] += (corners[[3, 2]] - corners[:2]) / 2

    (read,) = PlateRecognizer().read(wall, [PlateDetection(lower, 0.9, lines=1)])

    assert read.text == "MH12AB1234"
    assert read.detection.lines == 2
    assert np.abs(read.detection.corners_px - corners).max() <= 0.15 * 96


@pytest.mark.parametrize("text", ["HR 26 A 123", "MH 04 B 7", "KA 05 S 12", "DL 1 D 480"])
def test_a_series_of_one_letter_before_few_digits_is_not_read_as_a_digit_with_certainty(text: str) -> None:
    plate = render_plate(np.random.default_rng(2), "white", text, 48, shipped_fonts()).image_bgr
    height, width = plate.shape[:2]
    wall = np.full((384, 640, 3), 70, np.uint8)
    wall[100 : 100 + height, 200 : 200 + width] = plate
    corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32) + np.array([200, 100])

    (read,) = PlateRecognizer().read(wall, [PlateDetection(corners.astype(np.float32), 0.9, lines=1)])

    assert read.text == text.replace(" ", "") or read.confidence < 0.9


def test_a_plate_found_too_far_to_the_right_and_below_is_found_again_from_close_by_and_read() -> None:
    plate = render_plate(np.random.default_rng(1), "white", "MH 12 AB 1234", 48, shipped_fonts()).image_bgr
    height, width = plate.shape[:2]
    wall = np.full((384, 640, 3), 70, np.uint8)
    wall[100 : 100 + height, 200 : 200 + width] = plate
    corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32) + np.array([200, 100])
    beside = (corners + np.array([0.15 * width, 0.3 * height])).astype(np.float32)

    (read,) = PlateRecognizer().read(wall, [PlateDetection(beside, 0.9, lines=1)])

    assert read.text == "MH12AB1234"
    assert np.abs(read.detection.corners_px - corners).max() < 0.25 * width


def test_a_crop_that_a_plate_fills_is_read() -> None:
    plate = render_plate(np.random.default_rng(1), "white", "MH 12 AB 1234", 40, shipped_fonts()).image_bgr

    reads = PlateRecognizer().recognize_crop(plate)

    assert [read.text for read in reads] == ["MH12AB1234"]


def test_a_plate_whose_lines_were_found_apart_is_returned_once() -> None:
    wall, corners = two_lines_on_a_wall()
    middle = (corners[[3, 2]] + corners[:2]) / 2
    upper, lower = corners.copy(), corners.copy()
    upper[2:], lower[:2] = middle[::-1], middle

    reads = PlateRecognizer().read(wall, [PlateDetection(upper, 0.9, lines=1), PlateDetection(lower, 0.8, lines=1)])

    assert [read.text for read in reads] == ["MH12AB1234"]


def test_a_plate_that_hangs_askew_and_was_found_upright_is_found_again_from_close_by() -> None:
    wall, corners = two_lines_on_a_wall()
    middle = corners.mean(axis=0)
    matrix = cv2.getRotationMatrix2D((float(middle[0]), float(middle[1])), -28, 1)
    askew = cv2.warpAffine(wall, matrix, (640, 384), borderMode=cv2.BORDER_REPLICATE)
    upright = (middle + (corners - middle) * 1.1).astype(np.float32)

    (read,) = PlateRecognizer().read(np.asarray(askew, np.uint8), [PlateDetection(upright, 0.9, lines=2)])

    assert read.text == "MH12AB1234"
    hanging = cv2.transform(corners[None], matrix)[0]
    assert np.abs(read.detection.corners_px - hanging).max() < np.abs(upright - hanging).max()


def street_with(text: str, height_px: int) -> tuple[ImageBgr, tuple[int, int, int, int]]:
    """A picture of 3840×2160 with a plate of this height, and the plate's box."""
    plate = render_plate(np.random.default_rng(1), "white", text, height_px, shipped_fonts()).image_bgr
    height, width = plate.shape[:2]
    street = np.full((2160, 3840, 3), 70, np.uint8)
    street[1000 : 1000 + height, 1500 : 1500 + width] = plate
    return street, (1500, 1000, width, height)


def test_a_plate_too_small_for_the_whole_of_a_large_picture_is_found_in_a_part_of_it() -> None:
    street, box = street_with("MH 12 AB 1234", 14)
    recognizer = PlateRecognizer()

    (read,) = recognizer.recognize(street)

    assert recognizer.find(street, 0.2) == []
    assert read.text == "MH12AB1234"
    assert np.abs(np.array(read.detection.box_px) - box).max() <= 12
    assert PlateRecognizer(effort=0).recognize(street) == []


def test_a_read_in_a_part_that_is_certain_takes_the_place_of_one_that_is_not() -> None:
    settings = Settings(detection=DetectionSettings(confidence=0.2))
    once, with_parts = (PlateRecognizer(build_stages(settings), effort) for effort in (0, 1))
    streets = [
        street_with(text, height_px)[0] for text in ("GJ 05 RK 8146", "KA 03 MN 2708") for height_px in (14, 15, 16)
    ]
    doubtful = [street for street in streets if any(each.confidence < 0.9 for each in once.recognize(street))]

    reads = [with_parts.recognize(street) for street in doubtful]

    assert doubtful, "else nothing is to be gained"
    assert any(len(each) == 1 and each[0].text in ("GJ05RK8146", "KA03MN2708") for each in reads)
    assert max(each[0].confidence for each in reads) >= 0.9


def test_what_the_detector_is_less_sure_of_counts_where_it_reads_beyond_doubt() -> None:
    settings = Settings(detection=DetectionSettings(confidence=0.99))
    recognizer = PlateRecognizer(build_stages(settings))
    wall, _ = two_lines_on_a_wall()
    pictures = (np.asarray(cv2.GaussianBlur(wall, (0, 0), sigma), np.uint8) for sigma in np.arange(3, 6, 0.25))
    blurred = next(
        each
        for each in pictures
        if any(read.confidence < 0.9 for read in recognizer.read(each, recognizer.find(each, 0.2)))
    )

    (read,) = recognizer.recognize(wall)
    (unsure,) = recognizer.read(blurred, recognizer.find(blurred, 0.2))

    assert (recognizer.find(wall), recognizer.find(blurred)) == ([], [])
    assert read.text == "MH12AB1234"
    assert unsure.confidence < 0.9
    assert recognizer.recognize(blurred) == []


def test_a_plate_that_is_known_is_not_returned_again_if_a_doubtful_find_beside_it_leads_to_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    wall, corners = two_lines_on_a_wall()
    below = (corners + np.array([0, 0.55 * np.ptp(corners[:, 1])])).astype(np.float32)
    recognizer, find = PlateRecognizer(), PlateRecognizer.find
    finds = iter([[PlateDetection(corners, 0.9, 2), PlateDetection(below, 0.3, 2)]])
    monkeypatch.setattr(
        PlateRecognizer, "find", lambda self, image_bgr, confidence=None: next(finds, None) or find(self, image_bgr)
    )

    reads = recognizer.recognize(wall)

    assert [read.text for read in reads] == ["MH12AB1234"]


def test_no_more_plates_are_returned_than_are_asked_for() -> None:
    wall, _ = two_lines_on_a_wall()
    both = np.concatenate([wall, wall], axis=1)
    one = Settings(detection=DetectionSettings(max_plates=1))

    assert len(PlateRecognizer().recognize(both)) == 2
    assert len(PlateRecognizer(build_stages(one)).recognize(both)) == 1


def test_no_line_is_searched_above_the_picture() -> None:
    plate = render_plate(np.random.default_rng(1), "white", "MH 12 AB 1234", 40, shipped_fonts()).image_bgr
    blurred = cv2.GaussianBlur(plate, (0, 0), 6)

    for read in PlateRecognizer().recognize_crop(blurred):
        assert read.detection.corners_px[:, 1].min() > -40


@pytest.mark.parametrize("image", [None, "gate.jpg", np.zeros((4, 4), np.float32), np.zeros((4, 4, 2), np.uint8)])
def test_what_is_no_picture_is_named_as_such(image: Any) -> None:
    with pytest.raises(ImageError, match="is no picture"):
        PlateRecognizer().recognize(image)
