"""The shipped reader reads clear generated plates of one and two lines."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from edge_app.recognition.reader import PlateReader, log_softmax
from edge_app.recognition.rectifier import Rectifier
from edge_app.records import PlateDetection, Reading
from edge_app.tflite_model import TfliteModel
from training.synthetic.plates import render_plate

MODELS = Path(__file__).parent.parent.parent / "models"


@pytest.fixture(scope="module")
def reader() -> PlateReader:
    return PlateReader(TfliteModel.load(MODELS / "plate_reader.tflite", "plate-reader"))


def greedy(reading: Reading, alphabet: str) -> str:
    best = reading.log_probs.argmax(axis=1)
    kept = best[np.r_[True, best[1:] != best[:-1]]]
    return "".join(alphabet[index] for index in kept if index < len(alphabet))


@pytest.mark.parametrize(("style", "text"), [("hsrp", "MH 12 AB 1234"), ("white_two", "KA 01/MN 4567")])
def test_clear_plates_are_read(reader: PlateReader, style: str, text: str) -> None:
    right = 0
    for seed in range(10):
        plate = render_plate(np.random.default_rng(seed), style, text)
        height, width = plate.image_bgr.shape[:2]
        picture = cv2.copyMakeBorder(plate.image_bgr, 20, 20, 20, 20, cv2.BORDER_CONSTANT, value=(60, 60, 60))
        corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32) + 20
        strip = Rectifier(256, 32).rectify(picture, PlateDetection(corners, 1.0, plate.lines))
        right += greedy(reader.read(strip), reader.alphabet) == plate.text

    assert right >= 7


def test_the_posteriors_of_every_step_sum_to_one(reader: PlateReader) -> None:
    strip = Rectifier(256, 32).rectify(
        np.full((50, 200, 3), 99, np.uint8),
        PlateDetection(np.array([[0, 0], [200, 0], [200, 50], [0, 50]], np.float32), 1.0, 1),
    )

    posteriors = np.exp(reader.read(strip).log_probs)

    assert posteriors.shape[1] == len(reader.alphabet) + 1
    assert posteriors.sum(axis=1) == pytest.approx(1, abs=1e-5)


def test_log_softmax_survives_large_logits() -> None:
    assert log_softmax(np.array([[1000.0, 0.0]], np.float32)) == pytest.approx(np.array([[0.0, -1000.0]]))
