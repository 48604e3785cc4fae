"""Boxes in the cells of a one-stage detector (Redmon and Farhadi 2017): what it learns, and what it found."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from keras import ops
from numpy.typing import NDArray

from edge_app.geometry import Box, iou
from training.losses import cross_entropy

_OVERLAP = 0.45
"""Of two finds of a class that share more than this, the more confident one is kept."""
_LARGEST = 4.0
"""Factor by which a box is larger than its anchor at most."""
_NO_OBJECT = 0.5
"""Weight of a cell without a box."""
_BOX = 5.0
_RARE = 4.0
"""Subtracted from the logit of objectness: nearly all cells are empty, also before anything was learned."""


@dataclass(frozen=True, slots=True)
class Grid:
    """How a detector lays its cells over a picture."""

    width: int
    height: int
    stride: int
    anchors: tuple[tuple[float, float], ...]
    """Width and height of each, in pixels."""
    classes: int

    @property
    def filters(self) -> int:
        """Of the last convolution: place, size, objectness and classes of each anchor."""
        return (5 + self.classes) * len(self.anchors)

    @property
    def cells(self) -> tuple[int, int]:
        """Rows and columns."""
        return self.height // self.stride, self.width // self.stride

    def target(self, boxes: NDArray[np.float32], classes: NDArray[np.int64]) -> NDArray[np.float32]:
        """(rows, columns, anchors, 6): offset x and y in the cell, log factors of the anchor, objectness, class."""
        target = np.zeros((*self.cells, len(self.anchors), 6), np.float32)
        anchors = np.array(self.anchors)
        for (left, top, width, height), code in zip(boxes, classes, strict=True):
            x, y = (left + width / 2) / self.stride, (top + height / 2) / self.stride
            row, column = int(y), int(x)
            if not (0 <= row < self.cells[0] and 0 <= column < self.cells[1]) or min(width, height) <= 0:
                continue
            shared = np.minimum(anchors, (width, height)).prod(axis=1)
            anchor = int((shared / (anchors.prod(axis=1) + width * height - shared)).argmax())
            size = np.log(np.array([width, height]) / anchors[anchor])
            target[row, column, anchor] = (x - column, y - row, *size, 1, code)
        return target

    def loss(self, wanted: Any, output: Any) -> dict[str, Any]:
        """Squared error of place and size, cross entropy of objectness and classes."""
        rows, columns = self.cells
        grid = ops.reshape(ops.cast(output, "float32"), (-1, rows, columns, len(self.anchors), 5 + self.classes))
        there = wanted[..., 4]
        count = ops.maximum(ops.sum(there), 1.0)
        place = ops.square(ops.sigmoid(grid[..., :2]) - wanted[..., :2])
        size = ops.square(_LARGEST_LOG * ops.tanh(grid[..., 2:4]) - wanted[..., 2:4])
        parts = {
            "box": _BOX * ops.sum(ops.sum(place + size, axis=-1) * there) / count,
            "objectness": ops.sum(cross_entropy(there, grid[..., 4] - _RARE) * ops.where(there > 0, 1.0, _NO_OBJECT))
            / count,
        }
        if self.classes > 1:
            logits = grid[..., 5:]
            chosen = ops.sum(ops.one_hot(ops.cast(wanted[..., 5], "int32"), self.classes) * logits, axis=-1)
            parts["classes"] = ops.sum((ops.logsumexp(logits, axis=-1) - chosen) * there) / count
        return parts

    def decode(self, output: NDArray[np.floating], least: float) -> list[tuple[Box, float, NDArray[np.float32]]]:
        """Box in pixels, confidence, and the probabilities of the classes of each find, the most confident first."""
        rows, columns = self.cells
        grid = output.reshape(rows, columns, len(self.anchors), 5 + self.classes).astype(np.float64)
        confidence = 1 / (1 + np.exp(_RARE - grid[..., 4]))
        found = []
        for row, column, anchor in np.argwhere(confidence >= least):
            cell = grid[row, column, anchor]
            x, y = (1 / (1 + np.exp(-cell[:2])) + (column, row)) * self.stride
            width, height = np.exp(_LARGEST_LOG * np.tanh(cell[2:4])) * self.anchors[anchor]
            classes = np.exp(cell[5:] - cell[5:].max()) if self.classes > 1 else np.ones(1)
            box = (float(x - width / 2), float(y - height / 2), float(width), float(height))
            found.append((box, float(confidence[row, column, anchor]), (classes / classes.sum()).astype(np.float32)))
        found.sort(key=lambda each: -each[1])
        return apart(found)


_LARGEST_LOG = float(np.log(_LARGEST))


def apart(
    found: Sequence[tuple[Box, float, NDArray[np.float32]]],
) -> list[tuple[Box, float, NDArray[np.float32]]]:
    """Each thing once: the most confident of the finds that overlap."""
    kept: list[tuple[Box, float, NDArray[np.float32]]] = []
    for each in found:
        if not kept or float(iou(each[0], [other[0] for other in kept]).max()) < _OVERLAP:
            kept.append(each)
    return kept
