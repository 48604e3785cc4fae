"""What came of a dataset's images becomes its scores."""

from pathlib import Path

import numpy as np
import pytest

from edge_app import PlateRecognizer
from edge_app.evaluation.datasets import LabelledImage, LabelledPlate, read_dataset
from edge_app.evaluation.pictures import (
    ImageResult,
    evaluate_dataset,
    failures,
    reads_and_truths,
    run_on,
    score_dataset,
    working_point,
)
from edge_app.geometry import Box
from edge_app.records import PlateDetection, PlateRead, PlateText
from tests.converters.tiny import drawn_crops, drawn_scenes

YARD = Path("yard")
HERE, THERE, NOWHERE = (0.0, 0.0, 100.0, 20.0), (200.0, 0.0, 100.0, 20.0), (400.0, 200.0, 100.0, 20.0)


def plate(box: Box | None, text: str | None = None) -> LabelledPlate:
    return LabelledPlate(box, text, "IN")


def found(box: Box, confidence: float = 0.9) -> PlateDetection:
    left, top, width, height = box
    corners = [[left, top], [left + width, top], [left + width, top + height], [left, top + height]]
    return PlateDetection(np.array(corners, np.float32), confidence, 1)


def read(text: str, box: Box) -> PlateRead:
    return PlateRead(PlateText(text, 0.9, None, None, False, (), ()), found(box))


def result(
    plates: list[LabelledPlate],
    detections: list[PlateDetection] | None = None,
    faint: list[PlateDetection] | None = None,
    reads: list[PlateRead] | None = None,
    scene: bool = False,
    elapsed_ms: float = 1.0,
) -> ImageResult:
    """What came of an image; the detections are all there are where no faint ones are named."""
    label = LabelledImage(Path("a.png"), tuple(plates), scene)
    detections = detections or []
    return ImageResult(label, detections, detections if faint is None else faint, reads or [], elapsed_ms)


def test_of_one_labelled_plate_the_most_confident_read_counts_wherever_it_is() -> None:
    one = result([plate(HERE, "AA11")], reads=[read("BB22", NOWHERE), read("AA11", HERE)])

    assert reads_and_truths(one) == [("BB22", "AA11")]


def test_of_several_each_plate_has_the_read_that_lies_on_it() -> None:
    several = result(
        [plate(HERE, "AA11"), plate(THERE, "BB22"), plate(NOWHERE, "CC33")],
        reads=[read("BB22", THERE), read("AA1", HERE)],
    )

    assert reads_and_truths(several) == [("AA1", "AA11"), ("BB22", "BB22"), ("", "CC33")]


def test_a_plate_of_unknown_place_among_several_is_not_read_and_one_of_unknown_text_does_not_count() -> None:
    several = result(
        [plate(None, "AA11"), plate(THERE, None), plate(HERE, "CC33")],
        reads=[read("AA11", NOWHERE), read("BB22", THERE), read("CC33", HERE)],
    )

    assert reads_and_truths(several) == [("", "AA11"), ("CC33", "CC33")]


@pytest.mark.parametrize("plates", [[], [plate(HERE, None)]])
def test_no_read_counts_if_no_text_is_known(plates: list[LabelledPlate]) -> None:
    nothing = result(plates, reads=[read("AA11", HERE)])

    assert reads_and_truths(nothing) == []
    assert score_dataset(YARD, [nothing]).reading is None


def test_plates_found_missed_and_imagined_are_counted_over_all_images() -> None:
    results = [
        result([plate(HERE), plate(THERE)], [found(HERE), found(NOWHERE)]),
        result([], [found(HERE)]),
        result([plate(HERE)], [found(HERE), found(HERE)]),
    ]

    score = score_dataset(YARD, results).detection

    assert score is not None
    assert (score.plates, score.found, score.false) == (3, 2, 3)
    assert score.recall == pytest.approx(2 / 3)
    assert score.precision == pytest.approx(2 / 5)


def test_the_average_precision_goes_on_below_the_confidence_set() -> None:
    faint = result([plate(HERE), plate(THERE)], [found(HERE)], [found(HERE), found(THERE, 0.1)])

    score = score_dataset(YARD, [faint]).detection

    assert score is not None
    assert (score.recall, score.map50) == (0.5, 1.0)


@pytest.mark.parametrize(("plates", "scene"), [([plate(None, "AA11")], False), ([plate(None)], True), ([], True)])
def test_without_boxes_finds_are_neither_right_nor_wrong(plates: list[LabelledPlate], scene: bool) -> None:
    unknown = result(plates, [found(HERE)], scene=scene)

    assert score_dataset(YARD, [unknown]).detection is None
    assert working_point([unknown]) is None
    assert [failure for failure in failures(unknown) if failure["kind"] != "misread"] == []


def test_a_set_without_a_plate_shows_false_finds_only() -> None:
    score = score_dataset(YARD, [result([], [found(HERE)])])

    assert score.as_json()["detection"] == {
        "plates": 0, "found": 0, "false": 1, "recall": None, "precision": None, "map50": None,
    }  # fmt: skip
    assert score.reading is None


def test_the_time_is_a_median_and_a_95th_percentile_and_figures_are_rounded() -> None:
    results = [result([plate(HERE, "AAA")], reads=[read("AA", HERE)], elapsed_ms=float(n)) for n in range(1, 102)]

    written = score_dataset(YARD, results).as_json()

    assert (written["dataset"], written["images"]) == ("yard", 101)
    assert written["elapsed_ms"] == {"median": 51.0, "p95": 96.0}
    assert written["reading"] == {"plates": 101, "exact": 0.0, "character_accuracy": 0.6667}


def test_the_working_point_takes_in_all_plates_and_leaves_out_what_is_none() -> None:
    results = [
        result([plate(HERE)], [found(HERE, 0.8), found(NOWHERE, 0.3)]),
        result([plate(HERE)], [found(HERE, 0.5)]),
        result([], [found(HERE, 0.2)]),
        result([plate(None)], [found(HERE, 0.45)], scene=True),
    ]

    assert working_point(results) == pytest.approx((0.5 + 0.3) / 2)
    assert working_point([]) is None


def test_failures_name_what_was_missed_imagined_and_misread() -> None:
    wrong = result([plate(HERE, "AA11"), plate(THERE, None)], [found(THERE), found(NOWHERE, 0.7)])

    written = list(failures(wrong))

    assert written == [
        {"image": "a.png", "kind": "missed", "box": HERE, "truth": "AA11"},
        {"image": "a.png", "kind": "false", "box": NOWHERE, "confidence": 0.7},
        {"image": "a.png", "kind": "misread", "read": "", "truth": "AA11"},
    ]


def test_the_shipped_networks_find_and_read_drawn_plates_and_progress_is_reported(tmp_path: Path) -> None:
    heard: list[tuple[int, int]] = []

    score = evaluate_dataset(PlateRecognizer(), drawn_scenes(tmp_path / "yard"), lambda *done: heard.append(done))

    assert heard == [(1, 4), (2, 4), (3, 4), (4, 4)]
    assert score.detection is not None
    assert score.reading is not None
    assert (score.images, score.detection.plates, score.reading.plates) == (4, 4, 4)
    assert score.detection.recall is not None
    assert score.detection.recall > 0.5
    assert score.reading.exact > 0.5
    assert score.elapsed_ms.median > 0


def test_a_crop_is_read_whole_and_no_plate_is_searched_beyond_it(tmp_path: Path) -> None:
    (crop, *_) = read_dataset(drawn_crops(tmp_path / "crops"))

    came = run_on(PlateRecognizer(), crop)

    assert [each.text for each in came.reads][:1] == ["MH12AB1234"]
    assert (came.detections, came.faint_detections) == ([], [])
    assert came.reads[0].detection.confidence > 0, "found, not taken whole for want of a find"
