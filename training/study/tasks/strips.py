"""Whole strips, read with a CTC layer."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from keras import ops
from numpy.typing import NDArray

from edge_app.recognition.ctc import best_path
from edge_app.records import ImageGray
from training.loop import Batch, Losses, LossFunction
from training.shapes import ALPHABET
from training.strips import encode
from training.study.learning import Pixels
from training.study.store import Store

_CALIBRATED = 200
_AT_ONCE = 100
_VALIDATED = 400


@dataclass(frozen=True, slots=True)
class StripTask:
    """Read a strip as the device's reader does."""

    kind: str = "strips"

    def material(self, store: Store) -> "StripMaterial":
        """What it learns from."""
        plates = store.plates()
        train, validation = plates.of("train"), plates.of("validation")[:_VALIDATED]
        return StripMaterial(
            np.asarray(plates.narrow[train]),
            np.stack([encode(text) for text in plates.texts(train)]),
            np.asarray(plates.narrow[validation]),
            plates.texts(validation),
        )


class StripMaterial:
    """Strips and their texts."""

    parts = ("ctc",)

    def __init__(
        self, images: ImageGray, labels: NDArray[np.int8], held_images: ImageGray, held_texts: list[str]
    ) -> None:
        self._images, self._labels = images, labels
        self._held_images, self._held_texts = held_images, held_texts

    def loss(self, stage: str) -> LossFunction:  # noqa: ARG002
        """Negative log-likelihood of the texts (Graves et al. 2006)."""
        return _loss

    def steps(self, batch_size: int) -> int:
        """Batches of an epoch."""
        return len(self._images) // batch_size

    def epoch(self, rng: np.random.Generator, batch_size: int) -> Iterator[Batch]:
        """Every strip once, in another light and with other noise each time."""
        order = rng.permutation(len(self._images))[: self.steps(batch_size) * batch_size]
        for chosen in order.reshape(-1, batch_size):
            images = touch(rng, self._images[chosen])
            yield images[..., None].astype(np.float32), {"text": self._labels[chosen].astype(np.int32)}

    def validate(self, model: keras.Model, stage: str) -> dict[str, float]:  # noqa: ARG002
        """The loss, and the share of characters at their place of the text, for it rises before any strip is right."""
        losses, right, count = [], 0, 0
        for start in range(0, len(self._held_images), _AT_ONCE):
            images = self._held_images[start : start + _AT_ONCE, ..., None].astype(np.float32)
            texts = self._held_texts[start : start + _AT_ONCE]
            output = model(images, training=False)
            labels = np.stack([encode(text) for text in texts]).astype(np.int32)
            losses.append(float(_loss({"text": labels}, output)["ctc"]) * len(texts))
            for logits, text in zip(ops.convert_to_numpy(output["logits"]), texts, strict=True):
                read = best_path(logits, ALPHABET)[0]
                right += sum(one == other for one, other in zip(read, text, strict=False))
                count += max(len(text), len(read))
        return {"loss": sum(losses) / len(self._held_texts), "score": right / count}

    def calibration(self) -> list[Pixels]:
        """Some of those learned from."""
        return [image[None, :, :, None] for image in self._images[:_CALIBRATED]]


def touch(rng: np.random.Generator, images: ImageGray, furthest: int = 3) -> ImageGray:
    """Contrast, light and noise, and a shift by at most `furthest` pixels."""
    count = len(images)
    moved = np.roll(images, int(rng.integers(-furthest, furthest + 1)), axis=2).astype(np.float32)
    values = (moved - 128) * rng.uniform(0.75, 1.2, (count, 1, 1)) + 128 + rng.uniform(-12, 12, (count, 1, 1))
    values += rng.standard_normal(values.shape, np.float32) * rng.uniform(0, 6, (count, 1, 1))
    return np.clip(values, 0, 255).astype(np.uint8)


def _loss(wanted: Any, output: Any) -> Losses:
    labels, logits = ops.convert_to_tensor(wanted["text"]), output["logits"]
    lengths = ops.sum(ops.cast(labels >= 0, "int32"), axis=1)
    steps = ops.full_like(lengths, logits.shape[1])
    return {"ctc": ops.mean(ops.ctc_loss(ops.maximum(labels, 0), logits, lengths, steps, mask_index=len(ALPHABET)))}
