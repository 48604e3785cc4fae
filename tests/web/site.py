"""A page with a real server and a real outbox, fed by hand."""

import http.client
import json
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from edge_app.camera_settings import CameraSettings
from edge_app.config import DeviceSettings, MqttSettings, Settings, WebSettings
from edge_app.events.connection_state import ConnectionState
from edge_app.events.event import PlateEvent, as_plain
from edge_app.events.messages import BoardMessage, CameraVitalsMessage, TelemetryMessage, VitalsMessage
from edge_app.newer_python import UTC
from edge_app.outbox.outbox import Outbox
from edge_app.records import Frame
from edge_app.service.status_socket import Status
from edge_app.uplink.publisher import Publisher
from edge_app.web.window import Window

TOKEN = "0123456789abcdef"  # of tests
PARTS = {
    "camera": {"well": True, "state": "pictures arrive"},
    "broker": {"well": False, "state": "unreachable"},
    "disk": {"well": True, "state": "good"},
}


NORTH = CameraVitalsMessage(
    name="north",
    state="good",
    since="2026-01-31T12:00:00.000Z",
    reason=None,
    last_frame=None,
    frames=10,
    frames_dropped=2,
    frames_corrupt=0,
    vehicles=1,
    vehicles_repeated=0,
    vehicles_too_brief=0,
    fixed_texts=(),
)
VITALS = VitalsMessage(10, 2, 0, 1, "good", (), None, cameras=(NORTH,))


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body."""
        return json.loads(self.body)


class Site:
    """What a browser and programs see."""

    def __init__(
        self,
        folder: Path,
        web: WebSettings | None = None,
        environment: Mapping[str, str] | None = None,
        configuration: Path | None = None,
        **sections: Any,
    ) -> None:
        settings = Settings(
            device=DeviceSettings(name="gate-01", state_directory=folder),
            camera=CameraSettings(name="north"),
            web=web or WebSettings(listen="127.0.0.1:0"),
            **sections,
        )
        self.outbox = Outbox(folder / "outbox.sqlite")
        self._begin_life()
        self.window = Window(settings, configuration, environment or {})
        self.undo: Callable[[], None] | None = None
        self.reloads = 0
        self._is_closed = False
        self.alive = self.ready = True
        self.window.open(self.status, self._reload, self.outbox, self)
        assert self.window.port is not None
        self.port = self.window.port

    @property
    def state(self) -> ConnectionState:
        """See `Publishing`."""
        return ConnectionState.UNREACHABLE

    def telemetry(self) -> TelemetryMessage:
        """See `Publishing`."""
        return self._publisher.telemetry()

    def status(self) -> Status:
        """As the daemon reports it."""
        fields = {
            "release": None,
            "parts": PARTS,
            "configuration": {"state": "file", "wrong": None, "reverted": None},
            "telemetry": as_plain(self.telemetry()),
        }
        return Status(self.alive, self.ready, fields)

    def close(self) -> None:
        """End it, once."""
        if not self._is_closed:
            self._is_closed = True
            self.window.close()
            self.outbox.close()

    def ask(
        self, path: str, method: str = "GET", body: bytes | None = None, token: str | None = None, **headers: str
    ) -> Answer:
        """One request; `_` in a header's name stands for `-`."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        if token is not None:
            given["Authorization"] = f"Bearer {token}"
        try:
            connection.request(method, path, body, given)
            response = connection.getresponse()
            return Answer(response.status, {k.lower(): v for k, v in response.headers.items()}, response.read())
        finally:
            connection.close()

    def publish(self, event: PlateEvent) -> None:
        """As the daemon does."""
        (sequence,) = self.outbox.put(event)
        self.window.publish(event, sequence)

    def show(self, sequence: int = 1, camera: str = "north") -> None:
        """A frame of stripes."""
        self.window.show(frame(sequence, camera))

    def _reload(self, undo: Callable[[], None]) -> None:
        self.reloads += 1
        self.undo = undo
        self._begin_life()

    def _begin_life(self) -> None:
        self._publisher = Publisher(MqttSettings(host="127.0.0.1", port=1), "gate-01", self.outbox, threading.Event())
        self._publisher.vitals, self._publisher.board = VITALS, BoardMessage(51.5, False, False, False)


def frame(sequence: int = 1, camera: str = "north") -> Frame:
    image = np.zeros((240, 320, 3), np.uint8)
    image[:, ::8] = 255
    return Frame(image, datetime(2026, 1, 31, 12, tzinfo=UTC), sequence * 10**8, sequence, camera)


def jpeg(height: int = 240, width: int = 320) -> bytes:
    done, content = cv2.imencode(".jpg", np.full((height, width, 3), 90, np.uint8))
    assert done
    return content.tobytes()
