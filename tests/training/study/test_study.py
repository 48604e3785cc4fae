"""Networks of the study are built to their published size, train, resume, and end in a report."""

import csv
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import cv2
import keras
import numpy as np
import pytest
from keras import layers

from edge_app.__main__ import main as edge_anpr
from training.loop import Batch
from training.repository import REPOSITORY
from training.study.__main__ import main
from training.study.browser import as_html
from training.study.catalogue import all_networks
from training.study.conclusions import conclusions
from training.study.crops import CropShape
from training.study.judging import judge
from training.study.learning import Learning, Stage, learn
from training.study.network import StudyNetwork
from training.study.networks.blocks import classifier, pixels_of
from training.study.page import Report, write_page
from training.study.plots import draw_plots
from training.study.published import APPROACHES
from training.study.setting import SETTINGS
from training.study.store import Store
from training.study.systems import System, WholePlate, put_in_place
from training.study.tables import write_classes, write_results
from training.study.tasks.characters import CharacterMaterial, CharacterTask
from training.study.training import train_network
from training.synthetic.lettering import shipped_fonts
from training.synthetic.plates import render_plate

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # Keras' and TensorFlow's own

TINY = replace(
    SETTINGS["quick"], name="tiny", plates=60, crops=60, scenes=4, epochs=1, patience=1, tested=10, distorted=2
)


@pytest.mark.parametrize(("name", "parameters"), [("cellwise", 454_179), ("lenet", 10_044_106), ("vgg9", 2_251_972)])
def test_a_network_has_the_size_that_was_published(name: str, parameters: int) -> None:
    assert all_networks()[name].build().count_params() == parameters


def test_every_network_is_told_of_and_those_that_others_begin_with_are_there() -> None:
    networks = all_networks()

    assert networks.keys() <= APPROACHES.keys()
    assert {network.begins_with for network in networks.values()} - {""} <= networks.keys()


def small() -> keras.Model:
    pixels, maps = pixels_of(8, 8)
    features = layers.Dense(4, activation="relu", name="first")(layers.Flatten()(maps))
    return classifier(pixels, features, 2, "small")


def material() -> CharacterMaterial:
    """Dark and light pictures."""
    rng = np.random.default_rng(1)
    classes = rng.integers(0, 2, 60)
    images = np.clip(classes[:, None, None] * 90 + 80 + rng.normal(0, 40, (60, 8, 8)), 0, 255).astype(np.uint8)
    task = CharacterTask(CropShape(8, 8), alphabet="AB")
    return CharacterMaterial(task, images[:40], classes[:40], images[40:], classes[40:])


class CutOff(CharacterMaterial):
    """Fails in its third epoch, as a run does whose power is cut."""

    def __init__(self, whole: CharacterMaterial) -> None:
        self.__dict__.update(whole.__dict__)
        self.left = 2

    def epoch(self, rng: np.random.Generator, batch_size: int) -> Iterator[Batch]:
        self.left -= 1
        if self.left < 0:
            raise KeyboardInterrupt
        return super().epoch(rng, batch_size)


def test_a_training_that_was_cut_off_goes_on_and_ends_as_if_it_had_not_been(tmp_path: Path) -> None:
    learning = Learning(rate=1e-2)
    ends = []
    for folder, interrupted in (("whole", False), ("cut", True)):
        keras.utils.set_random_seed(1)
        model = small()
        if interrupted:
            with pytest.raises(KeyboardInterrupt):
                learn(model, CutOff(material()), learning, 4, 4, 1, tmp_path / folder)
            model = small()  # other weights
        ends.append((learn(model, material(), learning, 4, 4, 1, tmp_path / folder), model.get_weights()))

    (whole, weights), (resumed, same) = ends
    assert [epoch.number for epoch in resumed] == [1, 2, 3, 4]
    assert [epoch.loss for epoch in resumed] == pytest.approx([epoch.loss for epoch in whole], abs=1e-5)
    assert all(np.allclose(one, other, atol=1e-5) for one, other in zip(weights, same, strict=True))


def test_a_training_ends_when_its_score_no_longer_rises_and_keeps_its_best_weights(tmp_path: Path) -> None:
    model = small()

    epochs = learn(model, material(), Learning(rate=1e-2), 40, 2, 1, tmp_path)

    assert len(epochs) < 40
    assert material().validate(model, "whole")["score"] == max(epoch.score for epoch in epochs)


def test_frozen_layers_do_not_learn_in_their_stage(tmp_path: Path) -> None:
    model = small()
    first, last = (model.get_layer(name).get_weights() for name in ("first", "logits"))

    learn(model, material(), Learning(stages=(Stage("frozen", frozen=("first",)),)), 1, 1, 1, tmp_path)

    assert all(map(np.array_equal, first, model.get_layer("first").get_weights()))
    assert not np.array_equal(last[0], model.get_layer("logits").get_weights()[0])


def test_a_network_is_trained_measured_and_reported_once(tmp_path: Path) -> None:
    store, networks = Store(tmp_path, TINY, seed=1), all_networks()
    network = networks["classical_plates"]

    trained = train_network(network, networks, store)
    result = judge(network, trained, store)

    made = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.*")}
    assert judge(network, train_network(network, networks, store), store) == result
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.*")} == made, "nothing was done again"
    assert result["parameters"] == 424_996
    assert 0 <= result["int8_accuracy"] <= 1
    assert 0 < result["int8_bytes"] < result["float_bytes"]
    assert result["milliseconds"] > 0

    out = tmp_path / "report"
    draw_plots(out / "plots", [result])
    write_results(out / "results.csv", [result])
    write_classes(out / "classes.csv", [result])
    labels = {"kept": 1, "pictures": 1, "dropped": {"outside the picture": 2}, "splits": {"train": 1}}
    write_page(Report(TINY, 1, "a machine", [result], {}, [], labels), out / "README.md")

    with (out / "results.csv").open(encoding="utf-8") as file:
        (row,) = csv.DictReader(file)
    assert row["name"] == "classical_plates"
    page = (out / "README.md").read_text(encoding="utf-8")
    assert "`classical_plates`" in page
    assert "| outside the picture | 2 |" in page
    assert (out / "plots/confusion_classical_plates.png").is_file()


def test_conclusions_say_nothing_of_what_was_not_measured() -> None:
    assert conclusions([], {}) == ""


def test_a_whole_plate_reader_takes_the_reader_s_place_by_its_manifest(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    store = Store(tmp_path, TINY, seed=1)
    (tmp_path / "network.tflite").write_bytes((REPOSITORY / "models/plate_reader.tflite").read_bytes())
    system = System("tried", "tried", WholePlate(None), in_file="network.tflite")  # type: ignore[arg-type]
    dataset = tmp_path / "dataset"
    (dataset / "images").mkdir(parents=True)
    plate = render_plate(np.random.default_rng(1), "white", "MH 12 AB 1234", 64, shipped_fonts()[:1])
    cv2.imwrite(str(dataset / "images/a.png"), plate.image_bgr)
    label = {"image": "images/a.png", "plates": [{"box": None, "text": plate.text, "country": "IN"}]}
    (dataset / "labels.jsonl").write_text(json.dumps(label) + "\n", encoding="utf-8")

    put_in_place(system, store, {"multiply_accumulates": 5}, tmp_path / "models")

    assert json.loads((tmp_path / "models/plate_reader.json").read_text())["study"] == "tried"
    words = ["evaluate", str(dataset), "--effort", "0", "--json", "--models", str(tmp_path / "models")]
    assert edge_anpr(words) == 0
    assert json.loads(capsys.readouterr().out)["reading"]["exact"] == 1.0
    assert edge_anpr([*words[:-1], str(tmp_path / "none")]) == 2
    assert "--models" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "fault"),
    [
        ("--only nothing", "no such network; there are: lenet"),
        ("--only lenet", "say with --out where it goes"),
        ("--quick --setting short", "leave out --setting"),
        ("--data nowhere", "no labels.jsonl here"),
    ],
)
def test_a_wrong_command_is_explained(words: str, fault: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(words.split()) == 2
    assert fault in capsys.readouterr().err


def test_a_network_that_begins_with_another_takes_over_what_fits(tmp_path: Path) -> None:
    task = CharacterTask(CropShape(8, 8), alphabet="AB")
    first = StudyNetwork("first", small, task)
    second = StudyNetwork("second", small, task, begins_with="first")
    store = Store(tmp_path, replace(TINY, epochs=1), seed=1)
    networks = {"first": first, "second": second}

    ends = [train_network(networks[name], networks, store).checkpoint for name in ("first", "second")]

    assert len({path.parent.parent.name for path in ends}) == 2


def test_the_page_for_a_browser_shows_what_the_markdown_says() -> None:
    page = as_html(
        "# A & B\n\nSee **this** [file](a.csv), `x < y`.\n\n| a | b |\n| --- | --- |\n| 1 | 2 |\n\n1. One.\n2. Two."
    )

    assert "<h1>A &amp; B</h1>" in page
    assert '<strong>this</strong> <a href="a.csv">file</a>, <code>x &lt; y</code>' in page
    assert "<td>1</td><td>2</td>" in page
    assert page.count("<li>") == 2
