"""Damaged inputs of every kind of source, each read in a process of its own: nothing may crash or hang.

`python -m benchmarks.cameras.corrupted [COUNT]` reads the demo's clip damaged in many ways as `file:`, its pictures as
`images:`, as an MJPEG stream over `http:`, and a stream whose bytes change on their way over `rtsp:`.
"""

import contextlib
import logging
import multiprocessing
import socket
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np

from benchmarks.cameras.rtsp import free_port, serve
from edge_app.camera_settings import CameraSettings
from edge_app.capture.source import open_source
from edge_app.demo import CLIP
from edge_app.errors import EdgeAnprError
from edge_app.image_files import silence_opencv

HANG_SECONDS = 60.0
STREAM_SECONDS = 3.0
"""For how long a stream is read that does not end by itself."""
SHARES = {"file": 0.35, "images": 0.3, "http": 0.25, "rtsp": 0.1}
Outcome = tuple[str, int, int]
"""What ended it, good frames, and corrupt ones that were counted."""


def main(count: int) -> int:
    """Print a line for each kind of source; 1 if a process crashed or hung."""
    pictures = _pictures()
    rtsp_port = free_port()
    server = serve(rtsp_port)
    faults = 0
    for kind, share in SHARES.items():
        inputs = round(share * count)
        outcomes = [_apart(_READERS[kind], (number, pictures, rtsp_port)) for number in range(inputs)]
        ends = Counter(end for end, _, _ in outcomes)
        good, corrupt = sum(good for _, good, _ in outcomes), sum(corrupt for _, _, corrupt in outcomes)
        faults += ends["crashed"] + ends["hung"]
        print(
            f"{kind:<7} {inputs:>4} inputs: {good} frames, {corrupt} corrupt ones left out; ends {dict(ends)}",
            flush=True,
        )
    server.kill()
    server.wait()
    return int(faults > 0)


def damaged(data: bytes, number: int) -> bytes:
    """Cut off, zeroed or replaced in part, with single bits or bytes changed, or with a part removed or repeated."""
    rng = np.random.default_rng((20_013, number))
    changed = np.frombuffer(data, np.uint8).copy()
    first = int(rng.integers(len(data)))
    last = min(len(data), first + int(rng.integers(1, max(2, len(data) // 4))))
    kind = number % 7
    if kind == 0:
        return data[:first]
    if kind == 1:
        changed[first:last] = 0
    elif kind == 2:
        changed[first:last] = rng.integers(0, 256, last - first)
    elif kind == 3:
        changed[rng.integers(0, len(data), 30)] ^= np.uint8(1) << rng.integers(0, 8, 30).astype(np.uint8)
    elif kind == 4:
        changed[: min(64, len(data))] = rng.integers(0, 256, min(64, len(data)))
    elif kind == 5:
        return data[:first] + data[last:]
    else:
        return data[:last] + data[first:]
    return changed.tobytes()


def _pictures() -> list[bytes]:
    capture, jpegs = cv2.VideoCapture(str(CLIP)), []
    for _ in range(8):
        small = cv2.resize(capture.read()[1], (640, 360))
        jpegs.append(cv2.imencode(".jpg", small)[1].tobytes())
    return jpegs


def _apart(reader: "Reader", arguments: tuple[int, list[bytes], int]) -> Outcome:
    """Read in a process of its own."""
    context = multiprocessing.get_context("fork")
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=_answer, args=(sender, reader, arguments))
    process.start()
    sender.close()
    process.join(HANG_SECONDS)
    if process.is_alive():
        process.kill()
        process.join()
        return "hung", 0, 0
    if process.exitcode != 0 or not receiver.poll():
        print(f"crashed with {process.exitcode}: {reader.__name__} {arguments[0]}")
        return "crashed", 0, 0
    outcome: Outcome = receiver.recv()
    return outcome


def _answer(
    sender: "multiprocessing.connection.Connection", reader: "Reader", arguments: tuple[int, list[bytes], int]
) -> None:
    logging.disable()
    silence_opencv()
    with tempfile.TemporaryDirectory() as folder:
        sender.send(reader(Path(folder), *arguments))


def _read(source_url: str) -> Outcome:
    """Every frame, or those of some seconds."""
    frames, source = 0, None
    try:
        source = open_source(CameraSettings(source=source_url))
        began = time.monotonic()
        for _ in source.frames():
            frames += 1
            if time.monotonic() - began > STREAM_SECONDS:
                break
        end = "read" if frames else "nothing in it"
    except EdgeAnprError:
        end = "refused in words" if not frames else "broke off, in words"
    return end, frames, source.stamp.corrupt if source else 0


def _file(folder: Path, number: int, _pictures: list[bytes], _port: int) -> Outcome:
    (folder / "clip.mp4").write_bytes(damaged(CLIP.read_bytes(), number))
    return _read(f"file:{folder}/clip.mp4")


def _images(folder: Path, number: int, pictures: list[bytes], _port: int) -> Outcome:
    for index, picture in enumerate(pictures):
        (folder / f"{index}.jpg").write_bytes(
            damaged(picture, len(pictures) * number + index) if index % 2 else picture
        )
    return _read(f"images:{folder}")


def _http(_folder: Path, number: int, pictures: list[bytes], _port: int) -> Outcome:
    parts = b"".join(b"--frame\r\nContent-Type: image/jpeg\r\n\r\n" + picture + b"\r\n" for picture in pictures * 3)
    head = b"HTTP/1.1 200 OK\r\nContent-Type: multipart/x-mixed-replace; boundary=frame\r\n\r\n"

    def talk(viewer: socket.socket) -> None:
        viewer.recv(4096)
        viewer.sendall(head + damaged(parts, number))

    with _serving(talk) as port:
        return _read(f"http://127.0.0.1:{port}/video")


def _rtsp(_folder: Path, number: int, _pictures: list[bytes], port: int) -> Outcome:
    rng = np.random.default_rng((20_014, number))
    rate = 10.0 ** rng.uniform(-5, -2)

    def talk(viewer: socket.socket) -> None:
        with socket.create_connection(("127.0.0.1", port)) as camera:
            threading.Thread(target=_pass_on, args=(viewer, camera, lambda data: data), daemon=True).start()
            _pass_on(camera, viewer, lambda data: _scattered(data, rate, rng))

    with _serving(talk) as proxy:
        return _read(f"rtsp://127.0.0.1:{proxy}/main")


def _scattered(data: bytes, rate: float, rng: np.random.Generator) -> bytes:
    """With some bytes changed."""
    changed = np.frombuffer(data, np.uint8).copy()
    places = rng.random(len(changed)) < rate
    changed[places] = rng.integers(0, 256, int(places.sum()))
    return changed.tobytes()


def _pass_on(source: socket.socket, target: socket.socket, change: Callable[[bytes], bytes]) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            target.sendall(change(data))
        target.shutdown(socket.SHUT_WR)


@contextlib.contextmanager
def _serving(talk: Callable[[socket.socket], None]) -> Iterator[int]:
    """A server whose every connection is served by `talk`."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve_one(viewer: socket.socket) -> None:
        with viewer, contextlib.suppress(OSError):
            talk(viewer)

    def accept() -> None:
        with contextlib.suppress(OSError):
            while True:
                threading.Thread(target=serve_one, args=(listener.accept()[0],), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    yield listener.getsockname()[1]
    listener.close()


Reader = Callable[[Path, int, list[bytes], int], Outcome]
_READERS: dict[str, Reader] = {"file": _file, "images": _images, "http": _http, "rtsp": _rtsp}


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 500))
