"""The interface of a source of frames, and the source for each URL."""

import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Protocol

from edge_app.capture.stamp import Stamp
from edge_app.config import CameraSettings
from edge_app.configuration.source_url import SourceUrl, parse
from edge_app.records import Frame

_OPENING_SECONDS = 30.0
"""Longest wait for a camera to open."""
_LOOK_SECONDS = 0.05


class Source(Protocol):
    """A camera, or a recording in its place."""

    live: bool
    """True: a camera; a frame that nobody takes is lost. False: a recording; every frame counts."""
    is_open: bool
    """It has been opened, though no frame may have come yet."""
    stamp: Stamp
    """Numbers its frames and counts corrupt pictures."""

    def frames(self) -> Iterator[Frame]:
        """Open and yield frames until closed or, for a recording, until its end; may be called again after an error.

        Raises:
            SourceError: it cannot be opened, or gives no more pictures.
        """

    def close(self) -> None:
        """End `frames()` soon; may be called from any thread, and more than once."""


def open_source(camera: CameraSettings) -> Source:
    """Make the source that `camera.source` names; nothing is switched on before `frames()`.

    Raises:
        ConfigurationError: the URL is unknown or incomplete.
        SourceError: a folder of pictures holds none.
    """
    url = parse(camera.source)
    return _OPENERS[url.scheme](camera, url)


def take_frame(camera: CameraSettings, patience_seconds: float, settle_seconds: float = 0.0) -> Frame | None:
    """One frame; None if none comes within `patience_seconds` of the camera's opening.

    A live camera gets time to settle its exposure first. To open a camera takes a board of little power some seconds.

    Raises:
        ConfigurationError, SourceError: as `open_source` and `Source.frames`.
    """
    with contextlib.closing(open_source(camera)) as source, _patience(source, patience_seconds):
        first = newest = None
        for newest in source.frames():
            first = first or newest
            if not source.live or newest.monotonic_ns - first.monotonic_ns >= settle_seconds * 1e9:
                break
        return newest


@contextlib.contextmanager
def _patience(source: Source, seconds: float) -> Iterator[None]:
    """Close the source if it is open for so long, or does not open at all."""
    done = threading.Event()

    def wait() -> None:
        opened_by = time.monotonic() + _OPENING_SECONDS
        while not (source.is_open or done.wait(_LOOK_SECONDS)) and time.monotonic() < opened_by:
            pass
        if not done.wait(seconds):
            source.close()

    threading.Thread(target=wait, name="patience", daemon=True).start()
    try:
        yield
    finally:
        done.set()


def _open_picamera2(camera: CameraSettings, url: SourceUrl) -> Source:
    from edge_app.capture.picamera2_source import Picamera2Source

    return Picamera2Source(camera, int(url.place))


def _open_v4l2(camera: CameraSettings, url: SourceUrl) -> Source:
    from edge_app.capture.v4l2_source import open_v4l2

    return open_v4l2(camera, url.place)


def _open_network(camera: CameraSettings, url: SourceUrl) -> Source:
    from edge_app.capture.network_source import open_network

    return open_network(camera, url.place)


def _open_gstreamer(camera: CameraSettings, url: SourceUrl) -> Source:
    from edge_app.capture.gstreamer_source import open_gstreamer

    return open_gstreamer(camera, url.place)


def _open_file(camera: CameraSettings, url: SourceUrl) -> Source:
    from edge_app.capture.file_source import FileSource

    return FileSource(Path(url.place), camera.name, loop=url.loop, speed=url.speed)


def _open_images(camera: CameraSettings, url: SourceUrl) -> Source:
    from edge_app.capture.image_folder_source import ImageFolderSource

    return ImageFolderSource(Path(url.place), camera.name, camera.frames_per_second)


_OPENERS: dict[str, Callable[[CameraSettings, SourceUrl], Source]] = {
    "picamera2": _open_picamera2,
    "v4l2": _open_v4l2,
    "rtsp": _open_network,
    "rtsps": _open_network,
    "http": _open_network,
    "https": _open_network,
    "gst": _open_gstreamer,
    "file": _open_file,
    "images": _open_images,
}
