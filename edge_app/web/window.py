"""The page and the HTTP API as the daemon sees them: built by `app` if `[web] listen` is set."""

import os
import socket
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Protocol

from edge_app.config import Settings
from edge_app.events.connection_state import ConnectionState
from edge_app.events.event import PlateEvent
from edge_app.events.messages import TelemetryMessage
from edge_app.outbox.outbox import Outbox
from edge_app.pipeline import Detector, PlateReading
from edge_app.records import Frame
from edge_app.service.status_socket import FILE, Status
from edge_app.tracking.passage import Observation
from edge_app.web import token
from edge_app.web.application import Application
from edge_app.web.desk import Desk
from edge_app.web.feed import MOST_READS, Feed, ShownRead
from edge_app.web.guard import Guard
from edge_app.web.measures import Measures
from edge_app.web.server import WebServer


class Publishing(Protocol):
    """`edge_app.uplink.publisher.Publisher`."""

    @property
    def state(self) -> ConnectionState:
        """Of the connection."""

    def telemetry(self) -> TelemetryMessage:
        """How the device is."""


Reload = Callable[[Callable[[], None]], None]
"""Takes the configuration file anew; what it is given is called if the former settings come back."""


class Window:
    """Shows what the daemon hands over: frames, plates, events.

    Raises:
        ConfigurationError: the token or the certificate cannot be used.
    """

    def __init__(
        self,
        settings: Settings,
        configuration: Path | None,
        environment: Mapping[str, str] = os.environ,
    ) -> None:
        """`configuration` is the file that the page may change."""
        given = token.load(settings.web)
        self._settings = settings
        self._configuration = configuration
        self._doorkeeper = None if given is None else token.Doorkeeper(given)
        self._feed = Feed(settings)
        self._measures = Measures()
        self._desk = Desk(settings)
        folder = environment.get("RUNTIME_DIRECTORY")
        self._unix_path = Path(folder, FILE) if folder else None
        self.application: Application | None = None
        """Once it is open."""
        self._server: WebServer | None = None

    @property
    def port(self) -> int | None:
        """Where it listens; None if it does not yet."""
        return None if self._server is None else self._server.port

    def open(self, status: Callable[[], Status], reload: Reload, outbox: Outbox, publisher: Publishing) -> None:
        """Begin to answer."""
        self._feed.remember(ShownRead(each.read, each.image_jpeg) for each in outbox.newest(MOST_READS))
        self._measures.ask(publisher.telemetry, lambda: _oldest_at_ms(outbox), lambda: publisher.state)
        application = self.application = Application(
            self._settings, self._feed, self._measures, self._desk, status, self._configuration, reload
        )
        names = ["localhost", own := socket.gethostname(), f"{own.partition('.')[0]}.local"]
        remote = Guard(application.asgi, [*names, *self._settings.web.host_names], self._doorkeeper)
        local = Guard(application.asgi, (), None, is_local=True)
        self._server = WebServer(remote, local, self._settings.web, self._unix_path)

    def close(self) -> None:
        """Answer no more."""
        self._desk.close()
        if self._server is not None:
            self._server.close()

    def around(
        self, camera: str, detector: Detector, reading: PlateReading
    ) -> tuple[Detector, PlateReading, Callable[[int, Observation], None]]:
        """The stages of a camera's pipeline, counted, and what watches it."""
        return (*self._measures.around(camera, detector, reading), self._feed.watch(camera))

    def show(self, frame: Frame) -> None:
        """Take in a frame that was processed."""
        self._feed.show(frame)

    def lose(self, camera: str) -> None:
        """Show no picture of a camera that gives none."""
        self._feed.lose(camera)

    def publish(self, event: PlateEvent, sequence: int) -> None:
        """Take in an event."""
        message = event.numbered_message(sequence)
        self._measures.committed(message)
        self._feed.read(message, event.image_jpeg)


def _oldest_at_ms(outbox: Outbox) -> int | None:
    return next((each.origin.made_at_ms for each in outbox.pending(1)), None)
