"""Trains the LeNet reader on generated strips and, where given, real crops."""

from collections.abc import Callable, Iterator
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from edge_app.evaluation.clips.truth import EVENTS_FILE
from training.architectures import plate_reader
from training.clip_strips import clip_strips
from training.loop import Losses, RunFolder, begin_with, sha256_of, train
from training.plan import Plan
from training.real_data import real_labels, sets_of
from training.shapes import ALPHABET, READER_STEPS
from training.strips import Strips, batches, generated_strips, legible_crops, real_strips

_HELD_OUT = 1500
_REAL_SHARE, _CLIP_SHARE = 0.35, 0.2

_LARGEST_LOGIT, _TOO_LARGE_WEIGHT = 12.0, 0.05
"""Beyond this a logit says no more, but widens the range that its 8 bits have to cover."""

Pair = tuple[NDArray[np.float32], NDArray[np.int32]]


def train_reader(
    run_path: Path,
    plan: Plan,
    generated: int,
    data: Path | None,
    detector: Path | None,
    start: Path | None,
    clips: Path | None = None,
) -> Path:
    """Train and save `plate_reader.keras` in the run folder; its path.

    `detector` is the checkpoint that tells where plates lie in the crops of `data`; `start` one whose weights the
    training begins with; `clips` a folder of rendered ones, which needs `detector`.
    """
    keras.utils.set_random_seed(plan.seed)
    model = plate_reader()
    crops = legible_crops(real_labels(data))
    if start:
        begin_with(model, start)
    facts = {"generated_strips": generated, "sets": sets_of(crops)}
    given = {
        "corners_by": detector if crops or clips else None,
        "began_with": start,
        "clips": clips / EVENTS_FILE if clips else None,
    }
    run = RunFolder(run_path, plan, facts | {name: sha256_of(path) for name, path in given.items() if path})
    others = []
    if crops:
        others.append((_kept(run_path / "real.npz", lambda: real_strips(crops, 12, plan.seed, detector)), _REAL_SHARE))
    if clips and detector:
        others.append((_kept(run_path / "clips.npz", lambda: clip_strips(clips, detector, plan.seed)), _CLIP_SHARE))
    drawn = _kept(run_path / "generated.npz", lambda: generated_strips(generated, plan.seed))
    mixture = [(drawn, 1 - sum(share for _, share in others)), *others]
    held_out = generated_strips(_HELD_OUT, plan.seed + 1)

    def measure(model: keras.Model) -> dict[str, float]:
        return {"held_out_exact": greedy_exact(model, held_out)}

    train(model, ctc_loss, lambda rng: _pairs(rng, mixture, plan.batch_size), plan, run, measure)
    path = run_path / "plate_reader.keras"
    model.save(path)
    return path


def ctc_loss(model: keras.Model, batch: Pair) -> Losses:
    """Mean negative log-likelihood of the texts (Graves et al. 2006), and what keeps the logits small."""
    images, labels = batch
    logits = model(images, training=True)["logits"]
    lengths = tf.reduce_sum(tf.cast(labels >= 0, tf.int32), axis=1)
    losses = tf.nn.ctc_loss(
        tf.maximum(labels, 0),
        logits,
        lengths,
        tf.fill(tf.shape(lengths), READER_STEPS),
        logits_time_major=False,
        blank_index=len(ALPHABET),
    )
    too_large = tf.nn.relu(tf.abs(logits) - _LARGEST_LOGIT)
    return {"ctc": tf.reduce_mean(losses), "too_large": _TOO_LARGE_WEIGHT * tf.reduce_mean(tf.square(too_large))}


def greedy_exact(model: keras.Model, strips: Strips) -> float:
    """Share of strips whose most likely path reads exactly right."""
    right = 0
    for start in range(0, len(strips), 250):
        images = strips.images[start : start + 250, :, :, None].astype(np.float32)
        best = np.asarray(model(images, training=False)["logits"]).argmax(axis=-1)
        for path, label in zip(best, strips.labels[start : start + 250], strict=True):
            merged = path[np.r_[True, path[1:] != path[:-1]]]
            right += list(merged[merged < len(ALPHABET)]) == list(label[label >= 0])
    return right / len(strips)


def _pairs(rng: np.random.Generator, mixture: list[tuple[Strips, float]], size: int) -> Iterator[Pair]:
    for batch in batches(rng, mixture, size):
        yield batch.images[:, :, :, None].astype(np.float32), batch.labels.astype(np.int32)


def _kept(path: Path, make: Callable[[], Strips]) -> Strips:
    if not path.exists():
        made = make()
        path.parent.mkdir(parents=True, exist_ok=True)
        unfinished = path.with_suffix(".part.npz")
        np.savez(unfinished, images=made.images, labels=made.labels)
        unfinished.rename(path)
    with np.load(path) as arrays:
        return Strips(arrays["images"], arrays["labels"])
