"""Trains the LeNet reader on generated strips and, if there are some, on real plates."""

import pickle
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
from keras import ops

from edge_app.evaluation.datasets import LabelledImage
from training.architectures import plate_reader
from training.loop import Batch, Losses, RunFolder, begin_with, sha256_of, train
from training.plan import Plan
from training.real_data import real_labels, sets_of
from training.real_plates import RealPlate, find_real_plates
from training.shapes import ALPHABET
from training.strips import Strips, StripSource
from training.torch_speed import speed_up

_HELD_OUT, _LEARNED = 1500, 3000
_HELD_OUT_STREAM = 4_000_000

_LARGEST_LOGIT, _TOO_LARGE_WEIGHT = 12.0, 0.05
"""A larger logit adds no information, but widens the range that its 8 bits must cover."""

_HOPELESS, _HOPELESS_WEIGHT = 8.0, 0.2
"""Negative log-likelihood from which on a strip counts as illegible, and the weight that it keeps."""

LOSS_PARTS = ("ctc", "too_large")


def train_reader(run_path: Path, plan: Plan, data: Path | None, start: Path | None) -> Path:
    """Train and save `plate_reader.keras` in the run folder; its path.

    `data` is a folder of dataset folders; `start` a checkpoint whose weights the training begins with.
    """
    keras.utils.set_random_seed(plan.seed)
    speed_up()
    labels = real_labels(data)
    facts = {"strips": "generated", "sets": sets_of([label for label in labels if any(p.text for p in label.plates)])}
    run = RunFolder(run_path, plan, facts | ({"began_with": sha256_of(start)} if start else {}))
    plates = _kept(run_path / "real_plates.pickle", labels)
    with StripSource(plates, plan.seed) as source:
        _learn(source, plan, run, start)
    return run_path / "plate_reader.keras"


def _learn(source: StripSource, plan: Plan, run: RunFolder, start: Path | None) -> None:
    keras.mixed_precision.set_global_policy("mixed_bfloat16")
    model = plate_reader()
    if start:
        begin_with(model, start)
    fresh = source.draw(_HELD_OUT, _HELD_OUT_STREAM, real=0.0)

    def batches(step: int) -> Iterator[Batch]:
        for strips in source.batches(plan.batch_size, step):
            yield strips.images[..., None].astype(np.float32), {"text": strips.labels.astype(np.int32)}

    def measure(network: keras.Model) -> dict[str, float]:
        return {"fresh_exact": greedy_exact(network, fresh)}

    train(model, reader_loss, LOSS_PARTS, batches, plan, run, measure)
    model = in_floats(model)
    model.save(run.path / "plate_reader.keras")
    run.conclude(_exact_at_end(model, source, fresh))


def _exact_at_end(model: keras.Model, source: StripSource, fresh: Strips) -> dict[str, float]:
    """Exact matches of the greedy reading: on strips that it learned, on fresh ones, on real plates that it learned."""
    learned = source.draw(_LEARNED, source.first_stream(0), real=0.0)
    shares = {"learned_generated": greedy_exact(model, learned), "fresh_generated": greedy_exact(model, fresh)}
    if source.has_real:
        shares["learned_real"] = greedy_exact(model, source.draw(_LEARNED, source.first_stream(0), real=1.0))
    return shares


def in_floats(model: keras.Model) -> keras.Model:
    """The reader with every layer in 32-bit floats, whatever it was trained in."""
    keras.mixed_precision.set_global_policy("float32")
    floats = plate_reader()
    floats.set_weights(model.get_weights())
    return floats


def reader_loss(wanted: Any, output: Any) -> Losses:
    """Negative log-likelihood of the texts (Graves et al. 2006), and what keeps the logits small.

    Strips that cannot be read count less: they would drown what can be learned, for their loss is the largest.
    """
    labels, logits = wanted["text"], output["logits"]
    lengths = ops.sum(ops.cast(labels >= 0, "int32"), axis=1)
    steps = ops.full_like(lengths, logits.shape[1])
    losses = ops.ctc_loss(ops.maximum(labels, 0), logits, lengths, steps, mask_index=len(ALPHABET))
    legible = ops.sigmoid(_HOPELESS - ops.stop_gradient(losses))
    weights = _HOPELESS_WEIGHT + (1 - _HOPELESS_WEIGHT) * legible
    too_large = ops.relu(ops.absolute(logits) - _LARGEST_LOGIT)
    return {"ctc": ops.mean(losses * weights), "too_large": _TOO_LARGE_WEIGHT * ops.mean(ops.square(too_large))}


def greedy_exact(model: keras.Model, strips: Strips) -> float:
    """Share of strips whose most likely path reads exactly right."""
    right = 0
    for start in range(0, len(strips), 250):
        images = strips.images[start : start + 250, :, :, None].astype(np.float32)
        best = ops.convert_to_numpy(model(images, training=False)["logits"]).argmax(axis=-1)
        for path, label in zip(best, strips.labels[start : start + 250], strict=True):
            merged = path[np.r_[True, path[1:] != path[:-1]]]
            right += list(merged[merged < len(ALPHABET)]) == list(label[label >= 0])
    return right / len(strips)


def _kept(path: Path, labels: Sequence[LabelledImage]) -> list[RealPlate]:
    """The real plates, found once for a run."""
    if not path.exists():
        path.write_bytes(pickle.dumps(find_real_plates(labels)))
    plates: list[RealPlate] = pickle.loads(path.read_bytes())  # noqa: S301  - our own file of this run
    return plates
