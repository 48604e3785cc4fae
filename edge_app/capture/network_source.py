"""A network camera that speaks RTSP, or sends MJPEG over HTTP."""

import os
from urllib.parse import quote, urlsplit

import cv2

from edge_app.capture import network_probe
from edge_app.capture.opencv_stream import Capture, OpenCvStream
from edge_app.config import CameraSettings
from edge_app.configuration import secret_files, systemd_credentials
from edge_app.errors import ConfigurationError, SourceError
from edge_app.image_files import decode_frame
from edge_app.printable import without_secrets
from edge_app.records import ImageBgr

OPEN_TIMEOUT_MS = 3000
READ_TIMEOUT_MS = 2000
FRAMES_AWAITED = 3
"""A slow camera, of a frame in some seconds, is waited for as long as that many frames take."""
MOTION_JPEG = cv2.VideoWriter.fourcc(*"MJPG")
CREDENTIAL = "camera-password"
"""The name of the systemd credential."""


def open_network(camera: CameraSettings, url: str) -> OpenCvStream:
    """Make the source of an `rtsp://`, `rtsps://`, `http://` or `https://` URL, with user and password from a file.

    Raises:
        ConfigurationError: the password file is not as it should be.
    """
    # FFmpeg watches a stream for so long, in microseconds, before it gives the first picture; else it would be 5 s.
    os.environ.setdefault("OPENCV_FFMPEG_CAPTURE_OPTIONS", "analyzeduration;500000")
    os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")  # its words may show the password
    address, label = _with_password(camera, url), without_secrets(url)
    read_timeout_ms = max(READ_TIMEOUT_MS, int(FRAMES_AWAITED * 1000 / camera.frames_per_second))

    def open_capture() -> Capture:
        network_probe.reach(address)
        capture = _open(_with_transport(address, camera.rtsp_transport), read_timeout_ms)
        # FFmpeg shows a damaged JPEG as far as it goes: such pictures are taken as they come.
        is_jpeg = int(capture.get(cv2.CAP_PROP_FOURCC)) == MOTION_JPEG and capture.set(cv2.CAP_PROP_FORMAT, -1)
        return JpegCapture(capture) if is_jpeg else capture

    def explain(gave_some: bool) -> SourceError:
        if gave_some:
            return SourceError(f"{label}: the stream broke off; check the camera's power and the network")
        network_probe.check(address)  # only now: many a camera takes a second to begin a stream, and ends it again
        return SourceError(
            f"{label}: answers, and gives no picture; set its video to H.264 or H.265, or try another path"
        )

    return OpenCvStream(camera.name, label, open_capture, explain)


class JpegCapture:
    """Motion JPEG whose pictures are decoded here: a damaged one is none."""

    def __init__(self, capture: cv2.VideoCapture) -> None:
        self._capture = capture
        self.release = capture.release

    def read(self) -> tuple[bool, ImageBgr | None]:
        """As `Capture.read`."""
        given, data = self._capture.read()
        return given, decode_frame(data.tobytes()) if given else None


def _with_password(camera: CameraSettings, url: str) -> str:
    parts = urlsplit(url)
    path = camera.password_file
    if path is None and not parts.username:
        path = systemd_credentials.file_of(f"{CREDENTIAL}-{camera.name}") or systemd_credentials.file_of(CREDENTIAL)
    if path is None:
        return url
    user, colon, password = secret_files.read_line(path, "camera.password_file").strip().partition(":")
    if not (user and colon):
        raise ConfigurationError(f"camera.password_file: {path} must hold user:password in one line")
    host = parts.netloc.rpartition("@")[2]
    return parts._replace(netloc=f"{quote(user, safe='')}:{quote(password, safe='')}@{host}").geturl()


def _with_transport(address: str, transport: str) -> str:
    """The address as FFmpeg takes it: it cuts the name of the transport off again before it asks the camera."""
    if not address.startswith("rtsp:"):  # of rtsps the transport is TCP in any case
        return address
    return f"{address}{'&' if urlsplit(address).query else '?'}{transport}"


def _open(address: str, read_timeout_ms: int) -> cv2.VideoCapture:
    timeouts = [
        cv2.CAP_PROP_OPEN_TIMEOUT_MSEC,
        OPEN_TIMEOUT_MS,
        cv2.CAP_PROP_READ_TIMEOUT_MSEC,
        read_timeout_ms,
    ]
    return cv2.VideoCapture(address, cv2.CAP_FFMPEG, timeouts)
