"""How well models do, counted and shown."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from edge_app.evaluation.datasets import read_dataset
from edge_app.evaluation.pictures import run_on
from edge_app.recognition.rectifier import Rectifier
from edge_app.recognizer import PlateRecognizer
from training.accuracy.__main__ import main
from training.accuracy.outcomes import Outcome, binned, exact_share, outcomes_of, substitutions, sure_reads
from training.synthetic.observation import place
from training.synthetic.plates import render_plate


def outcome(truth: str, read: str, confidence: float = 1.0) -> Outcome:
    return Outcome("set", "IN", truth, read, confidence)


def test_a_character_read_as_another_is_counted_in_its_place() -> None:
    reads = [outcome("MH12AB1234", "MH12A81234"), outcome("MH12AB1234", "MH1ZAB123"), outcome("KA01A1", "KA01A1")]

    counted = substitutions(reads)

    assert counted == {("B", "8"): 1, ("2", "Z"): 1}


def test_a_read_that_is_altogether_wrong_counts_no_characters() -> None:
    assert not substitutions([outcome("MH12AB1234", "777QQ"), outcome("MH12AB1234", "")])


def test_a_lost_character_does_not_shift_the_others() -> None:
    counted = substitutions([outcome("TN09BC0001", "TN9BC0O01")])

    assert counted == {("0", "O"): 1}


def test_bins_hold_what_lies_between_their_edges_and_the_last_one_its_end() -> None:
    bins = binned([0.1, 0.2, 0.5, 0.9, 1.0], [False, True, True, True, True], (0, 0.5, 1), least=2)

    assert [each.plates for each in bins] == [2, 3]
    assert bins[0].middle == pytest.approx(0.15)
    assert bins[0].right == 0.5


def test_a_bin_of_few_plates_is_left_out() -> None:
    assert not binned([0.1], [True], (0, 1), least=2)


def test_sure_reads_are_a_share_of_what_was_read() -> None:
    reads = [outcome("A1", "A1", 0.95), outcome("A1", "A7", 0.99), outcome("A1", "A1", 0.5), outcome("A1", "", 0.0)]

    share, right = sure_reads(reads)

    assert share == pytest.approx(2 / 3)
    assert right == 0.5


def test_there_is_no_share_of_no_plates() -> None:
    assert exact_share([]) is None


@pytest.fixture
def dataset(tmp_path: Path) -> Path:
    """Two pictures with a generated plate each, and one without."""
    folder = tmp_path / "generated"
    (folder / "images").mkdir(parents=True)
    rng, lines = np.random.default_rng(5), []
    for index in range(2):
        plate = render_plate(rng, height_px=64)
        seen = place(rng, plate, line_height_px=40)
        image_bgr = cv2.copyMakeBorder(seen.image_bgr, 80, 80, 120, 120, cv2.BORDER_REPLICATE)
        cv2.imwrite(str(folder / f"images/{index}.png"), image_bgr)
        corners = (seen.corners_px + np.array([120, 80])).tolist()
        lines.append({"image": f"images/{index}.png", "plates": [{"corners": corners, "text": plate.text}]})
    cv2.imwrite(str(folder / "images/none.png"), np.full((200, 300, 3), 90, np.uint8))
    lines.append({"image": "images/none.png", "plates": []})
    (folder / "labels.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    return folder


def test_an_outcome_has_the_layout_size_and_sharpness_of_the_plate(dataset: Path) -> None:
    label = read_dataset(dataset)[0]

    outcomes = outcomes_of("generated", run_on(PlateRecognizer(), label), Rectifier(192, 32))

    assert [each.truth for each in outcomes] == [label.plates[0].text]
    assert outcomes[0].line_height_px == pytest.approx(50, rel=0.5)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # Keras' and TensorFlow's own
def test_the_page_shows_every_set_and_each_plot(dataset: Path, tmp_path: Path) -> None:
    page = tmp_path / "docs" / "accuracy.md"
    page.parent.mkdir()

    code = main([str(dataset), "--generated", "2", "--out", str(page)])

    assert code == 0
    text = page.read_text()
    assert "| generated | 3 | 2 |" in text
    assert "| all together | 3 | 2 |" in text
    pictures = [line.split("(")[1].rstrip(")") for line in text.splitlines() if line.startswith("![")]
    assert len(pictures) == 5
    assert all(cv2.imread(str(page.parent / picture)) is not None for picture in pictures)


def test_a_folder_without_labels_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(tmp_path)]) == 2
    assert f"{tmp_path}: no labels.jsonl" in capsys.readouterr().err
