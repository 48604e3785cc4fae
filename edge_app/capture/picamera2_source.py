"""A Raspberry Pi camera through picamera2, with the small picture that its image processor makes at no cost."""

import logging
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_app.capture import picamera2_controls as controls
from edge_app.capture.stamp import Stamp
from edge_app.config import CameraSettings
from edge_app.errors import SourceError
from edge_app.records import Exposure, Frame, ImageBgr

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
        open_camera: Callable[[int, CameraSettings], Any] | None = None,
        boottime_ns: Callable[[], int] = lambda: time.clock_gettime_ns(time.CLOCK_BOOTTIME),
    ) -> None:
        self._settings = settings
        self._number = number
        self._open_camera = open_camera or open_limited
        self._light = controls.DayOrNight(settings)
        self._described = False
        self._boottime_ns = boottime_ns
        self.stamp = Stamp(settings.name)
        self.is_open = False
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
            self.is_open = True
            yield from self._frames_until_stall(camera, streams)
            camera.stop()
        finally:
            camera.close()

    def close(self) -> None:
        """End at the next frame."""
        self._closed.set()

    def _open(self) -> Any:
        try:
            return self._open_camera(self._number, self._settings)
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
        asked: dict[str, Any] = {
            "main": {"size": (width, height), "format": "RGB888"},  # which is B, G, R in memory
            "lores": {"size": (small_width, small_height), "format": "YUV420"},  # all that a Pi 4 can do
            "buffer_count": 4,
            "controls": self._controls(camera),
        }
        if self._settings.sensor_mode is not None:
            asked["sensor"] = {"output_size": self._settings.sensor_mode}
        if self._settings.flip != "none":
            asked["transform"] = _transform(self._settings.flip)
        try:
            camera.configure(camera.create_video_configuration(**asked))
        except (RuntimeError, ValueError) as error:
            raise SourceError(f"picamera2:{self._number} refuses {width}x{height}: {error}") from error
        configuration = camera.camera_configuration()
        return {name: dict(configuration[name]) for name in ("main", "lores")}

    def _controls(self, camera: Any) -> dict[str, Any]:
        """What this camera has of what is asked; what it lacks is logged once."""
        available = camera.camera_controls
        whole = camera.camera_properties.get("PixelArraySize")
        asked = controls.controls_of(self._settings, self._light.is_night, (0, 0, *whole) if whole else None)
        if not self._described and (lacks := controls.missing(asked, available)):
            log.warning("camera %s: picamera2:%d has no %s", self._settings.name, self._number, ", ".join(lacks))
        return controls.known(asked, available)

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
                metadata = request.get_metadata()
            finally:
                request.release()
            self._tell_once(streams, metadata)
            if self._light.judge(metadata.get("Lux"), time.monotonic_ns()):
                log.info("camera %s: %s", self._settings.name, "night" if self._light.is_night else "day")
                camera.set_controls(self._controls(camera))
            main, small = (picture_of(pictures[name], streams[name]) for name in ("main", "lores"))
            frame = self.stamp.live(main, self._age_ns(metadata.get("SensorTimestamp")), small, _exposure(metadata))
            if frame is not None:
                yield frame

    def _tell_once(self, streams: dict[str, dict[str, Any]], metadata: dict[str, Any]) -> None:
        """Log what came of what was asked."""
        if self._described:
            return
        self._described = True
        asked = self._settings
        came = "{} × {}".format(*streams["main"]["size"])
        duration_us = metadata.get("FrameDuration")
        rate = f" at {1e6 / duration_us:.1f} frames per second" if duration_us else ""
        exposure = _exposure(metadata)
        exposed = f", exposed for {exposure.microseconds:.0f} µs with gain {exposure.gain:.1f}" if exposure else ""
        limit_us = asked.exposure_microseconds or asked.longest_exposure_microseconds
        log.info(
            "camera %s: asked for %d × %d at %.1f frames per second, exposed for at most %d µs; got %s%s%s",
            asked.name, asked.width, asked.height, asked.frames_per_second, limit_us, came, rate, exposed,
        )  # fmt: skip

    def _age_ns(self, sensor_ns: int | None) -> int:
        """Nanoseconds since the sensor began the picture; 0 if the metadata lacks it."""
        age_ns = self._boottime_ns() - sensor_ns if sensor_ns else 0
        return age_ns if 0 <= age_ns <= OLDEST_NS else 0


def _exposure(metadata: dict[str, Any]) -> Exposure | None:
    microseconds, gain = metadata.get("ExposureTime"), metadata.get("AnalogueGain")
    return None if microseconds is None or gain is None else Exposure(float(microseconds), round(float(gain), 3))


def _transform(flip: str) -> Any:
    from libcamera import Transform  # comes with picamera2

    return Transform(hflip=flip in ("horizontal", "both"), vflip=flip in ("vertical", "both"))


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


def open_limited(number: int, settings: CameraSettings) -> Any:
    """Open a camera whose automatic exposure stays within the limits; the control loop's tuning holds them."""
    from picamera2 import Picamera2

    model = Picamera2.global_camera_info()[number]["Model"]
    try:
        tuning = Picamera2.load_tuning_file(f"{model}.json")
    except RuntimeError:
        log.warning("picamera2:%d (%s) has no tuning file: its exposure cannot be limited", number, model)
        return Picamera2(number)
    limits = settings.longest_exposure_microseconds, settings.gain_max
    return Picamera2(number, tuning=controls.with_limits(tuning, *limits))
