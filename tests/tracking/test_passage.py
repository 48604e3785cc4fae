"""One vehicle while it passes."""

from dataclasses import replace
from datetime import datetime, timedelta

import numpy as np
import pytest

from edge_app.newer_python import UTC
from edge_app.recognition.plate_formats import PlateFormats
from edge_app.recognition.reading import Attempt
from edge_app.records import Frame, ImageBgr, PlateDetection, PlateText, StageTimes
from edge_app.tracking.passage import Observation, Passage
from edge_app.tracking.voter import Voter
from tests.evidence import ALPHABET, reading

START = datetime(2026, 1, 31, 10, tzinfo=UTC)
VOTER = Voter(PlateFormats.load(["in"]), ALPHABET)
TEXT = PlateText("MH12AB1234", 0.9, "IN", "standard", valid=True, characters=(), candidates=())


def observation(
    second: int, width: float = 100, sharpness: float = 1.0, x: float = 50, zone: str = "gate"
) -> Observation:
    frame = Frame(
        np.full((200, 400, 3), second, np.uint8), START + timedelta(seconds=second), second * 10**9, second, "north"
    )
    corners = np.array([[0, 0], [width, 0], [width, 25], [0, 25]], np.float32) + np.array([x, 80], np.float32)
    detection = PlateDetection(corners, 0.9, 1)
    return Observation(frame, detection, reading("MH12AB1234", sharpness=sharpness), [zone], StageTimes(2.0, 1.0))


def passage_of(*observations: Observation) -> Passage:
    passage = Passage(observations[0], VOTER, further=2)
    for each in observations[1:]:
        passage.add(each)
    return passage


def test_the_clearest_frame_gives_the_crop_the_corners_and_the_time() -> None:
    passage = passage_of(observation(0, x=50), observation(1, x=100, sharpness=3.0), observation(2, x=150))

    plate_pass = passage.settle(TEXT)

    assert plate_pass.best_seen == START + timedelta(seconds=1)
    assert plate_pass.read.detection.box_px[0] == 100
    assert plate_pass.crop_bgr.shape == (87, 200, 3)
    assert (plate_pass.crop_bgr == 1).all()
    assert plate_pass.times == StageTimes(6.0, 3.0)


def test_the_best_readings_are_kept_and_memory_is_bounded() -> None:
    passage = passage_of(*(observation(second, sharpness=1.0 + second % 50) for second in range(200)))

    assert len(passage.readings) == 30
    assert min(each.sharpness for each in passage.readings) >= 43
    assert passage.settle(TEXT).reads == 200


@pytest.mark.parametrize(
    ("widths", "direction"),
    [
        ([80, 90, 100, 120], "approaching"),
        ([120, 100, 90, 80], "receding"),
        ([100, 104, 97, 101], "unknown"),
        ([100, 111], "unknown"),
        ([100, 120], "approaching"),
        ([100], "unknown"),
        ([80, 95, *[100] * 200, 105, 120], "approaching"),
        ([120, 100, *[99, 101] * 100, 90, 80], "receding"),
    ],
)
def test_the_direction_follows_the_trend_of_the_size(widths: list[float], direction: str) -> None:
    passage = passage_of(*(observation(second, width) for second, width in enumerate(widths)))

    assert passage.settle(TEXT).direction == direction


def test_frames_without_any_text_are_no_reads() -> None:
    blank = replace(observation(1), reading=reading(""))
    passage = passage_of(observation(0), blank, observation(2))

    plate_pass = passage.settle(TEXT)

    assert (plate_pass.frames, plate_pass.reads) == (3, 2)


def test_zones_are_named_once_in_the_order_they_were_entered() -> None:
    passage = passage_of(observation(0, zone="gate"), observation(1, zone="yard"), observation(2, zone="gate"))

    assert passage.settle(TEXT).zones == ("gate", "yard")


@pytest.mark.parametrize("x", [-90, 390, -500, 900])
def test_a_plate_at_or_beyond_the_picture_s_edge_still_has_a_crop(x: float) -> None:
    assert passage_of(observation(0, x=x)).settle(TEXT).crop_bgr.size > 0


class Closer:
    """Further attempts that find the plate 10 pixels to the right and read another text there."""

    def __init__(self, text: str, clarity: float = 0.999) -> None:
        self.seen: list[tuple[int, float]] = []
        self._reading = reading(text, clarity=clarity, sharpness=3.0)

    def __call__(self, image_bgr: ImageBgr, found: PlateDetection) -> Attempt:
        """The other text."""
        self.seen.append((int(image_bgr[0, 0, 0]), found.box_px[0]))
        return Attempt(found.moved(10, 0), self._reading, VOTER.score(self._reading).log_score, is_clear=False)


def test_the_best_frames_are_read_again_each_once_and_count_in_place_of_the_first_reading() -> None:
    passage = passage_of(
        observation(0), observation(1, sharpness=2.0), observation(2, x=60), observation(3, x=70, sharpness=3.0)
    )
    closer = Closer("KA01MN4567")

    ticks = iter((0.0, 0.02, 1.0, 1.03))
    went_on = [passage.read_again(closer, lambda: next(ticks)) for _ in range(3)]

    assert went_on == [True, True, False]
    assert closer.seen == [(3, 50), (1, 50)]  # the crop begins half a plate before it
    assert len(passage.readings) == 4
    text = passage.vote()
    assert text is not None
    assert text.text == "KA01MN4567"
    plate_pass = passage.settle(text)
    assert plate_pass.read.detection.box_px[0] in (60, 80)
    assert plate_pass.times.read_ms == pytest.approx(4 * 1.0 + 50)


def test_a_further_attempt_with_a_lower_log_score_than_the_first_does_not_count() -> None:
    passage = passage_of(observation(0), observation(1))

    passage.read_again(Closer("MH12AB1284", clarity=0.6))

    text = passage.vote()
    assert text is not None
    assert text.text == "MH12AB1234"
    assert text.agreeing == 2


def test_what_only_a_further_attempt_can_read_is_a_read() -> None:
    blank = replace(observation(1), reading=reading(""))
    passage = passage_of(blank, blank)

    passage.read_again(Closer("MH12AB1234"))

    assert passage.reads == 1


@pytest.mark.parametrize(("moved", "reads"), [(8, False), (12, True)])
def test_a_plate_that_moved_by_less_than_a_tenth_of_its_width_stands_and_is_not_read_again_soon(
    moved: float, reads: bool
) -> None:
    passage = passage_of(*(observation(second) for second in range(5)))

    assert passage.needs_reading(observation(0, x=50 + moved).detection, 5 * 10**9) == reads


@pytest.mark.parametrize(("side", "kept"), [(700, 2), (900, 1)])
def test_two_crops_of_a_megapixel_together_are_kept(side: int, kept: int) -> None:
    frame = np.zeros((side, side, 3), np.uint8)
    corners = np.array([[0, 0], [side, 0], [side, side], [0, side]], np.float32)
    observations = [
        replace(each, frame=replace(each.frame, image_bgr=frame), detection=PlateDetection(corners, 0.9, 1))
        for each in (observation(0), observation(1))
    ]
    passage, closer = passage_of(*observations), Closer("MH12AB1234")

    while passage.read_again(closer):
        pass

    assert len(closer.seen) == kept


def test_crops_of_large_plates_take_bounded_memory() -> None:
    passage = Passage(observation(0), VOTER, further=5)
    large = np.zeros((1500, 2000, 3), np.uint8)
    corners = np.array([[500, 500], [1500, 500], [1500, 750], [500, 750]], np.float32)
    for second in range(1, 6):
        frame = replace(observation(second).frame, image_bgr=large)
        passage.add(replace(observation(second), frame=frame, detection=PlateDetection(corners, 0.9, 1)))
    closer = Closer("MH12AB1234")

    while passage.read_again(closer):
        pass

    assert len(closer.seen) == 1


def test_the_crop_is_of_the_frame_that_supports_the_text_best() -> None:
    other = replace(observation(1, x=100, sharpness=1.2), reading=reading("MH12AB1284", clarity=0.995, sharpness=1.2))
    passage = passage_of(other, observation(2, x=150), observation(3, x=200, sharpness=0.9))

    assert passage.settle(TEXT).best_seen == START + timedelta(seconds=2)
