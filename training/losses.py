"""Losses that several networks share, free of the backend."""

from typing import Any

from keras import ops


def cross_entropy(wanted: Any, logits: Any) -> Any:
    """Of a yes (1) or no (0) and its logit, element by element."""
    return ops.relu(logits) - logits * wanted + ops.softplus(-ops.absolute(logits))


def huber(difference: Any) -> Any:
    """Quadratic up to 0.05, then of slope 4 (Huber 1964), element by element."""
    size = ops.absolute(difference)
    return ops.where(size < 0.05, ops.square(size) / 0.1, size - 0.025) * 4


def hull_of(corners: Any) -> Any:
    """Left, top, right and bottom (…, 4) of four corners (…, 8)."""
    x, y = corners[..., 0::2], corners[..., 1::2]
    ends = [ops.min(x, -1), ops.min(y, -1), ops.max(x, -1), ops.max(y, -1)]
    return ops.stack(ends, axis=-1)
