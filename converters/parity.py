"""The parity gate: the int8 models in the device's own runtime beside the float networks, on held-out pictures."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edge_app.config import DetectionSettings, Settings
from edge_app.errors import UsageError
from edge_app.evaluation.pictures import evaluate_dataset, run_over, working_point
from edge_app.evaluation.scoring import DatasetScore, pooled
from edge_app.recognizer import PlateRecognizer
from edge_app.stages import stages_around
from training.networks import Networks, networks_as_converted, networks_as_trained

Progress = Callable[[str], Callable[[int, int], None]]

_LEAST_WORKING_POINT = 0.2
"""Lowest confidence that is considered for the detector."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """One dataset scored with the float networks and with the int8 models."""

    exact: DatasetScore
    """Of the float networks."""
    quantized: DatasetScore
    """Of the int8 models."""

    @property
    def recall_loss(self) -> float:
        """Detection recall lost to int8, 0 to 1; below zero if int8 found more."""
        return _loss(self.exact.detection, self.quantized.detection, "recall")

    @property
    def read_loss(self) -> float:
        """Exact match lost to int8."""
        return _loss(self.exact.reading, self.quantized.reading, "exact")


def compare(models: Path, datasets: Sequence[Path], progress: Progress) -> list[Comparison]:
    """Score every dataset twice."""
    original, quantized = _recognizer(networks_as_trained(models)), _recognizer(networks_as_converted(models))
    return [
        Comparison(
            evaluate_dataset(original, folder, progress(f"{folder.name} float")),
            evaluate_dataset(quantized, folder, progress(f"{folder.name} int8")),
        )
        for folder in datasets
    ]


def working_point_on(models: Path, datasets: Sequence[Path], progress: Progress) -> float:
    """The int8 detector's best confidence on dataset folders, with a reader that passes over what it cannot read."""
    settings = Settings(detection=DetectionSettings(confidence=_LEAST_WORKING_POINT))
    recognizer = PlateRecognizer(stages_around(*networks_as_converted(models), settings), effort=0)
    results = [result for folder in datasets for result in run_over(recognizer, folder, progress(folder.name))]
    confidence = working_point(results)
    if confidence is None:
        raise UsageError("no labelled plate was found in the held-out pictures; train longer, or give others")
    return confidence


def pooled_losses(comparisons: Sequence[Comparison]) -> tuple[float, float]:
    """Recall and exact match lost over all datasets together, each plate counting once.

    Raises:
        UsageError: the datasets name neither a plate's place nor its text, so that there is nothing to lose.
    """
    parts = [part for each in comparisons for part in (each.exact.detection, each.exact.reading) if part]
    if not sum(part.plates for part in parts):
        raise UsageError("nothing can be compared on datasets without a plate's box or text; give others")
    recall = _pooled_loss(comparisons, "detection", "recall")
    read = _pooled_loss(comparisons, "reading", "exact")
    return recall, read


def as_table(comparisons: Sequence[Comparison]) -> str:
    """The scores side by side."""
    lines = [
        f"{'dataset':<20} {'recall float':>12} {'int8':>7} {'loss':>7}  {'exact float':>12} {'int8':>7} {'loss':>7}"
    ]
    for each in comparisons:
        found = _cells(each.exact.detection, each.quantized.detection, "recall", each.recall_loss)
        read = _cells(each.exact.reading, each.quantized.reading, "exact", each.read_loss)
        lines.append(f"{each.exact.dataset:<20} {found}  {read}")
    return "\n".join(lines)


def _pooled_loss(comparisons: Sequence[Comparison], part: str, share: str) -> float:
    before, after = (
        pooled((getattr(getattr(each, side), part) for each in comparisons), share)[1] or 0.0
        for side in ("exact", "quantized")
    )
    return before - after


def _loss(before: Any, after: Any, figure: str) -> float:
    if before is None or after is None:
        return 0.0
    return (getattr(before, figure) or 0.0) - (getattr(after, figure) or 0.0)


def _cells(before: Any, after: Any, figure: str, loss: float) -> str:
    if before is None or getattr(before, figure) is None:
        return f"{'–':>12} {'–':>7} {'–':>7}"
    return f"{getattr(before, figure):>12.3f} {getattr(after, figure):>7.3f} {loss:>+7.3f}"


def _recognizer(networks: Networks) -> PlateRecognizer:
    return PlateRecognizer(stages_around(*networks, Settings()), effort=0)
