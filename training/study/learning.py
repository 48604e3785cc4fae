"""Trains a network of the study in epochs, until its score on the validation split no longer rises; resumes."""

import json
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Protocol

import keras
import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from training.loop import Batch, Learner, LossFunction, restore_state, save_state

Pixels = NDArray[np.uint8]
"""(pictures, rows, columns, channels), 0 to 255."""

_CLIP_NORM = 5.0


@dataclass(frozen=True, slots=True)
class Stage:
    """A part of a training."""

    name: str = "whole"
    share: float = 1.0
    """Of the setting's epochs."""
    frozen: tuple[str, ...] = ()
    """Beginnings of the names of layers that do not learn."""


@dataclass(frozen=True, slots=True)
class Learning:
    """How a network learns."""

    batch_size: int = 16
    rate: float = 1e-3
    optimizer: str = "adam"
    """Or `rmsprop`."""
    falls_at: tuple[float, ...] = ()
    """Shares of the steps at which the rate falls to a tenth."""
    stages: tuple[Stage, ...] = (Stage(),)
    longer: float = 1.0
    """Times the setting's epochs: with few samples, or samples that are learned slowly."""


class Material(Protocol):
    """What a network learns from."""

    @property
    def parts(self) -> tuple[str, ...]:
        """Of the loss."""

    def loss(self, stage: str) -> LossFunction:
        """What is minimised in a stage."""

    def epoch(self, rng: np.random.Generator, batch_size: int) -> Iterator[Batch]:
        """Every sample of the train split once."""

    def steps(self, batch_size: int) -> int:
        """Batches of an epoch."""

    def validate(self, model: keras.Model, stage: str) -> dict[str, float]:
        """`loss` and `score` on the validation split; more of the score is better."""

    def calibration(self) -> list[Pixels]:
        """Samples of the train split, from which the converter learns ranges."""


@dataclass(frozen=True, slots=True)
class Epoch:
    """What an epoch brought."""

    stage: str
    number: int
    """From 1 on, over all stages."""
    loss: float
    validation_loss: float
    score: float
    """On the validation split."""
    seconds: float


def learn(
    model: keras.Model, material: Material, learning: Learning, epochs: int, patience: int, seed: int, folder: Path
) -> list[Epoch]:
    """Train `model` to its best weights; the epochs, those of an earlier, interrupted run among them."""
    folder.mkdir(parents=True, exist_ok=True)
    history = _Record(folder / "history.json")
    for stage in learning.stages:
        _learn_stage(
            model,
            material,
            learning,
            stage,
            max(1, round(epochs * learning.longer * stage.share)),
            patience,
            seed,
            history,
        )
    return history.epochs


def _learn_stage(
    model: keras.Model,
    material: Material,
    learning: Learning,
    stage: Stage,
    epochs: int,
    patience: int,
    seed: int,
    history: "_Record",
) -> None:
    folder = history.path.parent
    state, best = folder / f"{stage.name}.npz", folder / f"{stage.name}.best.weights.h5"
    for layer in model.layers:
        layer.trainable = not layer.name.startswith(stage.frozen) if stage.frozen else True
    learner = Learner(model, material.loss(stage.name))
    learner.parts = {name: keras.metrics.Mean(name=name) for name in material.parts}
    steps = material.steps(learning.batch_size)
    learner.compile(optimizer=_optimizer(learning, steps * epochs), jit_compile=False)
    learner.optimizer.build(model.trainable_variables)
    done = restore_state(learner, state) if state.is_file() else 0
    mine = [epoch for epoch in history.epochs if epoch.stage == stage.name][:done]
    before = [epoch for epoch in history.epochs if epoch.stage != stage.name]
    history.epochs = [*before, *mine]
    for number in range(done, epochs):
        if _is_over(mine, patience):
            break
        began = time.monotonic()
        rng = np.random.default_rng((seed, number, len(stage.name)))
        bar = tqdm(
            material.epoch(rng, learning.batch_size), f"{model.name} {stage.name} {number + 1}", steps, mininterval=5
        )
        for pixels, wanted in bar:
            learner.train_on_batch(pixels, wanted)
        loss = sum(float(mean.result()) for mean in learner.parts.values())
        for mean in learner.parts.values():
            mean.reset_state()
        figures = material.validate(model, stage.name)
        epoch = Epoch(
            stage.name, len(history.epochs) + 1, loss, figures["loss"], figures["score"], time.monotonic() - began
        )
        tqdm.write(f"{model.name} {stage.name} {number + 1}: loss {loss:.3f}, validation {epoch.score:.4f}")
        if not mine or epoch.score > max(each.score for each in mine):
            model.save_weights(best)
        mine.append(epoch)
        history.add(epoch)
        save_state(learner, state, number + 1)
    model.load_weights(best)


class _Record:
    """The epochs so far, on disk."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.epochs = [Epoch(**each) for each in json.loads(path.read_text())] if path.is_file() else []

    def add(self, epoch: Epoch) -> None:
        """Note another epoch."""
        self.epochs.append(epoch)
        self.path.write_text(json.dumps([asdict(each) for each in self.epochs], indent=1), encoding="utf-8")


def _is_over(epochs: list[Epoch], patience: int) -> bool:
    scores = [epoch.score for epoch in epochs]
    return len(scores) > patience and max(scores[-patience:]) <= max(scores[:-patience])


def _optimizer(learning: Learning, steps: int) -> keras.optimizers.Optimizer:
    rate: float | keras.optimizers.schedules.LearningRateSchedule = learning.rate
    if learning.falls_at:
        values = [learning.rate * 0.1**index for index in range(len(learning.falls_at) + 1)]
        places = [max(1, round(steps * share)) for share in learning.falls_at]
        rate = keras.optimizers.schedules.PiecewiseConstantDecay(places, values)
    kind = {"adam": keras.optimizers.Adam, "rmsprop": keras.optimizers.RMSprop}[learning.optimizer]
    return kind(rate, global_clipnorm=_CLIP_NORM)
