"""`python -m converters`: the gate's exit codes and the threshold, on drawn plates."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from converters.__main__ import main
from converters.manifest import add_scores, add_working_point, write_model
from converters.quantize import quantize
from edge_app import PlateRecognizer
from edge_app.config import DetectionSettings, Settings
from edge_app.evaluation.datasets import read_dataset
from edge_app.image_files import load_image
from edge_app.stages import build_stages
from edge_app.tflite_model import TfliteModel
from tests.converters.tiny import detector_of_nothing, drawn_crops, drawn_scenes, noise, reader_of_nothing
from training.exports import Export, all_exports
from training.loop import sha256_of
from training.networks import load_checkpoint

MODELS = Path(__file__).parent.parent.parent / "models"
DETECTOR, ALIGNER, READER = all_exports()

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # Keras' and TensorFlow's own


@pytest.fixture
def models(tmp_path: Path) -> Path:
    """A copy of what is shipped, its working point and scores unknown."""
    shutil.copytree(MODELS, tmp_path / "models")
    for export in (DETECTOR, ALIGNER, READER):
        manifest = tmp_path / "models" / f"{export.name}.json"
        facts = json.loads(manifest.read_text())
        facts.pop("working_point", None)
        manifest.write_text(json.dumps(facts | {"scores": {}}))
    return tmp_path / "models"


def facts(models: Path, name: str) -> dict[str, Any]:
    """The contents of a manifest."""
    written: dict[str, Any] = json.loads((models / f"{name}.json").read_text())
    return written


def make(export: Export, network: Any, models: Path) -> None:
    """Put a network and its int8 self in place of what is shipped."""
    checkpoint = models / f"{export.checkpoint}.keras"
    network.save(checkpoint)
    content = quantize(load_checkpoint(checkpoint, export.input), noise(export.input))
    write_model(export, content, 0, checkpoint, "noise", models)


def gate(models: Path, crops: Path) -> int:
    return main(["parity", "--out", str(models), "--held-out", str(crops), "--tolerance", "0.3"])


def test_the_gate_opens_for_networks_that_lost_little_and_notes_their_scores(
    models: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    make(DETECTOR, detector_of_nothing(), models)  # far faster than the real one; crops are read without it

    code = gate(models, drawn_crops(tmp_path / "crops"))

    assert code == 0, capsys.readouterr().out
    for export in (DETECTOR, ALIGNER, READER):
        assert facts(models, export.name)["scores"]["crops"]["reading"]["exact"] > 0.5
    assert "| crops | – | – | " in (models / "README.md").read_text()


def test_the_gate_stays_shut_if_int8_reads_nothing(
    models: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    make(DETECTOR, detector_of_nothing(), models)
    trained = (models / "plate_reader.keras").read_bytes()
    make(READER, reader_of_nothing(), models)
    (models / "plate_reader.keras").write_bytes(trained)

    code = gate(models, drawn_crops(tmp_path / "crops"))

    assert code == 1
    assert "the gate stays shut: int8 lost too much" in capsys.readouterr().err


def test_the_threshold_lies_below_every_plate_and_above_all_that_is_reported_and_is_none(
    models: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    yard = drawn_scenes(tmp_path / "yard")
    faint = PlateRecognizer(build_stages(Settings(detection=DetectionSettings(confidence=0.2))), effort=0)
    reads = [faint.recognize(load_image(label.path)) for label in read_dataset(yard)]
    found = [sorted((read.detection.confidence for read in each), reverse=True) for each in reads]
    plates = [confidences[0] for confidences in found]
    others = [confidence for confidences in found for confidence in confidences[1:]]

    code = main(["threshold", "--out", str(models), "--held-out", str(yard)])

    expected = round((min(plates) + max(others, default=0)) / 2, 2)
    assert code == 0
    chosen_on = "/".join(yard.parts[-3:])
    assert facts(models, "plate_detector")["working_point"] == {"confidence": expected, "chosen_on": chosen_on}
    assert f"on {chosen_on}: detection.confidence = {expected:.2f}" in capsys.readouterr().out


def test_scores_measured_at_another_threshold_are_dropped(models: Path, tmp_path: Path) -> None:
    yard = drawn_scenes(tmp_path / "yard")
    add_scores(models / "plate_reader.tflite", {"yard": {"detection": None, "reading": None}})

    main(["threshold", "--out", str(models), "--held-out", str(yard)])

    assert facts(models, "plate_reader")["scores"] == {}
    assert "Not measured yet." in (models / "README.md").read_text()


def test_without_a_plate_there_is_no_threshold_and_the_manifest_stays(
    models: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wall = drawn_scenes(tmp_path / "wall", texts=("",))
    before = facts(models, "plate_detector")

    code = main(["threshold", "--out", str(models), "--held-out", str(wall)])

    assert code == 2
    assert "no labelled plate was found in the held-out pictures" in capsys.readouterr().err
    assert facts(models, "plate_detector") == before


def test_without_pictures_there_is_nothing_to_choose_a_threshold_on(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["threshold"]) == 2

    assert "threshold needs --held-out DATASET…" in capsys.readouterr().err


def test_pictures_without_a_plate_are_nothing_to_compare_on(
    models: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    make(DETECTOR, detector_of_nothing(), models)

    assert gate(models, drawn_scenes(tmp_path / "wall", texts=("",))) == 2

    assert "nothing can be compared on datasets without a plate's box or text" in capsys.readouterr().err


def test_a_model_that_the_gate_refuses_does_not_take_the_old_ones_place(
    models: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    make(DETECTOR, detector_of_nothing(), models)
    network = tmp_path / "other.keras"
    reader_of_nothing(seed=2).save(network)
    before = {path.name: path.read_bytes() for path in models.iterdir()}
    crops = drawn_crops(tmp_path / "crops")
    command = ["reader", "--checkpoint", str(network), "--out", str(models), "--held-out", str(crops)]

    code = main([*command, "--tolerance", "-1"])

    assert code == 1
    assert f"{models}: left as it was" in capsys.readouterr().err
    assert {path.name: path.read_bytes() for path in models.iterdir()} == before


def test_a_model_that_the_gate_lets_through_is_installed_with_its_checkpoint(models: Path, tmp_path: Path) -> None:
    make(DETECTOR, detector_of_nothing(), models)
    network = tmp_path / "other.keras"
    reader_of_nothing(seed=2).save(network)
    crops = drawn_crops(tmp_path / "crops")

    code = main(["reader", "--checkpoint", str(network), "--out", str(models), "--held-out", str(crops)])

    assert code == 0
    assert (models / "plate_reader.keras").read_bytes() == network.read_bytes()
    assert facts(models, "plate_reader")["training"]["checkpoint_sha256"] == sha256_of(network)
    assert TfliteModel.load(models / "plate_reader.tflite", "plate-reader")
    assert not list(models.glob(".converting-*"))


def test_the_working_point_is_kept_for_the_same_checkpoint_only(models: Path) -> None:
    add_working_point(models / "plate_detector.tflite", 0.4, "yard")
    same, other = models / "plate_detector.keras", models / "plate_reader.keras"
    content = (models / "plate_detector.tflite").read_bytes()

    write_model(DETECTOR, content, 0, same, "noise", models)
    kept = facts(models, "plate_detector").get("working_point")
    write_model(DETECTOR, content, 0, other, "noise", models)

    assert kept == {"confidence": 0.4, "chosen_on": "yard"}
    assert "working_point" not in facts(models, "plate_detector")


def test_nothing_goes_in_without_the_gate(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    network, out = tmp_path / "alone.keras", tmp_path / "models"
    reader_of_nothing(seed=2).save(network)

    code = main(["reader", "--checkpoint", str(network), "--out", str(out)])

    assert code == 2
    assert "nothing goes in without the gate" in capsys.readouterr().err
    assert not list(out.iterdir())


def test_one_checkpoint_is_not_taken_for_both_networks(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--checkpoint", str(tmp_path / "one.keras")]) == 2

    assert "--checkpoint is one network's: give `detector`, `aligner` or `reader`" in capsys.readouterr().err


def test_a_folder_that_is_no_dataset_is_an_error(
    models: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["threshold", "--out", str(models), "--held-out", str(tmp_path)]) == 1

    assert "labels.jsonl: cannot be read" in capsys.readouterr().err


def test_a_checkpoint_that_is_not_there_is_wrong_usage(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["reader", "--out", str(tmp_path)]) == 2

    assert "plate_reader.keras: no such checkpoint; train one" in capsys.readouterr().err
