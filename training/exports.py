"""What is made from the checkpoints."""

from dataclasses import dataclass
from pathlib import Path

from edge_app.errors import UsageError
from edge_app.tflite_model import InputShape, ModelManifest
from training.shapes import ALIGNER_HEIGHT, ALIGNER_WIDTH, ALPHABET, READER_HEIGHT, READER_WIDTH, STRIDE


@dataclass(frozen=True, slots=True)
class Export:
    """A model file to be made."""

    name: str
    kind: str
    """`plate-detector`, `plate-aligner` or `plate-reader`."""
    checkpoint: str
    """Stem of the `.keras` file it is made from."""
    input: InputShape
    mac_budget: int
    """Most multiply-accumulates a run may take on the device."""
    alphabet: str = ""
    stride: int = 0

    def manifest(self, version: str = "", sha256: str = "") -> ModelManifest:
        """What the device's loader knows of the model."""
        return ModelManifest(
            self.name, version, self.kind, self.input, sha256, alphabet=self.alphabet, stride=self.stride
        )


def all_exports() -> tuple[Export, ...]:
    """Every model file."""
    detector, aligner, reader = "plate_detector", "plate_aligner", "plate_reader"
    return (
        Export(detector, "plate-detector", detector, InputShape(640, 384, 3, "BGR"), 400_000_000, stride=STRIDE),
        Export(aligner, "plate-aligner", aligner, InputShape(ALIGNER_WIDTH, ALIGNER_HEIGHT, 1, "GRAY"), 15_000_000),
        Export(
            reader,
            "plate-reader",
            reader,
            InputShape(READER_WIDTH, READER_HEIGHT, 1, "GRAY"),
            200_000_000,
            alphabet=ALPHABET,
        ),
    )


def exports_of(what: str) -> tuple[Export, ...]:
    """The exports of `detector`, `aligner`, `reader` or `all`."""
    return tuple(export for export in all_exports() if what in ("all", export.kind.removeprefix("plate-")))


def checkpoint_of(export: Export, checkpoint: Path | None, models: Path) -> Path:
    """The `.keras` file of an export: the one given, or the one beside the models."""
    path = checkpoint or models / f"{export.checkpoint}.keras"
    if path.suffix != ".keras":
        raise UsageError(f"{path}: not a Keras checkpoint; give the .keras file that training wrote")
    if not path.is_file():
        raise UsageError(f"{path}: no such checkpoint; train one (`./build.sh train`) or name it with --checkpoint")
    return path
