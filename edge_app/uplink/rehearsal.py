"""Does once what the publisher does all day, to find out whether the broker allows it."""

import contextlib
import threading
import time
from collections.abc import Iterator

from edge_app.config import MqttSettings
from edge_app.events import topics
from edge_app.events.link_state import LinkState
from edge_app.uplink import credentials
from edge_app.uplink.connection import CONNECT_SECONDS, MQTT_5, Acknowledgement, Connection, Message, UnreachableError
from edge_app.uplink.dialler import Dialler
from edge_app.uplink.waker import Waker

_ARRIVAL_SECONDS = CONNECT_SECONDS
"""Longest wait for a message of our own."""


def rehearse(settings: MqttSettings, device: str) -> str:
    """Log in beside the daemon, publish one empty message to `<prefix>/<device>/doctor`: the version of MQTT spoken.

    Raises:
        LinkError: its `state` names what is in the way.
        ConfigurationError: the settings' files cannot be used.
    """
    with _beside(settings, device) as connection:
        answer = _publish(connection, topics.doctor(topics.root(settings.topic_prefix, device)))
        if answer.refusal:
            raise UnreachableError(answer.state, f"the broker refuses {answer.topic}: {answer.refusal}")
        return connection.version_name


def rehearse_commands(settings: MqttSettings, device: str) -> bool | None:
    """Subscribe as the daemon does, and send an empty command: whether it comes.

    None where that cannot be told: we may not send it, which some brokers say by hanging up, and the broker grants
    subscriptions that come to nothing.

    Raises:
        LinkError: its `state` names what is in the way; a refused subscription is one.
        ConfigurationError: the settings' files cannot be used.
    """
    root = topics.root(settings.topic_prefix, device)
    with _beside(settings, device) as connection:
        connection.subscribe([topics.command(root, "#")])
        try:
            return _comes_back(connection, topics.doctor_command(root))
        except UnreachableError:
            return None


@contextlib.contextmanager
def _beside(settings: MqttSettings, device: str) -> Iterator[Connection]:
    """A connection beside the daemon's own."""
    stop = threading.Event()
    connection = Dialler(settings, credentials.load(settings), f"edge-anpr-{device}-doctor", Waker(), stop).dial()
    with contextlib.closing(connection):
        yield connection
        connection.say_goodbye()


def _publish(connection: Connection, topic: str) -> Acknowledgement:
    """Send an empty message, and wait for its PUBACK."""
    connection.send(Message(topic, b""))
    deadline = time.monotonic() + CONNECT_SECONDS
    while not (acknowledgements := connection.exchange(0.1)):
        if time.monotonic() > deadline:
            raise UnreachableError(LinkState.NOT_ACKNOWLEDGED, f"no PUBACK within {CONNECT_SECONDS:.0f} s")
    return acknowledgements[0]


def _comes_back(connection: Connection, topic: str) -> bool | None:
    """Whether an empty message comes to our own subscription; None where that cannot be told."""
    may_send = _publish(connection, topic).refusal is None
    deadline = time.monotonic() + _ARRIVAL_SECONDS
    while may_send and not connection.received and time.monotonic() < deadline:
        connection.exchange(0.1)
    if connection.received:
        return True
    return False if may_send and connection.version == MQTT_5 else None
