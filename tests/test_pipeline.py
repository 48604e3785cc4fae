"""The pipeline around canned networks: a road with vehicles, of which one pass each comes out."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import numpy as np
import pytest

from edge_app.config import CrossingLineSettings, TrackingSettings, ZoneSettings
from edge_app.newer_python import UTC
from edge_app.pipeline import Pipeline
from edge_app.recognition.plate_formats import PlateFormats
from edge_app.recognition.reading import Attempt, read_plate
from edge_app.recognition.rectifier import Rectifier
from edge_app.records import Corners, Frame, ImageBgr, LineCrossing, PlateDetection, PlatePass, PlateStrip, Reading
from edge_app.tracking.crossings import Crossings
from edge_app.tracking.passage import Observation
from edge_app.tracking.tracker import Tracker
from edge_app.tracking.voter import Voter
from edge_app.tracking.zones import Zones
from tests.evidence import ALPHABET, log_probs

FRAMES_PER_SECOND = 10
DEFAULTS = TrackingSettings()
START = datetime(2026, 1, 31, 10, tzinfo=UTC)
VOTER = Voter(PlateFormats.load(["in"]), ALPHABET)


class Vehicle:
    """Drives to the right from frame `first` to `last`; its plate's grey is its name to `CannedReader`."""

    def __init__(
        self, text: str, first: int, last: int, y: float = 200, speed: float = 20, growth: float = 0, grey: int = 200
    ) -> None:
        self.text, self.first, self.last, self.grey = text, first, last, grey
        self._y, self._speed, self._growth = y, speed, growth

    def corners(self, sequence: int) -> Corners:
        """Where the plate is."""
        age = sequence - self.first
        unit = np.array([[0, 0], [1, 0], [1, 0.25], [0, 0.25]], np.float32)
        return unit * np.float32(100 + self._growth * age) + np.array([40 + self._speed * age, self._y], np.float32)

    def confidence(self, sequence: int) -> float:
        """The detector's."""
        return 0.9


class CannedDetector:
    """Finds the vehicles that are there."""

    def __init__(self, vehicles: Sequence[Vehicle]) -> None:
        self._vehicles = vehicles

    def find(self, frame: Frame) -> list[PlateDetection]:
        """Their plates."""
        there = [each for each in self._vehicles if each.first <= frame.sequence <= each.last]
        return [PlateDetection(each.corners(frame.sequence), each.confidence(frame.sequence), 1) for each in there]


class GreyRectifier(Rectifier):
    """Keeps the plate's grey, which the real one evens out."""

    def rectify(self, image_bgr: ImageBgr, detection: PlateDetection) -> PlateStrip:
        """A strip of that grey."""
        strip = super().rectify(image_bgr, detection)
        x, y = detection.corners_px.mean(axis=0).astype(int)
        gray = np.full_like(strip.image_gray, image_bgr[y, x, 0])
        return PlateStrip(gray, sharpness=1.0, line_height_px=strip.line_height_px)


class CannedReader:
    """Reads the text that belongs to a plate's grey."""

    def __init__(self, texts: Mapping[int, str], clarity: float = 0.98) -> None:
        self._texts = texts
        self._clarity = clarity

    def read(self, strip: PlateStrip) -> Reading:
        """Clear evidence for the text."""
        text = self._texts[int(strip.image_gray[0, 0])]
        return Reading(log_probs(text, clarity=self._clarity), strip.sharpness, strip.line_height_px)


class Closer:
    """Evidence that further attempts bring; counts how often they were made."""

    def __init__(self, text: str, clarity: float = 0.9999) -> None:
        self.count = 0
        self._log_probs = log_probs(text, clarity=clarity)

    def read(self, found: PlateDetection) -> Attempt:
        """Clear evidence for the text."""
        self.count += 1
        return Attempt(found, Reading(self._log_probs, 1.0, 24.0), 0.0, is_clear=True)


class CannedReading:
    """Reads frames with canned evidence; `closer` is what effort 1 brings, if it brings anything."""

    def __init__(self, rectifier: Rectifier, reader: CannedReader, closer: Closer | None = None) -> None:
        self._rectifier, self._reader, self._closer = rectifier, reader, closer

    def read_plate(self, image_bgr: ImageBgr, found: PlateDetection, effort: int) -> tuple[Attempt, ...]:
        """The best of the layouts, or what `closer` brings."""
        if effort and self._closer:
            return (self._closer.read(found),)

        def attempt(plate: PlateDetection) -> Attempt:
            reading = self._reader.read(self._rectifier.rectify(image_bgr, plate))
            return Attempt(plate, reading, VOTER.score(reading).log_score, is_clear=False)

        return read_plate(found, attempt)


class Ticks:
    """A clock that is a millisecond later whenever it is read."""

    def __init__(self) -> None:
        self._seconds = 0.0

    def __call__(self) -> float:
        """Seconds."""
        self._seconds += 0.001
        return self._seconds


def frame_of(vehicles: Sequence[Vehicle], sequence: int) -> Frame:
    image = np.zeros((480, 1200, 3), np.uint8)
    for each in vehicles:
        if each.first <= sequence <= each.last:
            left, top = each.corners(sequence).min(axis=0).astype(int)
            right, bottom = each.corners(sequence).max(axis=0).astype(int)
            image[top:bottom, left:right] = each.grey
    seconds = sequence / FRAMES_PER_SECOND
    return Frame(image, START + timedelta(seconds=seconds), int(seconds * 1e9), sequence, "north")


def pipeline_for(
    vehicles: Sequence[Vehicle],
    settings: TrackingSettings = DEFAULTS,
    zones: tuple[ZoneSettings, ...] = (),
    lines: tuple[CrossingLineSettings, ...] = (),
    closer: Closer | None = None,
    clarity: float = 0.98,
) -> Pipeline:
    return Pipeline(
        CannedDetector(vehicles),
        CannedReading(
            GreyRectifier(192, 32), CannedReader({each.grey: each.text for each in vehicles}, clarity), closer
        ),
        Tracker(settings.lost_seconds, settings.begin_confidence),
        VOTER,
        Zones(zones),
        Crossings(lines),
        settings,
        clock=Ticks(),
    )


def passes_of(vehicles: Sequence[Vehicle], frames: int, settings: TrackingSettings = DEFAULTS) -> list[PlatePass]:
    pipeline = pipeline_for(vehicles, settings)
    passes = [each for sequence in range(frames) for each in pipeline.process(frame_of(vehicles, sequence))]
    return passes + pipeline.flush()


def test_a_vehicle_that_has_gone_is_one_pass_with_all_that_is_known_of_it() -> None:
    vehicles = [Vehicle("MH12AB1234", first=3, last=12, growth=8)]
    pipeline = pipeline_for(vehicles)

    ended = {sequence: pipeline.process(frame_of(vehicles, sequence)) for sequence in range(30)}

    (when,) = [sequence for sequence, passes in ended.items() if passes]
    (plate_pass,) = ended[when]
    assert when == 12 + FRAMES_PER_SECOND + 1
    assert plate_pass.read.text == "MH12AB1234"
    assert plate_pass.read.confidence > 0.95
    assert (plate_pass.camera, plate_pass.frame_size, plate_pass.direction) == ("north", (1200, 480), "approaching")
    assert (plate_pass.frames, plate_pass.reads, plate_pass.zones) == (10, 5, ())
    assert plate_pass.first_seen == START + timedelta(seconds=0.3)
    assert plate_pass.last_seen == START + timedelta(seconds=1.2)
    assert plate_pass.first_seen <= plate_pass.best_seen <= plate_pass.last_seen
    assert plate_pass.last_monotonic_ns == 1_200_000_000
    assert (plate_pass.times.detect_ms, plate_pass.times.read_ms) == pytest.approx((10, 5))
    assert plate_pass.crop_bgr.max() == 200
    assert pipeline.flush() == []


def test_two_vehicles_side_by_side_are_two_passes() -> None:
    vehicles = [
        Vehicle("MH12AB1234", 0, 20, y=100, grey=150),
        Vehicle("KA01MN4567", 2, 18, y=300, grey=250, growth=-2),
    ]

    passes = passes_of(vehicles, frames=21)

    assert {each.read.text: each.direction for each in passes} == {"MH12AB1234": "unknown", "KA01MN4567": "receding"}


def test_a_text_that_comes_back_soon_is_not_published_again_and_later_it_is() -> None:
    again = [Vehicle("MH12AB1234", first, first + 5) for first in (0, 40, 80, 250)]

    passes = passes_of(again, frames=260, settings=TrackingSettings(reappear_seconds=5.0))

    assert [each.first_seen for each in passes] == [START, START + timedelta(seconds=25)]


def test_too_few_reads_and_too_little_certainty_are_not_published() -> None:
    vehicles = [Vehicle("MH12AB1234", 0, 1)]

    assert passes_of(vehicles, frames=5, settings=TrackingSettings(min_reads=3)) == []
    assert passes_of(vehicles, frames=5, settings=TrackingSettings(min_confidence=0.9999)) == []
    assert len(passes_of(vehicles, frames=5, settings=TrackingSettings(min_reads=2))) == 1


class Sign(Vehicle):
    """The detector doubts that it is a plate."""

    def confidence(self, sequence: int) -> float:
        """The detector's."""
        return 0.6


def test_a_sign_is_not_published_unless_it_is_asked_for_what_fits_no_format() -> None:
    sign = [Sign("BAKERY", 0, 9)]

    assert passes_of(sign, frames=10) == []
    (published,) = passes_of(sign, frames=10, settings=TrackingSettings(min_confidence_unknown=0.5))
    assert (published.read.text, published.read.plate.valid) == ("BAKERY", False)


class DimVehicle(Vehicle):
    """The detector is sure of it in every fourth frame only, from the fifth on."""

    def confidence(self, sequence: int) -> float:
        """The detector's."""
        return 0.9 if sequence % 4 == 0 and sequence > 4 else 0.5


def test_a_vehicle_begins_with_a_find_that_is_sure_and_goes_on_with_doubtful_ones() -> None:
    vehicles = [DimVehicle("MH12AB1234", 0, 12, grey=150), DimVehicle("KA01MN4567", 0, 7, y=300, grey=250)]

    (published,) = passes_of(vehicles, frames=13, settings=TrackingSettings(begin_confidence=0.6))

    assert published.read.text == "MH12AB1234"
    assert published.frames == 5, "from the ninth frame to the thirteenth"


class SquareVehicle(Vehicle):
    """Its plate has two lines; the detector sees one."""

    def corners(self, sequence: int) -> Corners:
        """Where the plate is."""
        wide = super().corners(sequence)
        return np.asarray(wide[:1] + (wide - wide[:1]) * np.array([1, 2.4], np.float32), np.float32)


class LayoutRectifier(GreyRectifier):
    """Of a plate taken for one line, the strip shows something else."""

    def rectify(self, image_bgr: ImageBgr, detection: PlateDetection) -> PlateStrip:
        """A strip of the plate's grey, or a darker one."""
        strip = super().rectify(image_bgr, detection)
        return strip if detection.lines == 2 else replace(strip, image_gray=strip.image_gray - 1)


@pytest.mark.parametrize(
    ("as_one_line", "as_two_lines", "lines"), [("B1234", "MH12AB1234", 2), ("MH12AB1234", "B1234", 1)]
)
def test_of_a_narrow_plate_in_which_one_line_was_found_the_layout_counts_that_reads_better(
    as_one_line: str, as_two_lines: str, lines: int
) -> None:
    square = SquareVehicle("MH12AB1234", 0, 9)
    pipeline = Pipeline(
        CannedDetector([square]),
        CannedReading(
            LayoutRectifier(192, 32), CannedReader({square.grey: as_two_lines, square.grey - 1: as_one_line})
        ),
        Tracker(DEFAULTS.lost_seconds),
        VOTER,
        Zones(()),
        Crossings(()),
        DEFAULTS,
    )

    for sequence in range(10):
        assert pipeline.process(frame_of([square], sequence)) == []
    (published,) = pipeline.flush()

    assert (published.read.text, published.read.detection.lines) == ("MH12AB1234", lines)


@pytest.mark.parametrize(
    ("first", "most", "published"),
    [("MH12AB1234", 0, "MH12AB1234"), ("AB1234", 5, "MH12AB1234"), ("MH12", 5, "MH12AB1234")],
)
def test_frames_are_read_again_only_if_the_text_is_in_doubt(first: str, most: int, published: str) -> None:
    vehicles = [Vehicle(first, 0, 9)]
    closer = Closer("MH12AB1234")

    pipeline = pipeline_for(vehicles, closer=closer)
    for sequence in range(10):
        assert pipeline.process(frame_of(vehicles, sequence)) == []
    (plate_pass,) = pipeline.flush()

    assert plate_pass.read.text == published
    assert (closer.count > 0) == (most > 0)
    assert closer.count <= most


def test_with_no_further_attempts_allowed_none_is_made() -> None:
    vehicles = [Vehicle("AB1234", 0, 9)]
    closer = Closer("MH12AB1234")
    pipeline = pipeline_for(vehicles, TrackingSettings(frames_read_again=0), closer=closer)

    for sequence in range(10):
        pipeline.process(frame_of(vehicles, sequence))
    pipeline.flush()

    assert closer.count == 0


@pytest.mark.parametrize("publish", ["final", "early"])
def test_what_stays_in_view_in_doubt_is_read_again_a_few_times_and_not_in_every_frame(publish: str) -> None:
    sign = [Sign("BAKERY", first=0, last=119, speed=5, growth=1)]
    closer = Closer("BAKERY", clarity=0.9)
    settings = TrackingSettings(settle_seconds=3.0, publish=publish)
    pipeline = pipeline_for(sign, settings, closer=closer)

    passes = [each for sequence in range(120) for each in pipeline.process(frame_of(sign, sequence))]
    passes += pipeline.flush()

    assert passes == []
    assert 0 < closer.count <= settings.frames_read_again


def test_what_is_published_early_is_read_again_when_it_has_gone() -> None:
    vehicles = [Vehicle("MH12AB1234", 0, 2)]
    closer = Closer("MH12AB1234")
    settings = TrackingSettings(publish="early", early_confidence=0.4)
    pipeline = pipeline_for(vehicles, settings, closer=closer, clarity=0.85)

    early = [each for sequence in range(3) for each in pipeline.process(frame_of(vehicles, sequence))]

    assert ([each.is_final for each in early], closer.count) == ([False], 0)
    (final,) = pipeline.flush()
    assert (final.is_final, final.read.text) == (True, "MH12AB1234")
    assert closer.count > 0


def test_neither_a_plate_nor_a_sign_is_read_in_every_frame() -> None:
    reads = []
    for text in ("MH12AB1234", "BAKERY"):
        settings = TrackingSettings(min_confidence_unknown=0.5)
        (published,) = passes_of([Vehicle(text, 0, 39)], frames=40, settings=settings)
        reads.append(published.reads)

    assert max(reads) <= 15


def test_what_fits_no_format_needs_no_less_confidence_than_what_fits_one() -> None:
    foreign = [Vehicle("ABC1234", 0, 9)]

    assert len(passes_of(foreign, frames=10)) == 1
    assert passes_of(foreign, frames=10, settings=TrackingSettings(min_confidence=0.9999)) == []


def test_vehicles_that_were_read_in_too_few_frames_are_counted() -> None:
    vehicles = [Vehicle("MH12AB1234", 0, 1, y=100, grey=150), Vehicle("KA01MN4567", 0, 9, y=300, grey=250)]
    pipeline = pipeline_for(vehicles, TrackingSettings(min_reads=3))

    passes = [each for sequence in range(10) for each in pipeline.process(frame_of(vehicles, sequence))]
    passes += pipeline.flush()

    assert ([each.read.text for each in passes], pipeline.too_brief) == (["KA01MN4567"], 1)


def test_a_vehicle_that_stays_is_published_while_it_stands_there_and_once() -> None:
    standing = [Vehicle("MH12AB1234", first=0, last=119, speed=0)]
    settings = TrackingSettings(settle_seconds=3.0, reappear_seconds=0.0)
    pipeline = pipeline_for(standing, settings)

    ended = {sequence: pipeline.process(frame_of(standing, sequence)) for sequence in range(120)}
    gone = pipeline.flush()

    published = {sequence: [each.read.text for each in passes] for sequence, passes in ended.items() if passes}
    assert published == {3 * FRAMES_PER_SECOND: ["MH12AB1234"]}
    assert gone == []


def test_an_empty_plate_is_no_pass() -> None:
    assert passes_of([Vehicle("", 0, 9)], frames=10) == []


def test_zones_name_a_pass_and_leave_out_what_is_excluded() -> None:
    upper = ZoneSettings("upper", ((0.0, 0.0), (1.0, 0.0), (1.0, 0.5), (0.0, 0.5)))
    kerb = ZoneSettings("kerb", ((0.0, 0.5), (1.0, 0.5), (1.0, 1.0), (0.0, 1.0)), include=False)
    vehicles = [Vehicle("MH12AB1234", 0, 9, y=100, grey=150), Vehicle("KA01MN4567", 0, 9, y=300, grey=250)]
    pipeline = pipeline_for(vehicles, zones=(upper, kerb))

    for sequence in range(10):
        pipeline.process(frame_of(vehicles, sequence))
    passes = pipeline.flush()

    assert [(each.read.text, each.zones) for each in passes] == [("MH12AB1234", ("upper",))]


LEFT = ZoneSettings("left", ((0.0, 0.0), (0.5, 0.0), (0.5, 1.0), (0.0, 1.0)))
EARLY = TrackingSettings(publish="early")


def published_by_frame(pipeline: Pipeline, vehicles: Sequence[Vehicle], frames: int) -> list[tuple[int, PlatePass]]:
    return [(sequence, each) for sequence in range(frames) for each in pipeline.process(frame_of(vehicles, sequence))]


def test_the_time_that_finding_plates_took_counts_for_each_plate_of_a_frame() -> None:
    vehicles = [Vehicle("MH12AB1234", 0, 9, y=100, grey=150), Vehicle("KA01MN4567", 0, 4, y=300, grey=250)]

    passes = passes_of(vehicles, frames=10)

    assert {each.frames: round(each.times.detect_ms) for each in passes} == {5: 5, 10: 10}  # 1 ms a frame


def test_an_early_pass_is_published_once_it_is_certain_and_revised_when_the_vehicle_has_gone() -> None:
    vehicles = [Vehicle("MH12AB1234", first=0, last=30, growth=3)]
    pipeline = pipeline_for(vehicles, EARLY)

    (when, early), (later, final) = published_by_frame(pipeline, vehicles, frames=60)

    assert (when, later) == (EARLY.min_reads - 1, 30 + FRAMES_PER_SECOND + 1)
    assert (early.is_final, early.revision, early.frames) == (False, None, 3)
    assert (final.is_final, final.revision, final.frames) == (True, "confirmed", 31)
    assert early.vehicle == final.vehicle
    assert early.read.text == final.read.text == "MH12AB1234"
    assert final.direction == "approaching"


def test_where_zones_are_included_an_early_pass_is_published_when_the_plate_has_left_them() -> None:
    vehicles = [Vehicle("MH12AB1234", first=0, last=45)]
    pipeline = pipeline_for(vehicles, EARLY, zones=(LEFT,))

    (when, early), (later, final) = published_by_frame(pipeline, vehicles, frames=70)

    outside = next(frame for frame in range(46) if vehicles[0].corners(frame)[:, 0].mean() > 600)
    assert when == outside
    assert later == 45 + FRAMES_PER_SECOND + 1
    assert early.frames == final.frames == outside


def test_a_text_that_later_frames_correct_is_a_corrected_pass_of_the_same_vehicle() -> None:
    changing = [Vehicle("MH12AB1239", 0, 2, grey=150), Vehicle("MH12AB1234", 3, 40, grey=200)]
    changing[1].corners = changing[0].corners  # type: ignore[method-assign]
    settings = TrackingSettings(publish="early", economy=False)

    (_, early), (_, final) = published_by_frame(pipeline_for(changing, settings), changing, frames=60)

    assert (early.read.text, final.read.text) == ("MH12AB1239", "MH12AB1234")
    assert (final.revision, final.vehicle) == ("corrected", early.vehicle)


def test_a_vehicle_in_view_at_the_end_of_the_stream_is_revised_too() -> None:
    vehicles = [Vehicle("MH12AB1234", 0, 9)]
    pipeline = pipeline_for(vehicles, EARLY)
    published_by_frame(pipeline, vehicles, frames=10)

    assert [each.revision for each in pipeline.flush()] == ["confirmed"]


def test_a_vehicle_parked_for_an_hour_is_published_once_though_nothing_moves_in_between() -> None:
    parked = Vehicle("MH12AB1234", 0, 10**6, speed=0)
    passing = Vehicle("KA01MN4567", 36_000, 36_010, y=350, grey=250)
    vehicles = [parked, passing]
    pipeline = pipeline_for(vehicles)

    first = published_by_frame(pipeline, vehicles, frames=20)
    resting = pipeline.rest()
    later = [each for sequence in range(36_000, 36_300) for each in pipeline.process(frame_of(vehicles, sequence))]

    assert first == []
    assert [each.read.text for each in resting] == ["MH12AB1234"]
    assert [each.read.text for each in later] == ["KA01MN4567"]
    assert pipeline.flush() == []


@pytest.mark.parametrize("speed", [0.0, 3.0])
def test_economy_reads_less_and_publishes_the_same(speed: float) -> None:
    vehicles = [Vehicle("MH12AB1234", 0, 99, speed=speed)]
    settings = TrackingSettings(settle_seconds=60.0)

    (thrifty,) = passes_of(vehicles, 100, settings)
    (lavish,) = passes_of(vehicles, 100, replace(settings, economy=False))

    assert thrifty.read.text == lavish.read.text
    assert thrifty.frames == lavish.frames == lavish.reads == 100
    assert settings.min_reads <= thrifty.reads <= 10


def test_an_illegible_plate_that_stands_is_read_ever_more_seldom() -> None:
    vehicles = [Vehicle("", 0, 399, speed=0)]
    observations: list[Observation] = []
    pipeline = Pipeline(
        CannedDetector(vehicles), CannedReading(GreyRectifier(192, 32), CannedReader({200: ""})), Tracker(1.0),
        Voter(PlateFormats.load(["in"]), ALPHABET), Zones([]), Crossings([]), DEFAULTS,
        watch=lambda _, observation: observations.append(observation),
    )  # fmt: skip

    for sequence in range(400):
        pipeline.process(frame_of(vehicles, sequence))

    assert pipeline.flush() == []
    assert [each.frame.sequence for each in observations if each.reading] == [0, 1, 2, 4, 8, 16, 32, 64, 128, 256]


def test_texts_that_too_few_frames_support_are_not_published() -> None:
    vehicles = [Vehicle("MH12AB1234", 0, 9)]

    assert passes_of(vehicles, 30, TrackingSettings(min_agreeing_reads=11, economy=False)) == []
    assert len(passes_of(vehicles, 30, TrackingSettings(min_agreeing_reads=10, economy=False))) == 1


def test_lines_crossed_outside_the_zones_that_count_are_published_too() -> None:
    vehicles = [Vehicle("MH12AB1234", 0, 45)]
    beyond = CrossingLineSettings("beyond", (0.7, 1.0), (0.7, 0.0))
    pipeline = pipeline_for(vehicles, zones=(LEFT,), lines=(beyond,))

    ((_, plate_pass),) = published_by_frame(pipeline, vehicles, frames=70)

    assert plate_pass.crossings == (LineCrossing("beyond", "in"),)
    assert plate_pass.zones == ("left",)


def test_two_vehicles_of_one_number_side_by_side_are_both_published() -> None:
    twins = [
        Vehicle("MH12AB1234", first=0, last=12, y=100),
        TwinOf("MH12AB1234", first=0, last=12, y=300),
    ]

    assert [each.read.text for each in passes_of(twins, 30)] == ["MH12AB1234", "MH12AB1234"]


class TwinOf(Vehicle):
    """Drives four hundred pixels ahead."""

    def corners(self, sequence: int) -> Corners:
        """Where the plate is."""
        return super().corners(sequence) + np.array([400, 0], np.float32)


def test_a_number_that_comes_again_is_counted_though_it_is_not_published() -> None:
    pipeline = pipeline_for(vehicles := [Vehicle("MH12AB1234", 0, 9), Vehicle("MH12AB1234", 40, 49)])

    passes = [each for sequence in range(70) for each in pipeline.process(frame_of(vehicles, sequence))]

    assert (len(passes), pipeline.repeated) == (1, 1)


def test_a_vehicle_whose_text_is_too_doubtful_leaves_a_trace_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        passes = passes_of([Vehicle("MH12AB1234", 0, 9)], 30, replace(DEFAULTS, min_agreeing_reads=100))

    assert (passes, caplog.text.count("is too doubtful")) == ([], 1)


@pytest.mark.parametrize("publish", ["once", "early"])
def test_three_vehicles_of_one_number_at_once_are_three(publish: str) -> None:
    class Ahead(Vehicle):
        def corners(self, sequence: int) -> Corners:
            return super().corners(sequence) + np.array([800, 0], np.float32)

    vehicles = [each("MH12AB1234", 0, 9, y=y) for each, y in ((Vehicle, 100), (TwinOf, 200), (Ahead, 300))]

    passes = passes_of(vehicles, 30, replace(DEFAULTS, publish=publish))

    assert len({each.vehicle for each in passes}) == 3


@pytest.mark.parametrize(
    "letterings",
    [
        [("GA47E1", 0, 149)],
        [("GA47E1", 3, 149)],  # it is found a moment after the start
        [("GA47E1", 0, 30), ("GA47E1", 45, 80), ("GA47E1", 95, 149)],  # it comes and goes
        [("GA47E1", 0, 70), ("12304507", 71, 149)],  # it changes, as a clock does
    ],
)
@pytest.mark.parametrize("y", [100, 400])
def test_no_lettering_is_published_beside_or_under_vehicles_that_pass(
    letterings: list[tuple[str, int, int]], y: float
) -> None:
    texts = [
        Vehicle(text, first, last, y=400, speed=0, grey=100 + 5 * index)
        for index, (text, first, last) in enumerate(letterings)
    ]
    numbers = ["MH12AB1234", "KA01MN4567", "DL8CAF5030"]
    passing = [
        Vehicle(text, 5 + 25 * index, 25 + 25 * index, y=y, speed=40, grey=200 + 10 * index)
        for index, text in enumerate(numbers)
    ]

    assert [each.read.text for each in passes_of(texts + passing, 170)] == numbers


def test_lettering_that_stays_while_a_vehicle_passes_is_not_published() -> None:
    lettering = Vehicle("GA47E1", 0, 40, y=400, speed=0, grey=120)
    pipeline = pipeline_for(vehicles := [lettering, Vehicle("MH12AB1234", 5, 20)])

    passes = [each for sequence in range(60) for each in pipeline.process(frame_of(vehicles, sequence))]

    assert [each.read.text for each in passes + pipeline.flush()] == ["MH12AB1234"]
    assert len(pipeline.fixed_texts) == 1
