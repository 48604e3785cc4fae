"""Wakes a thread that waits for the network."""

import contextlib
import socket


class Waker:
    """A pair of sockets: `wake` from any thread makes the other end readable."""

    def __init__(self) -> None:
        self._reader, self._writer = socket.socketpair()
        self._reader.setblocking(False)
        self._writer.setblocking(False)

    def wake(self) -> None:
        """Make the waiting thread look."""
        with contextlib.suppress(BlockingIOError):  # full: it will look anyway
            self._writer.send(b"\0")

    def fileno(self) -> int:
        """The end to wait for."""
        return self._reader.fileno()

    def clear(self) -> None:
        """Be ready to be woken again."""
        with contextlib.suppress(BlockingIOError):
            while self._reader.recv(4096):
                continue

    def close(self) -> None:
        """Give both sockets back."""
        self._reader.close()
        self._writer.close()
