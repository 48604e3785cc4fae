"""The command `python -m converters`: checkpoints to int8 models, and the gate they have to pass."""

import argparse
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from edge_app.commands.progress import ProgressLine
from edge_app.errors import EdgeAnprError, ModelError, UsageError
from training.exports import Export, exports_of
from training.repository import REPOSITORY

_TOLD_OF_PATH = 3
"""The last names of a held-out folder's path identify the run that left it."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what the command line asks for; 1 if the gate stays shut, 2 for wrong usage."""
    parsed = _parser().parse_args(arguments)
    try:
        if parsed.checkpoint and parsed.what not in ("detector", "aligner", "reader"):
            raise UsageError("--checkpoint is one network's: give `detector`, `aligner` or `reader`")
        if parsed.what == "threshold":
            return threshold(parsed)
        return parity(parsed) if parsed.what == "parity" else convert(parsed)
    except EdgeAnprError as error:
        print(f"python -m converters: {error}", file=sys.stderr)
        return 2 if isinstance(error, UsageError) else 1


def convert(arguments: argparse.Namespace) -> int:
    """Make the models that were asked for; they replace the old ones only if the gate opens."""
    from converters.manifest import write_model
    from converters.model_card import write_cards
    from converters.staging import bring, install, is_complete, staged

    calibrated_on = "training pictures" if arguments.calibration else "generated pictures"
    with staged(arguments.out) as folder:
        for export in exports_of(arguments.what):
            checkpoint = bring(export, arguments.checkpoint, arguments.out, folder)
            content, macs = _quantized(export, checkpoint, arguments.calibration)
            path = write_model(export, content, macs, checkpoint, calibrated_on, folder)
            print(f"{path.name}: {len(content) / 1e3:.0f} kB, calibrated on {calibrated_on}", flush=True)
        if not is_complete(folder):
            raise UsageError(
                f"{arguments.out}: nothing goes in without the gate, which needs every network: "
                "convert `all`, or put the other networks there first"
            )
        if not _gate(folder, arguments):
            print(f"{arguments.out}: left as it was", file=sys.stderr)
            return 1
        write_cards(folder)
        install(folder, arguments.out)
    return 0


def _quantized(export: Export, checkpoint: Path, calibration: Path | None) -> tuple[bytes, int]:
    """The int8 model of a checkpoint and its multiply-accumulates."""
    from converters.calibration import calibration_pixels
    from converters.macs import count_macs
    from converters.quantize import quantize
    from training.networks import load_checkpoint

    model = load_checkpoint(checkpoint, export.input)
    macs = count_macs(model)
    if macs > export.mac_budget:
        raise ModelError(
            f"{export.name}: {macs / 1e6:.0f} million multiply-accumulates, over {export.mac_budget / 1e6:.0f}"
        )
    print(f"{export.name}: {macs / 1e6:.1f} million multiply-accumulates", flush=True)
    return quantize(model, calibration_pixels(export, calibration)), macs


def parity(arguments: argparse.Namespace) -> int:
    """Compare int8 with float on held-out datasets; 1 if too much was lost."""
    from converters.model_card import write_cards

    is_open = _gate(arguments.out, arguments)
    write_cards(arguments.out)
    return 0 if is_open else 1


def _gate(models: Path, arguments: argparse.Namespace) -> bool:
    """Whether int8 loses little enough; notes the scores in the manifests."""
    from converters.held_out import generated_scenes
    from converters.manifest import add_scores
    from converters.parity import as_table, compare, pooled_losses
    from training.exports import all_exports

    with tempfile.TemporaryDirectory() as scratch:
        held_out = arguments.held_out or [generated_scenes(Path(scratch) / "generated_scenes")]
        comparisons = compare(models, held_out, ProgressLine)
    print(as_table(comparisons))
    recall_loss, read_loss = pooled_losses(comparisons)
    print(f"lost over all: recall {recall_loss:+.4f}, exact match {read_loss:+.4f}; tolerance {arguments.tolerance}")
    scores = {each.quantized.dataset: each.quantized.as_json() for each in comparisons}
    for score in scores.values():
        del score["elapsed_ms"]
    for export in all_exports():
        add_scores(models / f"{export.name}.tflite", scores)
    if max(recall_loss, read_loss) > arguments.tolerance:
        print("the gate stays shut: int8 lost too much; calibrate with more pictures or train longer", file=sys.stderr)
        return False
    return True


def threshold(arguments: argparse.Namespace) -> int:
    """Choose the detector's confidence on held-out datasets and note it; scores measured at another are dropped."""
    from converters.manifest import add_scores, add_working_point
    from converters.model_card import write_cards
    from converters.parity import working_point_on
    from training.exports import all_exports

    if not arguments.held_out:
        raise UsageError(
            "threshold needs --held-out DATASET…: the held_out folder that training left in its run folder"
        )
    confidence = working_point_on(arguments.out, arguments.held_out, ProgressLine)
    names = ", ".join("/".join(folder.resolve().parts[-_TOLD_OF_PATH:]) for folder in arguments.held_out)
    add_working_point(arguments.out / "plate_detector.tflite", confidence, names)
    for export in all_exports():
        add_scores(arguments.out / f"{export.name}.tflite", {})
    write_cards(arguments.out)
    print(f"best balance of recall and precision on {names}: detection.confidence = {confidence:.2f}")
    print("scores of another confidence were dropped from the model cards: measure with `parity`")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m converters", description="Keras checkpoints to int8 TFLite models."
    )
    parser.add_argument(
        "what",
        nargs="?",
        choices=("all", "detector", "aligner", "reader", "parity", "threshold"),
        default="all",
        help="convert all networks or one; run the gate alone; choose the detector's confidence (default: %(default)s)",
    )
    parser.add_argument("--checkpoint", type=Path, metavar="FILE", help="a .keras file instead of that in --out")
    parser.add_argument(
        "--calibration", type=Path, metavar="DIR", help="dataset folders; without it pictures are generated"
    )
    parser.add_argument(
        "--held-out",
        type=Path,
        nargs="+",
        metavar="DATASET",
        help="dataset folders not trained on, to compare int8 with float on (without it, on generated scenes) or to "
        "choose the threshold on",
    )
    parser.add_argument("--tolerance", type=float, default=0.01, help="most that int8 may lose (default: %(default)s)")
    parser.add_argument("--out", type=Path, default=REPOSITORY / "models", metavar="DIR", help="default: %(default)s")
    return parser


if __name__ == "__main__":
    sys.exit(main())
