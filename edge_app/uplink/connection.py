"""One connection to an MQTT broker, driven by the one thread that owns it; the only file that knows paho."""

import select
import socket
import threading
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NoReturn

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode
from paho.mqtt.subscribeoptions import SubscribeOptions

from edge_app.config import MqttSettings
from edge_app.errors import EdgeAnprError, UplinkError
from edge_app.events.connection_state import ConnectionState
from edge_app.uplink import tls_failures
from edge_app.uplink.credentials import Credentials
from edge_app.uplink.waker import Waker

MQTT_5, MQTT_3_1_1 = MQTTProtocolVersion.MQTTv5, MQTTProtocolVersion.MQTTv311
Version = MQTTProtocolVersion

CONNECT_SECONDS = 5.0
"""Longest wait for the TCP connection, for the TLS handshake, and for each of the broker's first answers."""

_ALERT_SECONDS = 1.0
"""Longest wait for the broker's reason to refuse our certificate."""

_MOST_UNACKNOWLEDGED = 100
"""Most messages on their way if the broker allows more, or names no limit."""


_VERSION_REFUSED = "Unsupported protocol version"
_RETAIN_REFUSED = "Retain not supported"
_QOS_REFUSED = "QoS not supported"
_TOO_LARGE = "Packet too large"

_TAKEN_OVER = "Session taken over"
_LOGIN_REFUSED = {"Bad user name or password", "Not authorized", "Bad authentication method"}
_LASTING = {
    "Bad user name or password",
    "Not authorized",
    "Client identifier not valid",
    "Banned",
    "Bad authentication method",
    "Topic name invalid",
    "Topic filter invalid",
    _TOO_LARGE,
    "Payload format invalid",
    _RETAIN_REFUSED,
    _QOS_REFUSED,
}
"""Reasons that the same attempt will meet again."""

_STATES = {
    "Not authorized": ConnectionState.ACCESS_REFUSED,
    _TOO_LARGE: ConnectionState.TOO_LARGE,
    _QOS_REFUSED: ConnectionState.NO_ACKNOWLEDGEMENTS,
}
"""The state of the connection that a refused message shows, if it is more than that."""


class NoConnectionError(EdgeAnprError):
    """There is no connection, for a reason that `state` names."""

    def __init__(self, state: ConnectionState, what: str) -> None:
        super().__init__(f"{what} ({state}); {state.advice}")
        self.state = state


class UnreachableError(NoConnectionError):
    """There is no connection, or it broke: trying again later may help."""


class NoAnswerError(UnreachableError):
    """The broker did not take up our version of MQTT; it may know another."""

    has_hung_up = False
    """It closed the connection: in MQTT 3.1.1 it has no other way to refuse what we log in with."""


class BrokerRefusedError(NoConnectionError, UplinkError):
    """The broker does not want us."""


class NoRetainError(BrokerRefusedError):
    """The broker keeps no retained messages: without one as our last will, it may let us in."""


@dataclass(frozen=True, slots=True)
class Message:
    """What is published or was received."""

    topic: str
    payload: bytes
    qos: int = 1
    retain: bool = False
    response_topic: str | None = None
    """Where the answer is wanted (MQTT 5 only)."""
    correlation_data: bytes | None = None
    """What goes back with the answer (MQTT 5 only)."""


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """The broker's PUBACK of a message."""

    number: int
    """What `send` gave."""
    topic: str
    """The message's."""
    refusal: str | None = None
    """Why the broker did not take it (MQTT 5 only): its reason's name and, after a colon, numbers."""

    @property
    def is_lasting(self) -> bool:
        """Whether sending it again would meet the same refusal."""
        return self._reason in _LASTING

    @property
    def is_too_large(self) -> bool:
        """Whether the broker did not take it for its size."""
        return self._reason == _TOO_LARGE

    @property
    def state(self) -> ConnectionState:
        """The state of the connection that a refusal shows."""
        return _STATES.get(self._reason, ConnectionState.REFUSED)

    @property
    def _reason(self) -> str:
        return (self.refusal or "").partition(":")[0]


@dataclass(frozen=True, slots=True)
class Terms:
    """What is agreed with the broker when we log in."""

    will: Message | None = None
    """The message that the broker publishes for us when the line is cut."""
    session_seconds: int = 0
    """For how long it keeps what comes for us while we are away (MQTT 5 only); 0: somebody else is the memory."""
    most_bytes: int | None = None
    """The largest packet that it may hand on to us (MQTT 5 only). One that does not keep to it can send the 256 MB that
    MQTT can carry: paho has no limit of its own."""


class Connection:
    """Logged in, from the moment it is made until it breaks.

    Twenty-six methods: a third are its own, the others paho's callbacks and the steps of logging in, which share its
    state. Nine parameters: who talks to whom and how, what wakes and stops it, and what the last connection has left.

    Raises:
        UnreachableError: from every method, when the connection is or gets lost.
        BrokerRefusedError: at the start and from `subscribe`, when the broker refuses us for good.
    """

    def __init__(
        self,
        settings: MqttSettings,
        credentials: Credentials,
        client_id: str,
        version: Version,
        waker: Waker,
        stop: threading.Event,
        terms: Terms = Terms(),
        retains: bool = True,
        retained: dict[str, Message] | None = None,
    ) -> None:
        """`retains`: whether the broker is believed to keep retained messages; `retained`: those sent so far."""
        self.version = version
        self.retains = retains
        """Whether retained messages are sent as such; MQTT 5 reports it when we log in."""
        self.is_acknowledged = False
        """Whether the broker has acknowledged anything."""
        self.most_bytes: int | None = None
        """The largest packet that the broker takes, if it names one (MQTT 5 only)."""
        self.has_resumed = False
        """Whether the broker has kept the session, with its subscriptions."""
        self.has_heard = False
        """Whether anything has come from the broker; whoever reads it sets it back."""
        self.received: deque[Message] = deque()
        """What came for our subscriptions."""
        self._waker = waker
        self._stop = stop
        self._address = (settings.host, settings.port)
        self._tls = credentials.tls
        self._where = f"{settings.host}:{settings.port}"
        self._unsent: deque[tuple[int, Message]] = deque()
        self._on_its_way: dict[int, Acknowledgement] = {}  # by paho's message id, what is waited for
        self._last_number = 0
        self._acknowledged: list[Acknowledgement] = []
        self._granted: list[ReasonCode] | None = None
        self._answer: ReasonCode | None = None
        self._loss = "the connection broke"
        self._loss_state = ConnectionState.LOST
        self._receive_maximum = _MOST_UNACKNOWLEDGED
        self._most_qos = 2
        self._retained = {} if retained is None else retained
        self._repeated: set[str] = set()  # topics of retained messages sent since we logged in
        self._client = self._make_client(client_id, credentials, terms.will)
        self._connect(settings, terms)

    @property
    def version_name(self) -> str:
        """The version of MQTT that is spoken."""
        return "5" if self.version == MQTT_5 else "3.1.1"

    def send(self, message: Message) -> int:
        """Publish a message, in the order of the calls; its number comes back in an `Acknowledgement` at QoS 1."""
        self._last_number += 1
        if message.retain and message.qos:
            self._retained[message.topic] = message
            self._repeated.add(message.topic)
        size = len(message.payload) + len(message.topic) + 64  # header and properties
        if message.qos > self._most_qos:
            self._acknowledged.append(Acknowledgement(self._last_number, message.topic, _QOS_REFUSED))
        elif self.most_bytes is not None and size > self.most_bytes:
            refusal = f"{_TOO_LARGE}: {size} bytes, the broker takes {self.most_bytes}"
            self._acknowledged.append(Acknowledgement(self._last_number, message.topic, refusal))
        else:
            self._unsent.append((self._last_number, replace(message, retain=message.retain and self.retains)))
        return self._last_number

    def repeat(self, *, all_of_them: bool = True) -> None:
        """Send the retained messages of QoS 1 again, for the broker may have lost them.

        Without `all_of_them`, only those that were last sent over an earlier connection.
        """
        for topic, message in list(self._retained.items()):
            if all_of_them or topic not in self._repeated:
                self.send(message)

    def subscribe(self, topics: Sequence[str], retain_as_published: bool = False) -> bool:
        """Ask for topics, and wait until they are granted; whether all are at QoS 1.

        With `retain_as_published`, `retain` shows whether messages that come at once were retained, too (MQTT 5 only).
        """
        self._granted = None
        if self.version == MQTT_5:
            options = SubscribeOptions(1, retainAsPublished=retain_as_published)
            self._client.subscribe([(topic, options) for topic in topics])
        else:
            self._client.subscribe([(topic, 1) for topic in topics])
        deadline = time.monotonic() + CONNECT_SECONDS
        while self._granted is None:
            if time.monotonic() > deadline:
                raise self._unreachable(ConnectionState.NO_ANSWER, "does not answer SUBSCRIBE")
            self._await()
        for topic, code in zip(topics, self._granted, strict=False):
            if code.is_failure:
                what = f"the broker at {self._where} refuses to let us read {topic}: {code}"
                raise BrokerRefusedError(ConnectionState.ACCESS_REFUSED, what)
        return all(code.value for code in self._granted)

    def exchange(self, seconds: float) -> list[Acknowledgement]:
        """Send and receive; return when something happened, `Waker.wake` was called, or `seconds` are over."""
        while self._unsent and len(self._on_its_way) < self._receive_maximum:
            number, message = self._unsent.popleft()
            try:
                properties = self._properties(message)
                sent = self._client.publish(message.topic, message.payload, message.qos, message.retain, properties)
            except ValueError:  # of a topic that no broker would take
                self._acknowledged.append(Acknowledgement(number, message.topic, "Topic name invalid"))
                continue
            if message.qos > 0:
                self._on_its_way[sent.mid] = Acknowledgement(number, message.topic)
        if not self._acknowledged:
            self._turn(seconds)
        acknowledged, self._acknowledged = self._acknowledged, []
        return acknowledged

    def _properties(self, message: Message) -> Properties | None:
        if self.version == MQTT_3_1_1 or (message.response_topic is None and message.correlation_data is None):
            return None
        properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
        if message.response_topic is not None:
            properties.ResponseTopic = message.response_topic
        if message.correlation_data is not None:
            properties.CorrelationData = message.correlation_data
        return properties

    def log_out(self) -> None:
        """Send DISCONNECT, so that the broker drops our last will and keeps no session."""
        self._client.disconnect(properties=self._farewell)
        if self._client.socket() is not None:
            self._client.loop_write()

    def close(self) -> None:
        """Close the socket; without `log_out` before, the broker publishes our last will."""
        socket = self._client.socket()
        if socket is not None:
            socket.close()

    def _make_client(self, client_id: str, credentials: Credentials, will: Message | None) -> mqtt.Client:
        client = mqtt.Client(
            CallbackAPIVersion.VERSION2,
            client_id=client_id,
            protocol=self.version,
            clean_session=None if self.version == MQTT_5 else True,
            reconnect_on_failure=False,
        )
        client.connect_timeout = CONNECT_SECONDS
        client.max_inflight_messages_set(0)  # `exchange` keeps to the broker's own limit
        client.username_pw_set(credentials.username, credentials.password)
        if credentials.tls is not None:
            client.tls_set_context(credentials.tls)
        if will is not None:
            client.will_set(will.topic, will.payload, will.qos, will.retain and self.retains)
        client.on_connect = self._on_connect
        client.on_disconnect = self._on_disconnect
        client.on_publish = self._on_publish
        client.on_subscribe = self._on_subscribe
        client.on_message = self._on_message
        client.on_log = self._on_log
        return client

    def _log_in(self, settings: MqttSettings, terms: Terms) -> None:
        where = settings.host, settings.port, settings.keepalive_seconds
        if self.version == MQTT_3_1_1 or terms == Terms(terms.will):
            self._client.connect(*where)
            return
        properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
        properties.SessionExpiryInterval = terms.session_seconds
        if terms.most_bytes:
            properties.MaximumPacketSize = terms.most_bytes
        # A session is no clean start at the first connection either: mosquitto 2.0 would not save it.
        self._client.connect(*where, clean_start=not terms.session_seconds, properties=properties)

    @property
    def _farewell(self) -> Properties | None:
        if self.version == MQTT_3_1_1:
            return None
        properties = Properties(PacketTypes.DISCONNECT)  # type: ignore[no-untyped-call]
        properties.SessionExpiryInterval = 0
        return properties

    def _connect(self, settings: MqttSettings, terms: Terms) -> None:
        try:
            self._log_in(settings, terms)
        except (OSError, UnicodeError) as error:  # UnicodeError: a host name that cannot be one
            unknown = isinstance(error, socket.gaierror | UnicodeError)
            state = ConnectionState.UNKNOWN_HOST if unknown else self._state_of(error)
            why = "nothing listens at this port" if isinstance(error, ConnectionRefusedError) else error
            raise self._unreachable(state, f"cannot be reached: {why}") from error
        try:
            self._await_connack()
        except EdgeAnprError:
            self.close()
            raise
        except KeyboardInterrupt:  # the broker may have made a session for us already
            self.log_out()
            self.close()
            raise

    def _state_of(self, error: OSError | UnicodeError) -> ConnectionState:
        """What keeps us from logging in; a plain port closes the line, or does not answer, when we begin with TLS."""
        if self._tls is not None and tls_failures.is_plain(error):
            return ConnectionState.NO_TLS
        return tls_failures.of_tls(str(error)) or ConnectionState.UNREACHABLE

    def _await_connack(self) -> None:
        deadline = time.monotonic() + CONNECT_SECONDS
        while self._answer is None:
            if self._client.socket() is None:
                self._raise_hung_up()
            if time.monotonic() > deadline:
                what = f"the broker at {self._where} does not answer CONNECT"
                raise NoAnswerError(ConnectionState.NO_ANSWER, what)
            self._await()
        if not self._answer.is_failure:
            return
        reason = str(self._answer)
        what = f"the broker at {self._where} refuses us: {reason}"
        if reason == _RETAIN_REFUSED:
            raise NoRetainError(ConnectionState.REFUSED, what)
        if reason == _QOS_REFUSED:
            raise BrokerRefusedError(ConnectionState.NO_ACKNOWLEDGEMENTS, what)
        if reason == _VERSION_REFUSED:
            raise NoAnswerError(ConnectionState.VERSION_REFUSED, what)
        state = ConnectionState.LOGIN_REFUSED if reason in _LOGIN_REFUSED else ConnectionState.REFUSED
        raise BrokerRefusedError(state, what) if reason in _LASTING else UnreachableError(state, what)

    def _raise_hung_up(self) -> NoReturn:
        """Raise the reason for the missing CONNACK; if a certificate is refused, TLS 1.3 reports it only now."""
        refusal = self._tls_refusal() if self._tls is not None else None
        for words in (refusal or "", self._loss):
            if state := tls_failures.of_tls(words):
                raise UnreachableError(state, f"the broker at {self._where} hangs up: {words}")
        error = NoAnswerError(ConnectionState.NO_ANSWER, f"the broker at {self._where} hangs up: {self._loss}")
        error.has_hung_up = True
        raise error

    def _tls_refusal(self) -> str | None:
        """Shake hands once more and send nothing: our CONNECT can cross the broker's alert, which then is lost."""
        assert self._tls is not None
        try:
            with (
                socket.create_connection(self._address, CONNECT_SECONDS) as plain,
                self._tls.wrap_socket(plain, server_hostname=self._address[0]) as line,
            ):
                line.settimeout(_ALERT_SECONDS)
                line.recv(1)
        except OSError as error:
            return str(error)
        return None

    def _unreachable(self, state: ConnectionState, what: str) -> UnreachableError:
        return UnreachableError(state, f"the broker at {self._where} {what}")

    def _await(self) -> None:
        """One turn of waiting for an answer, unless we are to stop."""
        if self._stop.is_set():
            raise UnreachableError(ConnectionState.CONNECTING, f"stopped before the broker at {self._where} answered")
        self._turn(0.1)

    def _turn(self, seconds: float) -> None:
        """Wait for the network or the waker, then let paho read and write."""
        socket = self._client.socket()
        if socket is None or socket.fileno() < 0:
            raise self._unreachable(self._loss_state, f"is gone: {self._loss}")
        poll = select.poll()
        poll.register(socket, select.POLLIN | (select.POLLOUT if self._client.want_write() else 0))
        poll.register(self._waker, select.POLLIN)
        decrypted = getattr(socket, "pending", lambda: 0)()  # bytes in TLS's own buffer, which poll does not see
        events = dict(poll.poll(0 if decrypted else seconds * 1000))
        if self._waker.fileno() in events:
            self._waker.clear()
        happened = events.get(socket.fileno(), 0)
        if decrypted or happened & ~select.POLLOUT:
            is_heard = self._client.loop_read() == mqtt.MQTT_ERR_SUCCESS
            self.has_heard = self.has_heard or is_heard
        if happened & select.POLLOUT:
            self._client.loop_write()
        self._client.loop_misc()

    def _on_connect(
        self,
        _client: mqtt.Client,
        _: object,
        flags: mqtt.ConnectFlags,
        reason: ReasonCode,
        properties: Properties | None,
    ) -> None:
        self._answer = reason
        self.has_resumed = flags.session_present
        limit = getattr(properties, "ReceiveMaximum", _MOST_UNACKNOWLEDGED)
        self._receive_maximum = min(limit, _MOST_UNACKNOWLEDGED)
        self.most_bytes = getattr(properties, "MaximumPacketSize", None)
        self._most_qos = getattr(properties, "MaximumQoS", 2)
        if self.version == MQTT_5:
            self.retains = bool(getattr(properties, "RetainAvailable", True))

    def _on_disconnect(
        self, _client: mqtt.Client, _: object, flags: mqtt.DisconnectFlags, reason: ReasonCode, _properties: object
    ) -> None:
        if flags.is_disconnect_packet_from_server:
            self._loss = str(reason)
            self._loss_state = ConnectionState.TAKEN_OVER if self._loss == _TAKEN_OVER else ConnectionState.LOST

    def _on_log(self, _client: mqtt.Client, _: object, level: int, words: str) -> None:
        """The one place where paho reports what broke the connection."""
        if level == mqtt.MQTT_LOG_ERR:
            self._loss = words
            self._loss_state = tls_failures.of_tls(words) or ConnectionState.LOST

    def _on_publish(
        self, _client: mqtt.Client, _: object, message_id: int, reason: ReasonCode, _properties: object
    ) -> None:
        acknowledgement = self._on_its_way.pop(message_id, None)
        if acknowledgement is not None:
            self.is_acknowledged = True
            refusal = str(reason) if reason.is_failure else None
            self._acknowledged.append(replace(acknowledgement, refusal=refusal))

    def _on_subscribe(
        self, _client: mqtt.Client, _: object, _message_id: int, reasons: list[ReasonCode], _properties: object
    ) -> None:
        self._granted = reasons

    def _on_message(self, _client: mqtt.Client, _: object, message: mqtt.MQTTMessage) -> None:
        properties = message.properties
        response_topic, data = getattr(properties, "ResponseTopic", None), getattr(properties, "CorrelationData", None)
        payload = bytes(message.payload)
        self.received.append(Message(message.topic, payload, message.qos, message.retain, response_topic, data))
