"""Plates become strips."""

import cv2
import numpy as np
import pytest

from edge_app.recognition.rectifier import Rectifier, find_line_split, plate_size
from edge_app.records import PlateDetection

WIDTH, HEIGHT = 192, 32


def picture_with(text_lines: list[str], quad: np.ndarray, scale: float = 1.0) -> np.ndarray:
    """A grey picture with a white plate warped into the quadrilateral."""
    plate = np.full((60 * len(text_lines), 240, 3), 235, np.uint8)
    for index, line in enumerate(text_lines):
        cv2.putText(plate, line, (12, 46 + 60 * index), cv2.FONT_HERSHEY_SIMPLEX, 1.5, (20, 20, 20), 4)
    height, width = plate.shape[:2]
    source = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    picture = np.full((int(400 * scale), int(640 * scale), 3), 90, np.uint8)
    matrix = cv2.getPerspectiveTransform(source, quad.astype(np.float32))
    return cv2.warpPerspective(plate, matrix, picture.shape[1::-1], picture, borderMode=cv2.BORDER_TRANSPARENT)


def frontal(left: float, top: float, width: float, height: float) -> np.ndarray:
    return np.array([[left, top], [left + width, top], [left + width, top + height], [left, top + height]], np.float32)


def likeness(one: np.ndarray, other: np.ndarray) -> float:
    """Best correlation of one's middle anywhere in the other: a few pixels of shift do not count."""
    middle = np.ascontiguousarray(one[6:-6, 8:-8])
    return float(cv2.matchTemplate(np.ascontiguousarray(other), middle, cv2.TM_CCOEFF_NORMED).max())


def test_a_tilted_plate_gives_the_strip_of_the_same_plate_seen_straight() -> None:
    straight = frontal(200, 150, 240, 60)
    tilted = np.array([[180, 120], [410, 190], [400, 255], [175, 180]], np.float32)
    rectifier = Rectifier(WIDTH, HEIGHT)

    one = rectifier.rectify(picture_with(["AB12CD"], straight), PlateDetection(straight, 1.0, 1))
    other = rectifier.rectify(picture_with(["AB12CD"], tilted), PlateDetection(tilted, 1.0, 1))

    assert one.image_gray.shape == (HEIGHT, WIDTH)
    assert likeness(one.image_gray, other.image_gray) > 0.85


def test_the_lines_of_a_two_line_plate_lie_side_by_side_the_top_one_left() -> None:
    quad = frontal(200, 100, 240, 120)
    rectifier = Rectifier(WIDTH, HEIGHT)

    both = rectifier.rectify(picture_with(["AB12", "CD34"], quad), PlateDetection(quad, 1.0, 2))
    swapped = rectifier.rectify(picture_with(["CD34", "AB12"], quad), PlateDetection(quad, 1.0, 2))

    left, right = np.hsplit(both.image_gray, 2)
    other_left, other_right = np.hsplit(swapped.image_gray, 2)
    assert likeness(left, other_right) > 0.8
    assert likeness(right, other_left) > 0.8
    assert both.line_height_px == pytest.approx(60)


def test_a_large_plate_is_not_aliased_into_another_strip_than_a_small_one() -> None:
    small, large = frontal(60, 60, 240, 60), frontal(240, 240, 960, 240)
    rectifier = Rectifier(WIDTH, HEIGHT)

    one = rectifier.rectify(picture_with(["KA01MN"], small), PlateDetection(small, 1.0, 1))
    other = rectifier.rectify(picture_with(["KA01MN"], large, 2.0), PlateDetection(large, 1.0, 1))

    assert likeness(one.image_gray, other.image_gray) > 0.95


def test_a_plate_partly_or_wholly_outside_the_picture_still_gives_a_strip() -> None:
    picture = picture_with(["AB12CD"], frontal(200, 150, 240, 60))
    rectifier = Rectifier(WIDTH, HEIGHT)

    for quad in (frontal(-100, 150, 240, 60), frontal(900, 900, 240, 60), frontal(10, 10, 2, 1)):
        for lines in (1, 2):
            strip = rectifier.rectify(picture, PlateDetection(quad, 1.0, lines))
            assert strip.image_gray.shape == (HEIGHT, WIDTH)


def test_day_and_night_give_the_reader_the_same_input() -> None:
    quad = frontal(200, 150, 240, 60)
    day = picture_with(["AB12CD"], quad)
    night = (day * 0.2).astype(np.uint8)
    rectifier = Rectifier(WIDTH, HEIGHT)

    strips = [rectifier.rectify(picture, PlateDetection(quad, 1.0, 1)).image_gray for picture in (day, night)]

    assert abs(float(strips[0].mean()) - float(strips[1].mean())) < 4
    assert likeness(*strips) > 0.98


def test_the_line_split_is_found_where_it_is_and_not_assumed_at_half_height() -> None:
    flat = np.full((96, 96), 220, np.uint8)
    flat[8:36, 6:90:7] = 20
    flat[46:92, 6:90:7] = 20

    assert find_line_split(flat) == pytest.approx(41, abs=3)


def test_the_size_of_a_plate_is_the_mean_of_its_opposite_sides() -> None:
    assert plate_size(frontal(0, 0, 50, 12)) == pytest.approx((50, 12))


def test_the_strip_takes_in_a_margin_around_the_plate() -> None:
    picture = np.full((400, 600, 3), 40, np.uint8)
    picture[150:250, 100:500] = 200

    strip = Rectifier(228, 116).rectify(picture, PlateDetection(frontal(100, 150, 400, 100), 1.0, 1)).image_gray

    rows, columns = np.nonzero(strip > strip.mean())
    assert (columns.min(), columns.max()) == pytest.approx((14, 213), abs=2)
    assert (rows.min(), rows.max()) == pytest.approx((8, 107), abs=1)


def test_a_strip_has_the_mean_and_the_contrast_that_the_reader_has_learned() -> None:
    quad = frontal(200, 150, 240, 60)

    strip = Rectifier(WIDTH, HEIGHT).rectify(picture_with(["AB12CD"], quad), PlateDetection(quad, 1.0, 1)).image_gray

    assert strip.mean() == pytest.approx(128, abs=6)
    assert strip.std() == pytest.approx(52, abs=6)


def test_each_line_takes_in_a_little_of_the_other() -> None:
    stripes = np.tile(np.array([20, -20], np.float32), 120)
    picture = np.full((400, 640, 3), 90, np.uint8)
    picture[100:220, 200:440] = (np.linspace(60, 180, 120)[:, None] + stripes)[..., None].astype(np.uint8)

    strip = Rectifier(WIDTH, HEIGHT).rectify(picture, PlateDetection(frontal(200, 100, 240, 120), 1.0, 2)).image_gray

    upper, lower = (half.mean(axis=1) for half in np.hsplit(strip, 2))
    shared, half = upper[-1] - lower[0], upper[24] - upper[8]
    assert shared / half == pytest.approx(0.27, abs=0.06)


def test_a_margin_above_the_upper_line_is_not_taken_for_the_gap_between_two() -> None:
    flat = np.full((96, 96), 220, np.uint8)
    flat[30:44, 6:90:7] = 20
    flat[44:52, 6:90:28] = 20  # dirt
    flat[52:92, 6:90:7] = 20

    assert find_line_split(flat) == pytest.approx(48, abs=4)
