"""A Raspberry Pi camera through picamera2, with the small picture that its image processor makes at no cost."""

import copy
import logging
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_app.capture.stamp import Stamp
from edge_app.config import CameraSettings
from edge_app.errors import SourceError
from edge_app.records import Frame, ImageBgr

log = logging.getLogger(__name__)

SMALL_WIDTH_PX = 640
FRAME_TIMEOUT_SECONDS = 3.0
OLDEST_NS = 2_000_000_000
"""A sensor time older than this is of another clock, and is ignored."""


class Picamera2Source:
    """Camera `number`: `main` in full size and `lores` in small, of the same moment."""

    live = True

    def __init__(
        self,
        settings: CameraSettings,
        number: int,
        open_camera: Callable[[int, int], Any] | None = None,
        boottime_ns: Callable[[], int] = lambda: time.clock_gettime_ns(time.CLOCK_BOOTTIME),
    ) -> None:
        self._settings = settings
        self._number = number
        self._open_camera = open_camera or open_with_short_exposure
        self._boottime_ns = boottime_ns
        self.stamp = Stamp(settings.name)
        self._closed = threading.Event()

    def frames(self) -> Iterator[Frame]:
        """Yield frames until closed.

        Raises:
            SourceError: it cannot be opened, or gives no more pictures.
        """
        camera = self._open()
        try:
            streams = self._configure(camera)
            self._start(camera)
            yield from self._frames_until_stall(camera, streams)
            camera.stop()
        finally:
            camera.close()

    def close(self) -> None:
        """End at the next frame."""
        self._closed.set()

    def _open(self) -> Any:
        try:
            return self._open_camera(self._number, self._settings.exposure_max_microseconds)
        except ImportError as error:
            raise SourceError(
                f"picamera2 is missing ({error}): apt install python3-picamera2; the venv needs --system-site-packages"
            ) from error
        except ValueError as error:  # of a compiled part: "numpy.dtype size changed"
            raise SourceError(
                f"picamera2 cannot be loaded ({error}): it needs the numpy that came with it; install edge-anpr again"
                " or take numpy out of its venv"
            ) from error
        except (RuntimeError, IndexError) as error:
            raise SourceError(
                f"picamera2:{self._number} cannot be opened ({error}); see rpicam-hello --list-cameras"
            ) from error

    def _configure(self, camera: Any) -> dict[str, dict[str, Any]]:
        """Ask for two streams and read back what came of it: a format may be adjusted silently."""
        width, height = self._settings.width, self._settings.height
        small_width = min(SMALL_WIDTH_PX, width)
        small_height = round(height * small_width / width / 2) * 2
        frame_us = int(1e6 / self._settings.frames_per_second)
        try:
            camera.configure(
                camera.create_video_configuration(
                    main={"size": (width, height), "format": "RGB888"},  # which is B, G, R in memory
                    lores={"size": (small_width, small_height), "format": "YUV420"},  # all that a Pi 4 can do
                    buffer_count=4,
                    controls={"FrameDurationLimits": (frame_us, frame_us)},
                )
            )
        except (RuntimeError, ValueError) as error:
            raise SourceError(f"picamera2:{self._number} refuses {width}x{height}: {error}") from error
        configuration = camera.camera_configuration()
        return {name: dict(configuration[name]) for name in ("main", "lores")}

    def _start(self, camera: Any) -> None:
        try:
            camera.start()
        except RuntimeError as error:
            raise SourceError(
                f"picamera2:{self._number} cannot be started ({error}); check the ribbon cable"
            ) from error

    def _frames_until_stall(self, camera: Any, streams: dict[str, dict[str, Any]]) -> Iterator[Frame]:
        while not self._closed.is_set():
            try:
                request = camera.capture_request(wait=FRAME_TIMEOUT_SECONDS)
            except TimeoutError as error:
                camera.cancel_all_and_flush()
                raise SourceError(
                    f"picamera2:{self._number} has given no picture for {FRAME_TIMEOUT_SECONDS:g} s;"
                    " check the ribbon cable"
                ) from error
            try:  # a request not released is a buffer lost, and with the last one the camera falls silent
                pictures = {name: request.make_buffer(name) for name in streams}
                sensor_ns = request.get_metadata().get("SensorTimestamp")
            finally:
                request.release()
            main, small = (picture_of(pictures[name], streams[name]) for name in ("main", "lores"))
            frame = self.stamp.live(main, self._age_ns(sensor_ns), small)
            if frame is not None:
                yield frame

    def _age_ns(self, sensor_ns: int | None) -> int:
        """Nanoseconds since the sensor began the picture; 0 if the metadata lacks it."""
        age_ns = self._boottime_ns() - sensor_ns if sensor_ns else 0
        return age_ns if 0 <= age_ns <= OLDEST_NS else 0


def picture_of(buffer: NDArray[np.uint8], stream: dict[str, Any]) -> ImageBgr | None:
    """Make a picture of a stream's buffer, the padding of its lines cut off; None if it is short."""
    (width, height), stride, form = stream["size"], stream["stride"], stream["format"]
    if form in ("RGB888", "BGR888"):
        if buffer.size < stride * height:
            return None
        picture = buffer[: stride * height].reshape(height, stride)[:, : width * 3].reshape(height, width, 3)
        return picture if form == "RGB888" else np.ascontiguousarray(picture[:, :, ::-1])
    if form in _FROM_YUV:
        lines = height * 3 // 2
        if buffer.size < stride * lines:
            return None
        planes = buffer[: stride * lines].reshape(lines, stride)
        bgr = np.asarray(cv2.cvtColor(planes, _FROM_YUV[form]), dtype=np.uint8)
        return np.ascontiguousarray(bgr[:, :width])  # only now can the padding be cut off
    raise SourceError(f"picamera2 delivers {form}, not RGB888, BGR888, YUV420 or NV12")


_FROM_YUV = {"YUV420": cv2.COLOR_YUV2BGR_I420, "NV12": cv2.COLOR_YUV2BGR_NV12}


def open_with_short_exposure(number: int, exposure_max_us: int) -> Any:
    """Open a camera whose automatic exposure stays under `exposure_max_us` and reaches for gain instead."""
    from picamera2 import Picamera2

    model = Picamera2.global_camera_info()[number]["Model"]
    try:
        tuning = Picamera2.load_tuning_file(f"{model}.json")
    except RuntimeError:
        log.warning("picamera2:%d (%s) has no tuning file: its exposure cannot be limited", number, model)
        return Picamera2(number)
    return Picamera2(number, tuning=with_short_exposure(tuning, exposure_max_us))


def with_short_exposure(tuning: dict[str, Any], exposure_max_us: int) -> dict[str, Any]:
    """Cut every exposure mode of a libcamera tuning (`rpi.agc`, with or without channels) at a limit."""
    short = copy.deepcopy(tuning)
    for algorithm in short.get("algorithms", []):
        agc = algorithm.get("rpi.agc", {})
        for channel in agc.get("channels", [agc]):
            for mode in channel.get("exposure_modes", {}).values():
                mode["shutter"] = [min(step, exposure_max_us) for step in mode["shutter"]]
    return short
