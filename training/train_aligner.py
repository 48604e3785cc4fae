"""Trains the aligner on generated plates and, if there are some, on real ones."""

import pickle
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import keras
import numpy as np
from keras import ops

from edge_app.config import Settings
from edge_app.stages import build_detector
from training.architectures import plate_aligner
from training.loop import Batch, Losses, RunFolder, begin_with, sha256_of, train
from training.losses import cross_entropy, huber, hull_of
from training.plan import Plan
from training.real_data import real_labels, sets_of
from training.torch_speed import speed_up
from training.views import Cutting, Views, ViewSource, find_cuttings

_HELD_OUT, _HELD_OUT_STREAM = 1500, 4_000_000

_CORNER_SHARE, _LINE_SHARE, _PLATE_SHARE = 6.0, 0.3, 0.3

LOSS_PARTS = ("corners", "lines", "plate")


def train_aligner(run_path: Path, plan: Plan, data: Path | None, start: Path | None) -> Path:
    """Train and save `plate_aligner.keras` in the run folder; its path.

    `data` is a folder of dataset folders; `start` a checkpoint whose weights the training begins with.
    """
    keras.utils.set_random_seed(plan.seed)
    speed_up()
    keras.mixed_precision.set_global_policy("mixed_bfloat16")
    model = plate_aligner()
    if start:
        begin_with(model, start)
    labels = [label for label in real_labels(data) if label.has_boxes]
    facts: dict[str, Any] = {"views": "generated", "sets": sets_of(labels)}
    run = RunFolder(run_path, plan, facts | ({"began_with": sha256_of(start)} if start else {}))
    kept = run_path / "cuttings.pickle"
    if not kept.exists():
        kept.write_bytes(pickle.dumps(find_cuttings(labels, build_detector(Settings()))))
    cuttings: list[Cutting] = pickle.loads(kept.read_bytes())  # noqa: S301  - our own file of this run
    with ViewSource(cuttings, plan.seed) as source:
        fresh = source.draw(_HELD_OUT, _HELD_OUT_STREAM)

        def batches(step: int) -> Iterator[Batch]:
            for views in source.batches(plan.batch_size, step):
                yield views.images[..., None].astype(np.float32), {"wanted": views.wanted}

        train(model, aligner_loss, LOSS_PARTS, batches, plan, run, lambda network: errors(network, fresh))
    path = run_path / "plate_aligner.keras"
    keras.mixed_precision.set_global_policy("float32")
    floats = plate_aligner()
    floats.set_weights(model.get_weights())
    floats.save(path)
    return path


def aligner_loss(wanted: Any, output: Any) -> Losses:
    """Huber loss of the corners, or of their hull if only that is known; cross entropy of lines and plate."""
    rows = wanted["wanted"]
    corners, exact, boxed, two, layout_known, plate = (
        rows[:, :8],
        rows[:, 8],
        rows[:, 9],
        rows[:, 10],
        rows[:, 11],
        rows[:, 12],
    )
    apart = ops.mean(huber(output["corners"] - corners), axis=-1) * exact
    hull = ops.mean(huber(hull_of(output["corners"]) - hull_of(corners)), axis=-1) * (exact + boxed)
    return {
        "corners": _CORNER_SHARE * ops.mean(apart + hull / 2),
        "lines": _LINE_SHARE * ops.mean(cross_entropy(two, output["lines"][:, 0]) * layout_known),
        "plate": _PLATE_SHARE * ops.mean(cross_entropy(plate, output["plate"][:, 0])),
    }


def errors(model: keras.Model, views: Views) -> dict[str, float]:
    """Mean error of the corners in shares of the view, and shares of right lines and of plates told from others."""
    parts = [
        model(views.images[start : start + 250, :, :, None].astype(np.float32), training=False)
        for start in range(0, len(views), 250)
    ]
    corners, lines, plate = (
        np.concatenate([ops.convert_to_numpy(part[name]) for part in parts]) for name in ("corners", "lines", "plate")
    )
    exact, layout_known = views.wanted[:, 8] > 0, views.wanted[:, 11] > 0
    return {
        "corner_error": float(np.abs(corners - views.wanted[:, :8])[exact].mean()),
        "lines_right": float(((lines[:, 0] > 0) == (views.wanted[:, 10] > 0))[layout_known].mean()),
        "plate_right": float(((plate[:, 0] > 0) == (views.wanted[:, 12] > 0)).mean()),
    }
