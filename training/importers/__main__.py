"""`python -m training.importers --from voc|yolo|csv SOURCE DESTINATION`: make a dataset folder of annotations."""

import argparse
import sys
from pathlib import Path

from tqdm import tqdm

from edge_app.errors import EdgeAnprError, UsageError
from training.importers.csv_table import read_csv
from training.importers.dataset_writer import write_dataset
from training.importers.pascal_voc import read_pascal_voc
from training.importers.yolo import read_yolo

_READERS = {"voc": read_pascal_voc, "yolo": read_yolo, "csv": read_csv}


def main(arguments: list[str] | None = None) -> int:
    """Import and print the result; the exit code."""
    options = _parser().parse_args(arguments)
    try:
        return _run(options)
    except UsageError as error:
        sys.stderr.write(f"error: {error}\n")
        return 2
    except (EdgeAnprError, OSError) as error:
        sys.stderr.write(f"error: {error}\n")
        return 1


def _run(options: argparse.Namespace) -> int:
    if not options.source.exists():
        raise UsageError(f"{options.source}: no such file or folder")
    reader = _READERS[options.format]
    images = reader(options.source, frozenset(options.classes), tqdm.write)
    progress = tqdm(images, desc="importing", unit="image", disable=None)
    summary = write_dataset(progress, options.destination, options.country, options.scene)
    if not summary.images:
        raise EdgeAnprError(f"{options.source}: no image that can be used; see above for what was left out")
    sys.stdout.write(f"{options.destination}: {summary.images} images, {summary.plates} plates\n")
    if summary.skipped_plates:
        sys.stdout.write(f"{summary.skipped_plates} plates left out: outside their image, without extent or numbers\n")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m training.importers", description=__doc__)
    parser.add_argument("source", type=Path, help="folder (or, for csv, the file) with the annotations")
    parser.add_argument("destination", type=Path, help="dataset folder to make")
    parser.add_argument(
        "--from", dest="format", required=True, choices=sorted(_READERS), help="form of the annotations"
    )
    parser.add_argument(
        "--classes", nargs="+", default=[], metavar="CLASS", help="classes that are plates; see the formats"
    )
    parser.add_argument("--country", metavar="CODE", help="ISO 3166-1 alpha-2 of all plates, such as IN")
    parser.add_argument("--scene", action="store_true", help="images without boxes are whole scenes, not crops")
    return parser


if __name__ == "__main__":
    sys.exit(main())
