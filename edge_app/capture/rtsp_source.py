"""A network camera that speaks RTSP."""

import os
from pathlib import Path
from urllib.parse import SplitResult, quote, urlsplit

import cv2

from edge_app.capture.opencv_stream import OpenCvStream
from edge_app.config import CameraSettings
from edge_app.configuration import secret_files, systemd_credentials
from edge_app.errors import ConfigurationError
from edge_app.printable import without_secrets

OPEN_TIMEOUT_MS = 3000
READ_TIMEOUT_MS = 2000
_CREDENTIAL = "camera-password"
FRAMES_AWAITED = 3
"""A slow camera, of a frame in some seconds, is waited for as long as that many frames take."""


def open_rtsp(camera: CameraSettings, url: str) -> OpenCvStream:
    """Make the source of an `rtsp://` URL, with `camera.password_file` as its user and password.

    Raises:
        ConfigurationError: the password file is not as it should be.
    """
    parts = urlsplit(url)
    # Read by OpenCV at every open; UDP would lose packets and smear the picture.
    os.environ.setdefault("OPENCV_FFMPEG_CAPTURE_OPTIONS", "rtsp_transport;tcp")
    os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")  # its words may show the password
    address = _with_password(parts, camera.password_file or systemd_credentials.file_of(_CREDENTIAL))
    read_timeout_ms = max(READ_TIMEOUT_MS, int(FRAMES_AWAITED * 1000 / camera.frames_per_second))
    hint = "check its address, user and password, and the network"
    return OpenCvStream(
        camera.name, without_secrets(url), lambda: _open(address, read_timeout_ms), patient=True, hint=hint
    )


def _with_password(parts: SplitResult, password_file: Path | None) -> str:
    if password_file is None:
        return parts.geturl()
    user, colon, password = secret_files.read_line(password_file, "camera.password_file").strip().partition(":")
    if not (user and colon):
        raise ConfigurationError(f"camera.password_file: {password_file} must hold user:password in one line")
    host = parts.netloc.rpartition("@")[2]
    return parts._replace(netloc=f"{quote(user, safe='')}:{quote(password, safe='')}@{host}").geturl()


def _open(address: str, read_timeout_ms: int) -> cv2.VideoCapture:
    timeouts = [
        cv2.CAP_PROP_OPEN_TIMEOUT_MSEC,
        OPEN_TIMEOUT_MS,
        cv2.CAP_PROP_READ_TIMEOUT_MSEC,
        read_timeout_ms,
    ]
    return cv2.VideoCapture(address, cv2.CAP_FFMPEG, timeouts)
