"""The shipped detector finds the plates of rendered scenes, in every size and shape of picture."""

from datetime import datetime
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from edge_app.detection.corner_decoding import encode_corners
from edge_app.detection.detector import PlateDetector
from edge_app.geometry import hulls, iou
from edge_app.newer_python import UTC
from edge_app.records import Corners, Frame, ImageBgr
from edge_app.tflite_model import InputShape, ModelManifest, TfliteModel
from training.synthetic.lettering import shipped_fonts
from training.synthetic.observation import paste
from training.synthetic.plates import render_plate

MODELS = Path(__file__).parent.parent.parent / "models"


def rectangle(left: float, top: float, width: float, height: float) -> Corners:
    right, bottom = left + width, top + height
    return np.array([[left, top], [right, top], [right, bottom], [left, bottom]], np.float32)


class CannedNetwork:
    """A network with an input of 320×192 that finds certain plates in the first search, and others in the next.

    A plate is its corners in pixels of the input, and a confidence.
    """

    def __init__(self, *searches: list[tuple[Corners, float]], working_point: float = 0.4) -> None:
        self._searches = list(searches)
        self.manifest = ModelManifest(
            "canned", "1", "plate-detector", InputShape(320, 192, 3, "BGR"), "", stride=8, confidence=working_point
        )

    def run(self, pixels: NDArray[np.uint8]) -> dict[str, NDArray[np.float32]]:
        score, corners = np.full((1, 24, 40, 1), -9, np.float32), np.zeros((1, 24, 40, 8), np.float32)
        for quad, confidence in self._searches.pop(0):
            column, row = (quad.mean(axis=0) // 8).astype(int)
            score[0, row, column] = np.log(confidence / (1 - confidence))
            centre = np.array([[column, row]], np.float32) * 8 + 4
            corners[0, row, column] = encode_corners(quad[None], centre).ravel()
        return {"score": score, "corners": corners, "lines": score}


WHOLE = rectangle(60, 80, 200, 48)
HALF_SIZE = rectangle(110, 88, 100, 24)
"""The same plate, where the picture is shown at half its size."""
PART = rectangle(60, 80, 96, 48)
SMALL = rectangle(120, 90, 40, 10)
FAR = rectangle(10, 20, 30, 8)


def found_by(
    *searches: list[tuple[Corners, float]], confidence: float | None = None, max_plates: int = 16
) -> list[tuple[list[float], float]]:
    """Box and confidence of what is found in a picture of the input's size."""
    detector = PlateDetector(CannedNetwork(*searches), max_plates=max_plates)
    found = detector.find(frame_of(np.zeros((192, 320, 3), np.uint8)), confidence)
    return [(hulls(plate.corners_px).round(1).tolist(), round(plate.confidence, 2)) for plate in found]


def hull_of(corners: Corners) -> list[float]:
    return hulls(corners).tolist()


def test_a_picture_without_a_large_plate_is_searched_once() -> None:
    assert found_by([(PART, 0.9), (FAR, 0.5)]) == [(hull_of(PART), 0.9), (hull_of(FAR), 0.5)]


def test_a_large_plate_takes_the_place_of_its_part_and_is_as_certain() -> None:
    found = found_by([(PART, 0.9), (WHOLE, 0.25), (FAR, 0.5)], [(HALF_SIZE, 0.6)])

    assert found == [(hull_of(WHOLE), 0.9), (hull_of(FAR), 0.5)]


def test_a_plate_is_large_from_two_fifths_of_the_input_on() -> None:
    large, less = rectangle(60, 80, 150, 36), rectangle(60, 80, 110, 26)
    half_size = rectangle(110, 88, 80, 20)

    assert found_by([(large, 0.5)], [(half_size, 0.9)]) == [(hull_of(rectangle(60, 80, 160, 40)), 0.9)]
    assert found_by([(less, 0.5)]) == [(hull_of(less), 0.5)]


def test_a_small_picture_is_enlarged_by_half_at_most() -> None:
    detector = PlateDetector(CannedNetwork([(rectangle(100, 90, 60, 15), 0.9)]))

    (plate,) = detector.find(frame_of(np.zeros((60, 100, 3), np.uint8)))

    assert np.ptp(plate.corners_px[:, 0]) == pytest.approx(40, abs=0.1)


def test_a_small_plate_on_a_large_find_stays() -> None:
    found = found_by([(SMALL, 0.95), (WHOLE, 0.25)], [(HALF_SIZE, 0.6)])

    assert found == [(hull_of(SMALL), 0.95), (hull_of(WHOLE), 0.6)]


def test_what_the_second_search_does_not_confirm_counts_as_the_first_found_it() -> None:
    assert found_by([(WHOLE, 0.5)], []) == [(hull_of(WHOLE), 0.5)]
    assert found_by([(WHOLE, 0.3)], []) == []
    assert found_by([(WHOLE, 0.15)]) == []


def test_the_second_search_uses_the_working_point_even_if_less_is_asked_for() -> None:
    assert found_by([(WHOLE, 0.25)], [(HALF_SIZE, 0.3)], confidence=0.02) == [(hull_of(WHOLE), 0.25)]


def test_two_searches_give_no_more_plates_than_asked_for() -> None:
    found = found_by([(FAR, 0.9), (WHOLE, 0.5)], [(rectangle(20, 20, 15, 4), 0.95), (HALF_SIZE, 0.6)], max_plates=1)

    assert found == [(hull_of(FAR), 0.9)]


def test_a_large_plate_in_the_small_picture_has_its_corners_in_the_full_one() -> None:
    detector = PlateDetector(CannedNetwork([(WHOLE, 0.5)], [(HALF_SIZE, 0.6)]))

    (plate,) = detector.find(frame_of(np.zeros((768, 1280, 3), np.uint8), np.zeros((192, 320, 3), np.uint8)))

    assert np.allclose(plate.corners_px, WHOLE * 4, atol=0.1)


@pytest.mark.parametrize(("working_point", "asked", "found"), [(0.5, None, 0), (0.3, None, 1), (0.5, 0.3, 1)])
def test_a_plate_counts_from_the_models_working_point_on_unless_set_otherwise(
    working_point: float, asked: float | None, found: int
) -> None:
    detector = PlateDetector(CannedNetwork([(FAR, 0.4)], working_point=working_point), asked)

    assert len(detector.find(frame_of(np.zeros((192, 320, 3), np.uint8)))) == found


@pytest.fixture(scope="module")
def detector() -> PlateDetector:
    return PlateDetector(TfliteModel.load(MODELS / "plate_detector.tflite", "plate-detector"))


def frame_of(image_bgr: ImageBgr, small_bgr: ImageBgr | None = None) -> Frame:
    return Frame(image_bgr, datetime(2026, 1, 31, tzinfo=UTC), 0, 0, "north", small_bgr)


def rear_of_a_car(style: str) -> tuple[ImageBgr, Corners]:
    """A drawn car from behind with one plate, 1280×960."""
    picture = np.full((960, 1280, 3), (150, 145, 140), np.uint8)
    cv2.rectangle(picture, (0, 620), (1280, 960), (90, 90, 92), -1)
    cv2.rectangle(picture, (380, 330), (900, 740), (120, 40, 30), -1)
    cv2.rectangle(picture, (440, 350), (840, 480), (40, 35, 30), -1)
    for left in (390, 830):
        cv2.rectangle(picture, (left, 510), (left + 60, 560), (30, 30, 200), -1)
    cv2.rectangle(picture, (400, 680), (480, 800), (20, 20, 20), -1)
    cv2.rectangle(picture, (800, 680), (880, 800), (20, 20, 20), -1)
    plate = render_plate(np.random.default_rng(4), style)
    height = 40 * plate.lines
    width = height * plate.image_bgr.shape[1] / plate.image_bgr.shape[0]
    left, top = 640 - width / 2, 600.0
    corners = np.array(
        [[left, top], [left + width, top + 4], [left + width, top + 4 + height], [left, top + height]], np.float32
    )
    paste(picture, plate.image_bgr, corners)
    return cv2.GaussianBlur(picture, (0, 0), 0.8), corners


def overlap(one: Corners, other: Corners) -> float:
    return float(iou(hulls(one), hulls(other)))


@pytest.mark.parametrize(("style", "lines"), [("white", 1), ("commercial", 1), ("white_two", 2)])
def test_a_plate_is_found_where_it_is_with_its_line_count(detector: PlateDetector, style: str, lines: int) -> None:
    picture, corners = rear_of_a_car(style)

    found = detector.find(frame_of(picture))

    assert found, "the plate was not found"
    assert overlap(found[0].corners_px, corners) > 0.6
    assert found[0].lines == lines


def test_the_small_picture_is_searched_and_corners_are_those_of_the_full_one(
    detector: PlateDetector,
) -> None:
    picture, corners = rear_of_a_car("white")
    small = cv2.resize(picture, (640, 480), interpolation=cv2.INTER_AREA)

    found = detector.find(frame_of(picture, small))

    assert found
    assert overlap(found[0].corners_px, corners) > 0.6


@pytest.mark.parametrize("shape", [(1, 1), (2, 900), (700, 3), (31, 33), (4000, 20)])
def test_pictures_of_any_shape_are_searched_without_complaint(detector: PlateDetector, shape: tuple[int, int]) -> None:
    assert isinstance(detector.find(frame_of(np.full((*shape, 3), 128, np.uint8))), list)


@pytest.mark.parametrize("width", [560, 850, 1150])
def test_a_plate_that_fills_much_of_the_picture_is_found_from_edge_to_edge(detector: PlateDetector, width: int) -> None:
    plate = render_plate(np.random.default_rng(4), "white", "MH 12 AB 1234", 96, shipped_fonts()).image_bgr
    height = round(width * plate.shape[0] / plate.shape[1])
    picture = np.full((720, 1280, 3), (120, 118, 115), np.uint8)
    corners = rectangle((1280 - width) // 2, 300, width, height)
    paste(picture, plate, corners)

    found = detector.find(frame_of(picture))

    assert len(found) == 1
    assert np.abs(found[0].corners_px - corners)[:, 0].max() < 0.06 * width


def test_an_empty_road_has_no_plate(detector: PlateDetector) -> None:
    picture = np.full((720, 1280, 3), (150, 145, 140), np.uint8)
    cv2.rectangle(picture, (0, 420), (1280, 720), (90, 90, 92), -1)

    assert detector.find(frame_of(picture)) == []
