"""A folder of pictures in the place of a camera."""

import logging
import threading
import time
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path

from edge_app.capture.stamp import Stamp
from edge_app.errors import ConfigurationError, SourceError
from edge_app.file_kinds import FileKind, is_regular, kind_of
from edge_app.image_files import load_image
from edge_app.newer_python import UTC
from edge_app.records import Frame, ImageBgr

log = logging.getLogger(__name__)


class ImageFolderSource:
    """Yields the pictures of `directory` in the order of their names, `frames_per_second` apart."""

    live = False

    def __init__(
        self,
        directory: Path,
        camera: str,
        frames_per_second: float,
        monotonic_ns: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        if not directory.is_dir():
            raise ConfigurationError(f"{directory}: no such folder of images; check camera.source")
        there = sorted(path for path in directory.iterdir() if not path.name.startswith("."))
        self._paths = [path for path in there if is_regular(path) and kind_of(path) is FileKind.PICTURE]
        self._others = [path for path in there if path not in self._paths]
        if not self._paths:
            raise SourceError(f"{directory}: holds no picture; give a folder of JPEG or PNG files")
        self._frame_ns = int(1e9 / frames_per_second)
        self._monotonic_ns = monotonic_ns
        self.stamp = Stamp(camera)
        self.is_open = True
        self._closed = threading.Event()

    def frames(self) -> Iterator[Frame]:
        """Yield a frame for each picture; one that cannot be decoded is left out with a warning."""
        for path in self._others:
            log.warning("%s: no picture that is read here; passed over", path)
        began_ns = self._monotonic_ns()
        for index, path in enumerate(self._paths):
            if self._closed.is_set():
                return
            picture, taken_at = _read(path)
            frame = self.stamp.taken(picture, taken_at, began_ns + index * self._frame_ns)
            if frame is not None:
                yield frame
            elif picture is not None:
                log.warning("%s: too small for a picture of a road; left out", path)

    def close(self) -> None:
        """End at the next picture."""
        self._closed.set()


def _read(path: Path) -> tuple[ImageBgr | None, datetime]:
    """The decoded picture, or None, and the time at which its file was written."""
    try:
        return load_image(path), datetime.fromtimestamp(path.stat().st_mtime, UTC)
    except (SourceError, OSError) as error:
        log.warning("%s; left out", error)
        return None, datetime.now(UTC)
