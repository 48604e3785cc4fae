"""What came of every labelled plate, and what can be counted over many of them."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from edge_app.evaluation.pictures import ImageResult, reads_and_plates
from edge_app.evaluation.scoring import ALIKE_SHARE, edit_distance
from edge_app.image_files import load_image
from edge_app.recognition.rectifier import Rectifier

SURE = 0.9
"""Reads from this confidence on are meant to be acted on without a person's check."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """One plate whose text is known."""

    dataset: str
    country: str | None
    truth: str
    read: str
    """Empty where nothing was read."""
    confidence: float = 0.0
    lines: int | None = None
    """As detected; None if nothing was read, as for the next two."""
    line_height_px: float | None = None
    sharpness: float | None = None
    """As `PlateStrip.sharpness`."""

    @property
    def right(self) -> bool:
        """Every character is right."""
        return self.read == self.truth


def outcomes_of(dataset: str, result: ImageResult, rectifier: Rectifier) -> list[Outcome]:
    """An outcome for each plate of an image whose text is known."""
    pairs = [(read, plate) for read, plate in reads_and_plates(result) if plate.text]
    image_bgr = load_image(result.label.path) if any(read for read, _ in pairs) else None
    outcomes = []
    for read, plate in pairs:
        assert plate.text is not None
        if read is None or image_bgr is None:
            outcomes.append(Outcome(dataset, plate.country, plate.text, ""))
        else:
            seen = rectifier.rectify(image_bgr, read.detection)
            shown = (read.detection.lines, seen.line_height_px, seen.sharpness)
            outcomes.append(Outcome(dataset, plate.country, plate.text, read.text, read.confidence, *shown))
    return outcomes


def exact_share(outcomes: Sequence[Outcome]) -> float | None:
    """Share of plates read exactly right; None of none."""
    return sum(each.right for each in outcomes) / len(outcomes) if outcomes else None


def substitutions(outcomes: Sequence[Outcome]) -> Counter[tuple[str, str]]:
    """How often each character (the true one first) was read as another, in reads that are not altogether wrong."""
    return Counter(
        pair
        for each in outcomes
        if edit_distance(each.read, each.truth) <= ALIKE_SHARE * len(each.truth)
        for pair in _aligned(each.truth, each.read)
        if pair[0] != pair[1]
    )


def _aligned(truth: str, read: str) -> Iterator[tuple[str, str]]:
    """Characters that replace each other in the cheapest alignment (Levenshtein), the last first."""
    costs = np.add.outer(np.arange(len(truth) + 1), np.arange(len(read) + 1))
    for row, wanted in enumerate(truth, 1):
        for column, got in enumerate(read, 1):
            either = min(costs[row - 1, column], costs[row, column - 1]) + 1
            costs[row, column] = min(costs[row - 1, column - 1] + (wanted != got), either)
    row, column = len(truth), len(read)
    while row and column:
        wanted, got = truth[row - 1], read[column - 1]
        if costs[row, column] == costs[row - 1, column - 1] + (wanted != got):
            yield wanted, got
            row, column = row - 1, column - 1
        elif costs[row, column] == costs[row - 1, column] + 1:
            row -= 1
        else:
            column -= 1


@dataclass(frozen=True, slots=True)
class Bin:
    """Plates that are alike in one respect."""

    middle: float
    """Mean of that respect."""
    right: float
    """Share read exactly right."""
    plates: int


def binned(values: Sequence[float], right: Sequence[bool], edges: Sequence[float], least: int = 5) -> list[Bin]:
    """The plates of each interval between two edges, if there are `least` of them; the last includes its end."""
    numbers, hits = np.asarray(values, np.float64), np.asarray(right, bool)
    bins = []
    for low, high in pairwise(edges):
        inside = (numbers >= low) & ((numbers < high) | ((high == edges[-1]) & (numbers == high)))
        if inside.sum() >= least:
            bins.append(Bin(float(numbers[inside].mean()), float(hits[inside].mean()), int(inside.sum())))
    return bins


def sure_reads(outcomes: Sequence[Outcome]) -> tuple[float, float | None]:
    """Share of reads with confidence of at least `SURE`, and the share of those that is right."""
    reads = [each for each in outcomes if each.read]
    sure = [each for each in reads if each.confidence >= SURE]
    return len(sure) / max(len(reads), 1), exact_share(sure)
