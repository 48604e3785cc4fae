"""What is counted for `/metrics`; no label carries a plate."""

import time
from collections.abc import Callable, Iterable

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from edge_app.capture.camera_health import PictureState
from edge_app.events.connection_state import ConnectionState
from edge_app.events.disk_state import DiskState
from edge_app.events.messages import BoardMessage, ReadMessage, TelemetryMessage
from edge_app.pipeline import Detector, PlateReading
from edge_app.recognition.reading import Attempt
from edge_app.records import Frame, ImageBgr, PlateDetection
from edge_app.service.memory import Memory
from edge_app.version import __version__

MEDIA_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_BUCKETS = (0.002, 0.005, 0.01, 0.02, 0.035, 0.05, 0.075, 0.1, 0.15, 0.25, 0.5, 1.0, 2.5)
"""Seconds."""


class Measures:
    """The counts."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._stage = Histogram(
            "edge_anpr_stage_seconds",
            "Duration of a stage: find, of one frame; read, of one plate; commit, from the last frame to the outbox.",
            ("camera", "stage"),
            registry=self._registry,
            buckets=_BUCKETS,
        )
        self._searched = self._counter("edge_anpr_frames_searched", "Frames that were searched for plates.")
        self._detections = self._counter("edge_anpr_detections", "Plates found in frames.")
        self._attempts = self._counter("edge_anpr_attempts", "Attempts at reading a plate.")
        self._reads = self._counter("edge_anpr_plate_reads", "Plates read in frames.")
        self._requests = Counter(
            "edge_anpr_recognize_requests", "Pictures sent to /v1/recognize.", ("outcome",), registry=self._registry
        )

    def ask(
        self,
        telemetry: Callable[[], TelemetryMessage],
        oldest_at_ms: Callable[[], int | None],
        connection: Callable[[], ConnectionState],
    ) -> None:
        """Name those who are asked at each scrape."""
        self._registry.register(_State(telemetry, oldest_at_ms, connection, self._searched))

    def _counter(self, name: str, words: str) -> Counter:
        return Counter(name, words, ("camera",), registry=self._registry)

    def around(self, camera: str, detector: Detector, reading: PlateReading) -> tuple[Detector, PlateReading]:
        """The same stages of a camera's pipeline, counted."""
        for counter in (self._searched, self._detections, self._attempts, self._reads):
            counter.labels(camera)  # a count of none is known from the start
        find = _CountedDetector(
            detector,
            self._stage.labels(camera, "find").observe,
            self._searched.labels(camera).inc,
            self._detections.labels(camera).inc,
        )
        read = _CountedReading(
            reading,
            self._stage.labels(camera, "read").observe,
            self._attempts.labels(camera).inc,
            self._reads.labels(camera).inc,
        )
        return find, read

    def committed(self, message: ReadMessage) -> None:
        """Count an event."""
        self._stage.labels(message.camera, "commit").observe(message.timing_ms.capture_to_outbox / 1e3)

    def recognized(self, outcome: str) -> None:
        """Count a picture of `/v1/recognize`: done, refused or busy."""
        self._requests.labels(outcome).inc()

    def text(self) -> bytes:
        """As Prometheus reads it."""
        return generate_latest(self._registry)


class _CountedDetector:
    def __init__(
        self,
        inner: Detector,
        took: Callable[[float], object],
        searched: Callable[[], object],
        found: Callable[[float], object],
    ) -> None:
        self._inner, self._took, self._searched, self._found = inner, took, searched, found

    def find(self, frame: Frame, /) -> list[PlateDetection]:
        """See `Detector`."""
        began = time.perf_counter()
        plates = self._inner.find(frame)
        self._took(time.perf_counter() - began)
        self._searched()
        self._found(len(plates))
        return plates


class _CountedReading:
    def __init__(
        self,
        inner: PlateReading,
        took: Callable[[float], object],
        attempted: Callable[[float], object],
        read: Callable[[], object],
    ) -> None:
        self._inner, self._took, self._attempted, self._read = inner, took, attempted, read

    def read_plate(self, image_bgr: ImageBgr, found: PlateDetection, effort: int, /) -> tuple[Attempt, ...]:
        """See `PlateReading`."""
        began = time.perf_counter()
        attempts = self._inner.read_plate(image_bgr, found, effort)
        self._took(time.perf_counter() - began)
        self._attempted(len(attempts))
        self._read()
        return attempts


class _State(Collector):
    """What others count or know anyway."""

    def __init__(
        self,
        telemetry: Callable[[], TelemetryMessage],
        oldest_at_ms: Callable[[], int | None],
        connection: Callable[[], ConnectionState],
        searched: Counter,
    ) -> None:
        self._telemetry, self._oldest_at_ms, self._connection = telemetry, oldest_at_ms, connection
        self._searched = searched
        self._memory = Memory()

    def collect(self) -> Iterable[Metric]:
        """See `Collector`."""
        telemetry = self._telemetry()
        yield from self._cameras(telemetry)
        yield from self._outbox(telemetry)
        yield from _states("edge_anpr_broker_state", "State of the connection to the broker.", self._connection())
        yield _counter("edge_anpr_broker_connections", "Times the broker was reached.", telemetry.connections)
        yield _gauge("edge_anpr_uptime_seconds", "Of the daemon.", telemetry.uptime_seconds)
        yield _gauge(
            "edge_anpr_clock_synchronized", "1 if the clock can be trusted.", float(telemetry.clock_synchronized)
        )
        yield _gauge("edge_anpr_memory_resident_bytes", "Memory of the daemon.", self._memory.resident())
        yield from _heat(telemetry.board)
        build = GaugeMetricFamily("edge_anpr_build_info", "Always 1.", labels=("version",))
        build.add_metric((__version__,), 1)
        yield build

    def _cameras(self, telemetry: TelemetryMessage) -> Iterable[Metric]:
        cameras = () if telemetry.vitals is None else telemetry.vitals.cameras
        counts = {
            "frames": ("Frames that were processed.", "frames"),
            "frames_dropped": ("Frames that newer ones replaced.", "frames_dropped"),
            "frames_corrupt": ("Frames that could not be decoded.", "frames_corrupt"),
            "events": ("Vehicles that became events.", "vehicles"),
            "vehicles_repeated": ("Vehicles that were published a moment before.", "vehicles_repeated"),
            "vehicles_too_brief": ("Vehicles that were read in too few frames.", "vehicles_too_brief"),
        }
        for name, (words, field) in counts.items():
            family = CounterMetricFamily(f"edge_anpr_{name}", words, labels=("camera",))
            for camera in cameras:
                family.add_metric((camera.name,), getattr(camera, field))
            yield family
        gated = CounterMetricFamily(
            "edge_anpr_frames_gated", "Frames that were not searched, for nothing moved.", labels=("camera",)
        )
        state = GaugeMetricFamily("edge_anpr_camera_state", "1 for the state it is in.", labels=("camera", "state"))
        for camera in cameras:
            searched = self._searched.labels(camera.name)._value.get()
            gated.add_metric((camera.name,), max(0.0, camera.frames - searched))
            for each in PictureState:
                state.add_metric((camera.name, str(each)), float(camera.state == str(each)))
        yield gated
        yield state

    def _outbox(self, telemetry: TelemetryMessage) -> Iterable[Metric]:
        yield _gauge("edge_anpr_outbox_events", "Events that wait for the broker.", telemetry.events_waiting)
        yield _gauge("edge_anpr_outbox_bytes", "Their size.", telemetry.bytes_waiting)
        words = "Of these, events that the disk has not taken."
        yield _gauge("edge_anpr_outbox_events_in_memory", words, telemetry.events_in_memory)
        oldest = self._oldest_at_ms()
        age_seconds = 0.0 if oldest is None else max(0.0, time.time() - oldest / 1e3)
        yield _gauge("edge_anpr_outbox_oldest_seconds", "Age of the oldest event that waits.", age_seconds)
        yield from _states("edge_anpr_disk_state", "State of the outbox's disk.", DiskState(telemetry.disk))
        lost = CounterMetricFamily(
            "edge_anpr_lost", "What was lost since the outbox was made, by what and why.", labels=("what", "why")
        )
        for what in ("reads", "images"):
            for why in ("sacrificed", "damaged"):
                lost.add_metric((what, why), getattr(telemetry, f"{what}_{why}"))
        yield lost


def _heat(board: BoardMessage | None) -> Iterable[Metric]:
    if board is None:
        return
    if board.celsius is not None:
        yield _gauge("edge_anpr_board_celsius", "Temperature of the hottest zone.", board.celsius)
    yield _gauge("edge_anpr_board_slowed", "1 if heat or supply slow it down.", float(board.slowed))
    if board.low_power is not None:
        yield _gauge("edge_anpr_board_low_power", "1 if the supply gives too little.", float(board.low_power))


def _gauge(name: str, words: str, value: float) -> Metric:
    return GaugeMetricFamily(name, words, value=value)


def _counter(name: str, words: str, value: float) -> Metric:
    return CounterMetricFamily(name, words, value=value)


def _states(name: str, words: str, now: ConnectionState | DiskState) -> Iterable[Metric]:
    family = GaugeMetricFamily(name, f"{words} 1 for the one that holds.", labels=("state",))
    for each in type(now):
        family.add_metric((str(each),), float(each is now))
    yield family
