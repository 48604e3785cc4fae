"""Maps become plates."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_app.detection.corner_decoding import FloatMap, decode, decode_corners, encode_corners

STRIDE = 8


def maps_of(
    plates: list[tuple[np.ndarray, float, int]], rows: int = 24, columns: int = 40
) -> tuple[FloatMap, FloatMap, FloatMap]:
    """Output maps in which the nine cells about each plate's centre show it."""
    score = np.full((rows, columns), -8.0, np.float32)
    codes = np.zeros((rows, columns, 8), np.float32)
    lines = np.zeros((rows, columns), np.float32)
    for corners, logit, line_count in plates:
        x, y = (corners.mean(axis=0) // STRIDE).astype(int)
        for row in range(y - 1, y + 2):
            for column in range(x - 1, x + 2):
                centre = (np.array([[column, row]], np.float32) + 0.5) * STRIDE
                score[row, column] = logit - 0.5 * (abs(row - y) + abs(column - x))
                codes[row, column] = encode_corners(corners[None], centre).reshape(8)
                lines[row, column] = 4.0 if line_count == 2 else -4.0
    return score, codes, lines


def quad(left: float, top: float, width: float, height: float) -> np.ndarray:
    return np.array(
        [[left, top], [left + width, top + 3], [left + width, top + height + 3], [left, top + height]], np.float32
    )


@given(st.lists(st.floats(-300, 300, width=32), min_size=8, max_size=8))
def test_coding_and_decoding_corners_gives_them_back(values: list[float]) -> None:
    corners = np.array(values, np.float32).reshape(1, 4, 2)
    centre = np.array([[100.0, 60.0]], np.float32)

    back = decode_corners(encode_corners(corners, centre), centre)

    assert back == pytest.approx(corners, abs=0.01)


def test_two_plates_side_by_side_are_two_finds_with_their_lines() -> None:
    left, right = quad(40, 60, 90, 22), quad(180, 70, 60, 40)

    plates = decode(*maps_of([(left, 4.0, 1), (right, 3.0, 2)]), STRIDE, 0.5, 16)

    assert [plate.lines for plate in plates] == [1, 2]
    assert plates[0].corners_px == pytest.approx(left, abs=0.01)
    assert plates[1].corners_px == pytest.approx(right, abs=0.01)
    assert plates[0].confidence > plates[1].confidence > 0.9


def test_half_a_plate_is_not_found_beside_the_whole() -> None:
    whole, half = quad(40, 60, 200, 44), quad(36, 62, 74, 44)

    plates = decode(*maps_of([(whole, 4.0, 1), (half, 3.0, 1)]), STRIDE, 0.5, 16)

    assert len(plates) == 1
    assert plates[0].corners_px == pytest.approx(whole, abs=0.01)


def test_a_plate_flatter_than_a_cell_is_found_once_though_its_cells_disagree_on_its_place() -> None:
    surer, other, further = ((quad(40, top, 24, 3) - [0, 1.5]).astype(np.float32) for top in (60, 67.5, 50.5))
    score, codes, lines = maps_of([(further, 4.0, 1)])
    for plate, row, logit in ((surer, 7, 3.0), (other, 8, 2.0)):
        centre = (np.array([[6, row]], np.float32) + 0.5) * STRIDE
        score[row, 6], codes[row, 6] = logit, encode_corners(plate[None], centre).reshape(8)

    plates = decode(score, codes, lines, STRIDE, 0.5, 16)

    assert len(plates) == 2
    assert plates[0].corners_px == pytest.approx(further, abs=0.01)
    assert plates[1].corners_px == pytest.approx(surer, abs=0.01)


def maps_of_cells(cells: list[tuple[int, int, np.ndarray, float]]) -> tuple[FloatMap, FloatMap, FloatMap]:
    """Output maps in which each of these cells (row, column) has corners and a logit of its own."""
    score, codes = np.full((24, 40), -8.0, np.float32), np.zeros((24, 40, 8), np.float32)
    for row, column, corners, logit in cells:
        centre = (np.array([[column, row]], np.float32) + 0.5) * STRIDE
        score[row, column], codes[row, column] = logit, encode_corners(corners[None], centre).reshape(8)
    return score, codes, score


@pytest.mark.parametrize(("overlap", "is_averaged"), [(0.75, True), (0.45, False)])
def test_cells_that_agree_with_the_best_one_share_in_its_corners(overlap: float, is_averaged: bool) -> None:
    best, other = quad(80, 80, 100, 20), quad(80 + 100 * (1 - overlap) / (1 + overlap), 80, 100, 20)

    (plate,) = decode(*maps_of_cells([(11, 16, best, 3.0), (11, 17, other, 2.9)]), STRIDE, 0.5, 16)

    assert (plate.corners_px[0, 0] > 81) == is_averaged


@pytest.mark.parametrize(("rank", "found"), [(350, 2), (500, 1)])
def test_of_very_many_likely_cells_the_four_hundred_strongest_count(rank: int, found: int) -> None:
    many = [(index // 40, index % 40, quad(20, 20, 200, 60), 4.0 - index / 1000) for index in range(700)]
    far = (23, 39, quad(260, 150, 40, 10), 4.0 - (rank - 0.5) / 1000)

    assert len(decode(*maps_of_cells([*many, far]), STRIDE, 0.5, 16)) == found


def test_cells_under_the_threshold_are_no_plates() -> None:
    maps = maps_of([(quad(40, 60, 90, 22), -1.0, 1)])

    assert decode(*maps, STRIDE, 0.5, 16) == []
    assert len(decode(*maps, STRIDE, 0.2, 16)) == 1


def test_no_more_plates_than_asked_for_and_the_best_stay() -> None:
    plates = [(quad(30 + 100 * index, 60, 70, 20), 2.0 + index, 1) for index in range(3)]

    found = decode(*maps_of(plates), STRIDE, 0.5, 2)

    assert [round(float(plate.corners_px[0, 0])) for plate in found] == [230, 130]


def test_a_map_hot_everywhere_ends_in_bounded_time_and_number() -> None:
    score = np.full((48, 80), 5.0, np.float32)
    codes = np.tile(np.array([-1, -1, 1, -1, 1, 1, -1, 1], np.float32), (48, 80, 1))

    found = decode(score, codes, np.zeros((48, 80), np.float32), STRIDE, 0.5, 16)

    assert len(found) == 16
