"""A run folder names its run; a training begins with the weights it is given and goes on with its data."""

import hashlib
import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from edge_app.errors import UsageError
from edge_app.evaluation.datasets import read_dataset
from tests.converters.tiny import drawn_crops, drawn_scenes
from training.architectures import plate_reader
from training.loop import RunFolder, begin_with
from training.plan import Plan
from training.train_detector import write_held_out
from training.train_reader import train_reader

MODELS = Path(__file__).parent.parent.parent / "models"
PLAN = Plan(steps=1, batch_size=4, learning_rate=1e-9)

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # Keras' and TensorFlow's own


def facts(run: Path) -> dict[str, Any]:
    record: dict[str, Any] = json.loads((run / "run.json").read_text())
    return record


def test_a_run_folder_is_resumed_if_the_data_are_the_same(tmp_path: Path) -> None:
    RunFolder(tmp_path / "run", PLAN, {"sets": ["a"]})
    begun = facts(tmp_path / "run")

    RunFolder(tmp_path / "run", Plan(steps=7, batch_size=4, learning_rate=1e-9), {"sets": ["a"]})

    resumed = facts(tmp_path / "run")
    assert "resumed" not in begun
    assert [each["steps"] for each in resumed["resumed"]] == [7]
    assert (resumed["steps"], resumed["plan"]["steps"], resumed["started"]) == (1, 7, begun["started"])


def test_a_run_begun_in_another_folder_records_this_repositorys_commit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    head = subprocess.run(["git", "rev-parse", "HEAD"], cwd=MODELS, capture_output=True, text=True, check=False)
    monkeypatch.chdir(tmp_path)

    RunFolder(tmp_path / "run", PLAN, {})

    assert facts(tmp_path / "run")["commit"] == (head.stdout.strip() or "unknown")


@pytest.mark.parametrize("other", [{"sets": ["a", "b"]}, {"sets": ["a"], "began_with": "5eed"}, {}])
def test_a_run_folder_with_other_data_is_refused_and_left_alone(tmp_path: Path, other: dict[str, Any]) -> None:
    RunFolder(tmp_path / "run", PLAN, {"sets": ["a"]})
    begun = facts(tmp_path / "run")

    with pytest.raises(UsageError, match=r"run: holds a run with other data; remove it or choose another --run"):
        RunFolder(tmp_path / "run", PLAN, other)

    assert facts(tmp_path / "run") == begun


def test_a_run_records_the_checkpoint_it_began_with_and_is_not_resumed_from_another(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "real_plates.pickle").touch()  # ends it before it trains
    start, other = tmp_path / "start.keras", tmp_path / "other.keras"
    shutil.copy(MODELS / "plate_reader.keras", start)
    plate_reader().save(other)

    with pytest.raises(EOFError):
        train_reader(tmp_path / "run", PLAN, None, start)
    for another in (None, other):
        with pytest.raises(UsageError, match="holds a run with other data"):
            train_reader(tmp_path / "run", PLAN, None, another)

    began_with = hashlib.sha256(start.read_bytes()).hexdigest()
    assert facts(tmp_path / "run")["data"] == {"strips": "generated", "sets": [], "began_with": began_with}


def test_a_network_begins_with_the_weights_of_the_checkpoint_and_leaves_alone_what_it_has_grown(tmp_path: Path) -> None:
    small, grown = (network(deep) for deep in (False, True))
    small.save(tmp_path / "small.keras")
    fresh = grown.get_layer("more").get_weights()

    begin_with(grown, tmp_path / "small.keras")

    assert np.array_equal(grown.get_layer("first").get_weights()[0], small.get_layer("first").get_weights()[0])
    assert np.array_equal(grown.get_layer("more").get_weights()[0], fresh[0])


def network(deep: bool) -> keras.Model:
    values = keras.layers.Input((3,))
    first = keras.layers.Dense(2, name="first")(values)
    return keras.Model(values, keras.layers.Dense(2, name="more")(first) if deep else first, name="net")


@pytest.mark.filterwarnings("ignore:Skipping nested container")  # Keras, of the parts that do not fit
@pytest.mark.parametrize("name", ["plate_detector.keras", "README.md", "damaged.keras"])
def test_a_file_that_is_no_checkpoint_of_the_network_is_wrong_usage(tmp_path: Path, name: str) -> None:
    shutil.copy(MODELS / "plate_detector.keras", tmp_path)
    (tmp_path / "README.md").write_text("not a checkpoint")
    (tmp_path / "damaged.keras").write_bytes((MODELS / "plate_reader.keras").read_bytes()[:-1000])

    with pytest.raises(UsageError, match=rf"--from .*{name}: this is no checkpoint of the plate_reader \(.*\)$"):
        begin_with(plate_reader(), tmp_path / name)


def test_what_was_not_learned_from_is_left_as_a_dataset_to_choose_the_threshold_on(tmp_path: Path) -> None:
    streets, crops = drawn_scenes(tmp_path / "street"), drawn_crops(tmp_path / "crops")
    (tmp_path / "run").mkdir()

    write_held_out(tmp_path / "run" / "held_out", [read_dataset(crops)[1], read_dataset(streets)[2]])

    lines = (tmp_path / "run" / "held_out" / "labels.jsonl").read_text().splitlines()
    held_out = [json.loads(line) for line in lines]
    assert [label["image"] for label in held_out] == [
        str(crops / "images" / "1.png"),
        str(streets / "images" / "2.png"),
    ]
    assert held_out[1]["plates"][0]["text"] == "TN22CX9080"


def test_there_is_no_dataset_to_leave_if_all_was_rendered(tmp_path: Path) -> None:
    write_held_out(tmp_path / "held_out", [])

    assert list(tmp_path.iterdir()) == []
