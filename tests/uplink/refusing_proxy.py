"""A proxy that passes the packets of MQTT 5 on to a broker and refuses some messages in its place."""

import contextlib
import hashlib
import re
import socket
import threading
from collections.abc import Callable, Iterator

from tests.mosquitto import free_port

PICTURE, READ = "picture", "read"
TOO_LARGE, NOT_AUTHORIZED, PAYLOAD_INVALID, QUOTA_EXCEEDED, HANG_UP = 0x95, 0x87, 0x99, 0x97, 0
"""Reason codes of PUBACK; and none, but the end of the connection."""

Answer = Callable[[str, str], int | None]
"""How a message of a kind and an event is refused; None if it is not."""

_PUBLISH = 3
_ANSWERS = (TOO_LARGE, NOT_AUTHORIZED, PAYLOAD_INVALID, QUOTA_EXCEEDED, HANG_UP)
_EVENT_ID = re.compile(rb'"event_id":"([0-9a-f-]+)"')


def refusing(share: float) -> Answer:
    """Refuses a share of all messages, each for good, and each in one of the ways that there are."""

    def answer(kind: str, event_id: str) -> int | None:
        chance = hashlib.sha256(f"{kind} {event_id}".encode()).digest()
        is_refused = int.from_bytes(chance[:8], "big") < share * 2**64
        return _ANSWERS[chance[8] % len(_ANSWERS)] if is_refused else None

    return answer


class RefusingProxy:
    """Between devices and a broker; the broker never hears what is refused."""

    def __init__(self, broker_port: int, answer: Answer) -> None:
        self.port = free_port()
        self.refused: dict[str, set[str]] = {PICTURE: set(), READ: set()}
        """Of each kind of message, the events of which one was refused."""
        self._answer = answer
        self._broker = ("127.0.0.1", broker_port)
        self._server = socket.create_server(("127.0.0.1", self.port))
        threading.Thread(target=self._serve, daemon=True).start()

    def close(self) -> None:
        """Take no more connections."""
        self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._server.accept()
                try:
                    broker = socket.create_connection(self._broker)
                except OSError:  # it is down: so are we
                    client.close()
                    continue
                threading.Thread(target=self._to_broker, args=(client, broker), daemon=True).start()
                threading.Thread(target=_pass_on, args=(broker, client), daemon=True).start()

    def _to_broker(self, client: socket.socket, broker: socket.socket) -> None:
        with contextlib.suppress(OSError, EOFError), client, broker:
            with contextlib.suppress(EOFError):
                for packet in _packets(client):
                    answer = self._refusal_of(packet)
                    if answer is None:
                        broker.sendall(packet)
                    elif answer == HANG_UP:
                        break
                    else:  # one sendall, so that it cannot mix with what the broker says
                        client.sendall(b"\x40\x03" + _packet_id(packet) + bytes([answer]))
            for line in (broker, client):
                line.shutdown(socket.SHUT_RDWR)

    def _refusal_of(self, packet: bytes) -> int | None:
        """How a packet is refused; None if it goes to the broker."""
        if packet[0] >> 4 != _PUBLISH:
            return None
        topic = _topic(packet)
        if "/image/" in topic:
            kind, event_id = PICTURE, topic.rpartition("/")[2]
        elif topic.endswith("/read") and (match := _EVENT_ID.search(packet)):
            kind, event_id = READ, match.group(1).decode()
        else:
            return None
        answer = self._answer(kind, event_id)
        if answer is not None:
            self.refused[kind].add(event_id)
        return answer


def _pass_on(broker: socket.socket, client: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := broker.recv(65536):
            client.sendall(data)
        client.shutdown(socket.SHUT_RDWR)


def _packets(source: socket.socket) -> Iterator[bytes]:
    """One packet after the other (MQTT 5.0, 2.1)."""
    with source.makefile("rb") as stream:
        while head := stream.read(1):
            length, shift = 0, 0
            while True:
                head += (byte := _exactly(stream.read(1), 1))
                length |= (byte[0] & 0x7F) << shift
                shift += 7
                if not byte[0] & 0x80:
                    break
            yield head + _exactly(stream.read(length), length)


def _exactly(data: bytes, length: int) -> bytes:
    if len(data) < length:
        raise EOFError
    return data


def _topic_at(packet: bytes) -> tuple[int, int]:
    """Where the topic of a PUBLISH begins and ends."""
    start = 1
    while packet[start] & 0x80:
        start += 1
    start += 3
    return start, start + int.from_bytes(packet[start - 2 : start], "big")


def _topic(packet: bytes) -> str:
    start, end = _topic_at(packet)
    return packet[start:end].decode()


def _packet_id(packet: bytes) -> bytes:
    _, end = _topic_at(packet)
    return packet[end : end + 2]
