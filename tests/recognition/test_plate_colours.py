"""The colours of a plate, in several lights, and what they mean in India."""

import cv2
import numpy as np
import pytest

from edge_app.recognition.plate_colours import CATEGORIES, category_of, colours_of, majority
from edge_app.records import Corners, ImageBgr, PlateColours

BGR = {
    "white": (235, 235, 235),
    "black": (25, 25, 25),
    "yellow": (40, 195, 240),
    "green": (70, 140, 40),
    "red": (35, 30, 190),
    "blue": (150, 60, 20),
}
PLATES = {
    "private": ("white", "black"),
    "commercial": ("yellow", "black"),
    "electric_private": ("green", "white"),
    "electric_commercial": ("green", "yellow"),
    "rental": ("black", "yellow"),
    "temporary": ("yellow", "red"),
    "dealer": ("red", "white"),
    "diplomatic": ("blue", "white"),
}
LIGHTS = {
    "day": (1.0, 1.0, 1.0),
    "shade": (1.08, 1.0, 0.92),
    "warm": (0.94, 1.0, 1.06),
    "dim": (0.45, 0.45, 0.45),
}


@pytest.mark.parametrize("light", LIGHTS)
@pytest.mark.parametrize("category", PLATES)
@pytest.mark.parametrize("lines", [1, 2])
def test_every_category_is_told_by_its_colours_in_several_lights(category: str, lines: int, light: str) -> None:
    background, characters = PLATES[category]
    image_bgr, corners = picture_of(background, characters, lines=lines, light=LIGHTS[light])

    colours = colours_of(image_bgr, corners)

    assert colours == PlateColours(background, characters)
    assert category_of(colours, "IN", "standard") == category


@pytest.mark.parametrize("category", ["private", "commercial", "rental", "dealer", "electric_private"])
def test_lines_ten_pixels_high_and_blurred_are_enough(category: str) -> None:
    background, characters = PLATES[category]
    image_bgr, corners = picture_of(background, characters, lines=1, scale=0.18)

    colours = colours_of(cv2.GaussianBlur(image_bgr, (0, 0), 0.7), corners)

    assert category_of(colours, "IN", "standard") == category


@pytest.mark.parametrize("tint", [(1.0, 1.0, 1.0), (0.95, 0.85, 1.0)])
@pytest.mark.parametrize("category", PLATES)
def test_a_grey_picture_shows_no_colours_though_it_be_tinted(category: str, tint: tuple[float, float, float]) -> None:
    image_bgr, corners = picture_of(*PLATES[category])
    gray = cv2.cvtColor(image_bgr, cv2.COLOR_BGR2GRAY)
    luma = np.stack([gray, *(np.full_like(gray, round(128 + 40 * (each - 1))) for each in tint[1:])], axis=-1)

    colours = colours_of(cv2.cvtColor(luma, cv2.COLOR_YCrCb2BGR), corners)

    assert colours == PlateColours(None, None)


def test_a_picture_without_contrast_or_light_shows_no_colours() -> None:
    image_bgr, corners = picture_of("white", "black", light=(0.1, 0.1, 0.1))

    assert colours_of(image_bgr, corners) == PlateColours(None, None)
    assert colours_of(np.full_like(image_bgr, 90), corners) == PlateColours(None, None)


def test_a_plate_beyond_the_edges_of_the_picture_is_no_error() -> None:
    image_bgr, corners = picture_of("white", "black")

    for shift in (-1000, 1000):
        colours_of(image_bgr, (corners + shift).astype(np.float32))


def test_only_indian_plates_have_a_category() -> None:
    white = PlateColours("white", "black")

    assert category_of(white, "IN", "standard") == "private"
    assert category_of(white, "BR", "standard") is None
    assert category_of(white, None, None) is None


@pytest.mark.parametrize("plate_format", ["defence", "diplomatic", "temporary"])
def test_some_formats_tell_the_category_also_at_night(plate_format: str) -> None:
    assert category_of(PlateColours(None, None), "IN", plate_format) == plate_format
    assert plate_format in CATEGORIES


def test_colours_of_no_meaning_give_no_category() -> None:
    assert category_of(PlateColours("black", "white"), "IN", "standard") is None
    assert category_of(PlateColours("white", None), "IN", "standard") is None


def test_the_colours_of_a_pass_are_those_that_weigh_most() -> None:
    white, yellow = PlateColours("white", "black"), PlateColours("yellow", "black")

    assert majority([(yellow, 1.0), (white, 0.4), (white, 0.4)]) == yellow
    assert majority([(yellow, 1.0), (white, 0.6), (white, 0.6)]) == white
    assert majority([(PlateColours(None, None), 9.0), (white, 0.1)]) == white
    assert majority([]) == PlateColours(None, None)


def picture_of(
    background: str,
    characters: str,
    *,
    lines: int = 1,
    light: tuple[float, float, float] = (1.0, 1.0, 1.0),
    scale: float = 1.0,
) -> tuple[ImageBgr, Corners]:
    """A plate in its frame on a car with a lamp, and its corners."""
    width, height = (420, 100) if lines == 1 else (240, 140)
    image = np.full((height + 120, width + 120, 3), (120, 100, 90), np.uint8)
    cv2.rectangle(image, (5, 5), (45, 45), (30, 30, 200), -1)
    cv2.rectangle(image, (52, 52), (width + 67, height + 67), BGR["black"], -1)
    cv2.rectangle(image, (60, 60), (width + 59, height + 59), BGR[background], -1)
    for row, text in enumerate(("MH 12 AB 1234",) if lines == 1 else ("MH 12", "AB 1234")):
        place = (75 if lines == 1 else 80, 130 if lines == 1 else 118 + 65 * row)
        cv2.putText(image, text, place, cv2.FONT_HERSHEY_SIMPLEX, 1.72, BGR[characters], 8, cv2.LINE_AA)
    lit = np.clip(image * np.array(light), 0, 255).astype(np.uint8)
    corners = np.array([[60, 60], [width + 60, 60], [width + 60, height + 60], [60, height + 60]], np.float32)
    if scale != 1.0:
        lit = cv2.resize(lit, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    return np.asarray(lit, np.uint8), (corners * scale).astype(np.float32)
