"""Does once what the publisher does all day, to find out whether the broker allows it."""

import contextlib
import threading
import time
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from edge_app.config import MqttSettings
from edge_app.events import messages, topics
from edge_app.events.connection_state import ConnectionState
from edge_app.uplink import credentials
from edge_app.uplink.connection import (
    CONNECT_SECONDS,
    MQTT_5,
    Acknowledgement,
    Connection,
    Message,
    NoConnectionError,
    Terms,
    UnreachableError,
)
from edge_app.uplink.dialler import Dialler
from edge_app.uplink.waker import Waker

_NAMESAKE_SECONDS = 0.5
"""Longest wait for what another device of our name has published: it logged in before we lost our connection."""

READ_BYTES, PICTURE_BYTES = 2_500, 50_000
"""What a read and a plate's picture commonly have at most."""


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """How it went."""

    version: str
    """The version of MQTT spoken."""
    retains: bool
    """Whether the broker keeps retained messages."""
    picture_fault: str | None = None
    """Why it does not take a message of a picture's size."""


def rehearse(settings: MqttSettings, device: str) -> Rehearsal:
    """Log in beside the daemon and as it does, and publish blanks to `<prefix>/<device>/doctor`.

    The first is empty and retained, so that nothing stays there. One has the size of a read and, if pictures are sent,
    another that of a picture.

    Raises:
        NoConnectionError: its `state` names what is in the way.
        ConfigurationError: the settings' files cannot be used.
    """
    topic = topics.doctor(topics.root(settings.topic_prefix, device))
    with _beside(settings, device, Message(topic, b"", retain=True)) as connection:
        _insist(connection, Message(topic, b"", retain=True))
        _insist(connection, Message(topic, b" " * READ_BYTES))
        rehearsal = Rehearsal(connection.version_name, connection.retains)
    if not settings.images:
        return rehearsal
    try:
        with _beside(settings, device) as connection:  # anew: some brokers hang up on what is too large for them
            _insist(connection, Message(topic, b" " * PICTURE_BYTES))
    except NoConnectionError as error:
        return Rehearsal(rehearsal.version, rehearsal.retains, str(error))
    return rehearsal


def rehearse_commands(settings: MqttSettings, device: str) -> bool | None:
    """Subscribe as the daemon does, and send an empty command: whether it comes.

    None if that cannot be known: we may not send it, which some brokers refuse by hanging up, and the broker grants
    subscriptions that come to nothing.

    Raises:
        NoConnectionError: its `state` names what is in the way; a refused subscription is one.
        ConfigurationError: the settings' files cannot be used.
    """
    root = topics.root(settings.topic_prefix, device)
    with _beside(settings, device) as connection:
        connection.subscribe([topics.command(root, "#")])
        try:
            return _comes_back(connection, topics.doctor_command(root))
        except UnreachableError:
            return None


def has_namesake(settings: MqttSettings, device: str, ours: Collection[bytes], stop: threading.Event) -> bool:
    """Whether another device is online by our name; to be asked if our own connection was just closed.

    `ours`: telemetry that we published; the broker may still have it, and may not have noticed yet that we are gone.
    """
    root = topics.root(settings.topic_prefix, device)
    status, telemetry = topics.status(root), topics.telemetry(root)
    newest: dict[str, bytes] = {}
    try:
        with _beside(settings, device, stop=stop) as connection:
            connection.subscribe([status, telemetry])
            deadline = time.monotonic() + _NAMESAKE_SECONDS
            while time.monotonic() < deadline:
                connection.exchange(0.1)
                newest |= {each.topic: each.payload for each in connection.received}
                is_online = newest.get(status) == messages.ONLINE.encode()
                if is_online and newest.get(telemetry, b"") not in (b"", *ours):
                    return True
    except NoConnectionError:
        pass
    return False


@contextlib.contextmanager
def _beside(
    settings: MqttSettings, device: str, will: Message | None = None, stop: threading.Event | None = None
) -> Iterator[Connection]:
    """A connection beside the daemon's own."""
    name = f"edge-anpr-{device}-doctor"
    stop = stop or threading.Event()
    connection = Dialler(settings, credentials.load(settings), name, Waker(), stop, Terms(will)).dial()
    with contextlib.closing(connection):
        yield connection
        connection.log_out()


def _insist(connection: Connection, message: Message) -> None:
    """Send a message that has to be taken."""
    try:
        answer = _publish(connection, message)
    except UnreachableError as error:
        if not message.payload:
            raise
        what = f"the broker acknowledges small messages, and hangs up on one of {len(message.payload)} bytes"
        raise UnreachableError(ConnectionState.TOO_LARGE, what) from error
    if answer.refusal:
        raise UnreachableError(answer.state, f"the broker refuses {answer.topic}: {answer.refusal}")


def _publish(connection: Connection, message: Message) -> Acknowledgement:
    """Send a message, and wait for its PUBACK."""
    connection.send(message)
    deadline = time.monotonic() + CONNECT_SECONDS
    while not (acknowledgements := connection.exchange(0.1)):
        if time.monotonic() > deadline:
            raise UnreachableError(ConnectionState.NOT_ACKNOWLEDGED, f"no PUBACK within {CONNECT_SECONDS:.0f} s")
    return acknowledgements[0]


def _comes_back(connection: Connection, topic: str) -> bool | None:
    """Whether an empty message comes to our own subscription; None if that cannot be known."""
    may_send = _publish(connection, Message(topic, b"")).refusal is None
    deadline = time.monotonic() + CONNECT_SECONDS
    while may_send and not connection.received and time.monotonic() < deadline:
        connection.exchange(0.1)
    if connection.received:
        return True
    return False if may_send and connection.version == MQTT_5 else None
