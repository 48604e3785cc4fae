"""What the operator may set: one frozen record a section of the TOML file, a sentence under every field.

A field's limits are part of its type, and so is an example if it has no default. `edge-anpr check-config --defaults`
makes `config/default.toml` of all three; loading is strict (see `load`).
"""

import ipaddress
import re
from collections.abc import Iterator
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Annotated, Any

from edge_app.camera_settings import CameraSettings as CameraSettings
from edge_app.configuration import source_url, strict_toml
from edge_app.configuration.default_file import SameKeysAs, default_file
from edge_app.configuration.limits import Between, Example, HostName, Matching, OneOf, Share, TopicLevel
from edge_app.configuration.listen_address import ListenAddress
from edge_app.configuration.strict_toml import Complaint
from edge_app.errors import UsageError

FORMATS_DIRECTORY = Path(__file__).parent / "recognition" / "formats"
GENERIC_FORMAT = "generic"
"""The format of whatever may be a plate; it always counts."""

_INTRODUCTION = """\
edge-anpr: every key with its range and default. A line that starts with `#` shows a key that is not set.
Relative paths start at the folder of this file. `edge-anpr check-config FILE` names every error with its line."""

TopicPrefix = Annotated[
    str,
    Matching(
        r"[^+#/\s$\0-\x1f\x7f][^+#\s\0-\x1f\x7f]{0,127}(?<!/)",
        "levels divided by `/`, at most 128 characters, without spaces, `+`, `#` and a leading `$`",
    ),
]
Point = tuple[float, float]
Port = Annotated[int, Between(1, 65535)]


@dataclass(frozen=True, slots=True)
class DeviceSettings:
    """`[device]`: this machine."""

    name: TopicLevel = "edge-anpr"
    """Its part of every MQTT topic: letters, digits, `-` and `_`."""
    state_directory: Path = Path("/var/lib/edge-anpr")
    """Folder of the outbox, on storage that survives a power cut."""


@dataclass(frozen=True, slots=True)
class MotionSettings:
    """`[motion]`: frames in which nothing moves are not searched."""

    enabled: bool = True
    """Search only frames in which something moves."""
    threshold: Share = 0.002
    """Share of the picture that must have changed."""
    hold_seconds: Annotated[float, Between(0, 3600)] = 1.0
    """How long the search goes on after the last motion, in seconds."""


@dataclass(frozen=True, slots=True)
class HealthSettings:
    """`[health]`: when a camera's picture is not good; see docs/cameras.md."""

    confirm_seconds: Annotated[float, Between(0, 3600)] = 10.0
    """A state counts once it has lasted this long, in seconds: a lorry in front of the lens is no fault."""
    frozen_seconds: Annotated[float, Between(1, 86_400)] = 60.0
    """The picture is frozen if nothing but a clock has changed for this long, in seconds. Longer than the camera's
    interval between key frames."""
    dark_level: Annotated[float, Between(0, 255)] = 24.0
    """Grey level that 99 % of a dark picture's points stay below; headlights are brighter."""
    overexposed_share: Share = 0.4
    """Share of white points from which a picture is over-exposed."""
    blurred_px: Annotated[float, Between(0.5, 50)] = 3.0
    """Blur of the sharpest edges from which a picture is blurred: sigma, in pixels of the full picture."""
    covered_share: Share = 0.2
    """Share of the view that must have lost all detail to be covered."""
    foggy_contrast: Share = 0.4
    """Share of the reference's contrast below which a picture is foggy."""
    moved_share: Share = 0.015
    """Shift from which a camera has moved, as a share of the picture's width."""
    reference: bool = True
    """Keep a small grey picture of the view on the device, to notice a camera that has moved, is covered in part or
    foggy."""


@dataclass(frozen=True, slots=True)
class ModelSettings:
    """`[models]`: the networks."""

    directory: Annotated[Path | None, Example("/opt/edge-anpr/models")] = None
    """Folder of the models and their manifests, as in the repository's `models`; if not set, the shipped ones."""
    threads: Annotated[int, Between(1, 64)] = 2
    """Processor threads of each network."""


@dataclass(frozen=True, slots=True)
class DetectionSettings:
    """`[detection]`: what counts as a plate."""

    confidence: Annotated[Annotated[float, Between(0.01, 0.99)] | None, Example(0.5)] = None
    """Lowest confidence of a detection; if not set, the one in the model's manifest. In single pictures
    (`edge-anpr read`) a less confident one counts too if its text has a confidence of 0.9 or more. In video detections
    count from `tracking.begin_confidence` on if that is less."""
    max_plates: Annotated[int, Between(1, 256)] = 16
    """Most plates taken from one frame."""


@dataclass(frozen=True, slots=True)
class RecognitionSettings:
    """`[recognition]`: how characters become a text."""

    formats: tuple[str, ...] = ("in",)
    """Countries whose plate formats count, as two small letters; the generic format always does."""
    max_candidates: Annotated[int, Between(1, 50)] = 5
    """Most candidates in an event."""


@dataclass(frozen=True, slots=True)
class ZoneSettings:
    """`[[zones]]`: any number of polygons on the picture, each with a name of its own."""

    name: Annotated[TopicLevel, Example("gate")]
    """Its name in events: letters, digits, `-` and `_`."""
    polygon: Annotated[tuple[tuple[Share, Share], ...], Example(((0.1, 0.4), (0.9, 0.4), (0.9, 1.0), (0.1, 1.0)))]
    """Three points x, y or more, as shares of the picture's width and height, 0 to 1."""
    include: bool = True
    """true: plates outside every such zone are ignored, and passes through it carry its name. false: plates inside
    are ignored."""
    camera: Annotated[TopicLevel | None, Example("north")] = None
    """Name of the camera on whose picture it is; needed with `[[cameras]]` only."""


@dataclass(frozen=True, slots=True)
class CrossingLineSettings:
    """`[[crossing_lines]]`: any number of virtual lines across the road, each with a name of its own.

    Each read names the lines that the vehicle crossed, and in which direction. `edge-anpr snapshot --grid OUT.jpg`
    draws zones and lines on a frame of the camera.
    """

    name: Annotated[TopicLevel, Example("gate")]
    """Its name in events: letters, digits, `-` and `_`."""
    start: Annotated[tuple[Share, Share], Example((0.1, 0.7))]
    """Point x, y, as shares of the picture's width and height, 0 to 1."""
    end: Annotated[tuple[Share, Share], Example((0.9, 0.7))]
    """Point x, y, as shares of the picture's width and height, 0 to 1."""
    to_right: TopicLevel = "in"
    """Label of a crossing to the right-hand side, seen from `start` to `end`."""
    to_left: TopicLevel = "out"
    """Label of a crossing to the left-hand side."""
    camera: Annotated[TopicLevel | None, Example("north")] = None
    """Name of the camera on whose picture it is; needed with `[[cameras]]` only."""


@dataclass(frozen=True, slots=True)
class TrackingSettings:
    """`[tracking]`: how detections of one vehicle become one pass."""

    lost_seconds: Annotated[float, Between(0.05, 3600)] = 1.0
    """A plate unseen for this many seconds has gone."""
    begin_confidence: Share = 0.35
    """A vehicle begins with a detection of at least this confidence; less than `detection.confidence`, for a vehicle is
    read in many frames. If this is more, a detection between the two can only continue a vehicle in view."""
    settle_seconds: Annotated[float, Between(0.1, 3600)] = 10.0
    """A vehicle still in view after this many seconds is published without waiting for it to go: at a barrier set a few
    seconds. Lines that it crosses later are published only with `publish = "early"`, in an update."""
    min_reads: Annotated[int, Between(1, 1000)] = 3
    """Publish only plates read in this many frames; a single image needs one."""
    min_agreeing_reads: Annotated[int, Between(1, 30)] = 1
    """Publish only if this many frames agree on the text by themselves."""
    min_confidence: Share = 0.3
    """Publish only texts of at least this confidence."""
    min_confidence_unknown: Share = 0.95
    """The same for texts that fit no format of the countries in `recognition.formats`: most are shop signs and phone
    numbers. A clear text in a common layout of another country has more than 0.95. A text of no known layout has at
    most 0.92: set 0.9 or less if such plates pass. Never less than `min_confidence`."""
    frames_read_again: Annotated[int, Between(0, 30)] = 5
    """Most frames of a vehicle that are read again from close by, if its text is in doubt once it has gone. Each takes
    about as long as two frames; 0: none."""
    reappear_seconds: Annotated[float, Between(0, 86_400)] = 30.0
    """The same text within this many seconds after it was last seen is the same vehicle: it is not published again."""
    publish: Annotated[str, OneOf(("final", "early"))] = "final"
    """When to publish. "final": when the vehicle has gone. "early": when its text is certain and its plate has left the
    included zones, if there are any. An update of the same event follows when it has gone."""
    early_confidence: Share = 0.95
    """Publish early only texts of at least this confidence."""
    economy: bool = True
    """Read a plate again only while another read can change its text."""


@dataclass(frozen=True, slots=True)
class ListSettings:
    """`[[lists]]`: any number of lists of plates, each with a name of its own; see docs/lists.md."""

    name: Annotated[TopicLevel, Example("residents")]
    """Its name in events: letters, digits, `-` and `_`."""
    kind: Annotated[str, OneOf(("allow", "deny", "watch", "ignore")), Example("allow")]
    """What a plate on it is. deny and watch raise an alert; nothing is stored or sent of a plate to ignore."""
    file: Annotated[Path, Example("/etc/edge-anpr/residents.csv")]
    """CSV file in UTF-8, the plate first in each line. It is read again when it changes."""
    max_cost: Annotated[float, Between(0, 3)] = 0.5
    """Most that confused characters may cost together: 0/O and 1/I cost 0.25 each, 8/B, 5/S and 2/Z 0.5. 0 matches the
    exact plate only."""


@dataclass(frozen=True, slots=True)
class HookSettings:
    """`[hook]`: a program run for plates on a list, as for a gate's relay."""

    program: Annotated[Path | None, Example("/usr/local/bin/open-gate")] = None
    """Run without a shell and without arguments; the event comes as JSON on its standard input."""
    kinds: tuple[Annotated[str, OneOf(("allow", "deny", "watch"))], ...] = ("allow",)
    """Kinds of lists for which it is run."""
    timeout_seconds: Annotated[float, Between(0.1, 60)] = 5.0
    """It is killed after this many seconds."""


@dataclass(frozen=True, slots=True)
class PrivacySettings:
    """`[privacy]`: what is held back."""

    hash: bool = False
    """Store and send a keyed hash (HMAC-SHA256) in place of every plate, and no picture."""
    key_file: Annotated[Path | None, Example("/etc/edge-anpr/plate-hash-key")] = None
    """File with the hash's key, 32 characters or more, as from `openssl rand -hex 32`. If not set, the systemd
    credential `plate-hash-key` is used."""
    key_days: Annotated[int, Between(0, 366)] = 0
    """Days after which another key, derived from the file's, is used: hashes of one plate cannot be linked beyond. 0:
    never."""
    lists_only: bool = False
    """Store and send nothing of plates on no list."""
    no_images: bool = False
    """Store and send no picture, even with `mqtt.images`."""
    retention_hours: Annotated[Annotated[float, Between(1, 87_600)] | None, Example(72.0)] = None
    """Delete events that the broker has not taken after this many hours; if not set, they wait until it takes them."""


@dataclass(frozen=True, slots=True)
class MqttSettings:
    """`[mqtt]`: the broker."""

    host: Annotated[str, HostName()] = "localhost"
    """Host name or address, alone."""
    port: Port = 1883
    """TCP port; with TLS usually 8883."""
    username: Annotated[str | None, Matching(r".+", "a name, or remove the key"), Example("gate")] = None
    """Name to log in with."""
    password_file: Annotated[Path | None, Example("/etc/edge-anpr/mqtt-password")] = None
    """File with the password. If not set, the systemd credential `mqtt-password` is used."""
    tls: bool = False
    """Encrypt the connection."""
    ca_file: Annotated[Path | None, Example("/etc/edge-anpr/ca.pem")] = None
    """PEM file of the authority that signed the broker's certificate; if not set, those that the system trusts."""
    certificate_file: Annotated[Path | None, Example("/etc/edge-anpr/device.pem")] = None
    """PEM file of this machine's own certificate, if the broker asks for one."""
    key_file: Annotated[Path | None, Example("/etc/edge-anpr/device.key")] = None
    """PEM file of that certificate's key."""
    allow_plaintext_password: bool = False
    """Send the password without TLS to a host other than this one."""
    topic_prefix: TopicPrefix = "anpr"
    """First levels of every topic."""
    keepalive_seconds: Annotated[int, Between(5, 65535)] = 30
    """Seconds between signs of life on a quiet connection."""
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
    """Sign every read with Ed25519 and chain it to the read before, for `edge-anpr verify`."""
    key_file: Annotated[Path | None, Example("/etc/edge-anpr/evidence.key")] = None
    """Private key, as from `edge-anpr make-key`. If not set, the systemd credential `evidence-key` is used."""


@dataclass(frozen=True, slots=True)
class CommandSettings:
    """`[commands]`: what the device does on request over MQTT; see docs/commands.md."""

    allow: Annotated[
        tuple[Annotated[str, OneOf(("ping", "snapshot", "reload", "lists/set"))], ...], Example(("ping", "snapshot"))
    ] = ()
    """Commands that are carried out; if not set, the device does not even listen. Whoever may write below `cmd/` at the
    broker may send them."""
    max_kilobytes: Annotated[float, Between(1, 100_000)] = 1000.0
    """Largest request, in kilobytes."""
    reload_seconds: Annotated[float, Between(1, 600)] = 20.0
    """Within this many seconds of a reload a picture and the broker's answer must come, or the old settings return."""


@dataclass(frozen=True, slots=True)
class HomeAssistantSettings:
    """`[home_assistant]`: Home Assistant (2024.12 or later) finds this device over the same broker."""

    enabled: bool = False
    """Publish what Home Assistant needs to find it."""
    discovery_prefix: TopicPrefix = "homeassistant"
    """First levels of its discovery topics, as set in its MQTT integration."""


@dataclass(frozen=True, slots=True)
class WebSettings:
    """`[web]`: the page, the HTTP API and the metrics; see docs/http.md. Off unless `listen` is set."""

    listen: Annotated[Annotated[str, ListenAddress()] | None, Example("127.0.0.1:8080")] = None
    """Address and port. Without a token only this machine's own: 127.0.0.1 or [::1]."""
    token_file: Annotated[Path | None, Example("/etc/edge-anpr/web-token")] = None
    """File with the token that the page asks for and programs send, 16 characters or more, as from `openssl rand
    -hex 16`. If not set, the systemd credential `web-token` is used."""
    certificate_file: Annotated[Path | None, Example("/etc/edge-anpr/web.pem")] = None
    """PEM file of the certificate, for https."""
    key_file: Annotated[Path | None, Example("/etc/edge-anpr/web.key")] = None
    """PEM file of that certificate's key."""
    host_names: Annotated[tuple[Annotated[str, HostName()], ...], Example(("gate.example.org",))] = ()
    """Names under which browsers reach this device, besides its addresses, its own name and that with `.local`."""
    max_megabytes: Annotated[float, Between(0.1, 100)] = 16.0
    """Largest picture to recognise, in megabytes."""


@dataclass(frozen=True, slots=True)
class LookupSettings:
    """`[lookup]`: registration details join a read, from a source of your own; see docs/lookup.md."""

    source: Annotated[str, OneOf(("off", "csv", "sqlite", "http"))] = "off"
    """Kind of the source."""
    file: Annotated[Path | None, Example("/etc/edge-anpr/vehicles.csv")] = None
    """The CSV file in UTF-8, with names in its first line, or the SQLite database."""
    plate_column: Annotated[str, Matching(r".+", "the name of a column")] = "plate"
    """Of the CSV file: the column with the plates."""
    query: Annotated[str | None, Example("SELECT owner, model FROM vehicles WHERE plate = ?")] = None
    """Of the SQLite database: its one parameter is the plate, in capitals without spaces."""
    url: Annotated[str | None, Example("https://registry.example/vehicles/{plate}")] = None
    """Of the HTTP service; `{plate}` stands for the plate. What it answers is JSON; 404: not known."""
    headers_file: Annotated[Path | None, Example("/etc/edge-anpr/lookup-headers")] = None
    """File with headers of the request, one `Name: value` a line, as for a key."""
    pointer: Annotated[str, Matching(r"(/[^\0]*)?", "a JSON pointer, as `/data/vehicle`, or nothing")] = ""
    """Of the HTTP service: JSON pointer (RFC 6901) to the object with the fields in its answer."""
    fields: Annotated[tuple[str, ...], Example(("owner", "model"))] = ()
    """Names of the columns or members that may become part of a read; nothing else does."""
    limit_milliseconds: Annotated[int, Between(1, 60_000)] = 2000
    """Longest time for an answer; the plate is asked for while its vehicle is in view, and no read waits."""
    late: Annotated[str, OneOf(("update", "nothing"))] = "update"
    """What becomes of an answer that comes after its read: an update of the same event, or nothing."""
    cache_plates: Annotated[int, Between(0, 1_000_000)] = 1000
    """Most answers that are kept in memory."""
    cache_minutes: Annotated[float, Between(0, 10_000)] = 60.0
    """For how long an answer is kept, in minutes."""


@dataclass(frozen=True, slots=True)
class OutboxSettings:
    """`[outbox]`: events that wait for the broker."""

    max_megabytes: Annotated[float, Between(1, 1_000_000)] = 512.0
    """Space on disk, in megabytes. If it is full, the oldest pictures go first, then the oldest reads."""
    memory_megabytes: Annotated[float, Between(0.1, 10_000)] = 16.0
    """Space in memory while the disk is full, read-only or failing, in megabytes; bounded in the same way."""
    keep_free_megabytes: Annotated[float, Between(0, 1_000_000)] = 32.0
    """A disk with less free space than this counts as full, in megabytes."""
    commit_milliseconds: Annotated[int, Between(0, 60_000)] = 200
    """Milliseconds after which acknowledged events are deleted, many in one write: gentle to SD cards. A power cut
    costs a repeat. A new event never waits: it is on the disk at once."""


@dataclass(frozen=True, slots=True)
class LogSettings:
    """`[log]`: what is logged."""

    level: Annotated[str, OneOf(("debug", "info", "warning", "error"))] = "info"
    """Least severity of a line; plates appear at "debug" only."""


@dataclass(frozen=True, slots=True)
class Settings:
    """The whole file."""

    device: DeviceSettings = field(default_factory=DeviceSettings)
    camera: CameraSettings = field(default_factory=CameraSettings)
    cameras: Annotated[
        tuple[CameraSettings, ...],
        SameKeysAs("camera", "Several cameras: one `[[cameras]]` for each, and no `[camera]`."),
    ] = ()
    motion: MotionSettings = field(default_factory=MotionSettings)
    health: HealthSettings = field(default_factory=HealthSettings)
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
    lookup: LookupSettings = field(default_factory=LookupSettings)
    web: WebSettings = field(default_factory=WebSettings)
    outbox: OutboxSettings = field(default_factory=OutboxSettings)
    log: LogSettings = field(default_factory=LogSettings)

    @property
    def every_camera(self) -> tuple[CameraSettings, ...]:
        """The cameras: those of `[[cameras]]`, or the one of `[camera]`."""
        return self.cameras or (self.camera,)

    def of_camera(self, name: str | None) -> "Settings":
        """The settings as if this were the only camera, with its own zones and lines; None: the first one."""
        names = [each.name for each in self.every_camera]
        if name is not None and name not in names:
            raise UsageError(f'there is no camera "{name}" in the configuration; take one of: {", ".join(names)}')
        camera = self.every_camera[0 if name is None else names.index(name)]
        return replace(
            self,
            camera=camera,
            cameras=(),
            zones=tuple(each for each in self.zones if each.camera in (None, camera.name)),
            crossing_lines=tuple(each for each in self.crossing_lines if each.camera in (None, camera.name)),
        )

    @property
    def takes_pictures(self) -> bool:
        """Whether events carry the plate's picture: it shows what a hash hides."""
        return self.mqtt.images and not (self.privacy.no_images or self.privacy.hash)


def load(path: Path, starting_at: Path | None = None) -> Settings:
    """The settings in a TOML file; `ConfigurationError` reports every error as `FILE:LINE: [section] key: …`.

    Relative paths start at the file's folder, or at another one.
    """
    folder = (starting_at or path.parent).resolve()
    settings = strict_toml.read(path, Settings, _disagreements, folder)

    def placed(camera: CameraSettings) -> CameraSettings:
        return replace(camera, source=source_url.starting_at(folder, camera.source))

    return replace(settings, camera=placed(settings.camera), cameras=tuple(map(placed, settings.cameras)))


def default_toml() -> str:
    """The text of `config/default.toml`."""
    return default_file(Settings, _INTRODUCTION)


def paths_in(settings: Settings) -> Iterator[tuple[str, Path]]:
    """Files and folders that must be there before the daemon starts, with the keys that name them."""
    for section in ("models", "hook", "privacy", "evidence", "mqtt", "lookup", "web"):
        table = getattr(settings, section)
        yield from _paths_of(f"[{section}]", table)
    yield from ((f"[[lists]] {each.name}", each.file) for each in settings.lists)
    section = "[[cameras]]" if settings.cameras else "[camera]"
    for camera in settings.every_camera:
        yield from _paths_of(section, camera)
        source = source_url.parse(camera.source)
        if source.scheme in ("file", "images"):
            yield f"{section} source", Path(source.place)


def _paths_of(section: str, table: Any) -> Iterator[tuple[str, Path]]:
    values = ((each.name, getattr(table, each.name)) for each in fields(table))
    yield from ((f"{section} {name}", value) for name, value in values if isinstance(value, Path))


def _disagreements(settings: Settings) -> Iterator[Complaint]:
    """Errors that only several keys together show."""
    yield from _camera_complaints(settings)
    yield from _zone_complaints(settings.zones)
    yield from _line_complaints(settings.crossing_lines)
    yield from _list_complaints(settings)
    yield from _mqtt_complaints(settings.mqtt)
    yield from _web_complaints(settings.web)
    yield from _lookup_complaints(settings)
    if settings.evidence.key_file and not settings.evidence.enabled:
        what = "this is used to sign reads only; set `enabled = true`, or remove the key"
        yield Complaint(("evidence", "key_file"), what)
    if "lists/set" in settings.commands.allow and not settings.lists:
        yield Complaint(("commands", "allow"), 'there is no list to set; add one in [[lists]], or remove "lists/set"')
    for index, country in enumerate(settings.recognition.formats):
        if country not in known_countries():
            yield Complaint(("recognition", "formats", index), unknown_country(country))


def known_countries() -> list[str]:
    """Countries whose plate formats are shipped; the generic format is no country's."""
    return sorted(path.stem for path in FORMATS_DIRECTORY.glob("*.toml") if path.stem != GENERIC_FORMAT)


def unknown_country(country: str) -> str:
    """What is wrong with a country that is not among them, and what to do."""
    return f'no formats of "{country}" are shipped; take some of: {", ".join(known_countries())}'


_OWN_TOPICS = ("answer", "cmd", "doctor", "status", "telemetry")
"""Levels of the device's own topics (`events/topics.py`): a camera of such a name would mix its messages with them."""


def _camera_complaints(settings: Settings) -> Iterator[Complaint]:
    names = [each.name for each in settings.every_camera]
    for index, camera in enumerate(settings.every_camera):
        where: tuple[str | int, ...] = ("cameras", index) if settings.cameras else ("camera",)
        if camera.name in _OWN_TOPICS:
            yield Complaint(
                (*where, "name"), f'"{camera.name}" is a part of the device\'s own topics; give another name'
            )
        given = "speed_kmh" if camera.speed_kmh else "pixels_per_metre"
        if (camera.speed_kmh is None) != (camera.pixels_per_metre is None):
            yield Complaint((*where, given), "`speed_kmh` and `pixels_per_metre` go together; give both or neither")
        if camera.night_below_lux >= camera.day_above_lux:
            yield Complaint((*where, "night_below_lux"), "the night must begin in less light than the day; lower it")
        if camera.region and (camera.region[0] + camera.region[2] > 1 or camera.region[1] + camera.region[3] > 1):
            yield Complaint(
                (*where, "region"), "it reaches beyond the sensor: left + width and top + height are at most 1"
            )
    if settings.cameras and settings.camera != CameraSettings():
        yield Complaint(("camera",), "a file has either [camera] or [[cameras]]; write [[cameras]] here, too")
    for index, name in enumerate(names):
        if name in names[:index]:
            yield Complaint(
                ("cameras", index, "name"), f'a camera is called "{name}" already; give another name: topics bear it'
            )
    for section in ("zones", "crossing_lines"):
        for index, each in enumerate(getattr(settings, section)):
            if each.camera is None and settings.cameras:
                what = f"there are several cameras; say on whose picture this is with `camera`: {', '.join(names)}"
                yield Complaint((section, index), what)
            elif each.camera not in (None, *names):
                what = f'there is no camera "{each.camera}"; take one of: {", ".join(names)}'
                yield Complaint((section, index, "camera"), what)


def _zone_complaints(zones: tuple[ZoneSettings, ...]) -> Iterator[Complaint]:
    names = [(zone.camera, zone.name) for zone in zones]
    for index, zone in enumerate(zones):
        if names[index] in names[:index]:
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
    names = [(line.camera, line.name) for line in lines]
    for index, line in enumerate(lines):
        if names[index] in names[:index]:
            yield Complaint(
                ("crossing_lines", index, "name"), f'a line is called "{line.name}" already; give another name'
            )
        if line.start == line.end:
            yield Complaint(("crossing_lines", index, "end"), "start and end are the same point; give another")
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


def _web_complaints(web: WebSettings) -> Iterator[Complaint]:
    if (web.certificate_file is None) != (web.key_file is None):
        given = "certificate_file" if web.certificate_file else "key_file"
        yield Complaint(("web", given), "`certificate_file` and `key_file` go together; give both or neither")
    if web.listen is None and web != WebSettings():
        yield Complaint(("web", "listen"), "without it the page is off; set it, or remove the section's other keys")


_LOOKUP_KEYS = {
    "csv": ("file", "plate_column"),
    "sqlite": ("file", "query"),
    "http": ("url", "headers_file", "pointer"),
}
"""The keys of each kind of source."""


def _lookup_complaints(settings: Settings) -> Iterator[Complaint]:
    lookup, defaults = settings.lookup, LookupSettings()
    if lookup.source == "off":
        return
    for key in ("file", "plate_column", "query", "url", "headers_file", "pointer"):
        is_set = getattr(lookup, key) != getattr(defaults, key)
        if is_set and key not in _LOOKUP_KEYS[lookup.source]:
            what = f'a source "{lookup.source}" does not use this; remove it, or set another `source`'
            yield Complaint(("lookup", key), what)
    for key in _LOOKUP_KEYS[lookup.source]:
        if key in ("file", "query", "url") and getattr(lookup, key) is None:
            yield Complaint(("lookup", "source"), f'a source "{lookup.source}" needs `{key}`; add it')
    if lookup.query is not None and lookup.query.count("?") != 1:
        yield Complaint(("lookup", "query"), "it has one `?`, which stands for the plate; write it so")
    if lookup.url is not None and not re.match(r"https?://[^/{]+/.*\{plate\}", lookup.url):
        yield Complaint(("lookup", "url"), "give http:// or https://, a host and a path or query with `{plate}`")
    if not lookup.fields:
        yield Complaint(("lookup", "fields"), "nothing would become part of a read; list the wanted names")
    if settings.privacy.hash:
        what = "the details would show whose plate is hashed; remove [lookup], or `hash`"
        yield Complaint(("lookup", "source"), what)


def password_complaint(mqtt: MqttSettings) -> str | None:
    """Why a password must not be sent to this broker and what to do, or None if it may be."""
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
