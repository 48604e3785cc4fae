"""What the operator may set: one frozen record a section of the TOML file, a sentence under every field.

`config/default.toml` shows every key with its unit and default; loading is strict (see `load`).
"""

from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True)
class DeviceSettings:
    """`[device]`: this machine."""

    name: str = "edge-anpr"
    """Its part of every topic: letters, digits, `-` and `_`."""
    state_directory: Path = Path("/var/lib/edge-anpr")
    """Where the outbox lives."""


@dataclass(frozen=True, slots=True)
class CameraSettings:
    """`[camera]`: where frames come from."""

    name: str = "camera"
    source: str = "picamera2:0"
    """`picamera2:0`, `v4l2:/dev/video0`, `rtsp://…`, `gst:PIPELINE`, `file:clip.mp4?loop=1&speed=1`, `images:DIR`."""
    width: int = 1920
    height: int = 1080
    """The size asked of a live camera, in pixels."""
    frames_per_second: float = 15.0
    exposure_max_microseconds: int = 2000
    """Longest exposure allowed to picamera2: a plate at 60 km/h smears by about its stroke width in 2 ms."""
    password_file: Path | None = None
    """A file holding `user:password` for an `rtsp://` source."""


@dataclass(frozen=True, slots=True)
class MotionSettings:
    """`[motion]`: frames in which nothing moves are not searched."""

    enabled: bool = True
    threshold: float = 0.002
    """Share of the picture that must have changed, 0 to 1."""
    hold_seconds: float = 1.0
    """How long to go on searching after the last motion."""


@dataclass(frozen=True, slots=True)
class ModelSettings:
    """`[models]`: the two networks."""

    directory: Path | None = None
    """Holds `plate_detector.tflite`, `plate_reader.tflite` and their manifests; by default those shipped."""
    threads: int = 2


@dataclass(frozen=True, slots=True)
class DetectionSettings:
    """`[detection]`: what counts as a plate."""

    confidence: float = 0.5
    """Lowest confidence of a detection, 0 to 1."""
    max_plates: int = 16
    """Most plates taken from one frame."""


@dataclass(frozen=True, slots=True)
class RecognitionSettings:
    """`[recognition]`: how characters become a text."""

    formats: tuple[str, ...] = ("in",)
    """Countries whose plate formats weigh in, of those in `edge_app/recognition/formats`; the generic one always does."""
    max_candidates: int = 5
    """Most candidates named in an event."""


@dataclass(frozen=True, slots=True)
class ZoneSettings:
    """`[[zones]]`: a named polygon on the picture."""

    name: str
    polygon: tuple[tuple[float, float], ...]
    """Points x, y as shares of the picture's width and height, 0 to 1."""
    include: bool = True
    """False: plates inside are ignored."""


@dataclass(frozen=True, slots=True)
class TrackingSettings:
    """`[tracking]`: how sights of one vehicle become one pass."""

    lost_seconds: float = 1.0
    """A plate unseen for this long has gone."""
    min_reads: int = 2
    """Fewer reads than this are not published; a single image needs one."""
    min_confidence: float = 0.3
    """Texts less certain than this are not published, 0 to 1."""
    reappear_seconds: float = 30.0
    """The same text within this time after its last sight is the same vehicle: not published again."""


@dataclass(frozen=True, slots=True)
class MqttSettings:
    """`[mqtt]`: the broker."""

    host: str = "localhost"
    port: int = 1883
    username: str | None = None
    password_file: Path | None = None
    """A file holding the password; a systemd credential named `mqtt-password` is taken where this is not set."""
    tls: bool = False
    ca_file: Path | None = None
    certificate_file: Path | None = None
    key_file: Path | None = None
    allow_plaintext_password: bool = False
    """Send the password without TLS to a host other than this one."""
    topic_prefix: str = "anpr"
    keepalive_seconds: int = 30
    in_flight: int = 20
    """Most events sent and not yet acknowledged."""
    images: bool = True
    """Publish the plate's picture beside the read."""


@dataclass(frozen=True, slots=True)
class OutboxSettings:
    """`[outbox]`: events that wait for the broker."""

    max_megabytes: float = 512.0
    """When full, the oldest images go first, then the oldest reads."""


@dataclass(frozen=True, slots=True)
class LogSettings:
    """`[log]`."""

    level: str = "info"
    """`debug`, `info`, `warning` or `error`; plates appear at `debug` only."""


@dataclass(frozen=True, slots=True)
class Settings:
    """The whole file."""

    device: DeviceSettings = field(default_factory=DeviceSettings)
    camera: CameraSettings = field(default_factory=CameraSettings)
    motion: MotionSettings = field(default_factory=MotionSettings)
    models: ModelSettings = field(default_factory=ModelSettings)
    detection: DetectionSettings = field(default_factory=DetectionSettings)
    recognition: RecognitionSettings = field(default_factory=RecognitionSettings)
    zones: tuple[ZoneSettings, ...] = ()
    tracking: TrackingSettings = field(default_factory=TrackingSettings)
    mqtt: MqttSettings = field(default_factory=MqttSettings)
    outbox: OutboxSettings = field(default_factory=OutboxSettings)
    log: LogSettings = field(default_factory=LogSettings)
