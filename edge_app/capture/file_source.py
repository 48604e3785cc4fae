"""A video file in the place of a camera."""

import contextlib
import logging
import threading
import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import cv2
from numpy.typing import NDArray

from edge_app.capture import container, damage_check
from edge_app.capture.stamp import Stamp
from edge_app.errors import ConfigurationError, SourceError
from edge_app.image_files import decode_frame
from edge_app.newer_python import UTC
from edge_app.printable import counted, printable
from edge_app.records import Frame

log = logging.getLogger(__name__)

_MOTION_JPEG = "MJPG"


@contextlib.contextmanager
def _openable(path: Path) -> Iterator[str]:
    """A name that FFmpeg takes for this file: `10:00.mp4` would name a protocol, and bytes that are no text fail."""
    name = str(path.absolute())
    try:
        name.encode()
    except UnicodeEncodeError:
        with path.open("rb") as file:
            yield f"/proc/self/fd/{file.fileno()}"
    else:
        yield name


class FileSource:
    """Plays `path`, once or for ever, as fast as the frames are taken or at `speed` times its own pace.

    With `speed`, a recording replaces a camera: it happens now. Without, it is footage that ended when the file was
    last written. `Frame.monotonic_ns` follows the recording's own times either way, so vehicles keep their speed for
    the tracker. `warn` is called if the file ends before its time.
    """

    live = False

    def __init__(
        self,
        path: Path,
        camera: str,
        loop: bool = False,
        speed: float = 0.0,
        monotonic_ns: Callable[[], int] = time.monotonic_ns,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        warn: Callable[[str], object] = log.warning,
    ) -> None:
        if not path.is_file():
            raise ConfigurationError(f"{path}: no such video file; check camera.source")
        self._path = path
        self._loop = loop
        self._speed = speed
        self._monotonic_ns = monotonic_ns
        self._now = now
        self._warn = warn
        self.stamp = Stamp(camera)
        self.is_open = True
        self._closed = threading.Event()
        self._is_checked = speed > 0  # in the place of a camera it is not: nothing must hold it up
        self._frame_ns = 0  # known when the file is opened

    def frames(self) -> Iterator[Frame]:
        """Yield every frame that can be decoded."""
        began_ns = self._monotonic_ns()
        began_at = self._began_at()
        elapsed_ns = 0
        while not self._closed.is_set():
            played_ns = 0
            for picture, position_ns in self._pictures():
                played_ns = position_ns
                since_ns = elapsed_ns + position_ns
                if not self._wait_until(began_ns, since_ns):
                    return
                captured_at = began_at + timedelta(microseconds=since_ns / 1000)
                moment_ns = began_ns + since_ns
                frame = self.stamp.taken(picture, captured_at, moment_ns, is_recorded=self._speed <= 0)
                if frame is not None:
                    yield frame
            if not self._loop:
                return
            elapsed_ns += played_ns + self._frame_ns

    def close(self) -> None:
        """End the replay at the next frame."""
        self._closed.set()

    def _began_at(self) -> datetime:
        if self._speed > 0:
            return self._now()
        capture = self._open()
        duration_s = max(0.0, capture.get(cv2.CAP_PROP_FRAME_COUNT)) * self._frame_ns / 1e9
        capture.release()
        return datetime.fromtimestamp(self._path.stat().st_mtime, UTC) - timedelta(seconds=duration_s)

    def _wait_until(self, began_ns: int, since_ns: int) -> bool:
        """Wait until a frame is due; False if the source was closed meanwhile."""
        if self._speed <= 0:
            return not self._closed.is_set()
        due_ns = began_ns + since_ns / self._speed
        return not self._closed.wait(max(0.0, (due_ns - self._monotonic_ns()) / 1e9))

    def _open(self) -> cv2.VideoCapture:
        with _openable(self._path) as name:
            capture = cv2.VideoCapture(name, cv2.CAP_FFMPEG)
        if not capture.isOpened():
            raise SourceError(
                f"{self._path}: is cut off, empty or of an unknown kind;"
                " copy it again, or convert it, for example to H.264 MP4"
            )
        frames_per_second = capture.get(cv2.CAP_PROP_FPS)
        self._frame_ns = int(1e9 / frames_per_second) if 1 <= frames_per_second <= 1000 else 40_000_000
        return capture

    def _pictures(self) -> Iterator[tuple[NDArray[Any], int]]:
        """Yield each decoded picture with its nanoseconds since the first one, strictly rising."""
        capture = self._open()
        declared = int(capture.get(cv2.CAP_PROP_FRAME_COUNT))
        codec = printable(int(capture.get(cv2.CAP_PROP_FOURCC)).to_bytes(4, "little").decode("ascii", "replace"))
        # FFmpeg shows a damaged JPEG as far as it goes: such frames are taken as they lie in the file.
        is_jpeg = codec == _MOTION_JPEG and capture.set(cv2.CAP_PROP_FORMAT, -1)
        decoded, damaged, first_ns, last_ns = 0, 0, 0, -1
        with contextlib.ExitStack() as at_the_end:
            at_the_end.callback(capture.release)
            check = None if is_jpeg or self._is_checked else at_the_end.enter_context(damage_check.playing(self._path))
            while True:
                given, picture = capture.read()
                if not given:
                    break
                position_ns = int(capture.get(cv2.CAP_PROP_POS_MSEC) * 1e6)
                first_ns = position_ns if decoded == 0 else first_ns
                decoded += 1
                advances = decoded == 1 or position_ns - first_ns > last_ns
                last_ns = position_ns - first_ns if advances else last_ns + self._frame_ns
                whole = decode_frame(picture.tobytes()) if is_jpeg else picture
                if whole is None:
                    damaged += 1
                    self.stamp.corrupt += 1
                else:
                    yield whole, last_ns
            places = check.places() if check is not None else 0
            self._is_checked = True
        self.stamp.corrupt += places
        if 0 < damaged < decoded:
            self._warn(f"{self._path}: {damaged} of {decoded} frames are damaged and left out; copy it again")
        else:
            self._judge(decoded - damaged, declared, codec, places)

    def _judge(self, decoded: int, declared: int, codec: str, places: int) -> None:
        file = container.examine(self._path)
        if decoded == 0 and file.missing_bytes:
            what = f"its last {file.missing_bytes} bytes are missing, and no frame can be decoded"
            raise SourceError(f"{self._path}: {what}; copy it again")
        if decoded == 0:
            raise SourceError(
                f"{self._path}: no frame of it can be decoded: it is damaged, or its codec ({codec}) is not known"
                " here; convert it to H.264 MP4"
            )
        if decoded < declared * 0.98 - 1 and file.counts_frames:  # containers round their frame count
            self.stamp.corrupt += declared - decoded
            self._warn(f"{self._path}: only {decoded} of {declared} frames could be decoded; copy it again")
        elif file.missing_bytes:
            what = f"its last {file.missing_bytes} bytes are missing, and {decoded} frames could be decoded"
            self._warn(f"{self._path}: {what}; copy it again")
        elif places:
            what = f"it is damaged in {counted(places, 'place')}, which the decoder has filled with pictures around"
            self._warn(f"{self._path}: {what}; copy it again")
