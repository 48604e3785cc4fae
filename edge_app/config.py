"""What the operator may set: one frozen record a section of the TOML file, a sentence under every field.

`config/default.toml` shows every key with its unit and default; loading is strict (see `load`). A field's limits are
part of its type.
"""

import ipaddress
from collections.abc import Iterator
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Annotated

from edge_app.configuration import source_url, strict_toml
from edge_app.configuration.limits import Between, Matching, OneOf, Share, TopicLevel
from edge_app.configuration.source_url import SourceForm
from edge_app.configuration.strict_toml import Complaint

FORMATS_DIRECTORY = Path(__file__).parent / "recognition" / "formats"

TopicPrefix = Annotated[
    str, Matching(r"[^+#/\s$][^+#\s]{0,127}(?<!/)", "levels divided by `/`, without spaces, `+`, `#` and a leading `$`")
]
Point = tuple[float, float]
Port = Annotated[int, Between(1, 65535)]


@dataclass(frozen=True, slots=True)
class DeviceSettings:
    """`[device]`: this machine."""

    name: TopicLevel = "edge-anpr"
    """Its part of every topic: letters, digits, `-` and `_`."""
    state_directory: Path = Path("/var/lib/edge-anpr")
    """Where the outbox lives."""


@dataclass(frozen=True, slots=True)
class CameraSettings:
    """`[camera]`: where frames come from."""

    name: TopicLevel = "camera"
    source: Annotated[str, SourceForm()] = "picamera2:0"
    """`picamera2:0`, `v4l2:/dev/video0`, `rtsp://…`, `gst:PIPELINE`, `file:clip.mp4?loop=1&speed=1`, `images:DIR`."""
    width: Annotated[int, Between(64, 16384)] = 1920
    height: Annotated[int, Between(64, 16384)] = 1080
    """The size asked of a live camera, in pixels."""
    frames_per_second: Annotated[float, Between(0.1, 240)] = 15.0
    exposure_max_microseconds: Annotated[int, Between(50, 1_000_000)] = 2000
    """Longest exposure allowed to picamera2: a plate at 60 km/h smears by about its stroke width in 2 ms."""
    password_file: Path | None = None
    """A file holding `user:password` for an `rtsp://` source."""


@dataclass(frozen=True, slots=True)
class MotionSettings:
    """`[motion]`: frames in which nothing moves are not searched."""

    enabled: bool = True
    threshold: Share = 0.002
    """Share of the picture that must have changed, 0 to 1."""
    hold_seconds: Annotated[float, Between(0, 3600)] = 1.0
    """How long to go on searching after the last motion."""


@dataclass(frozen=True, slots=True)
class ModelSettings:
    """`[models]`: the two networks."""

    directory: Path | None = None
    """Holds `plate_detector.tflite`, `plate_reader.tflite` and their manifests; by default those shipped."""
    threads: Annotated[int, Between(1, 64)] = 2


@dataclass(frozen=True, slots=True)
class DetectionSettings:
    """`[detection]`: what counts as a plate."""

    confidence: Annotated[float, Between(0.01, 0.99)] | None = None
    """Lowest confidence of a detection, 0 to 1; by default the one chosen for the model, which its manifest names.

    In single pictures also less, where the text is certain.
    """
    max_plates: Annotated[int, Between(1, 256)] = 16
    """Most plates taken from one frame."""


@dataclass(frozen=True, slots=True)
class RecognitionSettings:
    """`[recognition]`: how characters become a text."""

    formats: tuple[str, ...] = ("in",)
    """Countries whose plate formats weigh in, of those in `recognition/formats`; the generic one always does."""
    max_candidates: Annotated[int, Between(1, 50)] = 5
    """Most candidates named in an event."""


@dataclass(frozen=True, slots=True)
class ZoneSettings:
    """`[[zones]]`: a named polygon on the picture."""

    name: TopicLevel
    polygon: tuple[tuple[Share, Share], ...]
    """Points x, y as shares of the picture's width and height, 0 to 1."""
    include: bool = True
    """True: plates outside every such zone are ignored. False: plates inside are ignored."""


@dataclass(frozen=True, slots=True)
class CrossingLineSettings:
    """`[[crossing_lines]]`: a virtual line across the road."""

    name: TopicLevel
    start: tuple[Share, Share]
    end: tuple[Share, Share]
    """Points x, y as shares of the picture's width and height, 0 to 1."""
    to_right: TopicLevel = "in"
    """What it is called to cross to the right-hand side of whoever looks from `start` to `end`."""
    to_left: TopicLevel = "out"
    """What it is called to cross to the other side."""


@dataclass(frozen=True, slots=True)
class TrackingSettings:
    """`[tracking]`: how sights of one vehicle become one pass."""

    lost_seconds: Annotated[float, Between(0.05, 3600)] = 1.0
    """A plate unseen for this long has gone."""
    begin_confidence: Share = 0.6
    """A vehicle begins with a find of at least this confidence; doubtful ones only go on with it."""
    settle_seconds: Annotated[float, Between(0.1, 3600)] = 10.0
    """A vehicle still in view after this time is published without waiting for it to go."""
    min_reads: Annotated[int, Between(1, 1000)] = 3
    """Fewer reads than this are not published; a single image needs one."""
    min_agreeing_reads: Annotated[int, Between(1, 30)] = 1
    """Texts that fewer reads than this bear out on their own are not published."""
    min_confidence: Share = 0.3
    """Texts less certain than this are not published, 0 to 1."""
    min_confidence_unknown: Share = 0.95
    """The same for texts that fit no format of the countries in `recognition.formats`: most are signs, not plates."""
    second_looks: Annotated[int, Between(0, 30)] = 5
    """Most frames of a vehicle that are looked at again from close by, where its text is in doubt once it has gone."""
    reappear_seconds: Annotated[float, Between(0, 86_400)] = 30.0
    """The same text within this time after its last sight is the same vehicle: not published again."""
    publish: Annotated[str, OneOf(("final", "early"))] = "final"
    """`final`: when the vehicle has gone. `early`: when its text is certain and its plate has left the included zones,
    and once more, as an update of the same event, when it has gone."""
    early_confidence: Share = 0.95
    """Texts less certain than this are not published early, 0 to 1."""
    economy: bool = True
    """Read a plate again only while another read can change its text."""


@dataclass(frozen=True, slots=True)
class ListSettings:
    """`[[lists]]`: plates that are known here."""

    name: TopicLevel
    kind: Annotated[str, OneOf(("allow", "deny", "watch", "ignore"))]
    """Of deny and watch an alert is sent; a plate to ignore leaves no trace."""
    file: Path
    """A CSV file, the plate first in each line; read again when it changes."""
    max_cost: Annotated[float, Between(0, 3)] = 0.5
    """What characters taken for one another may cost together: 0/O and 1/I 0.25 each, 8/B, 5/S and 2/Z 0.5."""


@dataclass(frozen=True, slots=True)
class HookSettings:
    """`[hook]`: a program run for plates on a list, for a gate relay, say."""

    program: Path | None = None
    """Run without a shell; it gets the event as JSON on its standard input."""
    kinds: tuple[Annotated[str, OneOf(("allow", "deny", "watch"))], ...] = ("allow",)
    """Kinds of lists for which it is run."""
    timeout_seconds: Annotated[float, Between(0.1, 60)] = 5.0
    """It is killed after this time."""


@dataclass(frozen=True, slots=True)
class PrivacySettings:
    """`[privacy]`: what is held back."""

    hash: bool = False
    """Keep and send a keyed hash in place of every plate, and no picture."""
    key_file: Path | None = None
    """The hash's key; a systemd credential named `plate-hash-key` is taken where this is not set."""
    key_days: Annotated[int, Between(0, 366)] = 0
    """Change to another key, derived from the file's, every so many days; 0: never."""
    lists_only: bool = False
    """Keep and send nothing of plates on no list."""
    no_images: bool = False
    """Keep and send no picture."""
    retention_hours: Annotated[float, Between(1, 87_600)] | None = None
    """Events that the broker has not taken by then are deleted; by default they wait for ever."""


@dataclass(frozen=True, slots=True)
class MqttSettings:
    """`[mqtt]`: the broker."""

    host: Annotated[str, Matching(r"\S+", "a host name or an address")] = "localhost"
    port: Port = 1883
    username: str | None = None
    password_file: Path | None = None
    """A file holding the password; a systemd credential named `mqtt-password` is taken where this is not set."""
    tls: bool = False
    ca_file: Path | None = None
    certificate_file: Path | None = None
    key_file: Path | None = None
    allow_plaintext_password: bool = False
    """Send the password without TLS to a host other than this one."""
    topic_prefix: TopicPrefix = "anpr"
    keepalive_seconds: Annotated[int, Between(5, 65535)] = 30
    in_flight: Annotated[int, Between(1, 65535)] = 20
    """Most events sent and not yet acknowledged."""
    drain_per_second: Annotated[float, Between(0.1, 100_000)] = 50.0
    """Most events sent in a second, so that a device that comes back does not flood the broker."""
    resend_seconds: Annotated[float, Between(0, 3600)] = 10.0
    """Events acknowledged within this time are sent again after a lost connection, for a broker may acknowledge before
    it has saved; 0: never."""
    images: bool = True
    """Publish the plate's picture beside the read."""


@dataclass(frozen=True, slots=True)
class EvidenceSettings:
    """`[evidence]`: reads are signed and chained."""

    enabled: bool = False
    key_file: Path | None = None
    """The private key; a systemd credential named `evidence-key` is taken where this is not set."""


@dataclass(frozen=True, slots=True)
class CommandSettings:
    """`[commands]`: what the device does when it is told so over MQTT."""

    allow: tuple[Annotated[str, OneOf(("ping", "snapshot", "reload", "lists/set"))], ...] = ()
    """Commands that are carried out; with none, the device does not even listen for them."""
    max_kilobytes: Annotated[float, Between(1, 100_000)] = 1000.0
    """A larger request is refused."""
    reload_seconds: Annotated[float, Between(1, 600)] = 20.0
    """Within this time after a reload there has to be a picture and a broker, or the former settings come back."""


@dataclass(frozen=True, slots=True)
class HomeAssistantSettings:
    """`[home_assistant]`: let Home Assistant find this device over the same broker."""

    enabled: bool = False
    discovery_prefix: TopicPrefix = "homeassistant"
    """As set in Home Assistant's MQTT integration."""


@dataclass(frozen=True, slots=True)
class OutboxSettings:
    """`[outbox]`: events that wait for the broker."""

    max_megabytes: Annotated[float, Between(1, 1_000_000)] = 512.0
    """When full, the oldest images go first, then the oldest reads."""
    memory_megabytes: Annotated[float, Between(0.1, 10_000)] = 16.0
    """Space in memory for events while the disk is full, read-only or failing; bounded in the same way."""
    keep_free_megabytes: Annotated[float, Between(0, 1_000_000)] = 32.0
    """A disk with less than this to spare counts as full."""
    commit_milliseconds: Annotated[int, Between(0, 60_000)] = 200
    """Acknowledged events are deleted this late, many in one write. A new event never waits."""


@dataclass(frozen=True, slots=True)
class LogSettings:
    """`[log]`."""

    level: Annotated[str, OneOf(("debug", "info", "warning", "error"))] = "info"
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
    crossing_lines: tuple[CrossingLineSettings, ...] = ()
    tracking: TrackingSettings = field(default_factory=TrackingSettings)
    lists: tuple[ListSettings, ...] = ()
    hook: HookSettings = field(default_factory=HookSettings)
    privacy: PrivacySettings = field(default_factory=PrivacySettings)
    evidence: EvidenceSettings = field(default_factory=EvidenceSettings)
    mqtt: MqttSettings = field(default_factory=MqttSettings)
    commands: CommandSettings = field(default_factory=CommandSettings)
    home_assistant: HomeAssistantSettings = field(default_factory=HomeAssistantSettings)
    outbox: OutboxSettings = field(default_factory=OutboxSettings)
    log: LogSettings = field(default_factory=LogSettings)

    @property
    def takes_pictures(self) -> bool:
        """Whether events carry the plate's picture: it shows what a hash hides."""
        return self.mqtt.images and not (self.privacy.no_images or self.privacy.hash)


def load(path: Path) -> Settings:
    """The settings in a TOML file; `ConfigurationError` tells every error as `FILE:LINE: [section] key: …`."""
    settings = strict_toml.read(path, Settings, _disagreements)
    source = source_url.starting_at(path.resolve().parent, settings.camera.source)
    return replace(settings, camera=replace(settings.camera, source=source))


def paths_in(settings: Settings) -> Iterator[tuple[str, Path]]:
    """Files and folders that must be there before the daemon starts, with the keys that name them."""
    for section in ("camera", "models", "hook", "privacy", "evidence", "mqtt"):
        table = getattr(settings, section)
        values = ((each.name, getattr(table, each.name)) for each in fields(table))
        yield from ((f"[{section}] {name}", value) for name, value in values if isinstance(value, Path))
    yield from ((f"[[lists]] {each.name}", each.file) for each in settings.lists)
    source = source_url.parse(settings.camera.source)
    if source.scheme in ("file", "images"):
        yield "[camera] source", Path(source.place)


def _disagreements(settings: Settings) -> Iterator[Complaint]:
    """What only several keys together show."""
    yield from _zone_complaints(settings.zones)
    yield from _line_complaints(settings.crossing_lines)
    yield from _list_complaints(settings)
    yield from _mqtt_complaints(settings.mqtt)
    if settings.evidence.key_file and not settings.evidence.enabled:
        what = "this is used to sign reads only; set `enabled = true`, or remove the key"
        yield Complaint(("evidence", "key_file"), what)
    if "lists/set" in settings.commands.allow and not settings.lists:
        yield Complaint(("commands", "allow"), 'there is no list to set; add one in [[lists]], or remove "lists/set"')
    for index, country in enumerate(settings.recognition.formats):
        if country not in (known := known_countries()):
            nearest = f'no formats of "{country}" are shipped; take some of: {", ".join(known)}'
            yield Complaint(("recognition", "formats", index), nearest)


def known_countries() -> list[str]:
    """Countries whose plate formats are shipped."""
    return sorted(path.stem for path in FORMATS_DIRECTORY.glob("*.toml"))


def _zone_complaints(zones: tuple[ZoneSettings, ...]) -> Iterator[Complaint]:
    names = [zone.name for zone in zones]
    for index, zone in enumerate(zones):
        if zone.name in names[:index]:
            yield Complaint(("zones", index, "name"), f'a zone is called "{zone.name}" already; give another name')
        if len(zone.polygon) < 3:
            yield Complaint(("zones", index, "polygon"), "a polygon has three points at least; add more")
        elif _lies_on_a_line(zone.polygon):
            yield Complaint(
                ("zones", index, "polygon"), "its points lie on one line, so that nothing is in it; move one"
            )
        elif _crosses_itself(zone.polygon):
            wrong = "its edges cross, or meet in one point; give the points in order around the zone"
            yield Complaint(("zones", index, "polygon"), wrong)


def _lies_on_a_line(polygon: tuple[Point, ...]) -> bool:
    first, *others = polygon
    farthest = max(others, key=lambda point: abs(point[0] - first[0]) + abs(point[1] - first[1]))
    return not any(_turn(first, farthest, point) for point in others)


def _crosses_itself(polygon: tuple[Point, ...]) -> bool:
    """Whether two edges that are not neighbours meet."""
    first, *others = polygon
    edges = list(zip(polygon, (*others, first), strict=True))
    return any(
        _meet(*edge, *other)
        for index, edge in enumerate(edges)
        for other in edges[index + 2 : len(edges) - (index == 0)]
    )


def _meet(a: Point, b: Point, c: Point, d: Point) -> bool:
    """Whether the edge from a to b meets that from c to d."""
    return _turn(a, b, c) * _turn(a, b, d) <= 0 and _turn(c, d, a) * _turn(c, d, b) <= 0


def _turn(a: Point, b: Point, c: Point) -> float:
    """Twice the area of a triangle, its sign that of its sense."""
    return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])


def _line_complaints(lines: tuple[CrossingLineSettings, ...]) -> Iterator[Complaint]:
    names = [line.name for line in lines]
    for index, line in enumerate(lines):
        if line.name in names[:index]:
            yield Complaint(
                ("crossing_lines", index, "name"), f'a line is called "{line.name}" already; give another name'
            )
        if line.start == line.end:
            yield Complaint(("crossing_lines", index, "end"), "the line ends where it starts; give another point")
        if line.to_right == line.to_left:
            yield Complaint(
                ("crossing_lines", index, "to_left"), "both directions are called the same; give another label"
            )


def _list_complaints(settings: Settings) -> Iterator[Complaint]:
    names = [each.name for each in settings.lists]
    for index, name in enumerate(names):
        if name in names[:index]:
            yield Complaint(("lists", index, "name"), f'a list is called "{name}" already; give another name')
    if settings.hook.program and not {each.kind for each in settings.lists} & set(settings.hook.kinds):
        yield Complaint(
            ("hook", "program"), "it would never run: no list in [[lists]] is of a kind in `kinds`; add one"
        )
    if settings.privacy.lists_only and not settings.lists:
        yield Complaint(("privacy", "lists_only"), "there is no list: nothing would ever be sent; add one in [[lists]]")
    for key in ("key_file", "key_days"):
        if getattr(settings.privacy, key) and not settings.privacy.hash:
            yield Complaint(("privacy", key), "this is used by the hash only; set `hash = true`, or remove the key")


def _mqtt_complaints(mqtt: MqttSettings) -> Iterator[Complaint]:
    if (mqtt.certificate_file is None) != (mqtt.key_file is None):
        given = "certificate_file" if mqtt.certificate_file else "key_file"
        yield Complaint(("mqtt", given), "`certificate_file` and `key_file` go together; give both or neither")
    for key in ("ca_file", "certificate_file", "key_file"):
        if getattr(mqtt, key) and not mqtt.tls:
            yield Complaint(("mqtt", key), "this is used with TLS only; set `tls = true`, or remove the key")
    if mqtt.password_file and (complaint := password_complaint(mqtt)):
        yield Complaint(("mqtt", "password_file"), complaint)


def password_complaint(mqtt: MqttSettings) -> str | None:
    """Why a password must not be sent to this broker and what to do, or None where it may be."""
    if mqtt.username is None:
        return "a password goes with a user; set `username` too"
    if mqtt.tls or mqtt.allow_plaintext_password or _is_this_machine(mqtt.host):
        return None
    wrong = f'the password would cross the network to "{mqtt.host}" in clear text'
    return f"{wrong}; set `tls = true`, or `allow_plaintext_password = true` on a network you trust"


def _is_this_machine(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
