"""Scores of a classifier: by class, and over its threshold."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.shapes import ALPHABET

PAIRS = ("0O", "1I", "8B", "5S", "2Z")
"""Characters that are taken for each other."""

_POINTS = 60
"""Of a curve that is kept."""

Floats = NDArray[np.float64]


def confusion(truths: NDArray[np.int64], read: NDArray[np.int64]) -> NDArray[np.int64]:
    """(true, read): how often each."""
    counts = np.zeros((len(ALPHABET), len(ALPHABET)), np.int64)
    np.add.at(counts, (truths, read), 1)
    return counts


def by_class(counts: NDArray[np.int64]) -> dict[str, list[float | None]]:
    """Precision, recall and F1 of each class; None if it was neither there nor read."""
    right, there, read = np.diag(counts), counts.sum(axis=1), counts.sum(axis=0)
    figures: dict[str, list[float | None]] = {"precision": [], "recall": [], "f1": []}
    for hits, truths, found in zip(right.tolist(), there.tolist(), read.tolist(), strict=True):
        figures["precision"].append(hits / found if found else None)
        figures["recall"].append(hits / truths if truths else None)
        figures["f1"].append(2 * hits / (truths + found) if truths + found else None)
    return figures


def mean(values: list[float | None]) -> float:
    """Of those that are known."""
    known = [value for value in values if value is not None]
    return float(np.mean(known)) if known else 0.0


def pairs(counts: NDArray[np.int64]) -> dict[str, list[int]]:
    """For each pair of look-alikes: the first read as the second, the second as the first, and both in all."""
    figures = {}
    for one, other in map(tuple, PAIRS):
        first, second = ALPHABET.index(one), ALPHABET.index(other)
        there = int(counts[first].sum() + counts[second].sum())
        figures[one + other] = [int(counts[first, second]), int(counts[second, first]), there]
    return figures


def roc_and_pr(truths: NDArray[np.int64], probabilities: Floats) -> dict[str, Any]:
    """Curves over all pairs of a character and a class, and the area under the first."""
    wanted = np.zeros(probabilities.shape, bool)
    wanted[np.arange(len(truths)), truths] = True
    order = np.argsort(-probabilities.ravel(), kind="stable")
    hits = wanted.ravel()[order]
    true, false = np.cumsum(hits), np.cumsum(~hits)
    recall, fall_out, precision = true / true[-1], false / false[-1], true / (true + false)
    area = float(np.sum(np.diff(np.r_[0, fall_out]) * (np.r_[0, recall][:-1] + recall) / 2))
    average = float(np.sum(np.diff(np.r_[0, recall]) * precision))
    # Both curves bend within the first few pairs, so the points that are kept lie close together there.
    kept = np.unique(np.geomspace(1, len(hits), _POINTS).astype(int) - 1)
    return {
        "roc": [fall_out[kept].round(5).tolist(), recall[kept].round(4).tolist()],
        "pr": [recall[kept].round(4).tolist(), precision[kept].round(4).tolist()],
        "auc": area,
        "average_precision": average,
    }


def softmax(logits: NDArray[np.floating]) -> Floats:
    """Probabilities of the last axis."""
    shifted = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return np.asarray(shifted / shifted.sum(axis=-1, keepdims=True), np.float64)
