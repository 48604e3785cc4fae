"""The loop that trains every network: progress, checkpoints to resume from, and a run folder that holds the rest.

Keras 3 alone, so that TensorFlow, PyTorch and JAX each can run it: `KERAS_BACKEND=torch python -m training …`.
"""

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
from keras import ops
from numpy.typing import NDArray
from tqdm import tqdm

from edge_app.errors import UsageError
from edge_app.newer_python import UTC
from training.plan import Plan
from training.repository import REPOSITORY

Arrays = dict[str, NDArray[np.generic]]
Batch = tuple[NDArray[np.float32], Arrays]
"""The pictures, and the wanted outputs."""
Losses = dict[str, Any]
"""Scalars of the Keras backend by name; their sum is minimised."""
LossFunction = Callable[[Any, Any], Losses]
"""The parts of the loss, from the wanted outputs and the network's."""


class RunFolder:
    """What a training leaves behind: `run.json`, `log.jsonl`, `curves.png`, the last checkpoint and the network."""

    def __init__(self, path: Path, plan: Plan, data: dict[str, Any]) -> None:
        self.path = path
        path.mkdir(parents=True, exist_ok=True)
        self._log = path / "log.jsonl"
        record = path / "run.json"
        start = {
            "command": " ".join(["python -m training", *sys.argv[1:]]),
            "steps": plan.steps,
            "commit": _commit(),
            "keras": f"{keras.__version__} on {keras.backend.backend()}",
            "machine": platform.machine(),
            "started": datetime.now(UTC).isoformat(timespec="seconds"),
        }
        facts: dict[str, Any] = (
            json.loads(record.read_text(encoding="utf-8")) if record.is_file() else {"data": data} | start
        )
        if facts["data"] != json.loads(json.dumps(data)):
            raise UsageError(f"{path}: holds a run with other data; remove it or choose another --run")
        facts["plan"] = asdict(plan)
        if record.is_file():
            facts["resumed"] = [*facts.get("resumed", []), start]
        record.write_text(json.dumps(facts, indent=2) + "\n", encoding="utf-8")

    def log(self, step: int, values: dict[str, float]) -> None:
        """Note figures at a step."""
        with self._log.open("a", encoding="utf-8") as file:
            file.write(json.dumps({"step": step, **{name: round(value, 5) for name, value in values.items()}}) + "\n")

    def conclude(self, scores: dict[str, float]) -> None:
        """Note the scores of the finished network in `run.json`, and print them."""
        record = self.path / "run.json"
        facts = json.loads(record.read_text(encoding="utf-8"))
        facts["scores"] = {name: round(value, 4) for name, value in scores.items()}
        record.write_text(json.dumps(facts, indent=2) + "\n", encoding="utf-8")
        tqdm.write("at the end: " + "  ".join(f"{name} {value:.3f}" for name, value in facts["scores"].items()))

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


class WarmupStableDecay(keras.optimizers.schedules.LearningRateSchedule):  # type: ignore[misc]  # Keras has no types
    """A learning rate that rises, stays, and falls to zero over the last steps (Hägele et al. 2024).

    Unlike a cosine it can be made longer: a run resumed from before its cooldown loses nothing.
    """

    def __init__(self, plan: Plan) -> None:
        self._rate = plan.learning_rate
        self._warmup = max(1, min(plan.warmup_steps, plan.steps // 5))
        self._cooldown = max(1.0, plan.steps * plan.cooldown_share)
        self._steps = plan.steps

    def __call__(self, step: Any) -> Any:
        """The rate at a step."""
        number = ops.cast(step, "float32")
        rising = ops.minimum((number + 1) / self._warmup, 1.0)
        left = ops.clip((self._steps - number) / self._cooldown, 0.0, 1.0)
        return self._rate * rising * left


class Learner(keras.Model):  # type: ignore[misc]  # Keras has no types
    """A network with its loss, in the form that every backend of Keras trains."""

    def __init__(self, network: keras.Model, loss_of: LossFunction) -> None:
        super().__init__()
        self.network = network
        self._loss_of = loss_of
        self.parts: dict[str, keras.metrics.Mean] = {}

    def call(self, pixels: Any, training: bool = False) -> Any:
        """The network's outputs."""
        return self.network(pixels, training=training)

    def compute_loss(
        self,
        x: Any = None,  # noqa: ARG002  - the names are Keras'
        y: Any = None,
        y_pred: Any = None,
        sample_weight: Any = None,  # noqa: ARG002
        training: bool = True,  # noqa: ARG002
    ) -> Any:
        """The sum of the parts, each of which is noted."""
        parts = self._loss_of(keras.tree.map_structure(ops.convert_to_tensor, y), y_pred)
        for name, value in parts.items():
            self.parts[name].update_state(ops.stop_gradient(value))
        return sum(parts.values())


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
    parts: tuple[str, ...],
    batches_of: Callable[[int], Iterator[Batch]],
    plan: Plan,
    run: RunFolder,
    measure: Callable[[keras.Model], dict[str, float]],
) -> None:
    """Minimise the loss for `plan.steps`, from the last checkpoint if there is one; `model` ends averaged.

    `parts` names the parts of the loss; `batches_of` draws endless batches for the steps from a given one on.
    """
    learner = Learner(model, loss_of)
    learner.parts = {name: keras.metrics.Mean(name=name) for name in parts}
    learner.compile(optimizer=_optimizer(plan), jit_compile=False)
    learner.optimizer.build(model.trainable_variables)
    checkpoint = run.path / "checkpoint.npz"
    done = restore_state(learner, checkpoint) if checkpoint.is_file() else 0
    batches = prefetch(batches_of(done))
    bar = tqdm(total=plan.steps, initial=done, desc=model.name, unit="step", mininterval=5)
    for number in range(done + 1, plan.steps + 1):
        pixels, wanted = next(batches)
        learner.train_on_batch(pixels, wanted)
        bar.update()
        if number % plan.checkpoint_every == 0 or number == plan.steps:
            if number == plan.steps:
                learner.optimizer.finalize_variable_values(model.trainable_variables)
                settle_statistics(model, batches)
            figures = {name: float(mean.result()) for name, mean in learner.parts.items()} | measure(model)
            for mean in learner.parts.values():
                mean.reset_state()
            run.log(number, figures)
            bar.write(f"step {number}: " + "  ".join(f"{name} {value:.4f}" for name, value in figures.items()))
            save_state(learner, checkpoint, number)
    bar.close()
    run.draw()


def settle_statistics(model: keras.Model, batches: Iterator[Batch], count: int = 120) -> None:
    """Learn the batch statistics again for the averaged weights: the present ones belong to the last weights."""
    for _ in range(count):
        model(next(batches)[0], training=True)


def prefetch(batches: Iterator[Batch], depth: int = 4) -> Iterator[Batch]:
    """The same batches, made by a thread while the network learns; what the thread raises is raised here."""
    ready: Queue[Batch | Exception] = Queue(depth)

    def make() -> None:
        try:
            for batch in batches:
                ready.put(batch)
        except Exception as error:  # noqa: BLE001  - whatever it is, the network's thread must get it
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
    return keras.optimizers.AdamW(
        WarmupStableDecay(plan),
        weight_decay=plan.weight_decay,
        global_clipnorm=plan.clip_norm,
        use_ema=True,
        ema_momentum=plan.average_momentum,
        ema_overwrite_frequency=None,
    )


def _variables(learner: Learner) -> list[Any]:
    return [*learner.network.variables, *learner.optimizer.variables]


def save_state(learner: Learner, path: Path, done: int) -> None:
    """Write weights and the optimizer's state, whole or not at all."""
    values = {f"v{index}": ops.convert_to_numpy(each) for index, each in enumerate(_variables(learner))}
    unfinished = path.with_suffix(".part.npz")
    np.savez(unfinished, done=done, **values)
    unfinished.replace(path)


def restore_state(learner: Learner, path: Path) -> int:
    """Put the state of a checkpoint into place; the number of steps done."""
    with np.load(path) as arrays:
        for index, variable in enumerate(_variables(learner)):
            variable.assign(arrays[f"v{index}"])
        return int(arrays["done"])


def _commit() -> str:
    found = subprocess.run(["git", "rev-parse", "HEAD"], cwd=REPOSITORY, capture_output=True, text=True, check=False)
    return found.stdout.strip() or "unknown"
