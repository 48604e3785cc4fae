"""Carries out requests that come over MQTT, in the publisher's thread, and answers them.

A reload is answered once its trial is over. A retained request and `cmd/doctor` get no answer.
"""

import base64
import dataclasses
import hashlib
import json
import logging
import time
from collections import deque
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import cv2

from edge_app import config
from edge_app.config import Settings
from edge_app.errors import ConfigurationError, EdgeAnprError
from edge_app.events import topics
from edge_app.events.command_messages import (
    ANSWER_SCHEMA,
    AnswerMessage,
    PingRequest,
    ReloadRequest,
    SetListRequest,
    SnapshotMessage,
    SnapshotRequest,
)
from edge_app.events.connection_state import ConnectionState
from edge_app.events.decoder import MessageError, as_record
from edge_app.events.event import encode
from edge_app.events.lists import plate_file
from edge_app.printable import counted, excerpt
from edge_app.records import Frame
from edge_app.system_clock import as_rfc3339, clock_is_synchronized, utc_now, wall_time
from edge_app.uplink.connection import Message
from edge_app.version import __version__

log = logging.getLogger(__name__)

Request = TypeVar("Request")

_JPEG_QUALITY = 85


class RefusedCommandError(EdgeAnprError):
    """A request is not carried out; the message is the answer."""


@dataclass(frozen=True, slots=True)
class Reply:
    """To whom an answer goes."""

    topic: str
    correlation_data: bytes | None
    command: str
    id: str | None = None


@dataclass(frozen=True, slots=True)
class Reload:
    """Other settings, and who wants to know what comes of them."""

    settings: Settings
    reply: Reply
    away: frozenset[str] = frozenset()
    """Names of the cameras that gave no picture under the former settings."""
    undo: Callable[[], None] | None = None
    """Puts the file back as it was, if its settings prove wrong."""


class Commander:
    """Between the publisher, which hands over requests and takes answers, and the daemon, which ends for a reload.

    `configuration` is the file that a reload reads; `proven` is called once a picture has come under the settings and,
    after a reload, the broker was reached.
    """

    wrong: str | None = None
    """Why the settings are not those of the configuration file; None if they are."""
    reverted: str | None = None
    """Why settings that were saved from the page did not stay; None if they did."""

    def __init__(
        self,
        settings: Settings,
        configuration: Path,
        clock: Callable[[], float] = time.monotonic,
        proven: Callable[[Settings], object] = lambda _: None,
    ) -> None:
        self.newest_frames: dict[str, Frame] = {}
        """The newest frame of each camera; set from the daemon's thread."""
        self.answers: deque[Message] = deque()
        """What the publisher has to send."""
        self.reload: Reload | None = None
        """What the daemon has to end for."""
        self.failure: str | None = None
        """Why the settings on trial have failed."""
        self.trial: Reply | None = None
        """Who waits for these settings to prove good."""
        self.undo: Callable[[], None] | None = None
        """Puts the file of the settings on trial back as it was."""
        self.away_before: frozenset[str] = frozenset()
        """Names of the cameras that gave no picture under the former settings."""
        self._settings = settings
        self.configuration = configuration
        """The file."""
        self._clock = clock
        self._proven = proven
        self._is_proven = False
        self._deadline = 0.0
        self._root = topics.root(settings.mqtt.topic_prefix, settings.device.name)
        self._actions: dict[str, Callable[[Any, Reply], None]] = {
            "ping": self._ping,
            "snapshot": self._snapshot,
            "reload": self._reload,
            "lists/set": self._set_list,
        }

    @property
    def topic_filter(self) -> str | None:
        """What to subscribe to; None if nothing is allowed."""
        return topics.command(self._root, "#") if self._settings.commands.allow else None

    @property
    def most_bytes(self) -> int | None:
        """The largest packet to take: a request that is a little too large is answered, too."""
        return int(2000 * self._settings.commands.max_kilobytes) if self._settings.commands.allow else None

    @property
    def goes_on(self) -> bool:
        """Whether the process lives on after this daemon, with other settings."""
        return self.reload is not None or self.trial is not None

    def take(self, message: Message) -> None:
        """Carry out a request and answer it; one that was retained was meant for another time."""
        if message.topic == topics.doctor_command(self._root):
            return
        if message.retain:
            log.warning("a retained command is ignored; remove it from the broker, and send commands unretained")
            return
        name = message.topic.removeprefix(topics.command(self._root, ""))
        reply = Reply(topics.answer(self._root), message.correlation_data, excerpt(name))
        try:
            reply = self._addressed(message, reply)
            document = self._parsed(message.payload)
            reply = dataclasses.replace(reply, id=_id_in(document))
            self._admit(name)
            request = _as_request(_REQUESTS[name], document)
            log.info("command %s", name)
            self._actions[name](request, reply)
        except RefusedCommandError as error:
            # The name of an unknown command and the error may quote what was sent, and that may be a plate.
            log.warning("command %s is refused", name if name in self._actions else "of unknown name")
            log.debug("command %s: %s", name, error)
            self._answer(reply, error=str(error))

    def reload_file(self, undo: Callable[[], None] | None = None) -> None:
        """Carry out a reload that was asked for on this machine, by a signal or on the page."""
        try:
            self._reload(ReloadRequest(), Reply(topics.answer(self._root), None, "reload"))
        except RefusedCommandError as error:
            log.error("reload: %s", error)
        if self.reload is not None:
            self.reload = dataclasses.replace(self.reload, undo=undo)

    def try_out(self, reload: Reload) -> None:
        """Take the settings for good once there are pictures and a broker, and answer then."""
        self.trial, self.away_before, self.undo = reload.reply, reload.away, reload.undo
        self._deadline = self._clock() + self._settings.commands.reload_seconds

    def report_reverted(self, reply: Reply, why: str, undo: Callable[[], None] | None = None) -> None:
        """Answer that the former settings are back, and put the file back if the page wrote it."""
        if undo is not None:
            undo()
            self.reverted = why
            self._answer(reply, error=f"the former configuration is back, in its file too: {why}")
            return
        remedy = f"mend {self.configuration}, which the next start reads, and reload again"
        self.wrong = f"{self.configuration}: {why}"
        self._answer(reply, error=f"the former configuration is back: {why}; {remedy}")

    def advance_trial(self, unseen: Collection[str], state: ConnectionState) -> bool:
        """Answer a trial that is over; whether the daemon has to end for other settings.

        `unseen` names cameras that have given no picture yet. One that gave none under the former settings either does
        not count against these.
        """
        has_pictures = len(unseen) < len(self._settings.every_camera)
        unseen = set(unseen) - self.away_before
        if self.trial is not None and not unseen and state is ConnectionState.CONNECTED:
            log.info("reload: the new configuration works")
            self._answer(self.trial)
            self.trial = None
        elif self.trial is not None and self._clock() > self._deadline:
            missing = (
                f"no picture came from {', '.join(sorted(unseen))}"
                if unseen
                else f"the broker was not reached ({state}: {state.advice})"
            )
            self.failure = f"{missing} within {self._settings.commands.reload_seconds:g} s"
        if has_pictures and self.trial is None and not self._is_proven:
            self._is_proven = True
            self._proven(self._settings)
        return self.reload is not None or self.failure is not None

    def _addressed(self, message: Message, reply: Reply) -> Reply:
        """The reply to where the request wants it."""
        wanted = message.response_topic
        if wanted is None:
            return reply
        if not _can_be_published_to(wanted):
            what = "an answer needs a topic name of 1 to 65535 bytes without +, # and NUL that does not begin with $"
            raise RefusedCommandError(f"response topic: {what}")
        prefix = f"{self._settings.mqtt.topic_prefix}/"
        if wanted.startswith(prefix) and not f"{wanted}/".startswith(f"{reply.topic}/"):
            what = f"an answer under {prefix} could be taken for another message"
            raise RefusedCommandError(f"response topic: {what}; take {reply.topic} or one below it")
        return dataclasses.replace(reply, topic=wanted)

    def _parsed(self, payload: bytes) -> dict[str, Any]:
        most = self._settings.commands.max_kilobytes
        if len(payload) > most * 1000:
            size = f"{len(payload) / 1000:.1f} kB are more than the {most:g} allowed"
            raise RefusedCommandError(f"{size}; send less, or set [commands] max_kilobytes")
        try:
            document = json.loads(payload) if payload else {}
            json.dumps(document, ensure_ascii=False).encode()  # JSON can escape half a character, which no answer takes
        except (ValueError, RecursionError) as error:
            raise RefusedCommandError(f"the request is not JSON ({error}); send an object, or nothing") from error
        if not isinstance(document, dict):
            raise RefusedCommandError("the request is not a JSON object; send one, or nothing")
        return document

    def _admit(self, name: str) -> None:
        allowed = self._settings.commands.allow
        if name not in self._actions:
            raise RefusedCommandError(f'there is no command "{excerpt(name)}"; send one of: {", ".join(allowed)}')
        if name not in allowed:
            raise RefusedCommandError(f'"{name}" is not allowed here; the operator can add it to [commands] allow')

    def _ping(self, _: PingRequest, reply: Reply) -> None:
        self._answer(reply)

    def _snapshot(self, request: SnapshotRequest, reply: Reply) -> None:
        if reason := _why_no_snapshot(self._settings):
            raise RefusedCommandError(f"a snapshot would show what {reason} holds back; there is none")
        names = [each.name for each in self._settings.every_camera]
        name = request.camera or names[0]
        if name not in names:
            raise RefusedCommandError(f'there is no camera "{name}"; take one of: {", ".join(names)}')
        frame = self.newest_frames.get(name)
        if frame is None:
            raise RefusedCommandError(f"no picture comes from camera {name}; the telemetry has the reason")
        self._answer(reply, snapshot=_as_message(frame, request.width))

    def _reload(self, _: ReloadRequest, reply: Reply) -> None:
        if self.goes_on:
            raise RefusedCommandError("a reload is under way; wait for its answer")
        try:
            settings = config.load(self.configuration)
        except ConfigurationError as error:
            self.wrong = str(error)
            raise RefusedCommandError(f"nothing was changed: {error}") from error
        away = {each.name for each in self._settings.every_camera} - self.newest_frames.keys()
        self.reload = Reload(settings, reply, frozenset(away))  # answered once the settings have proved good

    def _set_list(self, request: SetListRequest, reply: Reply) -> None:
        path = next((each.file for each in self._settings.lists if each.name == request.list), None)
        if path is None:
            names = ", ".join(each.name for each in self._settings.lists)
            raise RefusedCommandError(f'there is no list "{request.list}"; set one of: {names}')
        content = request.csv.encode()
        try:
            plates = {each.text for each in plate_file.parse_entries(content, "csv")}
            plate_file.replace(path, content)
        except ConfigurationError as error:
            raise RefusedCommandError(f"the list stays as it was: {error}") from error
        except OSError as error:
            where = f"keep the list below {self._settings.device.state_directory}, where the service can write"
            raise RefusedCommandError(f"the list stays as it was: {path}: {error.strerror}; {where}") from error
        log.info("command lists/set: list %s has %s", request.list, counted(len(plates), "plate"))
        self._answer(reply, plates=len(plates))

    def _answer(
        self,
        reply: Reply,
        error: str | None = None,
        plates: int | None = None,
        snapshot: SnapshotMessage | None = None,
    ) -> None:
        message = AnswerMessage(
            schema=ANSWER_SCHEMA,
            device=self._settings.device.name,
            at=as_rfc3339(utc_now()),
            software_version=__version__,
            command=reply.command,
            id=reply.id,
            ok=error is None,
            error=error,
            plates=plates,
            snapshot=snapshot,
        )
        self.answers.append(Message(reply.topic, encode(message), correlation_data=reply.correlation_data))


_REQUESTS: dict[str, Any] = {
    "ping": PingRequest,
    "snapshot": SnapshotRequest,
    "reload": ReloadRequest,
    "lists/set": SetListRequest,
}


def _as_request(kind: type[Request], document: dict[str, Any]) -> Request:
    """The request as a record, strictly: a key that we do not know would be a wish not granted."""
    known = [each.name for each in dataclasses.fields(kind)]  # type: ignore[arg-type]  # of _REQUESTS
    if strange := sorted(document.keys() - set(known)):
        raise RefusedCommandError(f'there is no key "{excerpt(strange[0])}"; take some of: {", ".join(known)}')
    try:
        return as_record(kind, document)
    except MessageError as error:
        raise RefusedCommandError(f"wrong request: {error}") from error


def _id_in(document: dict[str, Any]) -> str | None:
    """The request's id, even if the rest of it is wrong."""
    try:
        return as_record(PingRequest, {"id": document.get("id")}).id
    except MessageError:
        return None


def _can_be_published_to(topic: str) -> bool:
    """MQTT 5.0, 4.7: a topic name, and none of the broker's own."""
    return 0 < len(topic.encode()) <= 65535 and topic[0] != "$" and not set("+#\0") & set(topic)


def _why_no_snapshot(settings: Settings) -> str | None:
    """The setting under which no whole picture may leave."""
    for key in ("hash", "lists_only", "no_images"):
        if getattr(settings.privacy, key):
            return f"[privacy] {key}"
    ignored = [each.name for each in settings.lists if each.kind == "ignore"]
    return f"the ignore list {ignored[0]}" if ignored else None


def _as_message(frame: Frame, width: int | None) -> SnapshotMessage:
    image = frame.image_bgr
    height_px, width_px = image.shape[:2]
    if width is not None and width < width_px:
        size = width, max(1, round(height_px * width / width_px))
        image = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
        width_px, height_px = size
    done, encoded = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY])
    if not done:
        raise RefusedCommandError("the picture could not be encoded; ask for a smaller one with `width`")
    jpeg = encoded.tobytes()
    synchronized = clock_is_synchronized()  # before the reading that it vouches for
    moments = frame.monotonic_ns, utc_now(), time.monotonic_ns()
    captured_at = frame.captured_at if frame.is_recorded else wall_time(*moments)
    return SnapshotMessage(
        camera=frame.camera,
        captured_at=as_rfc3339(captured_at),
        clock_synchronized=synchronized,
        width=width_px,
        height=height_px,
        media_type="image/jpeg",
        sha256=hashlib.sha256(jpeg).hexdigest(),
        data=base64.b64encode(jpeg).decode(),
    )
