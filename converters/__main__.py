"""The command `python -m converters`: checkpoints to int8 models, and the gate they have to pass."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from converters.exports import checkpoint_of, exports_of
from edge_app.commands.progress import ProgressLine
from edge_app.errors import EdgeAnprError, ModelError, UsageError


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what the command line asks for; 1 where the gate stays shut, 2 for wrong usage."""
    parsed = _parser().parse_args(arguments)
    try:
        if parsed.what == "threshold":
            return threshold(parsed)
        if parsed.what != "parity":
            convert(parsed)
        if parsed.what == "parity" or parsed.held_out:
            return parity(parsed)
    except EdgeAnprError as error:
        print(f"python -m converters: {error}", file=sys.stderr)
        return 2 if isinstance(error, UsageError) else 1
    return 0


def convert(arguments: argparse.Namespace) -> None:
    """Make the models that were asked for, and the model cards."""
    from converters.calibration import calibration_pixels
    from converters.macs import count_macs
    from converters.manifest import write_model
    from converters.model_card import write_cards
    from converters.networks import load_checkpoint
    from converters.quantize import quantize

    told = "training pictures" if arguments.calibration else "generated pictures"
    for export in exports_of(arguments.what):
        checkpoint = checkpoint_of(export, arguments.checkpoint, arguments.out)
        model = load_checkpoint(checkpoint, export.input)
        macs = count_macs(model)
        if macs > export.mac_budget:
            raise ModelError(
                f"{export.name}: {macs / 1e6:.0f} million multiply-accumulates, over {export.mac_budget / 1e6:.0f}"
            )
        print(f"{export.name}: {macs / 1e6:.1f} million multiply-accumulates; calibrating on {told}", flush=True)
        content = quantize(model, calibration_pixels(export, arguments.calibration))
        path = write_model(export, content, macs, checkpoint, told, arguments.out)
        print(f"{path}: {len(content) / 1e3:.0f} kB", flush=True)
    write_cards(arguments.out)


def parity(arguments: argparse.Namespace) -> int:
    """Compare int8 with float on held-out datasets; 1 where too much was lost."""
    from converters.exports import all_exports
    from converters.manifest import add_scores
    from converters.model_card import write_cards
    from converters.parity import as_table, compare, pooled_losses

    if not arguments.held_out:
        raise UsageError("parity needs --held-out DATASET…: dataset folders that were not trained on")
    comparisons = compare(arguments.out, arguments.held_out, ProgressLine)
    print(as_table(comparisons))
    recall_loss, read_loss = pooled_losses(comparisons)
    print(f"lost over all: recall {recall_loss:+.4f}, exact match {read_loss:+.4f}; tolerance {arguments.tolerance}")
    scores = {each.quantized.dataset: each.quantized.as_json() for each in comparisons}
    for score in scores.values():
        del score["elapsed_ms"]
    for export in all_exports():
        add_scores(arguments.out / f"{export.name}.tflite", scores)
    write_cards(arguments.out)
    if max(recall_loss, read_loss) > arguments.tolerance:
        print("the gate stays shut: int8 lost too much; calibrate with more pictures or train longer", file=sys.stderr)
        return 1
    return 0


def threshold(arguments: argparse.Namespace) -> int:
    """Choose the detector's confidence on held-out datasets and note it in its manifest."""
    from converters.manifest import add_working_point
    from converters.parity import working_point_on

    if not arguments.held_out:
        raise UsageError(
            "threshold needs --held-out DATASET…: the held_out folder that training left in its run folder"
        )
    confidence = working_point_on(arguments.out, arguments.held_out, ProgressLine)
    names = ", ".join(folder.resolve().name for folder in arguments.held_out)
    add_working_point(arguments.out / "plate_detector.tflite", confidence, names)
    print(f"best balance of recall and precision on {names}: detection.confidence = {confidence:.2f}")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m converters", description="Keras checkpoints to int8 TFLite models."
    )
    parser.add_argument(
        "what",
        nargs="?",
        choices=("all", "detector", "reader", "parity", "threshold"),
        default="all",
        help="convert all, the detector or the reader; run the gate alone; choose the detector's confidence "
        "(default: %(default)s)",
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
        help="run the parity gate on these, or choose the detector's threshold on them",
    )
    parser.add_argument("--tolerance", type=float, default=0.01, help="most that int8 may lose (default: %(default)s)")
    parser.add_argument("--out", type=Path, default=Path("models"), metavar="DIR", help="default: %(default)s")
    return parser


if __name__ == "__main__":
    sys.exit(main())
