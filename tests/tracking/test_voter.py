"""Readings are settled on one text."""

import numpy as np
import pytest

from edge_app.config import Settings
from edge_app.recognition.plate_formats import PlateFormats
from edge_app.records import PlateText, Reading
from edge_app.tracking.voter import Voter, frame_weights, image_quality, reading_weight
from tests.evidence import ALPHABET, log_probs, reading


@pytest.fixture(scope="module")
def voter() -> Voter:
    return Voter(PlateFormats.load(["in"]), ALPHABET, max_candidates=5)


def settle(voter: Voter, *readings: Reading) -> PlateText:
    text = voter.settle(readings)
    assert text is not None
    return text


def test_one_clear_frame_is_as_sure_as_its_evidence(voter: Voter) -> None:
    text = settle(voter, reading("MH12AB1234", clarity=0.995))

    assert (text.text, text.country, text.format, text.valid) == ("MH12AB1234", "IN", "standard", True)
    assert text.confidence == pytest.approx(0.995**10, abs=0.03)
    assert [character.value for character in text.characters] == list("MH12AB1234")
    assert all(character.confidence > 0.98 for character in text.characters)
    assert text.candidates[0].text == "MH12AB1234"


def test_one_murky_frame_is_not_sure(voter: Voter) -> None:
    text = settle(voter, reading("MH12AB1234", clarity=0.8))

    assert text.text == "MH12AB1234"
    assert text.confidence < 0.4


def test_what_may_be_anything_is_no_text(voter: Voter) -> None:
    assert voter.settle([reading("TOYOTA", clarity=0.3)]) is None


@pytest.mark.parametrize("short", ["8", "L0"])
def test_one_or_two_characters_are_no_plate(voter: Voter, short: str) -> None:
    assert voter.settle([reading(short, clarity=0.999)] * 3) is None


@pytest.mark.parametrize("odd", ["A12", "MH12AB12345678"])
def test_a_clear_text_that_fits_no_format_is_sure_enough_to_be_published(voter: Voter, odd: str) -> None:
    text = settle(voter, *[reading(odd, clarity=0.995)] * 3)

    assert (text.text, text.valid) == (odd, False)
    assert text.confidence > Settings().tracking.min_confidence


def test_many_frames_that_agree_are_surer_than_each_of_them(voter: Voter) -> None:
    one = settle(voter, reading("MH12AB1234", clarity=0.8))
    many = settle(voter, *[reading("MH12AB1234", clarity=0.8)] * 9)

    assert many.text == "MH12AB1234"
    assert many.confidence > 0.9 > one.confidence


def test_a_slight_lean_repeated_in_every_frame_does_not_become_certainty(voter: Voter) -> None:
    doubts = {9: {"4": 0.55, "9": 0.45}}

    text = settle(voter, *[reading("MH12AB1234", doubts)] * 30)

    assert text.text == "MH12AB1234"
    assert 0.5 < text.confidence < 0.8
    assert 0.5 < text.characters[9].confidence < 0.8
    assert text.candidates[1].text == "MH12AB1239"


@pytest.mark.parametrize(
    ("read", "doubts", "meant"),
    [
        ("MHI2AB1234", {2: {"I": 0.7, "1": 0.3}}, "MH12AB1234"),
        ("MH12A81234", {5: {"8": 0.7, "B": 0.3}}, "MH12AB1234"),
        ("MH12AB123S", {9: {"S": 0.8, "5": 0.2}}, "MH12AB1235"),
        ("KAO1MN4567", {2: {"O": 0.8, "0": 0.2}}, "KA01MN4567"),
        ("NH12AB1234", {0: {"N": 0.7, "M": 0.3}}, "MH12AB1234"),
    ],
)
def test_formats_settle_what_the_picture_leaves_open(
    voter: Voter, read: str, doubts: dict[int, dict[str, float]], meant: str
) -> None:
    text = settle(voter, reading(read, doubts))

    assert text.text == meant
    assert text.valid


@pytest.mark.parametrize("plate", ["BRA2E19", "ABC1234", "7ABC123", "AB12CDE", "XX12AB1234", "MH12AI1234"])
def test_a_clear_plate_of_another_kind_stays_as_it_is_read(voter: Voter, plate: str) -> None:
    text = settle(voter, reading(plate, clarity=0.98))

    assert text.text == plate
    assert not text.valid
    assert text.country is None
    assert text.confidence > 0.7


def test_frames_that_each_miss_another_character_make_the_whole_text(voter: Voter) -> None:
    readings = [reading("MH12AB1234", {place: {"X": 0.5, "MH12AB1234"[place]: 0.2}}) for place in range(10)]

    text = settle(voter, *readings)

    assert text.text == "MH12AB1234"
    assert text.confidence > 0.8


def test_two_covered_frames_do_not_overrule_five_clear_ones(voter: Voter) -> None:
    covered = [reading("MH12A", clarity=0.9999)] * 2
    clear = [reading("MH12AB1234", clarity=0.97)] * 5

    assert settle(voter, *covered, *clear).text == "MH12AB1234"


def test_frames_that_show_something_else_do_not_drown_as_many_clear_ones(voter: Voter) -> None:
    rng = np.random.default_rng(5)
    elsewhere = [noise_of(rng) for _ in range(8)]
    clear = [reading("RJ14CE7301", clarity=0.97)] * 8

    text = settle(voter, *elsewhere, *clear)

    assert text.text == "RJ14CE7301"
    assert text.confidence > 0.5


def test_a_character_that_most_frames_pass_over_is_not_surely_absent(voter: Voter) -> None:
    passed_over = [reading("KA01M4567", clarity=0.99)] * 7
    whole = [reading("KA01MN4567", clarity=0.995)] * 3

    text = settle(voter, *passed_over, *whole)

    assert text.text == "KA01MN4567"
    assert text.candidates[1].text == "KA01M4567"
    assert settle(voter, *passed_over, whole[0]).confidence < 0.99


def test_a_character_that_one_frame_adds_does_not_get_into_the_text(voter: Voter) -> None:
    text = settle(voter, *[reading("KA01MN4567")] * 9, reading("KA01MN45671"))

    assert text.text == "KA01MN4567"
    assert text.confidence > 0.9


def test_frames_that_agree_with_the_text_by_themselves_are_counted(voter: Voter) -> None:
    others = [reading("MH12AB1239"), reading("MH12AB1237")]

    text = settle(voter, *[reading("MH12AB1234")] * 5, *others)

    assert (text.text, text.agreeing) == ("MH12AB1234", 5)


@pytest.mark.parametrize("texts", [["MH12AB1234"] * 8, ["MH12AB1234"] * 20 + ["MH12AB1239"]])
def test_once_a_text_is_settled_no_frame_changes_it(voter: Voter, texts: list[str]) -> None:
    readings = [reading(text, clarity=0.98) for text in texts]
    against = reading("MH12AB1239", clarity=0.9999, sharpness=9.0, line_height_px=60)

    text = settle(voter, *readings)

    assert text.settled
    assert settle(voter, *readings, against).text == text.text


def test_while_a_clear_frame_may_change_a_text_it_is_not_settled(voter: Voter) -> None:
    small = [reading("MH12AB1234", clarity=0.9, sharpness=0.2, line_height_px=7)] * 3
    against = reading("MH12AB1239", clarity=0.9999, sharpness=9.0, line_height_px=60)

    text = settle(voter, *small)

    assert not text.settled
    assert settle(voter, *small, against).text == "MH12AB1239"


def noise_of(rng: np.random.Generator) -> Reading:
    """Evidence for nothing."""
    noise = rng.normal(0, 1, (48, 37))
    return Reading(np.asarray(noise - np.logaddexp.reduce(noise, axis=1, keepdims=True), np.float32), 1.0, 24.0)


def test_a_sharp_large_frame_outweighs_a_blurred_small_one(voter: Voter) -> None:
    sharp = reading("KA01MN4567", {9: {"7": 0.8, "1": 0.2}}, sharpness=1.5, line_height_px=30)
    blurred = reading("KA01MN4567", {9: {"1": 0.8, "7": 0.2}}, sharpness=0.2, line_height_px=8)

    assert settle(voter, blurred, sharp, blurred).text == "KA01MN4567"
    assert image_quality(sharp) > 3 * image_quality(blurred)


def test_many_far_frames_that_are_misread_do_not_outvote_a_few_clear_ones(voter: Voter) -> None:
    far = [reading("AH2AB1834", clarity=0.7, line_height_px=18) for _ in range(20)]
    clear = [reading("MH12AB1234", clarity=0.97)] * 3

    text = settle(voter, *far, *clear)

    assert text.text == "MH12AB1234"
    assert text.confidence > 0.9


def test_a_frame_weighs_more_the_surer_it_is() -> None:
    clear, murky = reading("MH12AB1234", clarity=0.99), reading("MH12AB1234", clarity=0.7)

    assert reading_weight(clear) > 10 * reading_weight(murky)
    assert reading_weight(reading("MH12AB1234", clarity=0.01)) > 0


def test_the_picture_that_bears_a_text_out_shows_it_clearly_and_large(voter: Voter) -> None:
    shows = reading("MH12AB1234")

    others = [reading("MH12AB1234", clarity=0.8), reading("MH12AB1284"), reading("MH12AB1234", line_height_px=8)]

    assert all(voter.support("MH12AB1234", shows) > voter.support("MH12AB1234", each) for each in others)


def test_frames_together_weigh_as_the_root_of_their_number() -> None:
    assert frame_weights(np.array([0.3])) == pytest.approx([1.0])
    assert frame_weights(np.full(16, 0.3)).sum() == pytest.approx(4.0)


def test_attempts_at_one_frame_weigh_as_one_frame(voter: Voter) -> None:
    doubtful = reading("KA01MN4567", {9: {"7": 0.7, "1": 0.3}})

    once, thrice = voter.settle_attempts([doubtful]), voter.settle_attempts([doubtful] * 3)
    as_frames = voter.settle([doubtful] * 3)

    assert once
    assert thrice
    assert as_frames
    assert thrice.text == once.text
    assert thrice.confidence == pytest.approx(once.confidence)
    assert as_frames.confidence > thrice.confidence


def test_attempts_at_one_frame_settle_nothing_for_good(voter: Voter) -> None:
    clear = [reading("KA01MN4567", clarity=0.999, sharpness=1.5, line_height_px=30)] * 20

    as_attempts, as_frames = voter.settle_attempts(clear), voter.settle(clear)

    assert as_attempts
    assert as_frames
    assert (as_frames.agreeing, as_frames.settled) == (20, True)
    assert (as_attempts.agreeing, as_attempts.settled) == (1, False)


def test_an_attempt_that_errs_is_outvoted_by_those_beside_it(voter: Voter) -> None:
    right = reading("KA01MN4567", {9: {"7": 0.6, "1": 0.4}})
    wrong = reading("KA01MN4567", {9: {"1": 0.6, "7": 0.4}})

    text = voter.settle_attempts([wrong, right, right])

    assert text
    assert text.text == "KA01MN4567"


def murky(frames: int, clarity: float, number: int) -> list[Reading]:
    """Readings of MH12AB1234 in which every character is in doubt, and no two alike."""
    readings = []
    for frame in range(frames):
        doubts = {}
        for place, value in enumerate("MH12AB1234"):
            chance = (29 * number + 17 * frame + 31 * place) ** 3 % 101 / 100
            shown, code = clarity + (0.95 - clarity) * chance, ALPHABET.index(value) + 1 + int(29 * chance)
            others = {ALPHABET[code % 36]: 0.7 * (1 - shown), ALPHABET[(code + 5) % 36]: 0.2 * (1 - shown)}
            doubts[place] = {value: shown} | others
        readings.append(reading("MH12AB1234", doubts))
    return readings


def nine(share: float, **shown: float) -> Reading:
    """A reading of MH12AB1239, though the last character may be a 4."""
    return reading("MH12AB1239", {9: {"9": share, "4": 1 - share}}, **shown)


@pytest.mark.parametrize(
    ("readings", "text", "confidence", "least_character", "agreeing", "settled"),
    [
        ([reading("KA01M4567")] * 7 + [reading("KA01MN4567", clarity=0.995)] * 3, "KA01MN4567", 0.912, 1.000, 3, False),
        ([reading("KA01M4567")] * 3 + [reading("KA01MN4567", clarity=0.995)], "KA01M4567", 0.639, 1.000, 3, False),
        ([reading("RJ14CE7301", clarity=0.97)] * 3 + [reading("TOYOTA")] * 3, "RJ14CE7301", 0.995, 1.000, 3, True),
        ([reading("A12", clarity=0.9)] * 3, "A12", 0.495, 0.998, 3, False),
        ([reading("A12", clarity=0.995)] * 20, "A12", 0.500, 1.000, 20, False),
        ([reading("MH12AB12345678", clarity=0.97)], "MH12AB12345678", 0.363, 0.968, 1, False),
        ([reading("KAO1MN4567", {2: {"O": 0.8, "0": 0.2}})], "KA01MN4567", 0.660, 0.950, 1, False),
        ([reading("MH12AB1234", clarity=0.8)], "MH12AB1234", 0.108, 0.795, 1, False),
        ([reading("MH12AB1234", clarity=0.77)], None, 0, 0, 0, False),
        ([reading("MH12AB1234", clarity=0.8)] * 9, "MH12AB1234", 0.996, 1.000, 9, False),
        (
            [nine(0.8, sharpness=0.2, line_height_px=8)] * 2 + [nine(0.4, sharpness=1.5)],
            "MH12AB1239", 0.525, 0.538, 2, False,
        ),
        ([nine(0.7, sharpness=0.5), nine(0.3, sharpness=3.0)], "MH12AB1234", 0.560, 0.576, 1, False),
        ([nine(0.7, line_height_px=10), nine(0.3, line_height_px=20)], "MH12AB1234", 0.576, 0.594, 1, False),
        (murky(8, 0.4, 3), "MH12AB1234", 0.683, 0.994, 6, False),
        (murky(8, 0.3, 1), "MH12AB1234", 0.794, 0.997, 2, False),
        (murky(8, 0.3, 2), "MH12AB1234", 0.358, 0.985, 1, False),
        (murky(8, 0.3, 3), "MH12AB1234", 0.336, 0.973, 4, False),
        (murky(12, 0.2, 1), "MH12AB1234", 0.349, 0.980, 5, False),
        (murky(12, 0.2, 3), "MH12AB1234", 0.179, 0.978, 8, False),
    ],
)  # fmt: skip
def test_the_voter_decides_as_it_did_when_its_constants_were_tuned(
    voter: Voter,
    readings: list[Reading],
    text: str | None,
    confidence: float,
    least_character: float,
    agreeing: int,
    settled: bool,
) -> None:
    settled_text = voter.settle(readings)

    if text is None:
        assert settled_text is None
        return
    assert settled_text is not None
    assert (settled_text.text, settled_text.agreeing, settled_text.settled) == (text, agreeing, settled)
    assert settled_text.confidence == pytest.approx(confidence, abs=0.003)
    assert min(each.confidence for each in settled_text.characters) == pytest.approx(least_character, abs=0.003)


def test_a_text_that_fits_no_format_is_as_certain_as_the_detector_is_of_the_plate(voter: Voter) -> None:
    unknown = [reading("QZQ81", clarity=0.999)] * 5

    sure, doubtful = (voter.settle(unknown, confidence) for confidence in (0.95, 0.2))

    assert sure
    assert doubtful
    assert sure.confidence > 0.95
    assert doubtful.confidence < 0.9


def test_a_clear_text_in_a_known_format_is_certain_though_the_detector_doubts_the_plate(voter: Voter) -> None:
    text = voter.settle([reading("MH12AB1234", clarity=0.999)] * 5, 0.2)

    assert text
    assert text.confidence > 0.95


def test_an_empty_plate_and_no_reading_give_no_text(voter: Voter) -> None:
    assert voter.settle([]) is None
    assert voter.settle_attempts([]) is None
    assert voter.settle([Reading(log_probs(""), 0.0, 0.0)]) is None


def test_evidence_for_nothing_does_not_become_a_sure_text(voter: Voter) -> None:
    text = voter.settle([noise_of(np.random.default_rng(3))])

    assert text is None or text.confidence < 0.01


def test_probabilities_stay_probabilities(voter: Voter) -> None:
    text = settle(voter, *[reading("MH12AB1234", {4: {"A": 0.5, "4": 0.4}}, clarity=0.9)] * 4)

    assert 0 <= sum(candidate.confidence for candidate in text.candidates) <= 1 + 1e-9
    assert len({candidate.text for candidate in text.candidates}) == len(text.candidates) <= 5
