"""How well a camera is set up, from the plates in its picture."""

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from edge_app.geometry import Box, corners_of
from edge_app.recognition import aiming
from edge_app.recognition.aiming import Aim, aim_of, expected_share, pixels_per_metre, reach_metres
from edge_app.records import ImageBgr, PlateDetection, PlateRead
from tests.events.passes import plate_pass

BOX = (40.0, 30.0, 167.0, 40.0)


def plate(ink: int = 20, paper: int = 230, smear_px: int = 1, blur_px: float = 0.6) -> ImageBgr:
    """Letters of strokes of 4 pixels, 40 pixels high, moved to the side while they were exposed."""
    picture = np.full((110, 250, 3), 110, np.uint8)
    cv2.rectangle(picture, (40, 30), (207, 70), (paper, paper, paper), -1)
    for column in range(52, 196, 18):
        cv2.rectangle(picture, (column, 39), (column + 11, 61), (ink, ink, ink), 4)
    picture = np.asarray(cv2.blur(picture, (smear_px, 1)), np.uint8)
    return np.asarray(cv2.GaussianBlur(picture, (0, 0), blur_px), np.uint8)


def read_at(box: Box) -> PlateRead:
    return replace(plate_pass().read, detection=PlateDetection(corners_of(box), 0.9, 1))


def aim(picture: ImageBgr) -> Aim:
    return aim_of(picture, read_at(BOX))


def test_a_large_sharp_plate_needs_nothing() -> None:
    seen = aim(plate())

    assert seen.advice() == ()
    assert (seen.width_px, seen.line_height_px) == (167, 40)
    assert seen.contrast > 180
    assert seen.expected_share > 0.95
    assert pixels_per_metre([seen]) == pytest.approx(334)


@pytest.mark.parametrize(
    ("picture", "advice"),
    [
        (plate(smear_px=9), "shorten the exposure"),
        (plate(blur_px=3.0), "focus the lens"),
        (plate(ink=100, paper=125), "more light"),
    ],
)
def test_each_fault_of_the_picture_has_its_advice(picture: ImageBgr, advice: str) -> None:
    assert any(words.startswith(advice) for words in aim(picture).advice())


def test_the_smear_is_measured_and_never_exaggerated() -> None:
    measured = [aim(plate(smear_px=smear)).smear_px for smear in (1, 3, 5)]

    assert measured == [0, pytest.approx(2.6, abs=0.4), pytest.approx(4.4, abs=0.6)]


def test_a_small_plate_is_to_be_nearer() -> None:
    small = np.asarray(cv2.resize(plate(), None, fx=0.3, fy=0.3, interpolation=cv2.INTER_AREA), np.uint8)

    seen = aim_of(small, read_at((12, 9, 50, 12)))

    assert seen.advice()[0] == "go closer, or take a lens 2.0 times as long"
    assert seen.expected_share < 0.5


def test_the_share_that_is_read_falls_with_size_smear_and_contrast() -> None:
    assert expected_share(12, 0) < expected_share(20, 0) < expected_share(45, 0)
    assert expected_share(30, 2) < expected_share(30, 1) < expected_share(30, 0)
    assert expected_share(30, 0, 6) < expected_share(30, 0, 25) < expected_share(30, 0, 100)
    assert expected_share(1000, 0) == aiming.SHARES[-1][0]


def test_the_half_of_a_motorcycle_s_plate_is_no_measure() -> None:
    halves = Aim("MH12AB1234", corners_of(BOX), 100, 50, 0, 0.5, 100)

    assert pixels_per_metre([halves]) is None


CAMERAS = {
    "Camera Module 3, 4.74 mm": (6.45, 4.74),
    "Camera Module 3 Wide, 2.75 mm": (6.45, 2.75),
    "HQ Camera, 6 mm": (6.29, 6.0),
    "HQ Camera, 16 mm": (6.29, 16.0),
    "HQ Camera, 25 mm": (6.29, 25.0),
}
"""Width of the sensor and focal length, in millimetres, from the makers' data sheets."""


def test_the_tables_of_the_page_on_hardware_come_from_the_formulas() -> None:
    page = Path("docs/hardware.md").read_text(encoding="utf-8")
    rows = [
        f"| {height / 0.24:.0f} | {height:.0f} | {' | '.join(f'{row[column]:.2f}' for column in (0, 3, 4, 5))} |"
        for height, row in zip(aiming.HEIGHTS_PX, aiming.SHARES, strict=True)
    ]
    rows += [
        f"| {name} | {' | '.join(f'{reach_metres(width, *lens):.0f} m' for width in (1280, 1920, 2304))} |"
        for name, lens in CAMERAS.items()
    ]

    assert [row for row in rows if row not in page] == []
