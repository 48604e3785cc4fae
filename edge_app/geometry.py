"""Boxes in a picture, and how much two of them share: the one convention and the one IoU.

A box is left, top, width, height in pixels, in code as in label files and JSON.
"""

from typing import TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

Box = tuple[float, float, float, float]
"""Left, top, width, height."""

Floats = NDArray[np.floating]
Precision = TypeVar("Precision", bound=np.floating)

_SAME_PLATE_SHARE = 0.5
"""Two boxes show one plate if more than this share of the smaller lies in the larger: half a plate may look whole."""


def hulls(corners: NDArray[Precision]) -> NDArray[Precision]:
    """The axis-aligned boxes (…, 4) around corners (…, 4, 2)."""
    left_top = corners.min(axis=-2)
    return np.concatenate([left_top, corners.max(axis=-2) - left_top], axis=-1)


def corners_of(box: Box) -> NDArray[np.float32]:
    """The corners (4, 2) of a box, clockwise from the top left."""
    left, top, width, height = box
    right, bottom = left + width, top + height
    return np.array([[left, top], [right, top], [right, bottom], [left, bottom]], np.float32)


def iou(box: ArrayLike, other: ArrayLike) -> Floats:
    """Intersection over union of boxes (…, 4) with others; the shapes are broadcast."""
    shared = _shared(box, other)
    return shared / np.maximum(_area(box) + _area(other) - shared, 1e-6)


def share_within(box: ArrayLike, other: ArrayLike) -> Floats:
    """The share of boxes (…, 4) that lies within others."""
    return _shared(box, other) / np.maximum(_area(box), 1e-6)


def same_plate(box: ArrayLike, other: ArrayLike) -> NDArray[np.bool_]:
    """Whether boxes (…, 4) show the plate of others, or a part of it."""
    return np.asarray(_shared(box, other) > _SAME_PLATE_SHARE * np.minimum(_area(box), _area(other)))


def _shared(box: ArrayLike, other: ArrayLike) -> Floats:
    """Pixels of the intersection."""
    one, two = np.asarray(box), np.asarray(other)
    ends = np.minimum(one[..., :2] + one[..., 2:], two[..., :2] + two[..., 2:])
    return np.asarray(np.clip(ends - np.maximum(one[..., :2], two[..., :2]), 0, None).prod(axis=-1))


def _area(box: ArrayLike) -> Floats:
    return np.asarray(np.asarray(box)[..., 2:].prod(axis=-1))
