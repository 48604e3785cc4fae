"""Training learns, leaves its run folder, and goes on where it was cut off."""

import json
from collections.abc import Iterator
from pathlib import Path

import keras
import numpy as np
import pytest
from keras import ops

from edge_app.errors import EdgeAnprError
from training.architectures import plate_detector, plate_reader
from training.detector_targets import targets_of
from training.loop import Batch, RunFolder, WarmupStableDecay, train
from training.plan import Plan
from training.plate_pictures import VIEW, PlatePicture, PlateTruth
from training.shapes import ALPHABET, READER_HEIGHT, READER_STEPS, READER_WIDTH, STRIDE
from training.strips import StripSource, encode
from training.train_detector import detector_loss
from training.train_reader import LOSS_PARTS, greedy_exact, reader_loss

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # Keras' and TensorFlow's own


def picture_of(*plates: PlateTruth, all_boxed: bool = True) -> PlatePicture:
    return PlatePicture(np.zeros((VIEW[1], VIEW[0], 3), np.uint8), plates, all_boxed)


def test_the_networks_have_the_shapes_the_device_expects() -> None:
    detector, reader = plate_detector(), plate_reader()

    maps = detector(np.zeros((1, 192, 320, 3), np.float32))
    logits = reader(np.zeros((2, READER_HEIGHT, READER_WIDTH, 1), np.float32))["logits"]

    assert {name: tuple(value.shape) for name, value in maps.items()} == {
        "score": (1, 192 // STRIDE, 320 // STRIDE, 1),
        "corners": (1, 192 // STRIDE, 320 // STRIDE, 8),
        "lines": (1, 192 // STRIDE, 320 // STRIDE, 1),
    }
    assert tuple(logits.shape) == (2, READER_STEPS, 37)


def test_a_training_that_was_cut_off_goes_on_and_the_loss_falls(tmp_path: Path) -> None:
    keras.utils.set_random_seed(1)

    with StripSource([], seed=1, processes=1) as source:
        strips = source.draw(64, stream=0)

    def batches(step: int) -> Iterator[Batch]:
        rng = np.random.default_rng(step)
        while True:
            some = strips[rng.integers(0, 64, 16)]
            yield some.images[..., None].astype(np.float32), {"text": some.labels.astype(np.int32)}

    def run_for(steps: int) -> None:
        model = plate_reader()
        plan = Plan(steps, 16, 2e-3, checkpoint_every=10, warmup_steps=2)
        train(model, reader_loss, LOSS_PARTS, batches, plan, RunFolder(tmp_path, plan, {"strips": 64}), lambda _: {})

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
    def broken(step: int) -> Iterator[Batch]:
        raise EdgeAnprError("images/7.jpg: not a readable picture")
        yield

    plan = Plan(10, 16, 2e-3, warmup_steps=2)

    with pytest.raises(EdgeAnprError, match=r"images/7\.jpg"):
        train(plate_reader(), reader_loss, LOSS_PARTS, broken, plan, RunFolder(tmp_path, plan, {}), lambda _: {})


def test_the_learning_rate_rises_stays_and_falls_to_zero() -> None:
    rate_at = WarmupStableDecay(
        Plan(steps=1000, batch_size=1, learning_rate=1e-3, warmup_steps=100, cooldown_share=0.3)
    )

    rates = [float(rate_at(step)) for step in (0, 99, 500, 699, 850, 1000)]

    assert rates == pytest.approx([1e-5, 1e-3, 1e-3, 1e-3, 5e-4, 0])


def test_an_illegible_strip_counts_for_less_than_its_loss() -> None:
    labels = np.stack([encode("A")] * 2)
    logits = np.zeros((2, READER_STEPS, len(ALPHABET) + 1), np.float32)
    logits[0, :, -1], logits[0, 5, ALPHABET.index("A")] = 9, 18  # an A, clearly
    logits[1, :, -1] = 40  # blanks alone, clearly

    clear = reader_loss({"text": labels[:1].astype(np.int32)}, {"logits": logits[:1]})["ctc"]
    both = reader_loss({"text": labels.astype(np.int32)}, {"logits": ops.convert_to_tensor(logits)})["ctc"]

    assert float(clear) < 1
    assert float(both) == pytest.approx(0.2 * 40 / 2, abs=1)


def test_greedy_reading_counts_exact_matches_only() -> None:
    with StripSource([], seed=2, processes=1) as source:
        strips = source.draw(8, stream=0)

    def right_on_half(images: np.ndarray, training: bool) -> dict[str, np.ndarray]:
        logits = np.zeros((8, READER_STEPS, len(ALPHABET) + 1))
        logits[..., -1] = 1
        for row, label in enumerate(strips.labels):
            codes = label[label >= 0][: None if row % 2 else -1]
            logits[row, 2 * np.arange(len(codes)), codes] = 2
        return {"logits": logits}

    assert greedy_exact(right_on_half, strips) == 0.5


def test_the_detector_loss_is_lower_if_the_answer_is_right() -> None:
    quad = np.array([[100, 60], [180, 62], [180, 84], [100, 82]], np.float32)
    target = targets_of(picture_of(PlateTruth(quad, True, 1)))
    wanted = {"score": target.score[None], "corners": target.corners[None], "lines": target.lines[None]}
    right = {
        "score": (wanted["score"][..., :1] - 0.5) * 12,
        "corners": wanted["corners"][..., :8],
        "lines": (wanted["lines"][..., :1] - 0.5) * 12,
    }
    wrong = {"score": -right["score"], "corners": right["corners"] + 0.5, "lines": -right["lines"]}

    good, bad = (detector_loss(wanted, answer) for answer in (right, wrong))

    assert float(good["score"]) < 0.05
    assert float(good["corners"]) == pytest.approx(0, abs=1e-6)
    for name, value in bad.items():
        assert float(value) > float(good[name]) + 0.2
