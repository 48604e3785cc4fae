"""The loop both networks are trained with: progress, checkpoints to resume from, and a run folder that tells all."""

import hashlib
import json
import platform
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from queue import Queue
from threading import Thread
from typing import Any
from zipfile import BadZipFile

import keras
import numpy as np
import tensorflow as tf
from tqdm import tqdm

from edge_app.errors import UsageError
from edge_app.newer_python import UTC
from training.plan import Plan
from training.repository import REPOSITORY

Batch = Any
Losses = dict[str, tf.Tensor]
LossFunction = Callable[[keras.Model, Batch], Losses]
"""The parts of the loss by name, for one batch; their sum is minimised."""


class RunFolder:
    """What a training leaves behind: `run.json`, `log.jsonl`, `curves.png`, checkpoints and the network."""

    def __init__(self, path: Path, plan: Plan, data: dict[str, Any]) -> None:
        self.path = path
        path.mkdir(parents=True, exist_ok=True)
        self._log = path / "log.jsonl"
        told = path / "run.json"
        start = {
            "command": " ".join(["python -m training", *sys.argv[1:]]),
            "steps": plan.steps,
            "commit": _commit(),
            "tensorflow": tf.__version__,
            "machine": platform.machine(),
            "started": datetime.now(UTC).isoformat(timespec="seconds"),
        }
        facts: dict[str, Any] = (
            json.loads(told.read_text(encoding="utf-8")) if told.is_file() else {"data": data} | start
        )
        if facts["data"] != json.loads(json.dumps(data)):
            raise UsageError(f"{path}: holds a run with other data; remove it or choose another --run")
        facts["plan"] = asdict(plan)
        if told.is_file():
            facts["resumed"] = [*facts.get("resumed", []), start]
        told.write_text(json.dumps(facts, indent=2) + "\n", encoding="utf-8")

    def log(self, step: int, values: dict[str, float]) -> None:
        """Note figures at a step."""
        with self._log.open("a", encoding="utf-8") as file:
            file.write(json.dumps({"step": step, **{name: round(value, 5) for name, value in values.items()}}) + "\n")

    def draw(self) -> None:
        """Draw every figure noted so far over the steps, as `curves.png`."""
        import matplotlib as mpl

        mpl.use("Agg")
        import matplotlib.pyplot as plt

        rows = [json.loads(line) for line in self._log.read_text(encoding="utf-8").splitlines()]
        names = sorted({name for row in rows for name in row} - {"step"})
        figure, panels = plt.subplots(len(names), 1, figsize=(8, 2.2 * len(names)), sharex=True, squeeze=False)
        for panel, name in zip(panels[:, 0], names, strict=True):
            points = [(row["step"], row[name]) for row in rows if name in row]
            panel.plot(*zip(*points, strict=True))
            panel.set_ylabel(name)
            panel.grid(alpha=0.3)
        panels[-1, 0].set_xlabel("step")
        figure.tight_layout()
        figure.savefig(self.path / "curves.png", dpi=80)
        plt.close(figure)


def begin_with(model: keras.Model, start: Path) -> None:
    """Take over the weights of a checkpoint of the same network; layers that it does not have stay as they are."""
    try:
        known = keras.models.load_model(start, compile=False)
        if known.name != model.name:
            raise ValueError(f"it is one of the {known.name}")
        weights = {layer.name: layer.get_weights() for layer in known.layers}
        for layer in model.layers:
            layer.set_weights(weights.get(layer.name, layer.get_weights()))
    except (BadZipFile, OSError, ValueError) as error:
        reason = str(error).partition("\n")[0]
        raise UsageError(f"--from {start}: this is no checkpoint of the {model.name} ({reason})") from error


def train(
    model: keras.Model,
    loss_of: LossFunction,
    batches_of: Callable[[np.random.Generator], Iterator[Batch]],
    plan: Plan,
    run: RunFolder,
    measure: Callable[[keras.Model], dict[str, float]],
) -> None:
    """Minimise the loss for `plan.steps`, from the last checkpoint where there is one; `model` ends averaged.

    `batches_of` draws endless batches with a generator of random numbers, another one after each resumption.
    """
    optimizer = _optimizer(plan)
    optimizer.build(model.trainable_variables)
    done = tf.Variable(0, dtype=tf.int64)
    checkpoint = tf.train.Checkpoint(model=model, optimizer=optimizer, done=done)
    keeper = tf.train.CheckpointManager(checkpoint, str(run.path / "checkpoints"), max_to_keep=1)
    if keeper.latest_checkpoint:
        checkpoint.restore(keeper.latest_checkpoint)
    batches = prefetch(batches_of(np.random.default_rng((plan.seed, int(done)))))

    @tf.function  # type: ignore[untyped-decorator]
    def step(batch: Batch) -> Losses:
        with tf.GradientTape() as tape:
            losses = loss_of(model, batch)
            total = tf.add_n(list(losses.values()))
        optimizer.apply(tape.gradient(total, model.trainable_variables), model.trainable_variables)
        return losses

    means: dict[str, keras.metrics.Mean] = {}
    bar = tqdm(total=plan.steps, initial=int(done), desc=model.name, unit="step", mininterval=5)
    for number in range(int(done) + 1, plan.steps + 1):
        for name, value in step(next(batches)).items():
            means.setdefault(name, keras.metrics.Mean()).update_state(value)
        bar.update()
        if number % plan.checkpoint_every == 0 or number == plan.steps:
            if number == plan.steps:
                optimizer.finalize_variable_values(model.trainable_variables)
                settle_statistics(model, loss_of, batches)
            figures = {name: float(mean.result()) for name, mean in means.items()} | measure(model)
            means.clear()
            run.log(number, figures)
            bar.write(f"step {number}: " + "  ".join(f"{name} {value:.4f}" for name, value in figures.items()))
            done.assign(number)
            keeper.save()
    bar.close()
    run.draw()


def settle_statistics(model: keras.Model, loss_of: LossFunction, batches: Iterator[Batch], count: int = 120) -> None:
    """Learn the batch statistics anew for the averaged weights: those kept belong to the last ones."""
    forward = tf.function(lambda batch: loss_of(model, batch))
    for _ in range(count):
        forward(next(batches))


def prefetch(batches: Iterator[Batch], depth: int = 4) -> Iterator[Batch]:
    """The same batches, made by a thread while the network learns; what the thread raises is raised here."""
    ready: Queue[Batch | Exception] = Queue(depth)

    def make() -> None:
        try:
            for batch in batches:
                ready.put(batch)
        except Exception as error:  # noqa: BLE001  - whatever it is, the network's thread has to hear of it
            ready.put(error)

    Thread(target=make, daemon=True, name="batches").start()
    while True:
        batch = ready.get()
        if isinstance(batch, Exception):
            raise batch
        yield batch


def sha256_of(path: Path) -> str:
    """Which file it was."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _optimizer(plan: Plan) -> keras.optimizers.Optimizer:
    warmup = min(plan.warmup_steps, plan.steps // 5)
    schedule = keras.optimizers.schedules.CosineDecay(
        plan.learning_rate / 10, plan.steps - warmup, 0.01, warmup_target=plan.learning_rate, warmup_steps=warmup
    )
    return keras.optimizers.AdamW(
        schedule,
        weight_decay=plan.weight_decay,
        global_clipnorm=plan.clip_norm,
        use_ema=True,
        ema_momentum=plan.average_momentum,
        ema_overwrite_frequency=None,
    )


def _commit() -> str:
    found = subprocess.run(["git", "rev-parse", "HEAD"], cwd=REPOSITORY, capture_output=True, text=True, check=False)
    return found.stdout.strip() or "unknown"
