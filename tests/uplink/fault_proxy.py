"""A TCP proxy on the loopback that can withhold what the broker sends, or cut the line."""

import contextlib
import socket
import threading

from tests.mosquitto import free_port


class FaultProxy:
    """Passes bytes between one client at a time and the broker."""

    def __init__(self, broker_port: int) -> None:
        self.port = free_port()
        self.withhold = threading.Event()
        """While set, nothing from the broker reaches the client."""
        self.black_hole = threading.Event()
        """While set, nothing reaches anybody, and nobody is informed."""
        self.acknowledges = True
        """False: of what the broker sends only the beginning, CONNACK, reaches the client."""
        self.hangs_up_on_mqtt_5 = False
        self.cuts_at: bytes | None = None
        """What the client has to send for its line to be cut, each time; the broker does not hear it."""
        self.cuts = 0
        self.connections = 0
        self._broker = ("127.0.0.1", broker_port)
        self._lines: list[socket.socket] = []
        self._server = socket.create_server(("127.0.0.1", self.port))
        threading.Thread(target=self._serve, daemon=True).start()

    def cut(self) -> None:
        """Break every connection."""
        for line in self._lines:
            with contextlib.suppress(OSError):
                line.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Break everything and take no more."""
        self._server.shutdown(socket.SHUT_RDWR)  # wakes `accept`, which would keep the port open
        self._server.close()
        self.cut()

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._server.accept()
                self.connections += 1
                try:
                    broker = socket.create_connection(self._broker)
                except OSError:  # the broker is down: so are we
                    client.close()
                    continue
                self._lines = [client, broker]
                threading.Thread(target=self._pump, args=(client, broker, False), daemon=True).start()
                threading.Thread(target=self._pump, args=(broker, client, True), daemon=True).start()

    def _pump(self, source: socket.socket, target: socket.socket, from_broker: bool) -> None:
        with contextlib.suppress(OSError), source, target:
            beginning = True
            while data := source.recv(65536):
                if self.hangs_up_on_mqtt_5 and b"MQTT\x05" in data[:16]:
                    return
                if self.cuts_at is not None and not from_broker and self.cuts_at in data:
                    self.cuts += 1
                    break
                withheld = from_broker and (self.withhold.is_set() or not (self.acknowledges or beginning))
                if not (withheld or self.black_hole.is_set()):
                    target.sendall(data)
                beginning = False
            for line in (target, source):  # closing them would not wake whoever reads from them
                line.shutdown(socket.SHUT_RDWR)
