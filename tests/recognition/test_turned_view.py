"""Views of a plate with the picture turned about it."""

import numpy as np
import pytest

from edge_app.recognition.turned_view import turned_view
from edge_app.records import PlateDetection

PLATE = PlateDetection(np.array([[100, 50], [200, 80], [190, 120], [90, 90]], np.float32), 0.9, 1)


def picture_with_dots() -> np.ndarray:
    picture = np.zeros((200, 300, 3), np.uint8)
    for x, y in PLATE.corners_px.astype(int):
        picture[y - 1 : y + 2, x - 1 : x + 2] = 255
    return picture


@pytest.mark.parametrize("degrees", [0.0, 20.0, -35.0])
def test_what_is_found_in_a_view_is_placed_where_it_lies_in_the_picture(degrees: float) -> None:
    view = turned_view(picture_with_dots(), PLATE, degrees)

    rows, columns = np.nonzero(view.image_bgr[..., 0] == view.image_bgr.max())
    dots = np.stack([columns, rows], axis=1).astype(np.float32)
    placed = view.placed(PlateDetection(dots, 0.5, 2))

    away = np.linalg.norm(placed.corners_px[:, None] - PLATE.corners_px[None], axis=2)
    assert away.min(axis=1).max() < 2
    assert away.min(axis=0).max() < 2
    assert (placed.confidence, placed.lines) == (0.5, 2)


def test_a_plate_that_hangs_askew_is_upright_in_a_view_turned_with_it() -> None:
    slope = np.degrees(np.arctan2(30, 100))

    view = turned_view(picture_with_dots(), PLATE, slope)

    left, right = np.nonzero(view.image_bgr[..., 0].max(axis=0) == 255)[0][[0, -1]]
    upper_row, lower_row = np.nonzero(view.image_bgr[..., 0].max(axis=1) == 255)[0][[0, -1]]
    assert right - left == pytest.approx(np.hypot(100, 30), abs=5)
    assert lower_row - upper_row == pytest.approx(np.hypot(10, 40), abs=5)


def test_a_view_shows_grey_beyond_the_picture_and_leaves_room_around_the_plate() -> None:
    view = turned_view(np.zeros((60, 60, 3), np.uint8), PlateDetection(PLATE.corners_px - 80, 0.9, 1), 0.0)

    assert view.image_bgr.shape[:2] == (275, 275)
    assert (view.image_bgr[0, 0] == 114).all()
    assert (view.image_bgr.min(), view.image_bgr.max()) == (0, 114)


def test_a_plate_without_any_size_gives_a_view_all_the_same() -> None:
    view = turned_view(np.zeros((60, 60, 3), np.uint8), PlateDetection(np.zeros((4, 2), np.float32), 0.9, 1), 10.0)

    assert view.image_bgr.size > 0


@pytest.mark.parametrize("size", [(1, 8000), (3000, 4000)])
def test_a_view_of_a_large_crop_is_small_and_still_tells_places(size: tuple[int, int]) -> None:
    height, width = size
    corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)

    view = turned_view(np.zeros((height, width, 3), np.uint8), PlateDetection(corners, 0.0, 1), 10.0)

    assert view.image_bgr.shape == (1280, 1280, 3)
    middle = view.placed(PlateDetection(np.full((4, 2), 640, np.float32), 0.5, 1)).corners_px
    assert middle == pytest.approx(np.tile([width / 2, height / 2], (4, 1)), abs=1)
