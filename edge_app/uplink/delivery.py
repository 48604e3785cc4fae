"""The events on their way over one connection: sent in order, done when the broker has acknowledged them."""

import logging
import math
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from edge_app.events import topics
from edge_app.events.chain import ChainLink
from edge_app.events.connection_state import ConnectionState
from edge_app.events.event import WaitingEvent, encode
from edge_app.events.messages import (
    ALERT_SCHEMA,
    COMPLETED,
    LAST_SCHEMA,
    WITHDRAWN,
    AlertMessage,
    LastMessage,
    ListMatchMessage,
    ReadMessage,
)
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
"""Duration without a completed event after which a broker counts as dead."""

MOST_HANG_UPS = 3
"""A message at which the broker has hung up this often, while nothing else was on its way, is not sent again soon."""

PASS_OVER_SECONDS = 600.0
"""A read that the broker does not take is tried again after this time; those behind it are sent meanwhile."""

_LARGER = "let the broker take larger messages, as by `message_size_limit` or `max_packet_size` of mosquitto"

_PICTURE, _READ, _ALERT = "a picture", "a read", "an alert"


@dataclass(slots=True)
class _InFlight:
    """One event that is not yet acknowledged."""

    event_id: str
    link: ChainLink | None
    """Its place in the chain, if it is signed."""
    unsent: deque[tuple[str, Message]]
    """Its messages in order, each with what it is: `_PICTURE`, `_READ` or `_ALERT`."""
    last: Message | None
    """The retained message, sent behind them."""
    unacknowledged: dict[int, tuple[str, Message]] = field(default_factory=dict)
    """Those that were sent, by their packet numbers."""


@dataclass(slots=True)
class History:
    """What is remembered from one connection to the next."""

    up_to: int = 0
    """The highest position that was sent."""
    last_published: str | None = None
    """Of which event the retained `last` is; None if that is not known."""
    suspect: int | None = None
    """The position of the event at which the connection was lost: it is sent alone, message by message."""
    hang_ups: Counter[tuple[str, str]] = field(default_factory=Counter)
    """By topic and event, the number of connections lost at a message that was on its way alone."""
    passed_over: dict[int, float] = field(default_factory=dict)
    """By position, until when a read is passed over."""
    open_topics: set[str] = field(default_factory=set)
    """Topics of which the broker took the last message that it answered."""


class Delivery:
    """Moves events from the outbox to a connection, at most `window` at a time; `clock` is `time.monotonic`'s.

    With `sealer`, a signed event names the one it comes after if those between were given up. No message blocks those
    behind it: an event at which a connection was lost is sent alone on the next one. If several connections are lost at
    the same message, its picture is given up, or its read passed over for a while.
    """

    def __init__(
        self,
        connection: Connection,
        outbox: Outbox,
        root: str,
        window: int,
        rate_limit: RateLimit,
        history: History,
        clock: Callable[[], float],
        sealer: "Sealer | None" = None,
    ) -> None:
        self._connection = connection
        self._outbox = outbox
        self._sealer = sealer
        self._root = root
        self._window = window
        self._rate_limit = rate_limit
        self._history = history
        self._clock = clock
        self._in_flight: dict[int, _InFlight] = {}  # by position, in the order of sending
        self._position_of: dict[int, int] = {}  # by number of message
        self._last_position = 0
        self._last_link = outbox.delivered  # of what was sent before
        self._progress_at = clock()
        self._has_taken = False
        """Whether this broker has taken anything."""
        self._refused: int | None = None
        """The position of a read for whose refusal the connection is given up."""

    @property
    def is_idle(self) -> bool:
        """Whether everything that was sent is acknowledged."""
        return not self._in_flight

    def fill(self) -> None:
        """Send the oldest events that are not on their way yet, as many as the window takes."""
        space = min(self._window - len(self._in_flight), self._rate_limit.left())
        if space <= 0 or self._history.suspect in self._in_flight:
            return
        if self.is_idle:
            self._progress_at = self._clock()
            self._last_position = 0  # should a disk that could not be read have come back, or a read be tried again
        events = self._next(space + 1)  # one more shows which is the newest
        sendable = self._up_to_suspect(events[:space])
        for event in sendable:
            self._send(event, newest=event is events[-1])
        self._rate_limit.take(len(sendable))

    def settle(self, acknowledgements: list[Acknowledgement]) -> int:
        """Take note of what is acknowledged, and return how many events are complete now.

        Raises:
            UnreachableError: the broker refused a read, or has acknowledged nothing for too long.
        """
        done: dict[int, _InFlight] = {}
        try:
            for acknowledgement in acknowledgements:
                done |= self._settle(acknowledgement)
        finally:
            if done:
                self._outbox.done([(position, event.event_id, event.link) for position, event in done.items()])
                self._progress_at = self._clock()
        if self._in_flight and self._clock() - self._progress_at > PATIENCE_SECONDS:
            what = f"the broker has acknowledged no event for {PATIENCE_SECONDS:.0f} s"
            raise UnreachableError(ConnectionState.NOT_ACKNOWLEDGED, what)
        return len(done)

    def note_lost_connection(self) -> None:
        """The connection is lost: blame the oldest event on its way, or a refused one; alone, its message counts."""
        history = self._history
        position = self._refused if self._refused is not None else next(iter(self._in_flight), None)
        if position is None:
            return
        was_alone, history.suspect = history.suspect == position, position
        event = self._in_flight[position]
        if not (was_alone and self._has_taken and event.unacknowledged):  # a broker that takes nothing is no proof
            return
        what, message = next(iter(event.unacknowledged.values()))
        history.hang_ups[message.topic, event.event_id] += 1
        if history.hang_ups[message.topic, event.event_id] >= MOST_HANG_UPS:
            del history.hang_ups[message.topic, event.event_id]
            at = f"{what} of {len(message.payload)} bytes on {message.topic}"
            self._give_up(position, what, f"{MOST_HANG_UPS} connections were lost at {at}", _LARGER)

    def _up_to_suspect(self, events: list[WaitingEvent]) -> list[WaitingEvent]:
        """What may be sent now: a suspected event goes alone."""
        suspect = self._history.suspect
        if suspect is None:
            return events
        if not events or events[0].position > suspect:
            self._history.suspect = None  # it has been deleted, or passed over
            return events
        if events[0].position == suspect:
            return events[:1] if self.is_idle else []
        return [each for each in events if each.position < suspect]

    def _next(self, count: int) -> list[WaitingEvent]:
        """The next events to send, less those that are passed over for the time being."""
        now, after, found = self._clock(), self._last_position, list[WaitingEvent]()
        if not after:
            self._forget_deleted()
        while len(found) < count and (events := self._outbox.pending(count - len(found), after)):
            after = events[-1].position
            found += [each for each in events if self._history.passed_over.get(each.position, -math.inf) <= now]
        return found

    def _forget_deleted(self) -> None:
        """Passed-over reads may be deleted, for their age or to make room."""
        oldest = next((each.position for each in self._outbox.pending(1)), math.inf)
        for position in [each for each in self._history.passed_over if each < oldest]:
            del self._history.passed_over[position]

    def _settle(self, acknowledgement: Acknowledgement) -> dict[int, _InFlight]:
        """The event that this makes complete, by its position."""
        self._has_taken = self._has_taken or acknowledgement.refusal is None
        position = self._position_of.pop(acknowledgement.number, None)
        event = None if position is None else self._in_flight.get(position)
        if position is None or event is None:
            if acknowledgement.refusal:
                named = acknowledgement.topic, acknowledgement.refusal, acknowledgement.state.advice
                log.warning("the broker refuses %s: %s; %s", *named)
            return {}
        what, message = event.unacknowledged[acknowledgement.number]
        if not acknowledgement.refusal:
            if what != _PICTURE:  # each of these has a topic of its own
                self._history.open_topics.add(message.topic)
        elif not self._is_given_up(acknowledgement, position, what, message):
            self._refused = position
            refusal = f"the broker refuses {what} on {acknowledgement.topic}: {acknowledgement.refusal}"
            raise UnreachableError(acknowledgement.state, refusal)
        del event.unacknowledged[acknowledgement.number]
        self._history.hang_ups.pop((message.topic, event.event_id), None)
        self._send_some(position, event)
        if event.unacknowledged:
            return {}
        if self._history.suspect == position:
            self._history.suspect = None
        del self._in_flight[position]
        return {} if position in self._history.passed_over else {position: event}

    def _is_given_up(self, acknowledgement: Acknowledgement, position: int, what: str, message: Message) -> bool:
        """Whether to go on without a refused message, for it is refused for itself."""
        if acknowledgement.state is ConnectionState.NO_ACKNOWLEDGEMENTS:  # by QoS 1: no fault of this message
            return False
        is_open = message.topic in self._history.open_topics  # one that takes the others; an access list would not
        self._history.open_topics.discard(message.topic)
        is_lasting = acknowledgement.is_lasting and (what == _PICTURE or is_open)
        if not (acknowledgement.is_too_large or is_lasting):
            return False
        refusal = (
            f"the broker refuses {what} of {len(message.payload)} bytes on {message.topic}: {acknowledgement.refusal}"
        )
        advice = _LARGER if acknowledgement.is_too_large else acknowledgement.state.advice
        self._give_up(position, what, refusal, advice)
        return True

    def _give_up(self, position: int, what: str, why: str, advice: str) -> None:
        """Let a message that the broker does not take block no other."""
        if what == _PICTURE:
            self._outbox.drop_picture(position)
            log.warning("%s; it is given up: %s", why, advice)
        else:
            self._history.passed_over[position] = self._clock() + PASS_OVER_SECONDS
            self._history.suspect = None
            log.error("%s; it is kept and tried again in %.0f minutes: %s", why, PASS_OVER_SECONDS / 60, advice)

    def _send(self, event: WaitingEvent, newest: bool) -> None:
        age_seconds = self._clock() - event.origin.monotonic_ns / 1e9
        historical = event.left_over or age_seconds > HISTORICAL_SECONDS
        camera = event.read.camera
        image_topic = topics.image(self._root, camera, event.event_id)
        read, link = self._chained(stamp(event, historical, image_topic))
        unsent = deque([(_READ, Message(topics.read(self._root, camera), encode(read)))])
        if event.image_jpeg is not None:  # before the read, so that whoever gets the read has the picture
            unsent.appendleft((_PICTURE, Message(image_topic, event.image_jpeg)))
        if alarming := alarming_entries(read):
            unsent.append((_ALERT, Message(topics.alert(self._root, camera), encode(as_alert(read, alarming)))))
        flight = _InFlight(event.event_id, link, unsent, self._last(read, is_current=newest or not historical))
        self._history.passed_over.pop(event.position, None)
        self._in_flight[event.position] = flight
        self._last_position = event.position
        self._history.up_to = max(self._history.up_to, event.position)
        self._send_some(event.position, flight)

    def _send_some(self, position: int, event: _InFlight) -> None:
        """Send an event's messages: all of them or, of one that is suspected, one after the other."""
        while event.unsent and not (event.unacknowledged and self._history.suspect == position):
            what, message = event.unsent.popleft()
            number = self._connection.send(message)
            event.unacknowledged[number] = what, message
            self._position_of[number] = position
            if not event.unsent and event.last is not None:
                self._connection.send(event.last)

    def _last(self, read: ReadMessage, is_current: bool) -> Message | None:
        """What keeps the retained message true: of the latest vehicle, and empty if that was withdrawn."""
        topic = topics.last(self._root, read.camera)
        if read.revision == WITHDRAWN:
            if self._history.last_published in (None, read.event_id):  # None: an earlier run may have sent it
                return Message(topic, b"", retain=True)
        elif is_current:
            self._history.last_published = read.event_id
            return Message(topic, encode(flatten(read)), retain=True)
        return None

    def _chained(self, read: ReadMessage) -> tuple[ReadMessage, ChainLink | None]:
        """A signed read that names the one it comes after now, and its own place in the chain."""
        if self._sealer is None or read.evidence is None:
            return read, None
        before = self._last_link
        if before is None or before.sequence < read.sequence:  # else it was overtaken, and nothing is known
            read, self._last_link = self._sealer.bridge(read, before.digest if before else None)
        return read, self._last_link


def stamp(event: WaitingEvent, historical: bool, image_topic: str) -> ReadMessage:
    """The event's message with what is known only when it is sent: the device may have got another name since."""
    read = event.read
    image = replace(read.image, topic=image_topic) if read.image and event.image_jpeg is not None else None
    return replace(read, historical=historical, image=image)


def alarming_entries(read: ReadMessage) -> tuple[ListMatchMessage, ...]:
    """Those of deny and watch lists; none if the same read has raised the alarm before."""
    if read.revision in ("confirmed", COMPLETED):
        return ()
    return tuple(match for match in read.lists if match.kind in ALERTING)


def as_alert(read: ReadMessage, alarming: tuple[ListMatchMessage, ...]) -> AlertMessage:
    """A summary of the read, for whoever has to act."""
    plate = read.plate
    return AlertMessage(
        schema=ALERT_SCHEMA,
        event_id=read.event_id,
        sequence=read.sequence,
        historical=read.historical,
        device=read.device,
        camera=read.camera,
        text=plate.text,
        hash_key=plate.hash_key,
        country=plate.country,
        valid=plate.valid,
        confidence=plate.confidence,
        lists=alarming,
        seen_at=read.seen.best,
        direction=read.geometry.direction,
    )


def flatten(read: ReadMessage) -> LastMessage:
    """The read for dashboards: no level below the first."""
    plate = read.plate
    return LastMessage(
        schema=LAST_SCHEMA,
        event_id=read.event_id,
        device=read.device,
        camera=read.camera,
        text=plate.text,
        hash_key=plate.hash_key,
        country=plate.country,
        valid=plate.valid,
        confidence=plate.confidence,
        seen_at=read.seen.best,
        direction=read.geometry.direction,
    )
