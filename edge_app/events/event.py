"""Turns a settled pass into an event: the message to subscribers, and the plate's picture."""

import dataclasses
import hashlib
import json
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import cv2

from edge_app.config import Settings
from edge_app.errors import EdgeAnprError
from edge_app.events import messages, topics
from edge_app.events.chain import ChainLink, Signer
from edge_app.events.hash_keys import HashKey, HashKeys
from edge_app.events.uuid7 import RANDOM_BYTES, uuid7
from edge_app.recognition.plate_colours import category_of
from edge_app.records import ImageBgr, ListMatch, PlatePass, PlateRead
from edge_app.system_clock import as_rfc3339, clock_is_synchronized, read_boot_id, utc_now, wall_time

_JPEG_QUALITY = 90
_UNNUMBERED = 0
"""The outbox numbers an event in the transaction that commits it."""


@dataclass(frozen=True, slots=True)
class Origin:
    """When an event was made."""

    made_at_ms: int
    """By the clock that can be set, since 1970 (UTC)."""
    monotonic_ns: int
    """`time.monotonic_ns()`, which counts from the boot."""
    boot_id: str
    clock_synchronized: bool
    """Whether `made_at_ms` can be trusted."""


@dataclass(frozen=True, slots=True)
class PlateEvent:
    """One event, not yet numbered."""

    message: messages.ReadMessage
    image_jpeg: bytes | None
    origin: Origin
    """When it was made; an update has its own beside its read's id, for the clock may have been set in between."""
    signer: Signer | None = None
    """What signs it, if that is wanted."""

    @property
    def event_id(self) -> str:
        """The same for a read and its update."""
        return self.message.event_id

    def payload(self, sequence: int = _UNNUMBERED) -> bytes:
        """The message as UTF-8 JSON, with a number once it has one."""
        return encode(self.numbered_message(sequence))

    def numbered_message(self, sequence: int) -> messages.ReadMessage:
        """The message with its number, not signed."""
        return dataclasses.replace(self.message, sequence=sequence)

    def registered(self, registration: messages.RegistrationMessage, revision: str | None = None) -> "PlateEvent":
        """The event with registration details, as a revision of its own if it was sent without them."""
        read = self.message
        message = dataclasses.replace(read, registration=registration, revision=revision or read.revision)
        return dataclasses.replace(self, message=message)

    def numbered(self, sequence: int, previous: ChainLink | None) -> tuple[messages.ReadMessage, ChainLink | None]:
        """The read as it is kept, signed if that is wanted, and the end of the chain of signed reads after it."""
        read = dataclasses.replace(self.message, sequence=sequence)
        if self.signer is None:
            return read, previous
        return self.signer.seal(read, previous.digest if previous else None)


@dataclass(frozen=True, slots=True)
class WaitingEvent:
    """An event that waits in the outbox."""

    position: int
    """In the queue."""
    read: messages.ReadMessage
    image_jpeg: bytes | None
    origin: Origin
    left_over: bool = False
    """It was made by an earlier run."""

    @property
    def event_id(self) -> str:
        """The same for a read and its update."""
        return self.read.event_id

    @property
    def sequence(self) -> int:
        """Its number among the device's reads."""
        return self.read.sequence


def encode(message: object) -> bytes:
    """A record of `messages` as UTF-8 JSON."""
    return as_json(as_plain(message))


def as_plain(value: Any) -> Any:
    """A record as what JSON consists of; `dataclasses.asdict` also copies every text and number, and takes longer."""
    if value is None or isinstance(value, str | int | float):
        return value
    if isinstance(value, tuple | list):
        return [as_plain(item) for item in value]
    return {name: as_plain(getattr(value, name)) for name in value.__dataclass_fields__}


def as_json(message: object) -> bytes:
    """A message as compact UTF-8 JSON."""
    return json.dumps(message, ensure_ascii=False, separators=(",", ":")).encode()


class EventFactory:
    """Makes the events of one device.

    `now` gives the time of day (UTC), `monotonic_ns` the clock of `Frame.monotonic_ns`, `synchronized` whether the
    former can be trusted. With `hash_keys`, no plate leaves but as its hash; `signer` signs what is made.
    """

    def __init__(
        self,
        settings: Settings,
        software: messages.SoftwareMessage,
        hash_keys: HashKeys | None = None,
        signer: Signer | None = None,
        now: Callable[[], datetime] = utc_now,
        monotonic_ns: Callable[[], int] = time.monotonic_ns,
        synchronized: Callable[[], bool] = clock_is_synchronized,
        random_bytes: Callable[[int], bytes] = os.urandom,
    ) -> None:
        self._settings = settings
        self._software = software
        self._signer = signer
        self._boot_id = read_boot_id()
        self._hash_keys = hash_keys
        self._now = now
        self._monotonic_ns = monotonic_ns
        self._synchronized = synchronized
        self._random_bytes = random_bytes
        self._early_reads: dict[tuple[str, int], messages.ReadMessage] = {}
        """Reads that will have an update, by their cameras and vehicles' numbers."""

    def make(self, plate_pass: PlatePass, matches: Sequence[ListMatch] = ()) -> PlateEvent:
        """The event of one vehicle, with the entries of lists that match it; an update has its read's id."""
        synchronized = self._synchronized()  # before the reading that it vouches for: it may be set in between
        now_ns, now = self._monotonic_ns(), self._now()
        key = self._hash_keys.at(now) if self._hash_keys else None
        early = self._early_reads.pop((plate_pass.camera, plate_pass.vehicle), None)
        event_id = early.event_id if early else self._new_id(now)
        image_jpeg = _as_jpeg(plate_pass.crop_bgr) if self._settings.takes_pictures else None
        message = messages.ReadMessage(
            schema=messages.READ_SCHEMA,
            event_id=event_id,
            sequence=_UNNUMBERED,
            boot_id=self._boot_id,
            historical=False,
            revision=plate_pass.revision if early else None,  # the early one may have been of a plate to ignore
            device=self._settings.device.name,
            camera=plate_pass.camera,
            plate=_plate(plate_pass.read, key),
            lists=tuple(_match(match, key) for match in matches),
            seen=_seen(plate_pass, now, now_ns, synchronized),
            geometry=_geometry(plate_pass),
            image=self._image(plate_pass.camera, event_id, image_jpeg),
            software=self._software,
            timing_ms=_timing(plate_pass, now_ns),
        )
        if not plate_pass.is_final:
            self._early_reads[plate_pass.camera, plate_pass.vehicle] = message
        return PlateEvent(message, image_jpeg, self._origin(now, now_ns, synchronized), self._signer)

    def withdraw(self, camera: str, vehicle: int) -> PlateEvent | None:
        """The update that withdraws an early read, with no content beyond it; None if there was none."""
        early = self._early_reads.pop((camera, vehicle), None)
        if early is None:
            return None
        message = dataclasses.replace(early, revision=messages.WITHDRAWN, lists=(), image=None)
        synchronized = self._synchronized()
        origin = self._origin(self._now(), self._monotonic_ns(), synchronized)
        return PlateEvent(message, None, origin, self._signer)

    def _origin(self, now: datetime, now_ns: int, synchronized: bool) -> Origin:
        return Origin(int(now.timestamp() * 1000), now_ns, self._boot_id, synchronized)

    def _new_id(self, now: datetime) -> str:
        return str(uuid7(int(now.timestamp() * 1000), self._random_bytes(RANDOM_BYTES)))

    def _image(self, camera: str, event_id: str, image_jpeg: bytes | None) -> messages.ImageMessage | None:
        if image_jpeg is None:
            return None
        root = topics.root(self._settings.mqtt.topic_prefix, self._settings.device.name)
        topic = topics.image(root, camera, event_id)
        return messages.ImageMessage(topic, hashlib.sha256(image_jpeg).hexdigest(), "image/jpeg")


def _plate(read: PlateRead, key: HashKey | None) -> messages.PlateMessage:
    plate, colours = read.plate, read.colours
    characters = tuple(messages.CharacterMessage(c.value, _share(c.confidence)) for c in plate.characters)
    candidates = tuple(messages.CandidateMessage(c.text, _share(c.confidence), c.valid) for c in plate.candidates)
    return messages.PlateMessage(
        text=key.hash(plate.text) if key else plate.text,
        hash_key=key.name if key else None,
        country=plate.country,
        format=plate.format,
        valid=plate.valid,
        lines=read.detection.lines,
        colours=messages.ColoursMessage(colours.background, colours.characters),
        category=category_of(colours, plate.country, plate.format),
        confidence=_share(plate.confidence),
        characters=() if key else characters,
        candidates=() if key else candidates,
    )


def _match(match: ListMatch, key: HashKey | None) -> messages.ListMatchMessage:
    entry = key.hash(match.entry) if key else match.entry
    return messages.ListMatchMessage(match.list, match.kind, entry, match.cost)


def _seen(plate_pass: PlatePass, now: datetime, now_ns: int, clock_synchronized: bool) -> messages.SeenMessage:
    first, best, last = plate_pass.first_seen, plate_pass.best_seen, plate_pass.last_seen
    exposure = plate_pass.exposure
    if not plate_pass.is_recorded:
        moments_ns = plate_pass.first_monotonic_ns, plate_pass.best_monotonic_ns, plate_pass.last_monotonic_ns
        first, best, last = (wall_time(moment_ns, now, now_ns) for moment_ns in moments_ns)
    return messages.SeenMessage(
        first=as_rfc3339(first),
        best=as_rfc3339(best),
        last=as_rfc3339(last),
        frames=plate_pass.frames,
        reads=plate_pass.reads,
        agreeing=plate_pass.read.plate.agreeing,
        clock_synchronized=clock_synchronized,
        exposure=None if exposure is None else messages.ExposureMessage(exposure.microseconds, exposure.gain),
    )


def _geometry(plate_pass: PlatePass) -> messages.GeometryMessage:
    corners = plate_pass.read.detection.corners_px
    return messages.GeometryMessage(
        frame_size=plate_pass.frame_size,
        corners=tuple((round(float(x), 1), round(float(y), 1)) for x, y in corners),
        direction=plate_pass.direction,
        zones=plate_pass.zones,
        crossings=tuple(messages.LineCrossingMessage(each.line, each.label) for each in plate_pass.crossings),
    )


def _timing(plate_pass: PlatePass, now_ns: int) -> messages.TimingMessage:
    # A recording played faster than it was filmed is ahead of the clock: then nothing was waited for.
    waited_ms = max(0.0, (now_ns - plate_pass.last_monotonic_ns) / 1e6)
    return messages.TimingMessage(
        detect=round(plate_pass.times.detect_ms, 2),
        read=round(plate_pass.times.read_ms, 2),
        capture_to_outbox=round(waited_ms, 2),
    )


def _share(value: float) -> float:
    return round(min(1.0, max(0.0, float(value))), 4)


def _as_jpeg(image_bgr: ImageBgr) -> bytes:
    done, jpeg = cv2.imencode(".jpg", image_bgr, [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY])
    if not done:
        raise EdgeAnprError("a plate's picture could not be encoded; set mqtt.images = false to go without")
    return jpeg.tobytes()
