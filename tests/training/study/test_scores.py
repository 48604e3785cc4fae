"""Every kind of network is scored, and taken to the device with the weights that it learned."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from converters.macs import count_macs
from training.shapes import ALPHABET, READER_STEPS
from training.study.catalogue import all_networks
from training.study.device import Outputs, Predict, straightened
from training.study.learning import Pixels
from training.study.scores import detection, plates
from training.study.setting import SETTINGS
from training.study.store import Store
from training.study.tasks.detection import ROAD_GRID, STRIP_GRID, OneBoxTask
from training.study.texts import PLACES, SYMBOLS

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # Keras' and TensorFlow's own


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    tiny = replace(SETTINGS["quick"], plates=40, scenes=8, tested=6, read_by_tesseract=0)
    return Store(tmp_path_factory.mktemp("study"), tiny, seed=3)


def guessing(name: str, *shape: int, least: float = 0.0) -> Predict:
    """A network that has learned nothing."""

    def predict(pixels: Pixels) -> Outputs:
        rng = np.random.default_rng(len(pixels))
        return {name: rng.uniform(least, 1, (len(pixels), *shape)).astype(np.float32)}

    return predict


@pytest.mark.parametrize(
    ("score", "output"),
    [
        (plates.strip_score, ("logits", READER_STEPS, len(ALPHABET) + 1)),
        (plates.hybrid_score, ("logits", PLACES, SYMBOLS)),
        (plates.correction_score, ("logits", PLACES, SYMBOLS)),
    ],
)
def test_a_network_that_guesses_texts_reads_none_right(score: Any, output: tuple[Any, ...], store: Store) -> None:
    predict = guessing(*output)

    result = score(store, predict, predict)

    assert result["exact"] == result["int8_exact"] == 0
    assert 0 <= result["accuracy"] < 0.5
    assert result["tested"] == 6


def test_a_corrector_that_changes_nothing_leaves_the_reads_as_they_were(store: Store) -> None:
    def same(pixels: Pixels) -> Outputs:
        return {"logits": pixels[..., 0].astype(np.float32)}

    ours = plates.correction_score(store, same, same)["readers"]["ours"]

    assert ours["before"] == ours["after"] == ours["int8_after"]
    assert ours["before"]["characters"] > 0.5, "our reader reads"


def test_boxes_that_are_guessed_are_scored(store: Store) -> None:
    road = guessing("grid", *ROAD_GRID.cells, ROAD_GRID.filters, least=-8)
    strip = guessing("grid", *STRIP_GRID.cells, STRIP_GRID.filters, least=-8)
    one = guessing("box", 4)

    for result in (
        detection.plates_score(ROAD_GRID, store, road, road),
        detection.one_box_score(OneBoxTask(), store, one, one),
        detection.characters_score(STRIP_GRID, store, strip, strip),
    ):
        assert 0 <= result["int8_map50_95"] <= result["int8_map50"] < 0.5


@pytest.mark.parametrize("name", ["corrector_lstm", "corrector_gru", "hybrid"])
def test_a_network_without_its_loop_gives_what_it_gave_with_it(name: str) -> None:
    network = all_networks()[name]
    model = network.build()
    pixels = np.random.default_rng(0).integers(0, 256, (2, *model.input.shape[1:])).astype(np.float32)

    straight = straightened(network, model)

    assert np.allclose(model(pixels)["logits"], straight(pixels)["logits"], atol=1e-4)
    assert count_macs(model) >= count_macs(straight) > 100_000
