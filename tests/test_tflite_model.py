"""The shipped networks load, verify and run; damaged ones are refused with what to do."""

import hashlib
import json
import logging
import os
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edge_app.errors import ModelError
from edge_app.tflite_model import TfliteModel, _quiet, runtime_name

MODELS = Path(__file__).parent.parent / "models"


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    """A copy of the shipped reader that a test may damage."""
    for suffix in (".tflite", ".json"):
        shutil.copy(MODELS / f"plate_reader{suffix}", tmp_path)
    return tmp_path / "plate_reader.tflite"


def change_manifest(model: Path, fields: dict[str, Any]) -> None:
    """Change the manifest beside a model."""
    manifest = model.with_suffix(".json")
    manifest.write_text(json.dumps(json.loads(manifest.read_text()) | fields))


@pytest.mark.parametrize(
    ("name", "outputs"),
    [
        ("plate_detector", {"score": (1, 48, 80, 1), "corners": (1, 48, 80, 8), "lines": (1, 48, 80, 1)}),
        ("plate_reader", {"logits": (1, 64, 37)}),
    ],
)
def test_a_shipped_network_gives_its_outputs_the_same_every_time(
    name: str, outputs: dict[str, tuple[int, ...]]
) -> None:
    model = TfliteModel.load(MODELS / f"{name}.tflite", name.replace("_", "-"))
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
        TfliteModel.load(copied, "plate-reader")


def test_a_file_that_is_no_model_is_refused_even_if_the_manifest_agrees(copied: Path) -> None:
    copied.write_bytes(b"not a model")
    change_manifest(copied, {"sha256": hashlib.sha256(b"not a model").hexdigest()})

    with pytest.raises(ModelError, match="the runtime refuses the model"):
        TfliteModel.load(copied, "plate-reader")


def test_a_missing_model_and_a_damaged_manifest_are_named(copied: Path) -> None:
    copied.with_suffix(".json").write_text("{")
    with pytest.raises(ModelError, match="the manifest is damaged"):
        TfliteModel.load(copied, "plate-reader")

    with pytest.raises(ModelError, match="the manifest cannot be read"):
        TfliteModel.load(copied.with_name("absent.tflite"), "plate-reader")


def test_a_reader_in_the_place_of_the_detector_is_refused(copied: Path) -> None:
    with pytest.raises(
        ModelError, match="describes a plate-reader for GRAY pictures; a plate-detector for BGR is wanted"
    ):
        TfliteModel.load(copied, "plate-detector")


def test_a_network_for_pictures_of_another_colour_order_is_refused(copied: Path) -> None:
    change_manifest(copied, {"input": {"width": 192, "height": 32, "channels": 1, "colour_order": "RGB"}})

    with pytest.raises(ModelError, match="a plate-reader for RGB pictures; a plate-reader for GRAY is wanted"):
        TfliteModel.load(copied, "plate-reader")


def test_a_network_that_takes_another_size_than_in_its_manifest_is_refused(copied: Path) -> None:
    change_manifest(copied, {"input": {"width": 192, "height": 32, "channels": 1, "colour_order": "GRAY"}})

    with pytest.raises(ModelError, match=r"takes \(1, 32, 256, 1\), the manifest has \(1, 32, 192, 1\)"):
        TfliteModel.load(copied, "plate-reader")


def test_what_the_runtime_writes_to_standard_error_is_logged_and_its_errors_as_warnings(
    caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    with caplog.at_level(logging.DEBUG), _quiet():
        os.write(2, b"INFO: Created TensorFlow Lite XNNPACK delegate for CPU.\nError in cpuinfo: failed to parse\n")

    assert capfd.readouterr().err == ""
    assert [(record.levelname, record.getMessage()) for record in caplog.records] == [
        ("DEBUG", "TFLite: INFO: Created TensorFlow Lite XNNPACK delegate for CPU."),
        ("WARNING", "TFLite: Error in cpuinfo: failed to parse"),
    ]
