"""Generated plates and strips are labelled truly."""

import re

import numpy as np
import pytest

from edge_app.detection.corner_decoding import decode
from training.detector_targets import targets_of
from training.plate_pictures import VIEW, PlatePicture, PlateTruth
from training.shapes import ALPHABET, READER_HEIGHT, READER_WIDTH, STRIDE
from training.strips import StripSource, encode, loosen
from training.synthetic.observation import observe
from training.synthetic.plates import render_plate, style_names
from training.synthetic.texts import indian_words


def picture_of(*plates: PlateTruth, all_boxed: bool = True) -> PlatePicture:
    return PlatePicture(np.zeros((VIEW[1], VIEW[0], 3), np.uint8), plates, all_boxed)


@pytest.mark.parametrize("style", style_names())
def test_every_style_renders_with_its_text_and_line_count(style: str) -> None:
    plate = render_plate(np.random.default_rng(5), style)

    assert plate.style == style
    assert 4 <= len(plate.text) <= 13
    assert set(plate.text) <= set(ALPHABET)
    assert plate.image_bgr.std() > 10, "there is ink on it"


def test_the_same_seed_gives_the_same_plate_and_a_given_text_is_kept() -> None:
    one, same = (render_plate(np.random.default_rng(7), "hsrp", "MH 12 AB 1234") for _ in range(2))

    assert one.text == "MH12AB1234"
    assert np.array_equal(one.image_bgr, same.image_bgr)


def test_indian_standard_texts_follow_the_standard() -> None:
    rng = np.random.default_rng(0)
    pattern = re.compile(r"[A-Z]{2}(\d{1,2}|\d{1,2}[CSPRTVBE])[A-HJ-NP-Z]{0,3}\d{1,4}")

    for lines in (1, 2):
        for _ in range(200):
            words = indian_words(rng, "standard", lines)
            assert len(words.lines) <= lines
            assert pattern.fullmatch(words.text), words.text


def test_an_observed_plate_lies_within_its_picture() -> None:
    rng = np.random.default_rng(2)
    for _ in range(30):
        seen = observe(rng, render_plate(rng, height_px=64))
        height, width = seen.image_bgr.shape[:2]
        assert (seen.corners_px >= 0).all()
        assert (seen.corners_px <= (width, height)).all()


def test_generated_strips_are_the_same_for_the_same_seed() -> None:
    with StripSource([], seed=3, processes=1) as source:
        one, same, other = (source.draw(12, stream) for stream in (1, 1, 2))

    assert np.array_equal(one.images, same.images)
    assert not np.array_equal(one.images, other.images)
    assert one.images.shape == (12, READER_HEIGHT, READER_WIDTH)
    assert encode("A1").tolist()[:3] == [10, 1, -1]


def test_loosened_corners_stay_near() -> None:
    corners = np.array([[0, 0], [100, 0], [100, 25], [0, 25]], np.float32)
    rng = np.random.default_rng(1)

    moved = np.stack([loosen(rng, corners) for _ in range(100)])

    assert np.abs(moved - corners).mean() < 4
    assert np.abs(moved - corners).max() < 30


def test_targets_decode_to_the_plates_they_were_made_from() -> None:
    wide = np.array([[40, 50], [140, 60], [138, 86], [38, 76]], np.float32)
    two = np.array([[200, 100], [260, 100], [260, 140], [200, 140]], np.float32)
    small = np.array([[300, 10], [306, 10], [306, 13], [300, 13]], np.float32)
    plates = (PlateTruth(wide, True, 1), PlateTruth(two, True, 2), PlateTruth(small, False, None, counted=False))

    targets = targets_of(picture_of(*plates))
    decoded = decode(
        (targets.score[..., 0] - 0.5) * 20, targets.corners[..., :8], targets.lines[..., 0] - 0.5, STRIDE, 0.5, 9
    )

    assert sorted(plate.lines for plate in decoded) == [1, 2]
    for plate in decoded:
        assert plate.corners_px == pytest.approx(wide if plate.lines == 1 else two, abs=0.05)
    assert (targets.score[1, 37] == (0, 0)).all(), "the small one is neither right nor wrong"


def test_only_what_is_around_a_known_plate_is_background_where_others_may_lack_a_box() -> None:
    plate = PlateTruth(np.array([[40, 50], [140, 50], [140, 80], [40, 80]], np.float32), True, 1)

    weights = targets_of(picture_of(plate, all_boxed=False)).score[..., 1]

    assert weights[65 // STRIDE, 90 // STRIDE] > 0, "the plate itself"
    assert weights[40 // STRIDE, 90 // STRIDE] == 1, "just above it"
    assert weights[65 // STRIDE, 300 // STRIDE] == 0, "far away there may be a plate without a box"
