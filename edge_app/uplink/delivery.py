"""The events on their way over one connection: sent in order, forgotten when the broker has acknowledged them."""

import json
import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from edge_app.events import topics
from edge_app.events.event import WaitingEvent, as_json, encode
from edge_app.events.link_state import LinkState
from edge_app.events.messages import ALERT_SCHEMA, LAST_SCHEMA, WITHDRAWN, AlertMessage, LastMessage, ListMatchMessage
from edge_app.outbox.event_store import Link
from edge_app.outbox.outbox import Outbox
from edge_app.uplink.connection import Acknowledgement, Connection, Message, UnreachableError
from edge_app.uplink.rate_limit import RateLimit

if TYPE_CHECKING:
    from edge_app.events.evidence.seal import Sealer

log = logging.getLogger(__name__)

ALERTING = ("deny", "watch")
"""Kinds of lists of which an alert is sent."""

HISTORICAL_SECONDS = 10.0
"""An event older than this when it is sent comes late."""

PATIENCE_SECONDS = 30.0
"""A broker that completes no event for this long is taken for dead."""

_PICTURE = "a picture"


@dataclass(slots=True)
class _InFlight:
    """One event, sent and not yet acknowledged."""

    event_id: str
    unacknowledged: dict[int, str]
    """What its messages are, by their numbers."""
    link: Link | None
    """Its place in the chain, where it is signed."""


@dataclass(slots=True)
class Sent:
    """What was sent since the start, over whichever connection."""

    up_to: int = 0
    """The highest sequence number."""
    last_told: str | None = None
    """Of which event the retained `last` is; None where that is not known."""


class Delivery:
    """Moves events from the outbox to a connection, at most `window` at a time; `clock` is `time.monotonic`'s.

    It notes in `sent` what was sent. With `sealer`, a signed event tells which one it comes after where those between
    were given up.
    """

    def __init__(
        self,
        connection: Connection,
        outbox: Outbox,
        root: str,
        window: int,
        rate_limit: RateLimit,
        sent: Sent,
        clock: Callable[[], float],
        sealer: "Sealer | None" = None,
    ) -> None:
        self._connection = connection
        self._outbox = outbox
        self._sealer = sealer
        self._root = root
        self._window = window
        self._rate_limit = rate_limit
        self._sent = sent
        self._clock = clock
        self._in_flight: dict[int, _InFlight] = {}  # by sequence, in the order of sending
        self._sequence_of: dict[int, int] = {}  # by number of message
        self._last_sequence = 0
        self._last_link: Link | None = None  # of what was sent before
        self._progress_at = clock()

    @property
    def is_idle(self) -> bool:
        """Whether everything that was sent is acknowledged."""
        return not self._in_flight

    def fill(self) -> None:
        """Send the oldest events that are not on their way yet, as many as the window takes."""
        space = min(self._window - len(self._in_flight), self._rate_limit.left())
        if space <= 0:
            return
        if self.is_idle:
            self._progress_at = self._clock()
            self._last_sequence = 0  # should a disk that could not be read have come back
            self._last_link = self._outbox.taken
        events = self._outbox.pending(space + 1, after=self._last_sequence)  # one more shows which is the newest
        for event in events[:space]:
            self._send(event, newest=event is events[-1])
        self._rate_limit.take(len(events[:space]))

    def settle(self, acknowledgements: list[Acknowledgement]) -> int:
        """Forget the events of which every message is acknowledged, and tell how many they were.

        Raises:
            UnreachableError: the broker refused a read, or has acknowledged nothing for too long.
        """
        done: dict[int, _InFlight] = {}
        try:
            for acknowledgement in acknowledgements:
                done |= self._settle(acknowledgement)
        finally:
            if done:
                event_ids = {sequence: event.event_id for sequence, event in done.items()}
                self._outbox.forget(event_ids, done[max(done)].link)
                self._progress_at = self._clock()
        if self._in_flight and self._clock() - self._progress_at > PATIENCE_SECONDS:
            what = f"the broker has acknowledged no event for {PATIENCE_SECONDS:.0f} s"
            raise UnreachableError(LinkState.NOT_ACKNOWLEDGED, what)
        return len(done)

    def _settle(self, acknowledgement: Acknowledgement) -> dict[int, _InFlight]:
        """The event that this makes complete, by its sequence."""
        sequence = self._sequence_of.pop(acknowledgement.number, None)
        if sequence is None:
            if acknowledgement.refusal:
                told = acknowledgement.topic, acknowledgement.refusal, acknowledgement.state.advice
                log.warning("the broker refuses %s: %s; %s", *told)
            return {}
        event = self._in_flight[sequence]
        if acknowledgement.refusal:
            self._judge_refusal(acknowledgement, event)
        event.unacknowledged.pop(acknowledgement.number)
        if event.unacknowledged:
            return {}
        return {sequence: self._in_flight.pop(sequence)}

    def _judge_refusal(self, acknowledgement: Acknowledgement, event: _InFlight) -> None:
        """A picture that will never be taken must not hold up reads; a read is tried until it is taken."""
        what = event.unacknowledged[acknowledgement.number]
        refusal = f"the broker refuses {what} on {acknowledgement.topic}: {acknowledgement.refusal}"
        if not (what == _PICTURE and acknowledgement.is_lasting):
            raise UnreachableError(acknowledgement.state, refusal)
        log.warning("%s; it is given up: %s", refusal, acknowledgement.state.advice)

    def _send(self, event: WaitingEvent, newest: bool) -> None:
        age_seconds = self._clock() - event.created_monotonic_ns / 1e9
        historical = event.left_over or age_seconds > HISTORICAL_SECONDS
        image_topic = topics.image(self._root, event.camera, event.event_id)
        read = stamp(event, historical, image_topic)
        flight = _InFlight(event.event_id, {}, self._chain(read))
        if event.image_jpeg is not None:  # before the read, so that whoever gets the read has the picture
            flight.unacknowledged[self._connection.send(Message(image_topic, event.image_jpeg))] = _PICTURE
        topic = topics.read(self._root, event.camera)
        flight.unacknowledged[self._connection.send(Message(topic, as_json(read)))] = "a read"
        if alarming := alarming_entries(read):
            topic = topics.alert(self._root, event.camera)
            flight.unacknowledged[self._connection.send(Message(topic, as_alert(read, alarming)))] = "an alert"
        self._tell_last(event, read, is_current=newest or not historical)
        self._in_flight[event.sequence] = flight
        self._sequence_of.update(dict.fromkeys(flight.unacknowledged, event.sequence))
        self._last_sequence = event.sequence
        self._sent.up_to = max(self._sent.up_to, event.sequence)

    def _tell_last(self, event: WaitingEvent, read: dict[str, Any], is_current: bool) -> None:
        """Keep the retained message true: of the latest vehicle, and empty where that was withdrawn."""
        topic = topics.last(self._root, event.camera)
        if read.get("revision") == WITHDRAWN:
            if self._sent.last_told in (None, event.event_id):  # None: an earlier run may have told it
                self._connection.send(Message(topic, b"", retain=True))
        elif is_current:
            self._connection.send(Message(topic, flatten(read), retain=True))
            self._sent.last_told = event.event_id

    def _chain(self, read: dict[str, Any]) -> Link | None:
        """Tell in a signed read which one it comes after now; its own place in the chain."""
        if self._sealer is None or not read.get("evidence"):
            return None
        before = self._last_link
        if before is None or before.sequence < read["sequence"]:  # else it was overtaken, and nothing is known
            self._last_link = Link(read["sequence"], self._sealer.bridge(read, before.digest if before else None))
        return self._last_link


def stamp(event: WaitingEvent, historical: bool, image_topic: str) -> dict[str, Any]:
    """The event's message with what is known only when it is sent: the device may have got another name since."""
    message: dict[str, Any] = json.loads(event.payload)
    message["sequence"] = event.sequence
    message["historical"] = historical
    message["image"] = message["image"] | {"topic": image_topic} if event.image_jpeg is not None else None
    return message


def alarming_entries(read: dict[str, Any]) -> tuple[ListMatchMessage, ...]:
    """Those of deny and watch lists; none where the read that this confirms has raised the alarm.

    An event of an earlier version knows of no lists and no revisions.
    """
    if read.get("revision") == "confirmed":
        return ()
    matches = (ListMatchMessage(**match) for match in read.get("lists", []))
    return tuple(match for match in matches if match.kind in ALERTING)


def as_alert(read: dict[str, Any], alarming: tuple[ListMatchMessage, ...]) -> bytes:
    """What the read says of the vehicle, for whoever has to act."""
    plate = read["plate"]
    return encode(
        AlertMessage(
            schema=ALERT_SCHEMA,
            event_id=read["event_id"],
            sequence=read["sequence"],
            historical=read["historical"],
            device=read["device"],
            camera=read["camera"],
            text=plate["text"],
            hash_key=plate["hash_key"],
            country=plate["country"],
            valid=plate["valid"],
            confidence=plate["confidence"],
            lists=alarming,
            seen=read["seen"]["best"],
            direction=read["geometry"]["direction"],
        )
    )


def flatten(read: dict[str, Any]) -> bytes:
    """The read for dashboards: no level below the first."""
    plate, seen = read["plate"], read["seen"]
    return encode(
        LastMessage(
            schema=LAST_SCHEMA,
            event_id=read["event_id"],
            device=read["device"],
            camera=read["camera"],
            text=plate["text"],
            hash_key=plate.get("hash_key"),  # an event of an earlier version knows of none
            country=plate["country"],
            valid=plate["valid"],
            confidence=plate["confidence"],
            seen=seen["best"],
            direction=read["geometry"]["direction"],
        )
    )
