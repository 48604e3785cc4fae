"""A folder of pictures in the place of a camera."""

import logging
import threading
import time
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path

import cv2
import numpy as np

from edge_app.capture.stamp import Stamp
from edge_app.errors import ConfigurationError, SourceError
from edge_app.image_files import IMAGE_SUFFIXES
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
        self._paths = sorted(path for path in directory.iterdir() if path.suffix.lower() in IMAGE_SUFFIXES)
        if not self._paths:
            raise SourceError(f"{directory}: holds no picture ({', '.join(sorted(IMAGE_SUFFIXES))})")
        self.attempts = 0
        self._frame_ns = int(1e9 / frames_per_second)
        self._monotonic_ns = monotonic_ns
        self.stamp = Stamp(camera)
        self._closed = threading.Event()

    def frames(self) -> Iterator[Frame]:
        """Yield a frame for each picture; one that cannot be decoded is left out with a warning."""
        self.attempts += 1
        began_ns = self._monotonic_ns()
        for index, path in enumerate(self._paths):
            if self._closed.is_set():
                return
            picture, taken_at = _read(path)
            frame = self.stamp.taken(picture, taken_at, began_ns + index * self._frame_ns)
            if frame is None:
                log.warning("%s: not a picture that can be decoded; left out", path)
            else:
                yield frame

    def close(self) -> None:
        """End at the next picture."""
        self._closed.set()


def _read(path: Path) -> tuple[ImageBgr | None, datetime]:
    """Decode a picture, or None, and tell when its file was written."""
    try:
        taken_at = datetime.fromtimestamp(path.stat().st_mtime, UTC)
        content = np.frombuffer(path.read_bytes(), dtype=np.uint8)
        picture = cv2.imdecode(content, cv2.IMREAD_COLOR) if content.size else None
    except (OSError, cv2.error):
        return None, datetime.now(UTC)
    return None if picture is None else np.asarray(picture, dtype=np.uint8), taken_at
