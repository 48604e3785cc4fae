"""The shipped networks load, verify and run; damaged ones are refused with what to do."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from edge_app.errors import ModelError
from edge_app.tflite_model import TfliteModel, runtime_name

MODELS = Path(__file__).parent.parent / "models"


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    """A copy of the shipped reader that a test may damage."""
    for suffix in (".tflite", ".json"):
        shutil.copy(MODELS / f"plate_reader{suffix}", tmp_path)
    return tmp_path / "plate_reader.tflite"


@pytest.mark.parametrize(
    ("name", "outputs"),
    [
        ("plate_detector", {"score": (1, 48, 80, 1), "corners": (1, 48, 80, 8), "lines": (1, 48, 80, 1)}),
        ("plate_reader", {"logits": (1, 48, 37)}),
    ],
)
def test_a_shipped_network_gives_its_outputs_the_same_every_time(
    name: str, outputs: dict[str, tuple[int, ...]]
) -> None:
    model = TfliteModel.load(MODELS / f"{name}.tflite")
    shape = model.manifest.input
    pixels = np.random.default_rng(1).integers(0, 256, (1, shape.height, shape.width, shape.channels), dtype=np.uint8)

    first, second = model.run(pixels), model.run(pixels)

    assert {key: value.shape for key, value in first.items()} == outputs
    for key in outputs:
        assert first[key].dtype == np.float32
        assert np.array_equal(first[key], second[key])
    assert runtime_name() in {"ai_edge_litert", "tflite_runtime"}


def test_a_truncated_model_is_refused_with_what_to_do(copied: Path) -> None:
    copied.write_bytes(copied.read_bytes()[:-100])

    with pytest.raises(ModelError, match=r"truncated or altered; put the shipped models back"):
        TfliteModel.load(copied)


def test_a_file_that_is_no_model_is_refused_even_where_the_manifest_agrees(copied: Path) -> None:
    import hashlib

    copied.write_bytes(b"not a model")
    manifest = json.loads(copied.with_suffix(".json").read_text())
    manifest["sha256"] = hashlib.sha256(b"not a model").hexdigest()
    copied.with_suffix(".json").write_text(json.dumps(manifest))

    with pytest.raises(ModelError, match="the runtime refuses the model"):
        TfliteModel.load(copied)


def test_a_missing_model_and_a_damaged_manifest_are_named(copied: Path) -> None:
    copied.with_suffix(".json").write_text("{")
    with pytest.raises(ModelError, match="the manifest is damaged"):
        TfliteModel.load(copied)

    with pytest.raises(ModelError, match="the manifest cannot be read"):
        TfliteModel.load(copied.with_name("absent.tflite"))
