"""Characters are cut out, texts travel as pictures and steps, scores say what they should."""

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from edge_app.geometry import Box
from training.shapes import ALPHABET, READER_WIDTH
from training.study.ocr import has_tesseract, read_by_tesseract
from training.study.plates import WIDE
from training.study.scores.curves import by_class, confusion, mean, pairs, roc_and_pr
from training.study.scores.plates import characters_of
from training.study.segmentation import contours, projections
from training.study.setting import SETTINGS
from training.study.store import Store, code_of
from training.study.tasks.hybrid import HYBRID_HEIGHT, packed
from training.study.texts import PLACES, SYMBOLS, as_pixels, as_steps, codes_of, greedy, text_of


def strip_with(text: str, dark: bool = True) -> np.ndarray:
    """A clean wide strip."""
    strip = np.full((WIDE[1], WIDE[0]), 230 if dark else 30, np.uint8)
    for index, character in enumerate(text):
        cv2.putText(strip, character, (20 + 46 * index, 50), cv2.FONT_HERSHEY_SIMPLEX, 1.5, 20 if dark else 235, 4)
    return strip


@pytest.mark.parametrize("segment", [contours.segment, projections.segment])
@pytest.mark.parametrize("dark", [True, False])
def test_the_characters_of_a_clean_strip_are_cut_apart(segment: Callable[[np.ndarray], list[Box]], dark: bool) -> None:
    boxes = segment(strip_with("MH12AB1234", dark))

    assert len(boxes) == 10
    assert boxes == sorted(boxes)


@pytest.mark.parametrize("segment", [contours.segment, projections.segment])
def test_an_empty_strip_has_few_characters_or_none(segment: Callable[[np.ndarray], list[Box]]) -> None:
    assert len(segment(np.full((WIDE[1], WIDE[0]), 128, np.uint8))) <= 1


@pytest.mark.parametrize("text", ["", "MH12AB1234", "AABB11", "A" * 30])
def test_a_text_is_the_same_after_its_way_as_symbols_and_as_steps(text: str) -> None:
    codes = codes_of(text)
    logits = np.eye(SYMBOLS, dtype=np.float32)[codes[codes < len(ALPHABET)]] * 9

    assert text_of(codes) == text[:PLACES]
    assert greedy(as_steps(logits)) == text[:PLACES]


def test_a_text_as_a_picture_has_one_bright_pixel_at_each_place() -> None:
    pixels = as_pixels(["MH12", ""])

    assert pixels.shape == (2, PLACES, SYMBOLS, 1)
    assert (pixels.sum(axis=(2, 3)) == 255).all()


def test_a_packed_picture_holds_the_strip_and_the_text_below_it() -> None:
    strips = np.full((1, 32, READER_WIDTH), 7, np.uint8)

    image = packed(strips, ["KA1"])[0, :, :, 0]

    assert image.shape == (HYBRID_HEIGHT, READER_WIDTH)
    assert (image[:32] == 7).all()
    assert np.array_equal(image[32:].ravel()[: PLACES * SYMBOLS], as_pixels(["KA1"]).ravel())


def test_scores_by_class_are_those_of_the_textbook() -> None:
    truths, read = np.array([0, 0, 1, 1]), np.array([0, 1, 1, 1])

    classes = by_class(confusion(truths, read))

    assert [classes["precision"][code] for code in (0, 1)] == [1, pytest.approx(2 / 3)]
    assert [classes["recall"][code] for code in (0, 1)] == [0.5, 1]
    assert classes["f1"][0] == pytest.approx(2 / 3)
    assert classes["f1"][5] is None
    assert mean(classes["recall"]) == 0.75


def test_look_alikes_are_counted_both_ways() -> None:
    zero, letter = ALPHABET.index("0"), ALPHABET.index("O")

    assert pairs(confusion(np.array([zero, zero, letter]), np.array([letter, zero, zero])))["0O"] == [1, 1, 3]


def test_the_area_under_the_curve_of_a_perfect_classifier_is_one_and_of_a_blind_one_a_half() -> None:
    truths = np.arange(36).repeat(4)
    perfect = np.eye(36)[truths]
    blind = np.random.default_rng(0).random((len(truths), 36))

    assert roc_and_pr(truths, perfect)["auc"] == pytest.approx(1)
    assert roc_and_pr(truths, perfect)["average_precision"] == pytest.approx(1)
    assert roc_and_pr(truths, blind)["auc"] == pytest.approx(0.5, abs=0.1)


def test_confusions_of_texts_come_from_reads_of_the_right_length() -> None:
    counts = characters_of(["KB1", "LONGER"], ["K81", "SHORT"])

    assert counts.sum() == 3
    assert counts[ALPHABET.index("8"), ALPHABET.index("B")] == 1


@pytest.mark.skipif(not has_tesseract(), reason="Tesseract is not installed")
def test_tesseract_reads_a_clean_strip() -> None:
    assert read_by_tesseract(np.stack([strip_with("MH12AB1234")] * 2)) == ["MH12AB1234"] * 2


def test_what_was_made_is_found_again_until_setting_seed_or_code_change(tmp_path: Path) -> None:
    module = ("training.study.texts",)
    store = Store(tmp_path, SETTINGS["quick"], seed=1)

    place = store.place("thing", 5, modules=module)

    assert store.place("thing", 5, modules=module) == place
    assert store.place("thing", 6, modules=module) != place
    assert Store(tmp_path, SETTINGS["quick"], seed=2).place("thing", 5, modules=module) != place
    assert store.place("thing", 5, modules=("training.study.boxes",)) != place


def test_comments_and_docstrings_are_no_change_of_code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    codes = []
    for text in ('"""Says this."""\nX = 1\n', '"""Says that."""\n# and more\nX = 1\n', "X = 2\n"):
        (tmp_path / "studied.py").write_text(text, encoding="utf-8")
        code_of.cache_clear()
        codes.append(code_of("studied"))

    assert codes[0] == codes[1]
    assert codes[1] != codes[2]
