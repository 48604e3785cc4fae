"""Correct what an OCR read."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from keras import ops
from numpy.typing import NDArray

from training.loop import Batch, Losses, LossFunction
from training.study.learning import Pixels
from training.study.ocr import reads_of
from training.study.store import Store
from training.study.texts import as_pixels, codes_of

_CALIBRATED = 200


@dataclass(frozen=True, slots=True)
class CorrectionTask:
    """A text as it was read becomes the text as it is."""

    kind: str = "texts"

    def material(self, store: Store) -> "CorrectionMaterial":
        """What it learns from: reads of both readers."""
        samples: list[Any] = []
        for split, most in (("train", store.setting.plates), ("validation", 400)):
            pairs = [pair for reads in reads_of(store, split, most).values() for pair in reads]
            samples += [as_pixels([read for read, _ in pairs]), np.stack([codes_of(truth) for _, truth in pairs])]
        return CorrectionMaterial(*samples)


class CorrectionMaterial:
    """Reads and truths."""

    parts = ("loss",)

    def __init__(
        self, reads: Pixels, truths: NDArray[np.int64], held_reads: Pixels, held_truths: NDArray[np.int64]
    ) -> None:
        self._reads, self._truths = reads, truths
        self._held_reads, self._held_truths = held_reads, held_truths

    def loss(self, stage: str) -> LossFunction:  # noqa: ARG002
        """Cross entropy of every place."""
        return _loss

    def steps(self, batch_size: int) -> int:
        """Batches of an epoch."""
        return len(self._reads) // batch_size

    def epoch(self, rng: np.random.Generator, batch_size: int) -> Iterator[Batch]:
        """Every read once."""
        order = rng.permutation(len(self._reads))[: self.steps(batch_size) * batch_size]
        for chosen in order.reshape(-1, batch_size):
            yield self._reads[chosen].astype(np.float32), {"codes": self._truths[chosen].astype(np.int32)}

    def validate(self, model: keras.Model, stage: str) -> dict[str, float]:  # noqa: ARG002
        """The loss, and the share of right places."""
        output = model(self._held_reads.astype(np.float32), training=False)
        loss = _loss({"codes": self._held_truths.astype(np.int32)}, output)["loss"]
        best = ops.convert_to_numpy(output["logits"]).argmax(axis=-1)
        return {"loss": float(loss), "score": float((best == self._held_truths).mean())}

    def calibration(self) -> list[Pixels]:
        """Some of those learned from."""
        return [each[None] for each in self._reads[:_CALIBRATED]]


def _loss(wanted: Any, output: Any) -> Losses:
    losses = keras.losses.sparse_categorical_crossentropy(
        ops.convert_to_tensor(wanted["codes"]), output["logits"], from_logits=True
    )
    return {"loss": ops.mean(losses)}
