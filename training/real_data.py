"""Real pictures and crops to learn from: every dataset folder in a folder."""

from collections.abc import Sequence
from pathlib import Path

from edge_app.evaluation.datasets import LabelledImage, dataset_folders, read_dataset


def real_labels(data: Path | None) -> list[LabelledImage]:
    """All that is labelled in the dataset folders of `data`; nothing if there is no `data`."""
    return [label for folder in dataset_folders(data) for label in read_dataset(folder)] if data else []


def sets_of(labels: Sequence[LabelledImage]) -> list[str]:
    """The dataset folders that images come from, by name."""
    return list(dict.fromkeys(label.path.parent.parent.name for label in labels))
