"""One frame through the stages: detector, rectifier, reader, tracker, voter."""

import time
from collections.abc import Callable
from typing import Protocol

from edge_app.config import TrackingSettings
from edge_app.records import Frame, ImageBgr, PlateDetection, PlatePass, PlateStrip, Reading, StageTimes
from edge_app.tracking.passage import Passage, Sight
from edge_app.tracking.tracker import Tracker
from edge_app.tracking.voter import Voter
from edge_app.tracking.zones import Zones


class Detector(Protocol):
    """`PlateDetector`, or canned plates in a test."""

    def find(self, frame: Frame, /) -> list[PlateDetection]:
        """The plates of a frame."""


class Rectifier(Protocol):
    """`edge_app.recognition.rectifier.Rectifier`."""

    def rectify(self, image_bgr: ImageBgr, detection: PlateDetection, /) -> PlateStrip:
        """One plate, made flat."""


class Reader(Protocol):
    """`PlateReader`, or canned evidence in a test."""

    def read(self, strip: PlateStrip, /) -> Reading:
        """What stands on a strip."""


class Pipeline:
    """Frames in, passes of vehicles out, each settled when its vehicle has gone or has been in view for long."""

    def __init__(
        self,
        detector: Detector,
        rectifier: Rectifier,
        reader: Reader,
        tracker: Tracker,
        voter: Voter,
        zones: Zones,
        settings: TrackingSettings,
        clock: Callable[[], float] = time.perf_counter,
        watch: Callable[[int, Sight], None] = lambda _track, _sight: None,
    ) -> None:
        """`watch` hears of every sight with the number of its track, for whoever scores the tracking."""
        self._detector = detector
        self._rectifier = rectifier
        self._reader = reader
        self._tracker = tracker
        self._voter = voter
        self._zones = zones
        self._settings = settings
        self._clock = clock
        self._watch = watch
        self._passages: dict[int, Passage] = {}
        self._last_sight_ns: dict[str, int] = {}

    def process(self, frame: Frame) -> list[PlatePass]:
        """Search one frame; the passes that ended before it, because their vehicles are gone, or with it."""
        ended = self._settle(self._tracker.release(frame.monotonic_ns))
        sights = self._look(frame)
        tracks = self._tracker.follow([sight.detection for sight in sights], frame.monotonic_ns)
        for track, sight in zip(tracks, sights, strict=True):
            self._watch(track, sight)
            if track in self._passages:
                self._passages[track].add(sight)
            else:
                self._passages[track] = Passage(sight)
        return ended + self._settle(self._long_in_view())

    def flush(self) -> list[PlatePass]:
        """Settle every vehicle still in view: the stream has ended."""
        return self._settle(self._tracker.release_all())

    def _look(self, frame: Frame) -> list[Sight]:
        size = frame.image_bgr.shape[1], frame.image_bgr.shape[0]
        begun = self._clock()
        found = self._detector.find(frame)
        detect_ms = (self._clock() - begun) * 1e3
        return [self._read(frame, size, each, detect_ms) for each in found if self._zones.admits(each, size)]

    def _read(self, frame: Frame, size: tuple[int, int], detection: PlateDetection, detect_ms: float) -> Sight:
        begun = self._clock()
        reading = self._reader.read(self._rectifier.rectify(frame.image_bgr, detection))
        times = StageTimes(detect_ms, (self._clock() - begun) * 1e3)
        return Sight(frame, detection, reading, self._zones.names(detection, size), times)

    def _long_in_view(self) -> list[int]:
        """Tracks whose vehicles stand here; what is seen of them later begins a passage that says nothing new."""
        longest_ns = int(self._settings.settle_seconds * 1e9)
        return [
            track
            for track, passage in self._passages.items()
            if passage.last_monotonic_ns - passage.first_monotonic_ns >= longest_ns
        ]

    def _settle(self, tracks: list[int]) -> list[PlatePass]:
        passes = [self._judge(self._passages.pop(track)) for track in tracks if track in self._passages]
        return [plate_pass for plate_pass in passes if plate_pass is not None]

    def _judge(self, passage: Passage) -> PlatePass | None:
        """The pass, where it is sure enough and not of a vehicle that was there a moment ago."""
        if passage.reads < self._settings.min_reads:
            return None
        text = self._voter.settle(passage.readings)
        if text is None or text.confidence < self._settings.min_confidence:
            return None
        return None if self._is_repeated(text.text, passage) else passage.settle(text)

    def _is_repeated(self, text: str, passage: Passage) -> bool:
        """Tell whether the text was seen within `reappear_seconds` before the passage, and note its last sight.

        Within `lost_seconds` it has not been away.
        """
        window_ns = int(max(self._settings.reappear_seconds, self._settings.lost_seconds) * 1e9)
        recent = {
            each: seen_ns
            for each, seen_ns in self._last_sight_ns.items()
            if passage.first_monotonic_ns - seen_ns <= window_ns
        }
        self._last_sight_ns = recent | {text: max(passage.last_monotonic_ns, recent.get(text, 0))}
        return text in recent
