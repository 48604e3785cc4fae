"""Trains the MobileNetV2 detector on rendered scenes, and on real pictures with pasted plates if there are some."""

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import keras
import numpy as np
from keras import ops
from numpy.typing import NDArray

from edge_app.detection.corner_decoding import decode
from edge_app.evaluation.clips.truth import EVENTS_FILE
from edge_app.evaluation.datasets import LabelledImage
from edge_app.geometry import hulls, iou
from training.architectures import plate_detector
from training.detector_targets import targets_of
from training.loop import Batch, Losses, RunFolder, begin_with, sha256_of, train
from training.losses import cross_entropy, huber, hull_of
from training.plan import Plan
from training.plate_pictures import PlatePicture, clip_pictures, endless_views, real_pictures, rendered_pictures
from training.real_data import real_labels, sets_of
from training.shapes import STRIDE
from training.torch_speed import speed_up

HELD_OUT = "held_out"
"""Folder of a run that holds the labels of the pictures that were not learned from."""

_HELD_OUT_OF = 32
"""One picture in so many is held out: by its name, so that a later run holds out the same."""

_CORNER_SHARE, _LINE_SHARE = 2.0, 1.0

_REPEATED = {"in_": 4, "vn_": 4, "id_": 3, "world_corners": 2}
"""How often the pictures of a set are shown for once that others are, by the beginning of its name: few show riders."""

LOSS_PARTS = ("score", "corners", "lines")


def train_detector(
    run_path: Path, plan: Plan, data: Path | None, scenes: int, start: Path | None, clips: Path | None = None
) -> Path:
    """Train and save `plate_detector.keras` in the run folder; its path.

    Learns from `scenes` rendered ones, from the pictures of `data` and the frames of the rendered `clips` if given.
    Begins with the weights of the checkpoint `start` if there is one.
    """
    keras.utils.set_random_seed(plan.seed)
    speed_up()
    model = plate_detector()
    if start:
        begin_with(model, start)
    labels = [label for label in real_labels(data) if label.has_boxes]
    pictures = real_pictures(labels) + rendered_pictures(scenes, plan.seed)
    names = [f"{label.path.parent.parent.name}/{label.path.name}" for label in labels]
    names += [f"rendered/{index}" for index in range(scenes)]
    aside = [index for index, name in enumerate(names) if is_held_out(name)]
    learned = [
        index for index in sorted(set(range(len(names))) - set(aside)) for _ in range(_repetitions(names[index]))
    ]
    rng = np.random.default_rng(plan.seed)
    held_out = [pictures.view(rng, index) for index in aside]
    facts = {"sets": sets_of(labels), "rendered_scenes": scenes}
    given = {"began_with": start, "clips": clips / EVENTS_FILE if clips else None}
    facts |= {name: sha256_of(path) for name, path in given.items() if path}
    run = RunFolder(run_path, plan, facts | {"pasted_plates": "generated"})
    write_held_out(
        run_path / HELD_OUT, [labels[index] for index in aside if index < len(labels) and labels[index].boxes_complete]
    )

    films = clip_pictures(clips) if clips else None

    def batches(step: int) -> Iterator[Batch]:
        rng = np.random.default_rng((plan.seed, step))
        return map(_batch, endless_views(rng, pictures, learned, plan.batch_size, films))

    train(model, detector_loss, LOSS_PARTS, batches, plan, run, lambda network: found_share(network, held_out))
    path = run_path / "plate_detector.keras"
    model.save(path)
    return path


def is_held_out(name: str) -> bool:
    """Whether the picture of this name, "set/file", is kept out of every training."""
    return hashlib.sha256(name.encode()).digest()[0] % _HELD_OUT_OF == 0


def _repetitions(name: str) -> int:
    return next((times for start, times in _REPEATED.items() if name.startswith(start)), 1)


def write_held_out(folder: Path, held_out: Sequence[LabelledImage]) -> None:
    """A dataset folder of the real pictures that were not learned from, to choose the working point on."""
    if not held_out:
        return
    folder.mkdir(exist_ok=True)
    lines = [
        json.dumps({"image": str(label.path.resolve()), "plates": [asdict(plate) for plate in label.plates]})
        for label in held_out
    ]
    (folder / "labels.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")


def detector_loss(wanted: Any, output: Any) -> Losses:
    """Focal loss (Lin et al. 2017) of the score, L1 of the coded corners and of their hull, cross entropy of the lines.

    The hull is what an axis-aligned box shows of corners that are not known; codes are monotonic, so it is taken
    in code space.
    """
    score, corners, lines = wanted["score"], wanted["corners"], wanted["lines"]
    weight = score[..., 1:]
    here = score[..., :1]
    plates = ops.maximum(ops.sum(here * weight), 1.0)
    probability = ops.sigmoid(output["score"])
    focus = ops.square(here - probability) * ops.where(here > 0, 1.0, 0.5)
    scores = focus * weight * cross_entropy(here, output["score"])
    share = (here * weight)[..., 0]
    apart = ops.mean(huber(output["corners"] - corners[..., :8]), axis=-1) * corners[..., 8]
    hull = ops.mean(huber(hull_of(output["corners"]) - hull_of(corners[..., :8])), axis=-1)
    two = cross_entropy(lines[..., :1], output["lines"]) * lines[..., 1:]
    return {
        "score": ops.sum(scores) / plates,
        "corners": _CORNER_SHARE * ops.sum((apart + hull) * share) / plates,
        "lines": _LINE_SHARE * ops.sum(two) / plates,
    }


def found_share(model: keras.Model, pictures: list[PlatePicture]) -> dict[str, float]:
    """Recall and precision at IoU 0.5 and the share of right line counts, on held-out pictures."""
    plates = found = false = lines_right = lines_known = 0
    for picture in pictures:
        maps = model(picture.image_bgr[None].astype(np.float32), training=False)
        score, codes, lines = (ops.convert_to_numpy(maps[name])[0] for name in ("score", "corners", "lines"))
        output = decode(score[..., 0], codes, lines[..., 0], STRIDE, 0.5, 16)
        boxes = hulls(np.stack([plate.corners_px for plate in output])) if output else np.zeros((0, 4), np.float32)
        used = np.zeros(len(output), bool)
        for truth in picture.plates:
            overlap = iou(hulls(truth.corners_px[None])[0], boxes)
            hit = bool(len(overlap)) and bool(overlap.max() >= 0.5)
            used |= overlap >= (0.5 if truth.counted else 0.2)
            plates += truth.counted
            found += truth.counted and hit
            if truth.counted and hit and truth.lines:
                lines_known += 1
                lines_right += output[int(overlap.argmax())].lines == truth.lines
        false += int((~used).sum())
    return {
        "recall": found / max(plates, 1),
        "precision": found / max(found + false, 1),
        "lines_right": lines_right / max(lines_known, 1),
    }


def _batch(pictures: Sequence[PlatePicture]) -> Batch:
    targets = [targets_of(picture) for picture in pictures]
    wanted: dict[str, NDArray[np.generic]] = {
        "score": np.stack([target.score for target in targets]),
        "corners": np.stack([target.corners for target in targets]),
        "lines": np.stack([target.lines for target in targets]),
    }
    return np.stack([picture.image_bgr for picture in pictures]).astype(np.float32), wanted
