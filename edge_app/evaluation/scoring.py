"""The one definition of every score: for `edge-anpr evaluate`, the converters' gate and the benchmarks."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from edge_app.geometry import Box, iou

_AS_GOOD = 0.01
"""An F1 that is lower by at most this is as good."""

RIGHT_IOU = 0.5
"""A detection is right from this intersection over union on."""

ALIKE_SHARE = 0.5
"""A text may be a plate's if at most this share of the plate's characters is wrong."""


@dataclass(frozen=True, slots=True)
class DetectionScore:
    """How well plates are found: those reported, which are legible.

    For `map50` every find of the detector in the whole picture counts.
    """

    plates: int
    """Plates there are."""
    found: int
    false: int
    """Those reported that are no plate, or one reported already."""
    recall: float | None
    """Found of all plates; None if there is none."""
    precision: float | None
    """Right of all reported; None if there is no plate or nothing was reported."""
    map50: float | None
    """Average precision at IoU 0.5 over all confidences; None if there is no plate."""


@dataclass(frozen=True, slots=True)
class ReadingScore:
    """How well plates are read, end to end."""

    plates: int
    """Plates whose text is known."""
    exact: float
    """Share of plates whose every character is right."""
    character_accuracy: float
    """1 - edit distance / length, over all plates' characters together; 0 at the least."""


@dataclass(frozen=True, slots=True)
class Elapsed:
    """Milliseconds for an image."""

    median: float
    p95: float


@dataclass(frozen=True, slots=True)
class DatasetScore:
    """The scores of a dataset folder; None if its labels lack them."""

    dataset: str
    effort: int
    """As `PlateRecognizer` takes it."""
    images: int
    detection: DetectionScore | None
    reading: ReadingScore | None
    elapsed_ms: Elapsed

    def as_json(self) -> dict[str, Any]:
        """What `edge-anpr evaluate --json` prints."""
        figures: dict[str, Any] = rounded(asdict(self))
        return figures


def normalize_text(text: str) -> str:
    """What is left for comparison: A-Z and 0-9."""
    return re.sub(r"[^A-Z0-9]", "", text.upper())


def edit_distance(text: str, truth: str) -> int:
    """Least number of characters to insert, remove or replace (Levenshtein)."""
    row = list(range(len(truth) + 1))
    for index, character in enumerate(text, start=1):
        diagonal, row[0] = row[0], index
        for column, wanted in enumerate(truth, start=1):
            kept = diagonal + (character != wanted)
            diagonal, row[column] = row[column], min(row[column] + 1, row[column - 1] + 1, kept)
    return row[-1]


def pair(found: Sequence[Box], truths: Sequence[Box]) -> list[int | None]:
    """For each found box, the most confident first, which truth it takes: the one it overlaps best of those left."""
    taken: list[int | None] = []
    for box in found:
        left = {index: truth for index, truth in enumerate(truths) if index not in taken}
        taken.append(best_overlap(box, left, RIGHT_IOU))
    return taken


def best_overlap(box: Box, places: Mapping[int, Box], least: float) -> int | None:
    """The place with the highest IoU with a box; None if all have less than `least`."""
    if not places:
        return None
    overlaps = iou(box, list(places.values()))
    best = int(overlaps.argmax())
    return list(places)[best] if overlaps[best] >= least else None


def nearest_text(text: str, truths: Mapping[int, str]) -> int | None:
    """The truth with the fewest wrong characters; None if more than `ALIKE_SHARE` of each is wrong."""
    errors = {index: edit_distance(normalize_text(text), truth) for index, truth in truths.items()}
    alike = [index for index, wrong in errors.items() if wrong <= ALIKE_SHARE * len(truths[index])]
    return min(alike, key=errors.__getitem__, default=None)


def average_precision(hits: Sequence[tuple[float, bool]], plates: int) -> float | None:
    """Area under the precision envelope over recall, from (confidence, right) of every detection of a dataset."""
    if plates == 0:
        return None
    right = np.array([hit for _, hit in sorted(hits, key=lambda hit: -hit[0])], bool)
    true = np.cumsum(right)
    precision = true / np.arange(1, right.size + 1)
    envelope = np.maximum.accumulate(precision[::-1])[::-1]
    return float(envelope[right].sum()) / plates


def best_threshold(hits: Sequence[tuple[float, bool]], plates: int) -> float | None:
    """The lowest confidence with as good an F1 score (van Rijsbergen 1979) as any, from what `average_precision` takes.

    Of scores that a few hundred plates cannot distinguish it takes that with the highest recall: a find that is false
    in one frame is false in few. Halfway to the next detection below; None if nothing right was found.
    """
    ordered = sorted(hits, key=lambda hit: -hit[0])
    confidences = np.array([confidence for confidence, _ in ordered] + [0.0])
    true = np.cumsum(np.array([hit for _, hit in ordered], bool))
    if plates == 0 or not true.size or not true[-1]:
        return None
    f1 = 2 * true / (np.arange(1, true.size + 1) + plates)
    between = confidences[:-1] > confidences[1:]  # int8 gives many finds the same confidence: all or none of them
    as_good = np.where(between, f1, 0) >= f1[between].max() - _AS_GOOD
    best = int(np.flatnonzero(as_good)[-1])
    return float(confidences[best] + confidences[best + 1]) / 2


def score_detection(plates: int, found: int, false: int, hits: Sequence[tuple[float, bool]]) -> DetectionScore:
    """From counts of what is reported, and `hits` as `average_precision` takes them."""
    recall = found / plates if plates else None
    precision = found / (found + false) if plates and found + false else None
    return DetectionScore(plates, found, false, recall, precision, average_precision(hits, plates))


def pooled(scores: Iterable[DetectionScore | ReadingScore | None], share: str) -> tuple[int, float | None]:
    """Plates of all datasets together, and of them the `share` of that name, each plate counting once."""
    known = [(score.plates, getattr(score, share)) for score in scores if score]
    plates = sum(count for count, _ in known)
    return plates, sum(count * (value or 0.0) for count, value in known) / plates if plates else None


def score_reading(reads: Sequence[tuple[str, str]]) -> ReadingScore | None:
    """From (read, truth) of every plate; "" if nothing was read."""
    if not reads:
        return None
    normal = [(normalize_text(read), normalize_text(truth)) for read, truth in reads]
    exact = sum(read == truth for read, truth in normal) / len(normal)
    wrong = sum(edit_distance(read, truth) for read, truth in normal)
    return ReadingScore(len(normal), exact, max(0.0, 1 - wrong / max(1, sum(len(truth) for _, truth in normal))))


def rounded(value: Any) -> Any:
    """Figures of a document, however deep, to four decimals."""
    if isinstance(value, dict):
        return {key: rounded(inner) for key, inner in value.items()}
    return round(value, 4) if isinstance(value, float) else value
