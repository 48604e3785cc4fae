"""An MQTT broker in this process, for the demo alone: it speaks MQTT 3.1.1 only and keeps nothing."""

import asyncio
import logging
import socket
import threading
from types import TracebackType
from typing import Any, Self

from edge_app.errors import EdgeAnprError

_START_SECONDS = 15.0


class EmbeddedBroker:
    """Listens on a free port of the loopback while its `with` block runs.

    Raises:
        EdgeAnprError: amqtt is not installed, or the broker does not start.
    """

    host = "127.0.0.1"

    def __init__(self) -> None:
        self.port = 0
        """Known once started."""
        self._loop = asyncio.new_event_loop()
        self._ended = asyncio.Event()
        self._started = threading.Event()
        self._failure: Exception | None = None
        self._thread = threading.Thread(target=self._run, name="broker", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        if not self._started.wait(_START_SECONDS):
            raise EdgeAnprError(f"the embedded broker did not start in {_START_SECONDS:.0f} s")
        if self._failure is not None:
            raise EdgeAnprError(f"the embedded broker did not start: {self._failure}") from self._failure
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._ended.set)
            self._thread.join()

    def _run(self) -> None:
        try:
            self._loop.run_until_complete(self._serve())
        except Exception as error:  # noqa: BLE001 - raised by the thread that waits for the start
            self._failure = error
        finally:
            self._started.set()
            self._loop.close()

    async def _serve(self) -> None:
        broker_class = _broker_class()
        self.port = _free_port(self.host)
        broker = broker_class(
            {
                "listeners": {"default": {"type": "tcp", "bind": f"{self.host}:{self.port}"}},
                "plugins": {"amqtt.plugins.authentication.AnonymousAuthPlugin": {"allow_anonymous": True}},
            }
        )
        await broker.start()
        self._started.set()
        await self._ended.wait()
        await broker.shutdown()


def _broker_class() -> Any:
    for name in ("amqtt", "transitions"):  # they log every packet, and each client that leaves as an error
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)
    try:
        from amqtt.broker import Broker
    except ImportError as error:
        raise EdgeAnprError("amqtt is missing; install it with: pip install 'edge-anpr[demo]'") from error
    return Broker


def _free_port(host: str) -> int:
    with socket.socket() as probe:
        probe.bind((host, 0))
        port: int = probe.getsockname()[1]
        return port
