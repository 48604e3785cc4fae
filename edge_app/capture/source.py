"""What a source of frames is, and which URL opens which."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Protocol
from urllib.parse import parse_qsl

from edge_app.capture.stamp import Stamp
from edge_app.config import CameraSettings
from edge_app.errors import ConfigurationError
from edge_app.records import Frame


class Source(Protocol):
    """A camera, or a recording in its place."""

    live: bool
    """True: a frame that nobody takes is lost. False: a recording, of which every frame counts."""
    attempts: int
    """How often it was opened, with or without success: rises while a lost camera is looked for."""
    stamp: Stamp
    """Numbers its frames, and counts the pictures that were none."""

    def frames(self) -> Iterator[Frame]:
        """Open and yield frames until closed or, for a recording, until its end.

        Raises:
            SourceError: it cannot be opened, or gave up for good.
        """

    def close(self) -> None:
        """End `frames()` soon; may be called from any thread, and more than once."""


def open_source(camera: CameraSettings) -> Source:
    """Make the source that `camera.source` names; nothing is switched on before `frames()`.

    Raises:
        ConfigurationError: the URL is not one we know, or is incomplete.
        SourceError: a file, folder or backend it needs is not there.
    """
    scheme, colon, rest = camera.source.partition(":")
    if not colon or scheme not in _OPENERS:
        raise ConfigurationError(f"camera.source: '{camera.source}' is no source; use one of {', '.join(KNOWN_FORMS)}")
    if not rest:
        raise ConfigurationError(f"camera.source: '{camera.source}' is cut short; write {_OPENERS[scheme][0]}")
    return _OPENERS[scheme][1](camera, rest)


def _open_picamera2(camera: CameraSettings, rest: str) -> Source:
    from edge_app.capture.picamera2_source import Picamera2Source

    if not rest.isdecimal():
        raise ConfigurationError(f"camera.source: '{camera.source}': write a number, as in picamera2:0")
    return Picamera2Source(camera, int(rest))


def _open_v4l2(camera: CameraSettings, rest: str) -> Source:
    from edge_app.capture.v4l2_source import open_v4l2

    return open_v4l2(camera, rest)


def _open_rtsp(camera: CameraSettings, rest: str) -> Source:
    from edge_app.capture.rtsp_source import open_rtsp

    return open_rtsp(camera, f"rtsp:{rest}")


def _open_gstreamer(camera: CameraSettings, rest: str) -> Source:
    from edge_app.capture.gstreamer_source import open_gstreamer

    return open_gstreamer(camera, rest)


def _open_file(camera: CameraSettings, rest: str) -> Source:
    from edge_app.capture.file_source import FileSource

    path, _, query = rest.removeprefix("//").partition("?")
    options = _numbers(camera.source, query, {"loop": 0.0, "speed": 0.0})
    return FileSource(Path(path), camera.name, loop=bool(options["loop"]), speed=options["speed"])


def _open_images(camera: CameraSettings, rest: str) -> Source:
    from edge_app.capture.image_folder_source import ImageFolderSource

    return ImageFolderSource(Path(rest.removeprefix("//")), camera.name, camera.frames_per_second)


def _numbers(url: str, query: str, defaults: dict[str, float]) -> dict[str, float]:
    """Read the options behind the `?` of a URL: each is a number of zero or more."""
    options = dict(defaults)
    for key, text in parse_qsl(query, keep_blank_values=True):
        known = ", ".join(defaults)
        if key not in defaults:
            raise ConfigurationError(f"camera.source: '{url}': unknown option '{key}'; known are {known}")
        try:
            options[key] = float(text)
        except ValueError:
            raise ConfigurationError(f"camera.source: '{url}': {key}={text} is not a number") from None
        if not 0 <= options[key] < float("inf"):
            raise ConfigurationError(f"camera.source: '{url}': {key}={text} must be zero or more")
    return options


_OPENERS: dict[str, tuple[str, Callable[[CameraSettings, str], Source]]] = {
    "picamera2": ("picamera2:0", _open_picamera2),
    "v4l2": ("v4l2:/dev/video0", _open_v4l2),
    "rtsp": ("rtsp://HOST/PATH", _open_rtsp),
    "gst": ("gst:PIPELINE", _open_gstreamer),
    "file": ("file:clip.mp4?loop=1&speed=1", _open_file),
    "images": ("images:DIR", _open_images),
}

KNOWN_FORMS = tuple(form for form, _ in _OPENERS.values())
"""An example of every kind of URL that `open_source` takes."""
