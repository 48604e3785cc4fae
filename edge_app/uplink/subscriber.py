"""Receives what arrives on some topics, over as many connections as it takes.

With a session (MQTT 5), the broker keeps what comes while the subscriber is away. A broker that was started anew may
have forgotten the session, so the pauses between attempts are short.
"""

import logging
import os
import threading
import time
from collections.abc import Callable, Iterator, Sequence

from edge_app.backoff import Backoff
from edge_app.config import MqttSettings
from edge_app.uplink import credentials
from edge_app.uplink.connection import Connection, Message, Terms, UnreachableError
from edge_app.uplink.dialler import Dialler
from edge_app.uplink.waker import Waker

log = logging.getLogger(__name__)

_TURN_SECONDS = 0.5
_LONGEST_PAUSE_SECONDS = 2.0
_NO_MEMORY = (
    "the broker sends at QoS 0 only: what is published while the line is broken is lost; let it grant QoS 1"
    " (mosquitto: `max_qos`)"
)


class Subscriber:
    """Subscribed from the moment it is made until the stop event is set.

    `report` is called when the broker is gone, for each new reason why it is not reached, and when it is back.

    Raises:
        UnreachableError: there is no broker.
        UplinkError: the broker refuses us or the topics.
        ConfigurationError: the settings' files cannot be used.
    """

    def __init__(
        self,
        settings: MqttSettings,
        topics: Sequence[str],
        stop: threading.Event,
        session_seconds: int = 0,
        report: Callable[[str], object] = log.warning,
    ) -> None:
        self._topics = topics
        self._stop = stop
        self._report = report
        self._waker = Waker()
        client_id = f"edge-anpr-listen-{os.urandom(4).hex()}"
        terms = Terms(session_seconds=session_seconds)
        self._dialler = Dialler(settings, credentials.load(settings), client_id, self._waker, stop, terms)
        self._is_subscribed = False
        """Whether the session at the broker, as far as we know, has our subscriptions."""
        self._connection = self._connect()

    @property
    def version_name(self) -> str:
        """The version of MQTT that is spoken."""
        return self._connection.version_name

    def messages(self) -> Iterator[Message]:
        """What arrives; a broker that goes away is waited for."""
        backoff = Backoff(most_seconds=_LONGEST_PAUSE_SECONDS)
        while not self._stop.is_set():
            try:
                for message in self._arriving():
                    backoff.reset()
                    yield message
            except UnreachableError as error:
                self._reconnect(error, backoff)

    def wake(self) -> None:
        """Make `messages` check its stop event."""
        self._waker.wake()

    def close(self) -> None:
        """Leave the broker."""
        self._connection.log_out()
        self._connection.close()

    def _arriving(self) -> Iterator[Message]:
        while not self._stop.is_set():
            self._connection.exchange(_TURN_SECONDS)
            while self._connection.received:
                yield self._connection.received.popleft()

    def _connect(self) -> Connection:
        connection = self._dialler.dial()
        # One that is resumed need not be subscribed: the line may have broken right after an earlier CONNECT.
        self._is_subscribed = self._is_subscribed and connection.has_resumed
        try:
            if not self._is_subscribed and not connection.subscribe(self._topics):
                self._report(_NO_MEMORY)
        except BaseException:  # Ctrl-C too; nobody else would end the session at the broker
            connection.log_out()
            connection.close()
            raise
        self._is_subscribed = True
        return connection

    def _reconnect(self, why: UnreachableError, backoff: Backoff) -> None:
        """Try until the broker is back or we are to stop."""
        lost_at, last_reason = time.monotonic(), ""
        self._connection.close()
        while not self._stop.is_set():
            if str(why) != last_reason:
                last_reason = str(why)
                self._report(last_reason)
            self._stop.wait(backoff.next_seconds())
            try:
                self._connection = self._connect()
            except UnreachableError as error:
                why = error
            else:
                self._report(f"the broker is back after {time.monotonic() - lost_at:.0f} s")
                return
