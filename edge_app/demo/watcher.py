"""A subscriber beside the daemon: reports each read when it arrives over MQTT, and keeps it."""

import json
import threading
from collections.abc import Callable
from typing import Any

from edge_app.config import MqttSettings
from edge_app.events import topics
from edge_app.events.messages import OFFLINE
from edge_app.uplink.subscriber import Subscriber


class Watcher:
    """Subscribed once it is made; `report` is called on its own thread."""

    def __init__(self, settings: MqttSettings, device: str, report: Callable[[dict[str, Any]], None]) -> None:
        self.reads: list[dict[str, Any]] = []
        root = topics.root(settings.topic_prefix, device)
        self._status = topics.status(root)
        self._stop = threading.Event()
        self._subscriber = Subscriber(settings, [self._status, topics.read(root, "+")], self._stop)
        self._report = report
        self._thread = threading.Thread(target=self._watch, name="watcher", daemon=True)
        self._thread.start()

    def wait(self, seconds: float) -> None:
        """Until the daemon's status is offline, which comes after its last read."""
        self._thread.join(seconds)

    def close(self) -> None:
        """Leave the broker."""
        self._stop.set()
        self._subscriber.wake()
        self._thread.join()
        self._subscriber.close()

    def _watch(self) -> None:
        for message in self._subscriber.messages():
            if message.topic != self._status:
                self.reads.append(json.loads(message.payload))
                self._report(self.reads[-1])
            elif message.payload == OFFLINE.encode():
                return
