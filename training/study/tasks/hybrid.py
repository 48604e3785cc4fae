"""Read a plate from its picture and from what an OCR read on it, together."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from keras import ops
from numpy.typing import NDArray

from edge_app.records import ImageGray
from training.loop import Batch, Losses, LossFunction
from training.shapes import READER_HEIGHT, READER_WIDTH
from training.study.learning import Pixels
from training.study.ocr import reads_of
from training.study.store import Store
from training.study.tasks.strips import touch
from training.study.texts import PLACES, SYMBOLS, as_pixels, codes_of

_CALIBRATED = 200
_AT_ONCE = 200
_VALIDATED = 400

TEXT_ROWS = -(-PLACES * SYMBOLS // READER_WIDTH)
"""Rows below the strip that hold the text, for the device's runtime takes one picture."""
HYBRID_HEIGHT = READER_HEIGHT + TEXT_ROWS


def packed(strips: ImageGray, reads: list[str]) -> Pixels:
    """(n, HYBRID_HEIGHT, READER_WIDTH, 1): the strips, and below them their texts as `as_pixels` gives them."""
    rows = np.zeros((len(strips), TEXT_ROWS * READER_WIDTH), np.uint8)
    rows[:, : PLACES * SYMBOLS] = as_pixels(reads).reshape(len(reads), -1)
    return np.concatenate([strips, rows.reshape(len(strips), TEXT_ROWS, READER_WIDTH)], axis=1)[..., None]


@dataclass(frozen=True, slots=True)
class HybridTask:
    """A strip and a read of our reader become a text."""

    kind: str = "hybrid"

    def material(self, store: Store) -> "HybridMaterial":
        """What it learns from."""
        plates = store.plates()
        samples: list[Any] = []
        for split, most in (("train", store.setting.plates), ("validation", _VALIDATED)):
            chosen = plates.of(split)[:most]
            reads = [read for read, _ in reads_of(store, split, most)["ours"]]
            samples += [packed(np.asarray(plates.narrow[chosen]), reads)]
            samples += [np.stack([codes_of(text) for text in plates.texts(chosen)])]
        return HybridMaterial(*samples)


class HybridMaterial:
    """Packed pictures and truths."""

    parts = ("loss",)

    def __init__(
        self, images: Pixels, truths: NDArray[np.int64], held_images: Pixels, held_truths: NDArray[np.int64]
    ) -> None:
        self._images, self._truths = images, truths
        self._held_images, self._held_truths = held_images, held_truths

    def loss(self, stage: str) -> LossFunction:
        """Cross entropy of the places: in the stage `apart` of each half alone, else of both joined."""
        return _apart if stage == "apart" else _joined

    def steps(self, batch_size: int) -> int:
        """Batches of an epoch."""
        return len(self._images) // batch_size

    def epoch(self, rng: np.random.Generator, batch_size: int) -> Iterator[Batch]:
        """Every strip once."""
        order = rng.permutation(len(self._images))[: self.steps(batch_size) * batch_size]
        for chosen in order.reshape(-1, batch_size):
            images = self._images[chosen]
            strips = touch(rng, images[:, :READER_HEIGHT, :, 0])[..., None]
            shown = np.concatenate([strips, images[:, READER_HEIGHT:]], axis=1)
            yield shown.astype(np.float32), {"codes": self._truths[chosen].astype(np.int32)}

    def validate(self, model: keras.Model, stage: str) -> dict[str, float]:
        """The loss, and the share of right places; of the picture's half alone in the stage `apart`."""
        name = "picture" if stage == "apart" else "logits"
        loss, right = 0.0, 0.0
        for start in range(0, len(self._held_images), _AT_ONCE):
            truths = self._held_truths[start : start + _AT_ONCE]
            output = model(self._held_images[start : start + _AT_ONCE].astype(np.float32), training=False)
            wanted = {"codes": truths.astype(np.int32)}
            loss += float(self.loss(stage)(wanted, output)["loss"]) * len(truths)
            right += float((ops.convert_to_numpy(output[name]).argmax(axis=-1) == truths).mean()) * len(truths)
        count = len(self._held_images)
        return {"loss": loss / count, "score": right / count}

    def calibration(self) -> list[Pixels]:
        """Some of those learned from."""
        return [image[None] for image in self._images[:_CALIBRATED]]


def _cross_entropy(wanted: Any, logits: Any) -> Any:
    codes = ops.convert_to_tensor(wanted["codes"])
    return ops.mean(keras.losses.sparse_categorical_crossentropy(codes, logits, from_logits=True))


def _apart(wanted: Any, output: Any) -> Losses:
    return {"loss": _cross_entropy(wanted, output["picture"]) + _cross_entropy(wanted, output["text"])}


def _joined(wanted: Any, output: Any) -> Losses:
    return {"loss": _cross_entropy(wanted, output["logits"])}
