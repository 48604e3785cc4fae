"""The shipped networks keep to their budget, and agree with their manifests."""

import hashlib
import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from converters.inspection import inspect
from converters.macs import count_macs
from converters.model_card import write_cards
from edge_app.errors import UsageError
from training.exports import Export, all_exports, checkpoint_of
from training.networks import load_checkpoint

MODELS = Path(__file__).parent.parent.parent / "models"

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # Keras' and TensorFlow's own


@pytest.mark.parametrize("export", all_exports(), ids=lambda export: export.name)
def test_a_shipped_model_is_int8_and_its_manifest_agrees_with_it(export: Export) -> None:
    content = (MODELS / f"{export.name}.tflite").read_bytes()
    manifest = json.loads((MODELS / f"{export.name}.json").read_text())

    interface = inspect(content)

    assert manifest["sha256"] == hashlib.sha256(content).hexdigest()
    assert interface.input.type == "uint8"
    assert {output.type for output in interface.outputs.values()} == {"int8"}
    checkpoint = (MODELS / f"{export.checkpoint}.keras").read_bytes()
    assert manifest["training"]["checkpoint_sha256"] == hashlib.sha256(checkpoint).hexdigest()


@pytest.mark.parametrize("export", all_exports(), ids=lambda export: export.name)
def test_multiply_accumulates_keep_to_the_budget(export: Export) -> None:
    model = load_checkpoint(checkpoint_of(export, None, MODELS), export.input)

    assert 0 < count_macs(model) <= export.mac_budget


def test_a_checkpoint_that_is_not_there_or_of_another_kind_is_wrong_usage(tmp_path: Path) -> None:
    export = all_exports()[0]

    with pytest.raises(UsageError, match="no such checkpoint"):
        checkpoint_of(export, None, tmp_path)
    with pytest.raises(UsageError, match=r"give the \.keras file"):
        checkpoint_of(export, tmp_path / "model.h5", tmp_path)


def test_the_card_names_the_last_run_and_counts_those_before_it(tmp_path: Path) -> None:
    resumed = run("third") | {"resumed": [{"command": "third again", "commit": "def"}]}
    second = run("second") | {"began_with_run": run("first")}
    training = resumed | {"mean_of": ["1" * 64, "2" * 64], "began_with_run": second}
    shutil.copytree(MODELS, tmp_path, dirs_exist_ok=True)
    manifest = tmp_path / "plate_reader.json"
    manifest.write_text(json.dumps(json.loads(manifest.read_text()) | {"training": training}))

    page = write_cards(tmp_path).read_text()

    trained_by = "`third` at commit `abc`, resumed by `third again` at commit `def` (40 steps)"
    assert f"| trained by | {trained_by} |" in page
    mean = "`1111111111111111…`, `2222222222222222…`"
    assert f"| weights | the mean of the checkpoints with sha256 {mean} |" in page
    assert "| runs before | 2 |" in page


def run(command: str) -> dict[str, Any]:
    return {"command": command, "commit": "abc", "plan": {"steps": 40}}
