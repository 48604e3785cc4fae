"""Checkpoints become their mean."""

import json
from pathlib import Path

import keras
import numpy as np
import pytest

from training.average import main
from training.loop import sha256_of

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # Keras' and TensorFlow's own


def checkpoint(path: Path, value: float, width: int = 3) -> Path:
    """A network of one layer, all of whose weights are `value`."""
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(width)])
    model.set_weights([np.full_like(weight, value) for weight in model.get_weights()])
    model.save(path)
    return path


def test_the_mean_is_saved_with_the_latest_run_and_whose_mean_it_is(tmp_path: Path) -> None:
    latest, before = checkpoint(tmp_path / "b.keras", 4.0), checkpoint(tmp_path / "a.keras", 1.0)
    (tmp_path / "b.training.json").write_text('{"command": "python -m training reader"}')

    code = main([str(latest), str(before), "--out", str(tmp_path / "models" / "mean.keras")])

    assert code == 0
    weights = keras.models.load_model(tmp_path / "models" / "mean.keras").get_weights()
    assert all((weight == 2.5).all() for weight in weights)
    record = json.loads((tmp_path / "models" / "mean.training.json").read_text())
    assert record == {"command": "python -m training reader", "mean_of": [sha256_of(latest), sha256_of(before)]}


def test_networks_that_differ_have_no_mean(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    one, other = checkpoint(tmp_path / "a.keras", 1.0), checkpoint(tmp_path / "b.keras", 1.0, width=5)

    assert main([str(one), str(other), "--out", str(tmp_path / "mean.keras")]) == 2
    assert main([str(one), "absent.keras", "--out", str(tmp_path / "mean.keras")]) == 2

    record = capsys.readouterr().err
    assert f"{other}: not the same network as {one}" in record
    assert "absent.keras: no such file" in record
    assert not (tmp_path / "mean.keras").exists()
