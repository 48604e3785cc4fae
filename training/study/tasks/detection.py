"""Boxes: plates in pictures of roads, characters on strips, and the one box of a picture."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import cv2
import keras
import numpy as np
from keras import ops
from numpy.typing import NDArray

from edge_app.geometry import Box, iou
from training.loop import Batch, LossFunction
from training.losses import huber
from training.shapes import ALPHABET
from training.study.boxes import Grid
from training.study.learning import Pixels
from training.study.plates import NARROW, WIDE
from training.study.roads import RoadPicture
from training.study.store import Store
from training.study.tasks.strips import touch
from training.synthetic.scenes import SCENE_SIZE

_CALIBRATED = 100
_AT_ONCE = 16
_FOUND = 0.5
"""IoU from which on a box counts in the score during training."""
_LEAST = 0.3
"""Confidence from which on it does."""

ROAD_GRID = Grid(320, 192, 16, ((18, 8), (42, 16), (96, 36)), 1)
"""For plates in pictures of roads, at half their size."""
STRIP_GRID = Grid(*NARROW, 8, ((13, 10), (18, 15), (26, 19)), len(ALPHABET))
"""For characters on narrow strips."""

Boxes = NDArray[np.float32]
"""(n, 4): left, top, width, height."""


@dataclass(frozen=True, slots=True)
class PlateGridTask:
    """Find plates in a picture, as a one-stage detector does."""

    grid: Grid = ROAD_GRID
    kind: str = "plates"

    def material(self, store: Store) -> "GridMaterial":
        """What it learns from."""
        train, validation = (self._samples(store.roads().of(split)) for split in ("train", "validation"))
        return GridMaterial(self.grid, _mirrored, *train, *validation)

    def _samples(self, pictures: list[RoadPicture]) -> tuple[Pixels, list[Boxes], list[NDArray[np.int64]]]:
        size = (self.grid.width, self.grid.height)
        boxes = [boxes_at(picture, size) for picture in pictures]
        return road_pixels(pictures, size), boxes, [np.zeros(len(each), np.int64) for each in boxes]


@dataclass(frozen=True, slots=True)
class CharacterGridTask:
    """Find characters on a strip, as a second one-stage detector."""

    grid: Grid = STRIP_GRID
    kind: str = "strip characters"

    def material(self, store: Store) -> "GridMaterial":
        """What it learns from."""
        plates = store.plates()
        samples: list[Any] = []
        for split, most in (("train", store.setting.plates), ("validation", 200)):
            chosen = plates.of(split)[:most]
            boxes = [plates.places(number) * (NARROW[0] / WIDE[0]) for number in chosen]
            classes = [np.array([ALPHABET.index(each) for each in text]) for text in plates.texts(chosen)]
            samples += [np.asarray(plates.narrow[chosen])[..., None], boxes, classes]
        return GridMaterial(self.grid, _touched, *samples)


@dataclass(frozen=True, slots=True)
class OneBoxTask:
    """Regress the box of the one plate in a picture."""

    width: int = 160
    height: int = 96
    kind: str = "one plate"

    def material(self, store: Store) -> "OneBoxMaterial":
        """What it learns from."""
        samples: list[Any] = []
        for split in ("train", "validation"):
            pictures = [picture for picture in store.roads().of(split) if len(picture.boxes) == 1]
            samples += [road_pixels(pictures, (self.width, self.height)), normalised(pictures)]
        return OneBoxMaterial(*samples)


Change = Callable[[np.random.Generator, Pixels, list[Boxes]], tuple[Pixels, list[Boxes]]]
"""Pictures and boxes as another camera might have seen them."""


class GridMaterial:
    """Pictures, boxes and classes for a one-stage detector."""

    def __init__(
        self,
        grid: Grid,
        change: Change,
        images: Pixels,
        boxes: list[Boxes],
        classes: list[NDArray[np.int64]],
        held_images: Pixels,
        held_boxes: list[Boxes],
        held_classes: list[NDArray[np.int64]],
    ) -> None:
        self.parts = ("box", "objectness", "classes") if grid.classes > 1 else ("box", "objectness")
        self._grid, self._change = grid, change
        self._images, self._boxes, self._classes = images, boxes, classes
        self._held_images, self._held_boxes, self._held_classes = held_images, held_boxes, held_classes

    def loss(self, stage: str) -> LossFunction:  # noqa: ARG002
        """Of place, size, objectness and classes."""
        return lambda wanted, output: self._grid.loss(ops.convert_to_tensor(wanted["grid"]), output["grid"])

    def steps(self, batch_size: int) -> int:
        """Batches of an epoch."""
        return len(self._images) // batch_size

    def epoch(self, rng: np.random.Generator, batch_size: int) -> Iterator[Batch]:
        """Every picture once."""
        order = rng.permutation(len(self._images))[: self.steps(batch_size) * batch_size]
        for chosen in order.reshape(-1, batch_size):
            images, boxes = self._change(rng, self._images[chosen], [self._boxes[index] for index in chosen])
            targets = [self._grid.target(each, self._classes[index]) for each, index in zip(boxes, chosen, strict=True)]
            yield images.astype(np.float32), {"grid": np.stack(targets)}

    def validate(self, model: keras.Model, stage: str) -> dict[str, float]:  # noqa: ARG002
        """The loss, and the F1 score of boxes with the right class at IoU 0.5."""
        loss, right, found, there = 0.0, 0, 0, 0
        for start in range(0, len(self._held_images), _AT_ONCE):
            part = slice(start, start + _AT_ONCE)
            boxes, classes = self._held_boxes[part], self._held_classes[part]
            output = model(self._held_images[part].astype(np.float32), training=False)
            target = np.stack([self._grid.target(*each) for each in zip(boxes, classes, strict=True)])
            parts = self._grid.loss(ops.convert_to_tensor(target), output["grid"])
            loss += sum(float(value) for value in parts.values()) * len(boxes)
            for grid, truths, codes in zip(ops.convert_to_numpy(output["grid"]), boxes, classes, strict=True):
                finds = self._grid.decode(grid, _LEAST)
                right += _right([(box, int(scores.argmax())) for box, _, scores in finds], truths, codes)
                found, there = found + len(finds), there + len(truths)
        return {"loss": loss / len(self._held_images), "score": 2 * right / max(1, found + there)}

    def calibration(self) -> list[Pixels]:
        """Some of those learned from."""
        return [image[None] for image in self._images[:_CALIBRATED]]


class OneBoxMaterial:
    """Pictures with one plate each, and its normalised edges."""

    parts = ("loss",)

    def __init__(self, images: Pixels, edges: Boxes, held_images: Pixels, held_edges: Boxes) -> None:
        self._images, self._edges = images, edges
        self._held_images, self._held_edges = held_images, held_edges

    def loss(self, stage: str) -> LossFunction:  # noqa: ARG002
        """Huber loss of the edges."""
        return lambda wanted, output: {"loss": ops.mean(huber(output["box"] - wanted["box"]))}

    def steps(self, batch_size: int) -> int:
        """Batches of an epoch."""
        return len(self._images) // batch_size

    def epoch(self, rng: np.random.Generator, batch_size: int) -> Iterator[Batch]:
        """Every picture once, half of them mirrored."""
        order = rng.permutation(len(self._images))[: self.steps(batch_size) * batch_size]
        for chosen in order.reshape(-1, batch_size):
            images, edges = self._images[chosen].copy(), self._edges[chosen].copy()
            flipped = rng.random(batch_size) < 0.5
            images[flipped] = images[flipped, :, ::-1]
            edges[flipped] = _flipped(edges[flipped])
            yield images.astype(np.float32), {"box": edges}

    def validate(self, model: keras.Model, stage: str) -> dict[str, float]:  # noqa: ARG002
        """The loss and the mean IoU."""
        found = np.concatenate(
            [
                ops.convert_to_numpy(
                    model(self._held_images[start : start + _AT_ONCE].astype(np.float32), training=False)["box"]
                )
                for start in range(0, len(self._held_images), _AT_ONCE)
            ]
        )
        loss = float(ops.mean(huber(ops.convert_to_tensor(found - self._held_edges))))
        return {"loss": loss, "score": float(iou(as_boxes(found), as_boxes(self._held_edges)).mean())}

    def calibration(self) -> list[Pixels]:
        """Some of those learned from."""
        return [image[None] for image in self._images[:_CALIBRATED]]


def road_pixels(pictures: list[RoadPicture], size: tuple[int, int]) -> Pixels:
    """(n, height, width, 3) at a size."""
    return np.stack([cv2.resize(picture.image(), size, interpolation=cv2.INTER_AREA) for picture in pictures])


def boxes_at(picture: RoadPicture, size: tuple[int, int]) -> Boxes:
    """The boxes of a picture at a size."""
    scale = np.array([size[0] / SCENE_SIZE[0], size[1] / SCENE_SIZE[1]] * 2)
    return np.asarray(np.array(picture.boxes).reshape(-1, 4) * scale, np.float32)


def normalised(pictures: list[RoadPicture]) -> Boxes:
    """Left, top, right and bottom of the one box of each picture, as shares of its size."""
    boxes = np.array([picture.boxes[0] for picture in pictures], np.float32).reshape(-1, 4)
    boxes[:, 2:] += boxes[:, :2]
    return np.clip(boxes / np.array([*SCENE_SIZE, *SCENE_SIZE], np.float32), 0, 1)


def as_boxes(edges: Boxes) -> Boxes:
    """Left, top, width and height of left, top, right and bottom."""
    return np.concatenate([edges[..., :2], edges[..., 2:] - edges[..., :2]], axis=-1)


def _flipped(edges: Boxes) -> Boxes:
    return np.stack([1 - edges[:, 2], edges[:, 1], 1 - edges[:, 0], edges[:, 3]], axis=1)


def _right(found: list[tuple[Box, int]], truths: Boxes, codes: NDArray[np.int64]) -> int:
    """How many truths are found, each once, with their class."""
    left = list(range(len(truths)))
    right = 0
    for box, code in found:
        shared = [float(iou(box, truths[index])) if codes[index] == code else 0.0 for index in left]
        if shared and max(shared) >= _FOUND:
            del left[int(np.argmax(shared))]
            right += 1
    return right


def _mirrored(rng: np.random.Generator, images: Pixels, boxes: list[Boxes]) -> tuple[Pixels, list[Boxes]]:
    """Half of the pictures mirrored, all in another light."""
    images, moved = images.copy(), []
    for index, each in enumerate(boxes):
        changed = each.copy()
        if rng.random() < 0.5:
            images[index] = images[index, :, ::-1].copy()
            changed[:, 0] = images.shape[2] - each[:, 0] - each[:, 2]
        moved.append(changed)
    gain = rng.uniform(0.7, 1.25, (len(images), 1, 1, 1))
    return np.clip(images * gain, 0, 255).astype(np.uint8), moved


def _touched(rng: np.random.Generator, images: Pixels, boxes: list[Boxes]) -> tuple[Pixels, list[Boxes]]:
    """Strips in another light and with other noise, where they were."""
    return touch(rng, images[..., 0], furthest=0)[..., None], boxes
