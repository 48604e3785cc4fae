"""Single characters."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from keras import ops
from numpy.typing import NDArray

from edge_app.records import ImageGray
from training.loop import Batch, Losses, LossFunction
from training.shapes import ALPHABET
from training.study.crops import Characters, CropShape, cut_characters, vary
from training.study.learning import Pixels
from training.study.store import Store
from training.study.strokes import handwriting

_CALIBRATED = 200
_AT_ONCE = 250


@dataclass(frozen=True, slots=True)
class CharacterTask:
    """Tell which character a picture shows."""

    shape: CropShape
    augmented: bool = False
    learns_from: str = "home"
    """Characters of plates of `home` or from `abroad`, or `handwriting`."""
    few: bool = False
    """As few as a new country has at first."""
    alphabet: str = ALPHABET
    kind: str = "characters"

    def material(self, store: Store) -> "CharacterMaterial":
        """What it learns from."""
        setting, seed = store.setting, store.seed
        count = setting.few_crops if self.few else setting.crops
        if self.learns_from == "handwriting":
            images, classes = handwriting(count + count // 8, seed)
            train, validation = (images[:count], classes[:count]), (images[count:], classes[count:])
        else:
            plates = store.plates()
            train, validation = (
                self._shown(cut_characters(plates, split, self.learns_from, most, seed))
                for split, most in (("train", count), ("validation", max(100, setting.crops // 6)))
            )
        return CharacterMaterial(self, *train, *validation)

    def _shown(self, characters: Characters) -> tuple[ImageGray, NDArray[np.int64]]:
        known = [index for index, code in enumerate(characters.classes) if ALPHABET[code] in self.alphabet]
        classes = [self.alphabet.index(ALPHABET[characters.classes[index]]) for index in known]
        return characters.shown(self.shape)[known], np.array(classes, np.int64)


class CharacterMaterial:
    """Pictures of characters and their classes in the task's alphabet."""

    parts = ("loss",)

    def __init__(
        self,
        task: CharacterTask,
        images: ImageGray,
        classes: NDArray[np.int64],
        held_images: ImageGray,
        held_classes: NDArray[np.int64],
    ) -> None:
        self._augmented = task.augmented
        self._images, self._classes = images, classes
        self._held_images, self._held_classes = held_images, held_classes

    def loss(self, stage: str) -> LossFunction:  # noqa: ARG002
        """Cross entropy."""
        return _loss

    def steps(self, batch_size: int) -> int:
        """Batches of an epoch."""
        return -(-len(self._images) // batch_size)

    def epoch(self, rng: np.random.Generator, batch_size: int) -> Iterator[Batch]:
        """Every picture once."""
        order = rng.permutation(len(self._images))
        for start in range(0, len(order), batch_size):
            chosen = order[start : start + batch_size]
            images = vary(rng, self._images[chosen]) if self._augmented else self._images[chosen]
            yield images[..., None].astype(np.float32), {"classes": self._classes[chosen].astype(np.int32)}

    def validate(self, model: keras.Model, stage: str) -> dict[str, float]:  # noqa: ARG002
        """Cross entropy and the share of right classes."""
        logits = np.concatenate(
            [
                ops.convert_to_numpy(
                    model(self._held_images[start : start + _AT_ONCE, ..., None].astype(np.float32), training=False)[
                        "logits"
                    ]
                )
                for start in range(0, len(self._held_images), _AT_ONCE)
            ]
        )
        shifted = logits - logits.max(axis=1, keepdims=True)
        log_probs = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
        return {
            "loss": float(-log_probs[np.arange(len(logits)), self._held_classes].mean()),
            "score": float((logits.argmax(axis=1) == self._held_classes).mean()),
        }

    def calibration(self) -> list[Pixels]:
        """Some of those learned from."""
        return [image[None, :, :, None] for image in self._images[:_CALIBRATED]]


def _loss(wanted: Any, output: Any) -> Losses:
    losses = keras.losses.sparse_categorical_crossentropy(wanted["classes"], output["logits"], from_logits=True)
    return {"loss": ops.mean(losses)}
