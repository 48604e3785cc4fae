"""A USB or CSI camera behind Video4Linux."""

import logging
from pathlib import Path

import cv2

from edge_app.camera_settings import CameraSettings
from edge_app.capture import v4l2_controls
from edge_app.capture.opencv_stream import OpenCvStream
from edge_app.errors import SourceError

log = logging.getLogger(__name__)

FOURCCS = ("MJPG", "YUYV")
"""In order of preference: over USB 2 only compressed pictures come in full size at full rate."""


def open_v4l2(camera: CameraSettings, device: str) -> OpenCvStream:
    """Make the source of `device`, a path or a number."""
    path = Path(f"/dev/video{device}") if device.isdecimal() else Path(device)
    reported: set[str] = set()

    def open_capture() -> cv2.VideoCapture:
        capture = _open(path, camera)
        if capture.isOpened():
            for words in (*_differences(capture, camera), *v4l2_controls.set_controls(path, camera.controls)):
                if words not in reported:
                    reported.add(words)
                    log.warning("camera %s: %s: %s", camera.name, path, words)
        return capture

    return OpenCvStream(camera.name, str(path), open_capture, lambda _: SourceError(f"{path} {_HINT}"))


_HINT = "gives no picture; check the cable, that no other program uses it, and that this user is in the group 'video'"


def _open(path: Path, camera: CameraSettings) -> cv2.VideoCapture:
    if not path.exists():
        found = ", ".join(sorted(str(other) for other in Path("/dev").glob("video*"))) or "none"
        raise SourceError(f"{path}: no such camera (found: {found}); check the cable and camera.source")
    capture = cv2.VideoCapture(str(path), cv2.CAP_V4L2)
    for fourcc in [camera.fourcc] if camera.fourcc else FOURCCS:
        code = cv2.VideoWriter.fourcc(*fourcc)  # unset, OpenCV may hand back a flat (1, N) array
        capture.set(cv2.CAP_PROP_FOURCC, code)
        if int(capture.get(cv2.CAP_PROP_FOURCC)) == code:
            break
    capture.set(cv2.CAP_PROP_FRAME_WIDTH, camera.width)
    capture.set(cv2.CAP_PROP_FRAME_HEIGHT, camera.height)
    capture.set(cv2.CAP_PROP_FPS, camera.frames_per_second)
    capture.set(cv2.CAP_PROP_BUFFERSIZE, 2)  # an old picture is useless
    return capture


def _differences(capture: cv2.VideoCapture, camera: CameraSettings) -> list[str]:
    """What the driver chose in place of what was asked."""
    size = int(capture.get(cv2.CAP_PROP_FRAME_WIDTH)), int(capture.get(cv2.CAP_PROP_FRAME_HEIGHT))
    rate, code = capture.get(cv2.CAP_PROP_FPS), int(capture.get(cv2.CAP_PROP_FOURCC))
    came = code.to_bytes(4, "little").decode("ascii", "replace")
    words = []
    if size != (camera.width, camera.height):
        words.append(f"{camera.width} × {camera.height} was asked for, and {size[0]} × {size[1]} came")
    if rate and abs(rate - camera.frames_per_second) > 0.1 * camera.frames_per_second:
        words.append(f"{camera.frames_per_second:g} frames per second were asked for, and {rate:g} came")
    if camera.fourcc and came != camera.fourcc:
        words.append(f"{camera.fourcc} was asked for, and {came} came")
    return words
