"""A large picture's parts show all of it, and mark what one of them may have cut."""

from itertools import pairwise

import numpy as np
import pytest

from edge_app.detection.parts import parts_of
from edge_app.records import ImageBgr, PlateDetection

SEEN = (640, 384)


def noise(width: int, height: int) -> ImageBgr:
    return np.random.default_rng(1).integers(0, 256, (height, width, 3), dtype=np.uint8)


def plate(left: float, top: float, width: float = 60, height: float = 20) -> PlateDetection:
    right, bottom = left + width, top + height
    corners = np.array([[left, top], [right, top], [right, bottom], [left, bottom]], np.float32)
    return PlateDetection(corners, 0.7, 1)


@pytest.mark.parametrize(("width", "height"), [(640, 384), (800, 500), (300, 200)])
def test_a_picture_of_which_the_detector_sees_nearly_all_is_not_cut(width: int, height: int) -> None:
    assert parts_of(noise(width, height), SEEN) == []


@pytest.mark.parametrize(("width", "height"), [(1280, 720), (1024, 857), (673, 1024), (4000, 3000), (9000, 500)])
def test_the_parts_show_every_pixel_larger_and_overlap(width: int, height: int) -> None:
    picture = noise(width, height)
    parts = parts_of(picture, SEEN)

    shown = np.zeros((height, width), int)
    for part in parts:
        rows, columns = part.image_bgr.shape[:2]
        shown[part.top : part.top + rows, part.left : part.left + columns] += 1
        larger = min(SEEN[0] / columns, SEEN[1] / rows) / min(SEEN[0] / width, SEEN[1] / height)
        assert larger == pytest.approx(2, rel=0.01) or (columns, rows) == SEEN
        assert np.array_equal(part.image_bgr, picture[part.top : part.top + rows, part.left : part.left + columns])
    assert shown.min() == 1
    assert 2 <= len(parts) <= 9
    assert (shown > 1).mean() >= 0.15


def test_what_is_found_in_a_part_lies_in_the_picture() -> None:
    last = parts_of(noise(1280, 720), SEEN)[-1]

    placed = last.placed(plate(100, 50))

    assert placed is not None
    assert placed.box_px == pytest.approx((last.left + 100, last.top + 50, 60, 20))


def test_what_reaches_the_cut_is_left_to_the_next_part_and_what_reaches_the_pictures_edge_is_not() -> None:
    first, *_, last = parts_of(noise(1280, 720), SEEN)
    rows, columns = first.image_bgr.shape[:2]

    assert first.placed(plate(columns - 61, 50)) is None
    assert first.placed(plate(100, rows - 21)) is None
    assert last.placed(plate(1, 50)) is None
    assert first.placed(plate(0, 0)) is not None
    assert last.placed(plate(columns - 60, rows - 20)) is not None


@pytest.mark.parametrize("width", range(900, 4000, 100))
def test_neighbours_share_a_quarter_of_a_part_and_there_are_no_more_of_them_than_that_needs(width: int) -> None:
    parts = parts_of(noise(width, 200), SEEN)
    part_px = parts[0].image_bgr.shape[1]
    steps = len(parts) - 1

    assert all(after.left - before.left <= 0.75 * part_px + 1 for before, after in pairwise(parts))
    assert steps == 1 or (width - part_px) / (steps - 1) > 0.75 * part_px


@pytest.mark.parametrize(("away_px", "whole"), [(2, False), (4, True)])
def test_a_plate_within_three_pixels_of_the_cut_is_cut(away_px: int, whole: bool) -> None:
    first = parts_of(noise(1280, 720), SEEN)[0]
    rows, columns = first.image_bgr.shape[:2]

    beside, above = plate(columns - 60 - away_px, 50), plate(100, rows - 20 - away_px)

    assert [first.placed(each) is not None for each in (beside, above)] == [whole] * 2
