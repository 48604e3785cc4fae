"""Does once what the publisher does all day, to find out whether the broker allows it."""

import threading
import time

from edge_app.config import MqttSettings
from edge_app.uplink import credentials, topics
from edge_app.uplink.connection import CONNECT_SECONDS, Message, UnreachableError
from edge_app.uplink.dialler import Dialler
from edge_app.uplink.link_state import LinkState
from edge_app.uplink.waker import Waker


def rehearse(settings: MqttSettings, device: str) -> str:
    """Log in beside the daemon, publish one empty message to `<prefix>/<device>/doctor`: the version of MQTT spoken.

    Raises:
        LinkError: its `state` names what is in the way.
        ConfigurationError: the settings' files cannot be used.
    """
    stop = threading.Event()
    connection = Dialler(settings, credentials.load(settings), f"edge-anpr-{device}-doctor", Waker(), stop).dial()
    try:
        connection.send(Message(topics.doctor(topics.root(settings.topic_prefix, device)), b""))
        deadline = time.monotonic() + CONNECT_SECONDS
        while not (acknowledgements := connection.exchange(0.1)):
            if time.monotonic() > deadline:
                raise UnreachableError(LinkState.NOT_ACKNOWLEDGED, f"no PUBACK within {CONNECT_SECONDS:.0f} s")
        if (answer := acknowledgements[0]).refusal:
            raise UnreachableError(answer.state, f"the broker refuses {answer.topic}: {answer.refusal}")
        connection.say_goodbye()
        return connection.version_name
    finally:
        connection.close()
