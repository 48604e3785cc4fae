"""Drains the outbox into the broker for as long as the daemon runs, however often the broker goes away."""

import logging
import math
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING

from edge_app.backoff import Backoff
from edge_app.config import MqttSettings
from edge_app.events import messages, topics
from edge_app.events.connection_state import ConnectionState
from edge_app.events.event import encode
from edge_app.outbox.outbox import Outbox
from edge_app.system_clock import as_rfc3339, clock_is_synchronized, read_boot_id, utc_now
from edge_app.uplink import credentials
from edge_app.uplink.connection import (
    BrokerRefusedError,
    Connection,
    Message,
    NoConnectionError,
    Terms,
    UnreachableError,
)
from edge_app.uplink.delivery import Delivery, History
from edge_app.uplink.dialler import Dialler
from edge_app.uplink.home_assistant import HomeAssistant
from edge_app.uplink.rate_limit import RateLimit
from edge_app.uplink.rehearsal import has_namesake
from edge_app.uplink.waker import Waker
from edge_app.version import __version__

if TYPE_CHECKING:
    from edge_app.events.evidence.seal import Sealer
    from edge_app.uplink.commander import Commander

log = logging.getLogger(__name__)

TELEMETRY_SECONDS = 30.0

FAREWELL_SECONDS = 1.0
"""Longest time for the last events and the last word when stopping; the rest stays in the outbox."""

SHORT_LIFE_SECONDS = 60.0
"""A connection that was closed sooner may have been taken over by another device of the same name."""

NAMESAKE_SECONDS = 300.0
"""Once no such device was found, none is looked for again for this time."""

_TURN_SECONDS = 0.5
"""Longest wait in one turn, and so the time within which the stop event is seen even without `wake`."""


class Publisher:
    """Connects, publishes what waits in the outbox, publishes the device's state, and connects again.

    Nine parameters, for the last three are parts that a device may go without.

    Raises:
        ConfigurationError: at the start, if the broker's settings or their files cannot be used.
    """

    board: messages.BoardMessage | None = None
    """How the board is: set and published as `vitals`."""
    vitals: messages.VitalsMessage | None = None
    """The daemon's state: set from its thread, published in the next telemetry."""
    has_news = False
    """Set from the daemon's thread: the next telemetry must not wait."""

    def __init__(
        self,
        settings: MqttSettings,
        device: str,
        outbox: Outbox,
        stop: threading.Event,
        clock: Callable[[], float] = time.monotonic,
        backoff: Backoff | None = None,
        home_assistant: HomeAssistant | None = None,
        sealer: "Sealer | None" = None,
        commander: "Commander | None" = None,
    ) -> None:
        self.state = ConnectionState.CONNECTING
        """Of the connection to the broker."""
        self._last_fault: ConnectionState | None = None
        self._settings = settings
        self._device = device
        self._outbox = outbox
        self._stop = stop
        self._clock = clock
        self._backoff = backoff or Backoff()
        self._namesake_backoff = Backoff(5.0, 300.0)
        self._ask_for_namesake_at = -math.inf
        self._telemetry_sent: deque[bytes] = deque(maxlen=3)
        """The newest, by which we know what the broker has of us."""
        self._connected_at = clock()
        self._home_assistant = home_assistant
        self._sealer = sealer
        self._commander = commander
        self._rate_limit = RateLimit(settings.drain_per_second, clock)
        self._history = History()
        self._recalled = 0
        self._sending = threading.Lock()
        """Held while it is settled what is sent and what is not any more."""
        self._root = topics.root(settings.topic_prefix, device)
        self._status = topics.status(self._root)
        self._waker = Waker()
        self._boot_id = read_boot_id()
        self._started_at = self._telemetry_at = clock()
        self._connections = 0
        will = Message(self._status, messages.OFFLINE.encode(), retain=True)
        terms = Terms(will, most_bytes=commander.most_bytes if commander else None)
        client_id = f"edge-anpr-{device}"
        self._dialler = Dialler(settings, credentials.load(settings), client_id, self._waker, stop, terms)

    def wake(self) -> None:
        """Wake the publisher: an event was put into the outbox, or the stop event was set."""
        self._waker.wake()

    def recall(self, event_id: str) -> bool:
        """Delete an event that still waits; whether it is certain that nothing of it was ever sent.

        For the thread that puts events into the outbox.
        """
        with self._sending:
            position = self._outbox.drop(event_id)
            if position is None:
                return False
            self._recalled += 1
            return position > self._history.up_to

    def run(self) -> None:
        """Body of the publisher thread: returns when the stop event is set.

        Raises:
            OutboxError: the outbox cannot be used, not for its disk's fault; whoever runs us should end the process.
        """
        while not self._stop.is_set():
            try:
                self._publish_until_lost()
            except NoConnectionError as error:
                if self._stop.is_set():
                    return
                # Even a refusal for good is waited out: reads go on into the outbox until somebody mends the broker.
                fault, seconds = self._judge(error)
                self.state = self._last_fault = fault.state
                log.warning("%s; events wait in the outbox, next try in %.0f s", fault, seconds)
                self._stop.wait(seconds)

    def _judge(self, error: NoConnectionError) -> tuple[NoConnectionError, float]:
        """What was in the way, and for how long to wait: if two push each other off, neither may hurry."""
        began = self._clock()
        is_brief = self.state is ConnectionState.CONNECTED and began - self._connected_at < SHORT_LIFE_SECONDS
        if error.state is ConnectionState.LOST and is_brief and self._has_namesake():
            what = f"another device has logged in as edge-anpr-{self._device} and pushed us off"
            error = UnreachableError(ConnectionState.TAKEN_OVER, what)
        if error.state is ConnectionState.TAKEN_OVER:
            return error, self._namesake_backoff.next_seconds()
        self._namesake_backoff.reset()
        return error, max(0.0, self._backoff.next_seconds() - (self._clock() - began))

    def _has_namesake(self) -> bool:
        if self._clock() < self._ask_for_namesake_at:
            return False
        found = has_namesake(self._settings, self._device, self._telemetry_sent, self._stop)
        if not found:
            self._ask_for_namesake_at = self._clock() + NAMESAKE_SECONDS
        return found

    def _publish_until_lost(self) -> None:
        connection = self._dialler.dial()
        try:
            self._connections += 1
            self._connected_at = self._clock()
            self.state = ConnectionState.CONNECTED
            log.info(
                "connected to %s:%d with MQTT %s", self._settings.host, self._settings.port, connection.version_name
            )
            window, limit, history = self._settings.in_flight, self._rate_limit, self._history
            delivery = Delivery(connection, self._outbox, self._root, window, limit, history, self._clock, self._sealer)
            try:
                self._serve(connection, delivery)
            except NoConnectionError:
                delivery.note_lost_connection()
                if repeats := self._outbox.send_again():  # now, however long the broker stays away
                    log.info("%d events that the broker had just acknowledged will be sent again", repeats)
                raise
        finally:
            connection.close()

    def _serve(self, connection: Connection, delivery: Delivery) -> None:
        connection.send(Message(self._status, messages.ONLINE.encode(), retain=True))
        self._greet_home_assistant(connection)
        self._listen_for_commands(connection)
        connection.repeat(all_of_them=False)  # the broker may have lost its memory with the connection
        self._telemetry_at = self._clock()
        while not self._stop.is_set():
            if self.has_news or self._clock() >= self._telemetry_at:
                self.has_news = False
                self._telemetry_at = self._clock() + TELEMETRY_SECONDS
                is_new = self._clock() - self._connected_at < TELEMETRY_SECONDS
                if not (connection.retains or is_new):  # then nobody else repeats it to those who come later
                    connection.repeat()
                self._telemetry_sent.append(encode(self.telemetry()))
                connection.send(Message(topics.telemetry(self._root), self._telemetry_sent[-1], qos=0, retain=True))
            self._send_more(delivery)
            acknowledgements = connection.exchange(_TURN_SECONDS)
            self._answer(connection)
            if connection.has_heard:
                connection.has_heard = False
                self._outbox.broker_lives()
            done = delivery.settle(acknowledgements)
            if done or (acknowledgements and delivery.is_idle):
                self._backoff.reset()  # only now is it sure that the broker takes what we send
            self._outbox.tend()
        self._say_farewell(connection, delivery)

    def _send_more(self, delivery: Delivery) -> None:
        with self._sending:
            delivery.fill()

    def _greet_home_assistant(self, connection: Connection) -> None:
        if self._home_assistant is None:
            return
        connection.send(self._home_assistant.announcement)
        try:
            connection.subscribe([self._home_assistant.status_topic])
        except BrokerRefusedError as error:  # the announcement is retained: it is enough nearly always
            log.warning("%s; Home Assistant gets no entities again when it restarts", error)

    def _listen_for_commands(self, connection: Connection) -> None:
        if self._commander is None or self._commander.topic_filter is None:
            return
        try:
            connection.subscribe([self._commander.topic_filter], retain_as_published=True)
        except BrokerRefusedError as error:
            log.warning("%s; no command will be heard", error)

    def _answer(self, connection: Connection) -> None:
        while connection.received:
            message = connection.received.popleft()
            if self._home_assistant is not None and self._home_assistant.asks(message):
                connection.repeat()  # with the announcement, what its entities show: the broker may have lost both
                self._telemetry_at = self._clock()
            elif self._commander is not None:
                self._commander.take(message)
        while self._commander is not None and self._commander.answers:
            connection.send(self._commander.answers.popleft())

    def _say_farewell(self, connection: Connection, delivery: Delivery) -> None:
        """Send what can be sent in a short time; a last word that is not acknowledged leaves it to the last will."""
        deadline = self._clock() + FAREWELL_SECONDS
        self._send_more(delivery)
        while not delivery.is_idle and self._clock() < deadline:
            delivery.settle(connection.exchange(0.05))
            self._send_more(delivery)
        last_word = connection.send(Message(self._status, messages.OFFLINE.encode(), retain=True))
        while self._clock() < deadline + 0.2:
            acknowledgements = connection.exchange(0.05)
            delivery.settle(acknowledgements)
            if any(acknowledgement.number == last_word for acknowledgement in acknowledgements):
                connection.log_out()
                log.info("logged out of the broker")
                return

    def telemetry(self) -> messages.TelemetryMessage:
        """How the device is; called from other threads, too."""
        state = self._outbox.state()
        synchronized = clock_is_synchronized()  # before the reading that it vouches for: it may be set in between
        return messages.TelemetryMessage(
            schema=messages.TELEMETRY_SCHEMA,
            device=self._device,
            boot_id=self._boot_id,
            at=as_rfc3339(utc_now()),
            software_version=__version__,
            uptime_seconds=round(self._clock() - self._started_at, 1),
            clock_synchronized=synchronized,
            connections=self._connections,
            events_waiting=state.events,
            bytes_waiting=state.bytes,
            events_in_memory=state.in_memory,
            disk=state.disk,
            images_sacrificed=state.losses.images_sacrificed,
            reads_sacrificed=state.losses.reads_sacrificed,
            images_damaged=state.losses.images_damaged,
            reads_damaged=state.losses.reads_damaged,
            images_refused=state.losses.images_refused,
            reads_refused=len(self._history.passed_over),
            reads_expired=state.expired,
            reads_withheld=state.withheld + self._recalled,
            last_fault=self._last_fault,
            vitals=self.vitals,
            board=self.board,
        )
