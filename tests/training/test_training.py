"""Training learns, leaves its run folder, and goes on where it was cut off."""

import json
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import keras
import numpy as np
import pytest

from edge_app.errors import EdgeAnprError
from training.architectures import plate_detector, plate_reader
from training.detector_targets import targets_of
from training.loop import RunFolder, train
from training.plan import Plan
from training.plate_pictures import VIEW, PlateTruth
from training.shapes import ALPHABET, READER_STEPS, STRIDE
from training.strips import Strips, batches, generated_strips
from training.train_detector import detector_loss
from training.train_reader import Pair, ctc_loss, greedy_exact

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # Keras' and TensorFlow's own


def test_the_networks_have_the_shapes_the_device_expects() -> None:
    detector, reader = plate_detector(), plate_reader()

    maps = detector(np.zeros((1, 192, 320, 3), np.float32))
    logits = reader(np.zeros((2, 32, 192, 1), np.float32))["logits"]

    assert {name: tuple(value.shape) for name, value in maps.items()} == {
        "score": (1, 192 // STRIDE, 320 // STRIDE, 1),
        "corners": (1, 192 // STRIDE, 320 // STRIDE, 8),
        "lines": (1, 192 // STRIDE, 320 // STRIDE, 1),
    }
    assert tuple(logits.shape) == (2, 48, 37)


def test_a_training_that_was_cut_off_goes_on_and_the_loss_falls(tmp_path: Path) -> None:
    keras.utils.set_random_seed(1)
    strips = generated_strips(64, seed=1)

    def run_for(steps: int) -> None:
        model = plate_reader()
        plan = Plan(steps, 16, 2e-3, checkpoint_every=10, warmup_steps=2)
        train(model, ctc_loss, partial(_stream, strips), plan, RunFolder(tmp_path, plan, {"strips": 64}), lambda _: {})

    run_for(10)
    run_for(30)

    rows = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert [row["step"] for row in rows] == [10, 20, 30], "the first ten steps were not done again"
    assert rows[-1]["ctc"] < rows[0]["ctc"]
    facts = json.loads((tmp_path / "run.json").read_text())
    assert facts["plan"]["seed"] == 1
    assert facts["command"].startswith("python -m training")
    assert (tmp_path / "curves.png").read_bytes().startswith(b"\x89PNG")


def test_a_picture_that_cannot_be_read_ends_the_training_and_is_named(tmp_path: Path) -> None:
    def broken(rng: np.random.Generator) -> Iterator[Pair]:
        raise EdgeAnprError("images/7.jpg: not a readable picture")
        yield

    plan = Plan(10, 16, 2e-3, warmup_steps=2)

    with pytest.raises(EdgeAnprError, match=r"images/7\.jpg"):
        train(plate_reader(), ctc_loss, broken, plan, RunFolder(tmp_path, plan, {}), lambda _: {})


def _stream(strips: Strips, rng: np.random.Generator) -> Iterator[Pair]:
    for batch in batches(rng, [(strips, 1.0)], 16):
        yield batch.images[..., None].astype(np.float32), batch.labels.astype(np.int32)


def test_greedy_reading_counts_exact_matches_only() -> None:
    strips = generated_strips(8, seed=2)

    def right_on_half(images: np.ndarray, training: bool) -> dict[str, np.ndarray]:
        logits = np.zeros((8, READER_STEPS, len(ALPHABET) + 1))
        logits[..., -1] = 1
        for row, label in enumerate(strips.labels):
            said = label[label >= 0][: None if row % 2 else -1]
            logits[row, 2 * np.arange(len(said)), said] = 2
        return {"logits": logits}

    assert greedy_exact(right_on_half, strips) == 0.5


def test_the_detector_loss_is_lower_where_the_answer_is_right() -> None:
    quad = np.array([[100, 60], [180, 62], [180, 84], [100, 82]], np.float32)
    target = targets_of((PlateTruth(quad, True, 1),), *VIEW)
    batch = (np.zeros((1, *VIEW[::-1], 3), np.float32), target.score[None], target.corners[None], target.lines[None])

    def right(images: np.ndarray, training: bool) -> dict[str, np.ndarray]:
        return {
            "score": (batch[1][..., :1] - 0.5) * 12,
            "corners": batch[2][..., :8],
            "lines": (batch[3][..., :1] - 0.5) * 12,
        }

    def wrong(images: np.ndarray, training: bool) -> dict[str, np.ndarray]:
        said = right(images, training)
        return {"score": -said["score"], "corners": said["corners"] + 0.5, "lines": -said["lines"]}

    good, bad = (detector_loss(answer, batch) for answer in (right, wrong))

    assert float(good["score"]) < 0.05
    assert float(good["corners"]) == pytest.approx(0, abs=1e-6)
    for name, value in bad.items():
        assert float(value) > float(good[name]) + 0.2
