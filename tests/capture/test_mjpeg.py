"""Motion JPEG over HTTP."""

import contextlib
import socket
import threading
from collections.abc import Iterator

import cv2
import numpy as np

from edge_app.camera_settings import CameraSettings
from edge_app.capture.source import open_source
from edge_app.errors import SourceError
from edge_app.records import Frame
from tests.capture.pictures import view

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: multipart/x-mixed-replace; boundary=frame\r\n\r\n"


@contextlib.contextmanager
def camera(jpegs: list[bytes]) -> Iterator[int]:
    """A camera that sends these pictures to each viewer, and hangs up."""
    parts = b"".join(b"--frame\r\nContent-Type: image/jpeg\r\n\r\n" + jpeg + b"\r\n" for jpeg in jpegs)

    def serve() -> None:
        with contextlib.suppress(OSError):
            while True:
                with listener.accept()[0] as viewer:
                    viewer.settimeout(2)
                    if viewer.recv(4096):
                        viewer.sendall(HEAD + parts)

    listener = socket.create_server(("127.0.0.1", 0))
    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield listener.getsockname()[1]
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join()


def test_a_damaged_picture_is_left_out_and_counted() -> None:
    whole = [cv2.imencode(".jpg", view(shift))[1].tobytes() for shift in range(40, 160, 20)]
    jpegs = [*whole[:3], whole[3][: len(whole[3]) // 2], *whole[4:]]
    frames: list[Frame] = []

    with camera(jpegs) as port:
        source = open_source(CameraSettings(source=f"http://127.0.0.1:{port}/video"))
        with contextlib.suppress(SourceError):  # it has hung up
            frames.extend(source.frames())

    assert source.stamp.corrupt >= 1
    assert len(frames) in (4, 5), "FFmpeg may keep the last one back"
    assert np.abs(frames[0].image_bgr.astype(int) - view(40)).mean() < 3
