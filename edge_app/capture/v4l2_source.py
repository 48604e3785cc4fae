"""A USB or CSI camera behind Video4Linux."""

from pathlib import Path

import cv2

from edge_app.capture.opencv_stream import OpenCvStream
from edge_app.config import CameraSettings
from edge_app.errors import SourceError

FOURCCS = ("MJPG", "YUYV")
"""In order of preference: over USB 2 only compressed pictures come in full size at full rate."""


def open_v4l2(camera: CameraSettings, device: str) -> OpenCvStream:
    """Make the source of `device`, a path or a number."""
    path = Path(f"/dev/video{device}") if device.isdecimal() else Path(device)
    return OpenCvStream(camera.name, str(path), lambda: _open(path, camera), lambda _: SourceError(f"{path} {_HINT}"))


_HINT = "gives no picture; check the cable, that no other program uses it, and that this user is in the group 'video'"


def _open(path: Path, camera: CameraSettings) -> cv2.VideoCapture:
    if not path.exists():
        found = ", ".join(sorted(str(other) for other in Path("/dev").glob("video*"))) or "none"
        raise SourceError(f"{path}: no such camera (found: {found}); check the cable and camera.source")
    capture = cv2.VideoCapture(str(path), cv2.CAP_V4L2)
    for fourcc in FOURCCS:
        code = cv2.VideoWriter.fourcc(*fourcc)  # unset, OpenCV may hand back a flat (1, N) array
        capture.set(cv2.CAP_PROP_FOURCC, code)
        if int(capture.get(cv2.CAP_PROP_FOURCC)) == code:
            break
    capture.set(cv2.CAP_PROP_FRAME_WIDTH, camera.width)
    capture.set(cv2.CAP_PROP_FRAME_HEIGHT, camera.height)
    capture.set(cv2.CAP_PROP_FPS, camera.frames_per_second)
    capture.set(cv2.CAP_PROP_BUFFERSIZE, 2)  # an old picture is useless
    return capture
