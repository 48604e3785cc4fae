"""A folder beside the models in which new ones are made and judged before they take the old ones' place."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from training.exports import Export, all_exports, checkpoint_of


@contextmanager
def staged(models: Path) -> Iterator[Path]:
    """A folder with copies of what `models` holds; gone at the end. `install` moves what is wanted of it."""
    models.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".converting-", dir=models) as name:
        folder = Path(name)
        for path in models.iterdir():
            if path.is_file():
                shutil.copy2(path, folder)
        yield folder


def bring(export: Export, checkpoint: Path | None, models: Path, folder: Path) -> Path:
    """The checkpoint to convert, in `folder`: the one given, with the record of its run, or that of `models`."""
    path = checkpoint_of(export, checkpoint, models)
    kept = folder / f"{export.checkpoint}.keras"
    if checkpoint is None:
        return kept
    shutil.copy2(path, kept)
    record = path.with_suffix(".training.json")
    beside = kept.with_suffix(".training.json")
    beside.unlink(missing_ok=True)
    if record.is_file():
        shutil.copy2(record, beside)
    return kept


def install(folder: Path, models: Path) -> None:
    """Let every file of `folder` take the place of its namesake in `models`, each at once."""
    for path in sorted(folder.iterdir()):
        path.replace(models / path.name)


def is_complete(folder: Path) -> bool:
    """Both models and both checkpoints are there, so that they can be compared."""
    return all(
        (folder / name).is_file() for e in all_exports() for name in (f"{e.name}.tflite", f"{e.checkpoint}.keras")
    )
