"""What leaves over MQTT, field by field; `docs/schema` is generated from these records.

Every key is always present, but messages of earlier versions lack those with a default. Times are UTC as
`2026-01-31T10:00:00.123Z`, pixels those of the camera's full picture.
"""

import math
from dataclasses import dataclass
from typing import Annotated

from edge_app.configuration.limits import Between, Matching, OneOf, Share
from edge_app.events.connection_state import ConnectionState
from edge_app.events.disk_state import DiskState
from edge_app.recognition.plate_colours import BACKGROUNDS, CATEGORIES, CHARACTERS

READ_SCHEMA = "edge-anpr/read/1"
ALERT_SCHEMA = "edge-anpr/alert/1"
LAST_SCHEMA = "edge-anpr/last/1"
TELEMETRY_SCHEMA = "edge-anpr/telemetry/1"

COMPLETED = "completed"
"""The same read with registration details, which came late."""
WITHDRAWN = "withdrawn"
"""The vehicle of an early read has turned out to be one that must not be stored."""

ONLINE, OFFLINE = "online", "offline"
StatusMessage = Annotated[str, OneOf((ONLINE, OFFLINE))]
"""`<prefix>/<device>/status`: whether the daemon is there, as plain text and not as JSON. QoS 1, retained."""

Count = Annotated[int, Between(0, math.inf)]
Milliseconds = Annotated[float, Between(0, math.inf)]
PlateCharacters = Annotated[str, Matching(r"^[A-Z0-9]+$", "A-Z and 0-9")]
Sha256 = Annotated[str, Matching(r"^[0-9a-f]{64}$", "64 hexadecimal digits")]
Moment = Annotated[str, Matching(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$", "a time in UTC with milliseconds")]
HashKeyName = Annotated[str, Matching(r"^[0-9a-f]{8}$", "8 hexadecimal digits")] | None
Signature = Annotated[str, Matching(r"^[A-Za-z0-9+/]{86}==$", "64 bytes in Base64")]
SigningKeyName = Annotated[str, Matching(r"^[0-9a-f]{16}$", "16 hexadecimal digits")]
EventId = Annotated[str, Matching(r"^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$", "a UUIDv7")]


@dataclass(frozen=True, slots=True)
class CharacterMessage:
    """One character of the text."""

    value: Annotated[str, Matching(r"^[A-Z0-9]$", "A-Z or 0-9")]
    confidence: Share


@dataclass(frozen=True, slots=True)
class CandidateMessage:
    """A text that the plate may bear."""

    text: PlateCharacters
    confidence: Share
    valid: bool


@dataclass(frozen=True, slots=True)
class ColoursMessage:
    """The plate's colours, each null if the pictures do not show it: infrared, night, a grey camera."""

    background: Annotated[str, OneOf(BACKGROUNDS)] | None
    characters: Annotated[str, OneOf(CHARACTERS)] | None


@dataclass(frozen=True, slots=True)
class PlateMessage:
    """The text of the plate and how certain it is."""

    text: PlateCharacters
    """The top line first; if `hash_key` is not null, the plate's keyed hash (HMAC-SHA256) as 64 digits 0-9, A-F."""
    hash_key: HashKeyName
    """Null if `text` is the plate's own; else a name for the key: only hashes with the same one can be compared."""
    country: Annotated[str, Matching(r"^[A-Z]{2}$", "two letters")] | None
    """ISO 3166-1 alpha-2; null if the text fits no country's format."""
    format: str | None
    """The name of the format that the text fits: a country's, or `generic`; null if it fits none."""
    valid: bool
    """Whether the text fits a format of a country. One that fits none is published too, if it is read surely enough
    (`tracking.min_confidence_unknown`)."""
    lines: Annotated[int, Between(1, 2)]
    colours: ColoursMessage
    """Decided over the best frames of the pass."""
    category: Annotated[str, OneOf(CATEGORIES)] | None
    """What an Indian plate is for, by its colours or its format; null for other plates and if neither shows it."""
    confidence: Share
    """Probability of the text against all candidates."""
    characters: tuple[CharacterMessage, ...]
    """None if `text` is a hash."""
    candidates: tuple[CandidateMessage, ...]
    """The best first, the text itself among them; none if `text` is a hash."""


@dataclass(frozen=True, slots=True)
class ListMatchMessage:
    """An entry of one of the device's lists that matches this plate."""

    list: str
    """The list's name."""
    kind: Annotated[str, OneOf(("allow", "deny", "watch"))]
    entry: PlateCharacters
    """The plate as it is in the list, or its hash if the plate's text is one."""
    cost: Annotated[float, Between(0, math.inf)]
    """0: the very plate. Else it is near: 0.25 for each 0/O and 1/I taken for one another, 0.5 for 8/B, 5/S, 2/Z."""


@dataclass(frozen=True, slots=True)
class ExposureMessage:
    """How the camera exposed a picture."""

    microseconds: Annotated[float, Between(0, math.inf)]
    gain: Annotated[float, Between(0, math.inf)]
    """Of the sensor; 1 is none."""


@dataclass(frozen=True, slots=True)
class SeenMessage:
    """When the vehicle was seen, and in how many frames."""

    first: Moment
    best: Moment
    """When the picture was taken that shows the plate best."""
    last: Moment
    frames: Count
    """Frames in which the plate was found."""
    reads: Count
    """Frames in which it was read."""
    agreeing: Count
    """Of these, frames that by themselves agree with `plate.text`."""
    clock_synchronized: bool
    """False: do not trust these times, only their differences."""
    exposure: ExposureMessage | None
    """Of the best picture; null if the camera does not give it."""


@dataclass(frozen=True, slots=True)
class LineCrossingMessage:
    """A virtual line that the vehicle crossed."""

    line: str
    """The line's name."""
    label: str
    """In which direction, in the operator's words; "in" or "out" unless set otherwise."""


@dataclass(frozen=True, slots=True)
class GeometryMessage:
    """Where the plate was in the best picture."""

    frame_size: tuple[Count, Count]
    """Width, height."""
    corners: tuple[tuple[float, float], ...]
    """Four points x, y, clockwise from the plate's own top left; they may lie outside the picture."""
    direction: Annotated[str, OneOf(("approaching", "receding", "unknown"))]
    """From the trend of the plate's size."""
    zones: tuple[str, ...]
    """Those that its centre was in, in the order in which it entered them."""
    crossings: tuple[LineCrossingMessage, ...]
    """The virtual lines that its centre crossed, in that order."""


@dataclass(frozen=True, slots=True)
class ImageMessage:
    """The plate's picture, published on a topic of its own before the read."""

    topic: str
    sha256: Sha256
    media_type: Annotated[str, OneOf(("image/jpeg",))]


@dataclass(frozen=True, slots=True)
class SoftwareMessage:
    """What read it."""

    version: str
    detector: Sha256
    aligner: Sha256
    reader: Sha256


@dataclass(frozen=True, slots=True)
class TimingMessage:
    """What it took, in milliseconds."""

    detect: Milliseconds
    """Finding plates, summed over the `seen.frames` frames of this pass; counted for every plate of a frame."""
    read: Milliseconds
    """Reading this one, summed over the frames in which that was tried."""
    capture_to_outbox: Milliseconds
    """From the last frame with the vehicle to the event."""


@dataclass(frozen=True, slots=True)
class GapMessage:
    """Reads before this one were given up by the device itself."""

    follows: Sha256 | None
    """The hash of the read that it comes after now; null: of none."""
    signature: Signature
    """Ed25519, over the canonical JSON of `{"follows": …, "read": …}`, where `read` is this read's own hash."""


@dataclass(frozen=True, slots=True)
class EvidenceMessage:
    """The device's signature under the read; docs/evidence.md explains how it is checked."""

    key: SigningKeyName
    """The first digits of the SHA-256 of the public key's 32 bytes."""
    previous: Sha256 | None
    """The hash of the read before: SHA-256 of what was signed there; null: the chain begins here."""
    image_sha256: Sha256 | None
    """Of the picture that was taken, though it may have had to make room since."""
    signature: Signature
    """Ed25519, over the read's canonical JSON (RFC 8785) less `historical`, `image` and here `signature`, `gap`."""
    gap: GapMessage | None
    """Set if the read that `previous` names will never come; null if it was sent, too."""


@dataclass(frozen=True, slots=True)
class RegistrationFieldMessage:
    """One detail."""

    name: str
    value: str | None


@dataclass(frozen=True, slots=True)
class RegistrationMessage:
    """What the operator's own source ([lookup]) has about the plate."""

    found: bool
    """False: the source does not know the plate."""
    fields: tuple[RegistrationFieldMessage, ...]
    """Those of `lookup.fields`, in that order; none if the plate is not known."""


@dataclass(frozen=True, slots=True)
class ReadMessage:
    """`<prefix>/<device>/<camera>/read`: one vehicle passed. QoS 1, not retained."""

    schema: Annotated[str, OneOf((READ_SCHEMA,))]
    event_id: EventId
    """The same in every delivery of this event: drop what you have seen."""
    sequence: Annotated[int, Between(1, math.inf)]
    """Rises by one with every event of this device, across restarts: a gap is a loss."""
    boot_id: str
    """Of the boot in which the event was made."""
    historical: bool
    """True: it comes late, from the outbox; do not open the gate for it."""
    revision: Annotated[str, OneOf(("confirmed", "corrected", COMPLETED, WITHDRAWN))] | None
    """Null unless a read with this `event_id` was sent before. This one replaces it: an early read with the same text
    ("confirmed") or another one ("corrected"), or any read with the registration details that came late
    ("completed"); or it takes it back ("withdrawn")."""
    device: str
    camera: str
    plate: PlateMessage
    lists: tuple[ListMatchMessage, ...]
    """The nearest entries of the device's lists, all equally near; none of an allow list beside one of a deny list."""
    seen: SeenMessage
    geometry: GeometryMessage
    image: ImageMessage | None
    """Null if pictures are switched off, or if this one had to make room for reads."""
    software: SoftwareMessage
    timing_ms: TimingMessage
    evidence: EvidenceMessage | None = None
    """Null if [evidence] is off."""
    registration: RegistrationMessage | None = None
    """Null if [lookup] is off, or no answer had come."""


@dataclass(frozen=True, slots=True)
class AlertMessage:
    """`<prefix>/<device>/<camera>/alert`: a plate on a deny or watch list, sent after its read. QoS 1, not retained."""

    schema: Annotated[str, OneOf((ALERT_SCHEMA,))]
    event_id: EventId
    """The read's."""
    sequence: Annotated[int, Between(1, math.inf)]
    """The read's."""
    historical: bool
    """True: it comes late, from the outbox."""
    device: str
    camera: str
    text: PlateCharacters
    hash_key: HashKeyName
    """As in the read."""
    country: str | None
    valid: bool
    confidence: Share
    lists: tuple[ListMatchMessage, ...]
    """Those of the read that are of deny and watch lists."""
    seen_at: Moment
    """`seen.best` of the read."""
    direction: str


@dataclass(frozen=True, slots=True)
class LastMessage:
    """`<prefix>/<device>/<camera>/last`: the latest vehicle, flat, for dashboards. QoS 1, retained."""

    schema: Annotated[str, OneOf((LAST_SCHEMA,))]
    event_id: EventId
    device: str
    camera: str
    text: PlateCharacters
    """Or its hash, as in the read."""
    hash_key: HashKeyName
    """As in the read."""
    country: str | None
    valid: bool
    confidence: Share
    seen_at: Moment
    """`seen.best` of the read."""
    direction: str


@dataclass(frozen=True, slots=True)
class ListStateMessage:
    """How one of the device's lists is."""

    name: str
    kind: str
    plates: Count
    """In the list as it is used."""
    fault: str | None
    """Why its file, as it is now, is not used, but what was read of it before; null if nothing is wrong."""


@dataclass(frozen=True, slots=True)
class HookStateMessage:
    """How the program run for plates on a list does, in runs since the start."""

    done: Count
    failed: Count
    """It could not be started, ended with another code than 0 or was killed after its time."""
    skipped: Count
    """Not run, because those before it took too long or the daemon stopped."""


@dataclass(frozen=True, slots=True)
class CameraVitalsMessage:
    """How one camera is; its counts are since the start."""

    name: str
    state: str
    """"good", "lost", "starting" before its first picture, or what is wrong with its picture."""
    since: Moment
    """When this state began; of a lost camera, the moment of its last picture or, if there was none, of the start."""
    reason: str | None
    """Why the camera is lost and what to do; null in other states."""
    last_frame: Moment | None
    """When its last picture was taken; null if there was none."""
    frames: Count
    """Frames that were processed."""
    frames_dropped: Count
    """Frames that newer ones replaced before they could be processed."""
    frames_corrupt: Count
    """Frames that could not be decoded, or were no pictures."""
    vehicles: Count
    """Vehicles that became events."""
    vehicles_repeated: Count
    """Vehicles that became no events, for their number was seen within `tracking.reappear_seconds` before."""
    vehicles_too_brief: Count
    """Vehicles that became no events, for they were read in fewer than `tracking.min_reads` frames: many of them mean
    that frames come too slowly, or that the view is too short."""
    fixed_texts: tuple[tuple[tuple[Share, Share], ...], ...]
    """Places of lettering that is no vehicle's: it stayed at the same pixels while vehicles passed, and is not
    published. Switch it off at the camera, or take these shares of width and height for a zone with
    `include = false`."""


@dataclass(frozen=True, slots=True)
class VitalsMessage:
    """How the daemon is; the counts are those of all cameras together, since the start."""

    frames: Count
    frames_dropped: Count
    frames_corrupt: Count
    vehicles: Count
    picture: str
    """The state of the first camera in the configuration that is not "good", or "good"."""
    lists: tuple[ListStateMessage, ...]
    hook: HookStateMessage | None
    """Null if no program is set."""
    vehicles_repeated: Count = 0
    vehicles_too_brief: Count = 0
    cameras: tuple[CameraVitalsMessage, ...] = ()
    """Each by itself, in the order of the configuration."""


@dataclass(frozen=True, slots=True)
class BoardMessage:
    """What the board says of itself."""

    celsius: float | None
    """Of its hottest zone; null if it does not say."""
    half_rate: bool
    """It is so hot that the daemon rests half of the time."""
    slowed: bool
    """Its firmware or its kernel slows the processor down now: it is hot, or its supply gives too little."""
    low_power: bool | None
    """The supply gives too little now; null on boards other than a Raspberry Pi."""


@dataclass(frozen=True, slots=True)
class TelemetryMessage:
    """`<prefix>/<device>/telemetry`: how the device is, every 30 seconds. QoS 0, retained."""

    schema: Annotated[str, OneOf((TELEMETRY_SCHEMA,))]
    device: str
    boot_id: str
    at: Moment
    software_version: str
    uptime_seconds: Annotated[float, Between(0, math.inf)]
    """Of the daemon."""
    clock_synchronized: bool
    connections: Count
    """Times the broker was reached since the start."""
    events_waiting: Count
    """Events that the broker has not acknowledged."""
    bytes_waiting: Count
    """On the disk and in memory, with events that are acknowledged and kept for `mqtt.resend_seconds`."""
    events_in_memory: Count
    """Of the events that wait, those that the disk has not taken yet: a power cut would cost them."""
    disk: Annotated[str, OneOf(tuple(DiskState))]
    """Of the outbox. In every state but "good" events wait in memory, and are sent from there."""
    images_sacrificed: Count
    """Pictures that had to make room, since the outbox was made."""
    reads_sacrificed: Count
    """Reads that had to make room, since the outbox was made."""
    images_damaged: Count
    """Pictures that could not be saved from a damaged outbox."""
    reads_damaged: Count
    """Reads that could not be saved from one."""
    images_refused: Count
    """Pictures that the broker did not take, since the outbox was made."""
    reads_refused: Count
    """Of the events that wait, those whose read the broker does not take: each is tried again after ten minutes."""
    reads_expired: Count
    """Reads deleted since the start because they had waited for longer than they may be kept."""
    reads_withheld: Count
    """Reads deleted since the start that must not be stored: of an earlier run, under the present settings,
    or published early, of a plate that turned out to be one to ignore."""
    last_fault: Annotated[str, OneOf(tuple(ConnectionState))] | None
    """What kept the device from the broker the last time since the start; null if nothing did."""
    vitals: VitalsMessage | None
    """Null until the first pictures of the camera have been checked."""
    board: BoardMessage | None
    """Null until the first turn of the daemon."""
