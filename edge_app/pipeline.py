"""One frame through the stages: detector, rectifier, reader, tracker, voter."""

import logging
import time
from collections.abc import Callable
from typing import Protocol

from edge_app.config import TrackingSettings
from edge_app.recognition.reading import Attempt
from edge_app.records import Frame, ImageBgr, PlateDetection, PlatePass, PlateText, StageTimes
from edge_app.tracking.crossings import Crossings
from edge_app.tracking.fixed_texts import FixedTexts
from edge_app.tracking.known_plates import KnownPlates
from edge_app.tracking.passage import Observation, Passage
from edge_app.tracking.tracker import Tracker
from edge_app.tracking.twins import Twins
from edge_app.tracking.voter import SETTLING_WEIGHT, Voter
from edge_app.tracking.zones import Zones

log = logging.getLogger(__name__)

Polygon = tuple[tuple[float, float], ...]
"""Points x, y as shares of the picture's width and height."""

_BEYOND_DOUBT = 0.99
"""A text of this confidence in a known format is right 98 times of 100: no further attempt is made."""


class Detector(Protocol):
    """`PlateDetector`, or canned plates in a test."""

    def find(self, frame: Frame, /) -> list[PlateDetection]:
        """The plates of a frame."""


class PlateReading(Protocol):
    """`edge_app.stages.Stages`, or canned evidence in a test."""

    def read_plate(self, image_bgr: ImageBgr, found: PlateDetection, effort: int, /) -> tuple[Attempt, ...]:
        """The attempts at one plate that count together, the best first."""


class Pipeline:
    """Frames in, passes of vehicles out, each published once: when its vehicle has gone, or has been in view for long.

    With `publish = "early"`, a pass is published once it is certain, and again when its vehicle has gone.
    Ten parameters: the parts, one each, the settings, and three that only some need.
    """

    def __init__(
        self,
        detector: Detector,
        reading: PlateReading,
        tracker: Tracker,
        voter: Voter,
        zones: Zones,
        crossings: Crossings,
        settings: TrackingSettings,
        clock: Callable[[], float] = time.perf_counter,
        watch: Callable[[int, Observation], None] = lambda _track, _observation: None,
        hint: Callable[[str], None] | None = None,
    ) -> None:
        """`watch` is called with each track's number and observation.

        `hint` is called with texts that are likely to be published, while their vehicles are in view.
        """
        self.too_brief = 0
        """Vehicles that have gone unpublished, for they were read in fewer than `min_reads` frames."""
        self.repeated = 0
        """Vehicles that have gone unpublished, for their number was seen a moment before."""
        self._fixed_texts = FixedTexts(self._would_be_published)
        self._detector = detector
        self._reading = reading
        self._tracker = tracker
        self._voter = voter
        self._zones = zones
        self._crossings = crossings
        self._settings = settings
        self._clock = clock
        self._watch = watch
        self._hint = hint
        self._is_early = settings.publish == "early"
        self._passages: dict[int, Passage] = {}
        window_seconds = max(settings.reappear_seconds, settings.lost_seconds)
        self._known, self._twins = KnownPlates(window_seconds), Twins(window_seconds)
        self._frame_ns = 0
        self._is_resting = False

    def process(self, frame: Frame) -> list[PlatePass]:
        """Search one frame; the passes that ended before it, for their vehicles have gone, or are published with it."""
        if self._is_resting:
            self._tracker.postpone(frame.monotonic_ns - self._frame_ns)
        self._is_resting, self._frame_ns = False, frame.monotonic_ns
        ended = self._end(self._tracker.release(frame.monotonic_ns))
        self._search(frame)
        return ended + self._report(self._is_ready)

    def rest(self) -> list[PlatePass]:
        """The passes of all vehicles in view: nothing moves, and no frame comes until something does.

        They stand there and keep their tracks meanwhile, so that they are the same vehicles afterwards.
        """
        self._is_resting = True
        return self._report(lambda _: True)

    def flush(self) -> list[PlatePass]:
        """Settle every vehicle still in view: the stream has ended."""
        return self._end(self._tracker.release_all())

    def _search(self, frame: Frame) -> None:
        size = frame.image_bgr.shape[1], frame.image_bgr.shape[0]
        begun = self._clock()
        found = self._detector.find(frame)
        detect_ms = (self._clock() - begun) * 1e3
        tracks = self._tracker.follow(found, frame.monotonic_ns)
        self._twins.follow(tracks, found, frame.monotonic_ns)
        for track, detection in zip(tracks, found, strict=True):
            if track is None:  # too doubtful to begin a vehicle with
                continue
            self._crossings.follow(track, detection, size)
            self._fixed_texts.follow(track, detection, frame.monotonic_ns, size)
            passage = self._passages.get(track)
            if self._zones.admits(detection, size):
                observation = self._observe(frame, detection, passage, detect_ms)
                self._watch(track, observation)
                if passage is None:
                    self._passages[track] = Passage(observation, self._voter, self._settings.frames_read_again)
                else:
                    passage.add(observation)
                    self._vote_if_due(passage)
            elif passage is not None:
                passage.is_in_zone = False

    def _observe(
        self, frame: Frame, detection: PlateDetection, passage: Passage | None, detect_ms: float
    ) -> Observation:
        zones = self._zones.names(detection, (frame.image_bgr.shape[1], frame.image_bgr.shape[0]))
        if passage is not None and self._settings.economy and not self._can_change(passage, detection, frame):
            return Observation(frame, detection, None, zones, StageTimes(detect_ms))
        begun = self._clock()
        best = self._reading.read_plate(frame.image_bgr, detection, 0)[0]
        return Observation(frame, best.plate, best.reading, zones, StageTimes(detect_ms, (self._clock() - begun) * 1e3))

    def _vote_if_due(self, passage: Passage) -> None:
        """Vote before the vehicle has gone, if that may save reads or the pass may be published early."""
        is_useful = self._settings.economy or self._is_early or self._hint is not None
        least_weight = 0.0 if self._is_early else SETTLING_WEIGHT
        if is_useful and passage.reads >= self._settings.min_reads and passage.is_due(least_weight):
            text = passage.vote()
            if self._hint is not None and text is not None and text.confidence >= self._least_confidence(text):
                self._hint(text.text)

    def _can_change(self, passage: Passage, detection: PlateDetection, frame: Frame) -> bool:
        """Whether another read can change what is published."""
        is_over = passage.reported is not None and not passage.awaits_update
        return not is_over and passage.needs_reading(detection, frame.monotonic_ns)

    def _is_ready(self, passage: Passage) -> bool:
        """Whether to report while the vehicle is in view: it has been for long, or the pass is published early."""
        longest_ns = int(self._settings.settle_seconds * 1e9)
        if passage.last_monotonic_ns - passage.first_monotonic_ns >= longest_ns:
            return True
        if not self._is_early or passage.reads < self._settings.min_reads:
            return False
        if self._zones.is_restricted and passage.is_in_zone:
            return False
        answer = passage.vote() if self._zones.is_restricted else passage.answer
        return answer is not None and answer.confidence >= self._settings.early_confidence

    def _report(self, is_ready: Callable[[Passage], bool]) -> list[PlatePass]:
        """The passes that are ready while their vehicles are in view."""
        waiting = [(track, passage) for track, passage in self._passages.items() if passage.reported is None]
        passes = [self._judge(track, passage, is_final=False) for track, passage in waiting if is_ready(passage)]
        return [plate_pass for plate_pass in passes if plate_pass is not None]

    def _end(self, tracks: list[int]) -> list[PlatePass]:
        passes = []
        for track in tracks:
            passage = self._passages.pop(track, None)
            if passage is not None and (plate_pass := self._conclude(track, passage)) is not None:
                passes.append(plate_pass)
            self._crossings.forget(track)
            self._fixed_texts.forget(track)
        return passes

    @property
    def fixed_texts(self) -> tuple[Polygon, ...]:
        """The places of lettering that is no vehicle's."""
        return tuple(self._fixed_texts.found)

    def _would_be_published(self, track: int) -> bool:
        passage = self._passages.get(track)
        text = passage.vote() if passage else None
        return text is not None and text.confidence >= self._least_confidence(text)

    def _conclude(self, track: int, passage: Passage) -> PlatePass | None:
        """The pass of a vehicle that has gone, unless it was published before."""
        if passage.reported is None:
            plate_pass = self._judge(track, passage, is_final=True)
            self.too_brief += passage.reads < self._settings.min_reads
            return plate_pass
        self._known.note(passage.reported.text, passage.last_monotonic_ns, track)
        if not passage.awaits_update:
            return None
        text = self._read_again(passage)
        if text is None or text.confidence < self._least_confidence(text):
            text = passage.reported
        self._known.note(text.text, passage.last_monotonic_ns, track)
        return passage.settle(text, self._crossings.of(track), track)

    def _judge(self, track: int, passage: Passage, *, is_final: bool) -> PlatePass | None:
        """The pass, if it is certain enough and not of a vehicle that was there a moment ago."""
        if passage.frames < self._settings.min_reads or self._fixed_texts.is_fixed(track):
            return None
        is_last_vote = is_final or not self._is_early
        text = self._read_again(passage) if is_last_vote else passage.vote()
        if passage.reads < self._settings.min_reads or text is None:
            return None
        if text.confidence < self._least_confidence(text) or text.agreeing < self._settings.min_agreeing_reads:
            if is_final:
                log.info("what has gone is not published: its text, if it is a plate's, is too doubtful")
            return None
        is_known = self._known.knows(
            text.text, passage.first_monotonic_ns, lambda other: self._twins.are_two(track, other)
        )
        self._known.note(text.text, passage.last_monotonic_ns, track)
        if is_known:
            self.repeated += 1
            log.info("a vehicle is not published: its number was seen less than reappear_seconds ago, on another track")
        awaits_update = self._is_early and not is_final and not is_known
        plate_pass = passage.settle(text, self._crossings.of(track), track, is_final=not awaits_update)
        passage.reported, passage.awaits_update = text, awaits_update
        return None if is_known else plate_pass

    def _read_again(self, passage: Passage) -> PlateText | None:
        """The text, after further attempts at the best frames if it is in doubt."""
        text = passage.vote()
        while text is None or not text.valid or text.confidence < _BEYOND_DOUBT:
            if not passage.read_again(self._read_with_effort, self._clock):
                break
            text = passage.vote()
        return text

    def _read_with_effort(self, image_bgr: ImageBgr, found: PlateDetection) -> Attempt:
        return self._reading.read_plate(image_bgr, found, 1)[0]

    def _least_confidence(self, text: PlateText) -> float:
        least = self._settings.min_confidence
        return least if text.valid else max(least, self._settings.min_confidence_unknown)
