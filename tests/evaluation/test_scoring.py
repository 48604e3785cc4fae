"""The one definition of what is right."""

import pytest

from edge_app.evaluation.scoring import (
    average_precision,
    best_overlap,
    best_threshold,
    edit_distance,
    nearest_text,
    pair,
    pooled,
    score_detection,
    score_reading,
)

LEFT, RIGHT = (0.0, 0.0, 100.0, 20.0), (200.0, 0.0, 100.0, 20.0)


@pytest.mark.parametrize(
    ("read", "truth"),
    [
        ("MH12AB1234", "MH12AB1234"),
        ("mh12ab1234", "MH12AB1234"),
        ("MH 12-AB.1234", "MH12AB1234"),
        ("MH12AB1234", "MH 12 AB 1234"),
    ],
)
def test_a_read_is_right_when_letters_and_digits_are(read: str, truth: str) -> None:
    score = score_reading([(read, truth)])

    assert score is not None
    assert (score.plates, score.exact, score.character_accuracy) == (1, 1.0, 1.0)


@pytest.mark.parametrize(
    ("read", "accuracy"),
    [
        ("MH12AB123", 0.9),
        ("MH12AB12345", 0.9),
        ("MH12A81234", 0.9),
        ("HM12AB1234", 0.8),
        ("ÄMH12AB1234", 1.0),
        ("", 0.0),
        ("Q" * 24, 0.0),
    ],
)
def test_every_character_missing_added_or_mistaken_costs_its_share(read: str, accuracy: float) -> None:
    score = score_reading([(read, "MH12AB1234")])

    assert score is not None
    assert score.exact == (accuracy == 1.0)
    assert score.character_accuracy == pytest.approx(accuracy)


def test_characters_count_alike_on_long_and_short_plates() -> None:
    score = score_reading([("AAAAAAAAAA", "AAAAAAAAAA"), ("BB", "CC")])

    assert score is not None
    assert score.exact == 0.5
    assert score.character_accuracy == pytest.approx(1 - 2 / 12)


def test_without_a_plate_of_known_text_there_is_no_score() -> None:
    assert score_reading([]) is None


@pytest.mark.parametrize(
    ("text", "truth", "distance"),
    [
        ("", "", 0),
        ("", "ABC", 3),
        ("ABC", "", 3),
        ("ABC", "ABC", 0),
        ("AXC", "ABC", 1),
        ("BC", "ABC", 1),
        ("BA", "AB", 2),
    ],
)
def test_the_edit_distance_is_the_least_number_of_changes(text: str, truth: str, distance: int) -> None:
    assert edit_distance(text, truth) == distance


def test_half_of_a_plate_is_just_enough() -> None:
    assert pair([(0.0, 0.0, 50.0, 20.0)], [LEFT]) == [0]
    assert pair([(0.0, 0.0, 49.0, 20.0)], [LEFT]) == [None]


def test_a_plate_is_found_once_and_by_the_more_confident() -> None:
    near = (5.0, 0.0, 100.0, 20.0)

    assert pair([near, LEFT, RIGHT], [RIGHT, LEFT]) == [1, None, 0]


def test_of_two_plates_the_one_overlapped_best_is_taken() -> None:
    close = (20.0, 0.0, 100.0, 20.0)

    assert pair([(18.0, 0.0, 100.0, 20.0)], [LEFT, close]) == [1]


def test_a_place_needs_the_least_overlap() -> None:
    close = (50.0, 0.0, 100.0, 20.0)

    assert best_overlap(LEFT, {3: RIGHT, 7: close}, least=0.3) == 7
    assert best_overlap(LEFT, {3: RIGHT, 7: close}, least=0.5) is None
    assert best_overlap(LEFT, {}, least=0.3) is None


def test_a_text_belongs_to_the_plate_most_like_it() -> None:
    truths = {2: "MH12AB1234", 5: "MH12AB1284"}

    assert nearest_text("mh 12 ab 1234", truths) == 2
    assert nearest_text("MH12A81284", truths) == 5
    assert nearest_text("MH12AB1254", truths) == 2  # as like one as the other: the first


def test_a_text_with_more_than_half_wrong_belongs_to_no_plate() -> None:
    assert nearest_text("XX12ABXXX4", {0: "MH12AB1234"}) == 0
    assert nearest_text("XXX2ABXXX4", {0: "MH12AB1234"}) is None
    assert nearest_text("MH12AB1234", {}) is None


def test_without_plates_or_finds_nothing_is_paired() -> None:
    assert pair([LEFT], []) == [None]
    assert pair([], [LEFT]) == []


@pytest.mark.parametrize(
    ("hits", "plates", "expected"),
    [
        ([(0.9, True), (0.8, True)], 2, 1.0),
        ([(0.9, True)], 2, 0.5),
        ([(0.9, True), (0.8, False), (0.7, True)], 2, (1 + 2 / 3) / 2),
        ([(0.7, True), (0.8, False), (0.9, True)], 2, (1 + 2 / 3) / 2),
        ([(0.9, False), (0.8, True)], 1, 0.5),
        ([(0.9, False)], 1, 0.0),
        ([], 1, 0.0),
    ],
)
def test_the_average_precision_is_the_area_below_the_envelope(
    hits: list[tuple[float, bool]], plates: int, expected: float
) -> None:
    assert average_precision(hits, plates) == pytest.approx(expected)


def test_without_a_plate_there_is_no_average_precision() -> None:
    assert average_precision([(0.9, False)], 0) is None


def test_the_best_threshold_lies_halfway_between_what_is_taken_and_what_is_not() -> None:
    hits = [(0.3, False), (0.9, True), (0.4, False), (0.8, True)]

    assert best_threshold(hits, 2) == pytest.approx(0.6)


def test_a_false_find_is_accepted_if_enough_plates_come_with_it() -> None:
    hits = [(0.9, True), (0.8, False), (0.7, True), (0.6, True), (0.2, False)]

    assert best_threshold(hits, 3) == pytest.approx(0.4)


def test_of_thresholds_that_are_as_good_the_one_that_finds_most_is_taken() -> None:
    hits = [(0.9, True)] * 99 + [(0.8, False)] * 2 + [(0.7, True)]

    assert best_threshold(hits, 100) == pytest.approx(0.35)


def test_the_threshold_is_half_the_faintest_if_every_find_is_right() -> None:
    assert best_threshold([(0.9, True), (0.5, True)], 2) == pytest.approx(0.25)


def test_no_threshold_comes_between_finds_of_the_same_confidence() -> None:
    hits = [(0.9, True), (0.5, True), (0.5, False), (0.5, False), (0.5, False), (0.5, False)]

    assert best_threshold(hits, 2) == pytest.approx(0.7)
    assert best_threshold(hits[::-1], 2) == pytest.approx(0.7)


@pytest.mark.parametrize(("hits", "plates"), [([], 3), ([(0.9, False)], 3), ([(0.9, False)], 0), ([], 0)])
def test_there_is_no_threshold_if_nothing_right_is_found(hits: list[tuple[float, bool]], plates: int) -> None:
    assert best_threshold(hits, plates) is None


def test_pooled_every_plate_counts_once() -> None:
    small, large = score_detection(1, 1, 0, []), score_detection(3, 0, 0, [])

    assert pooled([small, None, large], "recall") == (4, 0.25)
    assert pooled([None], "recall") == (0, None)


def test_recall_and_precision_come_from_the_counts() -> None:
    score = score_detection(plates=4, found=3, false=1, hits=[(0.9, True)])

    assert (score.recall, score.precision, score.map50) == (0.75, 0.75, 0.25)


def test_without_plates_there_is_no_recall_and_no_precision_and_without_finds_no_precision() -> None:
    no_plates, no_finds = score_detection(0, 0, 2, [(0.9, False)]), score_detection(2, 0, 0, [])

    assert (no_plates.recall, no_plates.precision, no_plates.map50) == (None, None, None)
    assert (no_finds.recall, no_finds.precision, no_finds.map50) == (0.0, None, 0.0)
