"""A subscriber that keeps account of everything that arrives, over any number of broken connections."""

import hashlib
import itertools
import json
import threading
from collections import defaultdict
from collections.abc import Sequence

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

DAY_SECONDS = 86_400


class Archive:
    """A lasting session at QoS 1: the broker keeps for it the messages that come while it is away."""

    def __init__(self, port: int, topics: Sequence[str], name: str = "archive") -> None:
        self.deliveries: dict[str, int] = defaultdict(int)
        """By `event_id`, the number of times its read has come."""
        self.sequences: dict[tuple[str, str], list[int]] = defaultdict(list)
        """By device and camera, the sequence numbers in the order in which each came first."""
        self.without_picture: set[str] = set()
        """Reads whose picture had not come before them, or was not the one that they name."""
        self.connected = threading.Event()
        self._topics = [(topic, 1) for topic in topics]
        self._pictures: dict[str, str] = {}
        self._client = mqtt.Client(CallbackAPIVersion.VERSION2, name, protocol=mqtt.MQTTv5)
        self._client.reconnect_delay_set(1, 1)
        self._client.on_connect = self._on_connect
        self._client.on_disconnect = lambda *_: self.connected.clear()
        self._client.on_subscribe = lambda *_: self.connected.set()
        self._client.on_message = self._on_message
        properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
        properties.SessionExpiryInterval = DAY_SECONDS
        self._client.connect("127.0.0.1", port, clean_start=False, properties=properties)
        self._client.loop_start()

    @property
    def duplicates(self) -> int:
        """Deliveries beyond the first."""
        return sum(self.deliveries.values()) - len(self.deliveries)

    def out_of_order(self) -> int:
        """Reads that came, for the first time, after a later one of their camera."""
        return sum(late < early for numbers in self.sequences.values() for early, late in itertools.pairwise(numbers))

    def close(self) -> None:
        """Leave."""
        self._client.disconnect()
        self._client.loop_stop()

    def _on_connect(
        self, client: mqtt.Client, _: object, _flags: mqtt.ConnectFlags, reason: ReasonCode, _properties: object
    ) -> None:
        if not reason.is_failure:
            client.subscribe(self._topics)

    def _on_message(self, _client: mqtt.Client, _: object, message: mqtt.MQTTMessage) -> None:
        if "/image/" in message.topic:
            self._pictures[message.topic] = hashlib.sha256(message.payload).hexdigest()
            return
        read = json.loads(message.payload)
        event_id, image = read["event_id"], read["image"]
        if image is None or self._pictures.get(image["topic"]) != image["sha256"]:
            self.without_picture.add(event_id)
        if event_id not in self.deliveries:
            self.sequences[read["device"], read["camera"]].append(read["sequence"])
        self.deliveries[event_id] += 1
