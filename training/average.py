"""The command `python -m training.average`: the mean of several checkpoints' weights as one checkpoint.

Checkpoints of one lineage, each trained on from the one before, lie in one valley of the loss. Their mean is often
better than each of them, and better calibrated (Wortsman et al. 2022, "Model soups").
"""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

import keras
import numpy as np

from edge_app.errors import EdgeAnprError, UsageError
from training.loop import sha256_of


def main(words: Sequence[str] | None = None) -> int:
    """Write the mean; 2 for wrong usage."""
    arguments = _parser().parse_args(words)
    try:
        average(arguments.checkpoints, arguments.out)
    except EdgeAnprError as error:
        print(f"python -m training.average: {error}", file=sys.stderr)
        return 2 if isinstance(error, UsageError) else 1
    return 0


def average(checkpoints: Sequence[Path], out: Path) -> None:
    """Save the mean of the weights at `out`, with the record of the first checkpoint's run and what was averaged.

    Raises:
        UsageError: a checkpoint is missing, or they are not of one network.
    """
    missing = [str(path) for path in checkpoints if not path.is_file()]
    if missing:
        raise UsageError(f"{', '.join(missing)}: no such file")
    models = [keras.models.load_model(path, compile=False) for path in checkpoints]
    shapes = [[weight.shape for weight in model.get_weights()] for model in models]
    for path, these in zip(checkpoints, shapes, strict=True):
        if these != shapes[0]:
            raise UsageError(f"{path}: not the same network as {checkpoints[0]}")
    mean = models[0]
    mean.set_weights([np.mean(each, axis=0) for each in zip(*(model.get_weights() for model in models), strict=True)])
    run = checkpoints[0].with_suffix(".training.json")
    record = json.loads(run.read_text(encoding="utf-8")) if run.is_file() else {}
    record["mean_of"] = [sha256_of(path) for path in checkpoints]
    out.parent.mkdir(parents=True, exist_ok=True)
    mean.save(out)
    out.with_suffix(".training.json").write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m training.average",
        description="The mean of the weights of checkpoints, each of which was trained on from another of them.",
    )
    parser.add_argument("checkpoints", nargs="+", type=Path, metavar="FILE.keras", help="the latest first")
    parser.add_argument("--out", type=Path, required=True, metavar="FILE.keras", help="file of the mean")
    return parser


if __name__ == "__main__":
    sys.exit(main())
