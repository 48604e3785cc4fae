"""Picamera2 source: what goes in and what comes out."""

from collections.abc import Callable
from itertools import islice
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from edge_app.capture.picamera2_source import Picamera2Source, picture_of, with_short_exposure
from edge_app.config import CameraSettings
from edge_app.errors import SourceError
from tests.capture.pictures import view

SETTINGS = CameraSettings(name="north", width=320, height=240)


class FakeRequest:
    """A completed request that counts its release."""

    def __init__(self, camera: "FakeCamera", metadata: dict[str, int]) -> None:
        self._camera, self._metadata = camera, metadata

    def make_buffer(self, name: str) -> NDArray[np.uint8]:
        return self._camera.buffers[name]

    def get_metadata(self) -> dict[str, int]:
        return self._metadata

    def release(self) -> None:
        self._camera.held -= 1


class FakeCamera:
    """What the source uses of picamera2: lines padded to 64 bytes, and stalls where `answers` holds a None."""

    def __init__(self, answers: list[dict[str, int] | None]) -> None:
        self.answers, self.held, self.calls = answers, 0, []  # type: ignore[var-annotated]
        self.buffers: dict[str, NDArray[np.uint8]] = {}
        self._streams: dict[str, Any] = {}

    def create_video_configuration(self, **streams: Any) -> dict[str, Any]:
        return streams

    def configure(self, configuration: dict[str, Any]) -> None:
        (width, height), small = configuration["main"]["size"], configuration["lores"]["size"]
        self._streams = {
            "main": {"size": (width, height), "format": "RGB888", "stride": 3 * width + 64},
            "lores": {"size": small, "format": "YUV420", "stride": small[0] + 64},
        }
        self.buffers = {"main": padded_bgr(view(60, width, height), 64), "lores": padded_yuv(view(60, *small), 64)}

    def camera_configuration(self) -> dict[str, Any]:
        return self._streams

    def capture_request(self, wait: float) -> FakeRequest:
        answer = self.answers.pop(0)
        if answer is None:
            raise TimeoutError
        self.held += 1
        return FakeRequest(self, answer)

    def __getattr__(self, name: str) -> Callable[[], None]:
        return lambda: self.calls.append(name)


def padded_bgr(picture: NDArray[np.uint8], padding: int) -> NDArray[np.uint8]:
    lines = picture.reshape(len(picture), -1)
    return np.pad(lines, ((0, 0), (0, padding)), constant_values=255).ravel()


def padded_yuv(picture: NDArray[np.uint8], padding: int) -> NDArray[np.uint8]:
    """I420 with every line padded, as libcamera lays it out: chroma lines have half the stride."""
    height, width = picture.shape[:2]
    planes = np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2YUV_I420), dtype=np.uint8)
    luma = np.pad(planes[:height], ((0, 0), (0, padding)))
    chroma = np.pad(planes[height:].reshape(height, width // 2), ((0, 0), (0, padding // 2)))
    return np.concatenate([luma.ravel(), chroma.ravel()])


def test_a_frame_carries_both_pictures_without_their_padding() -> None:
    camera = FakeCamera([{}])

    frame = next(Picamera2Source(SETTINGS, 0, lambda *_: camera).frames())

    assert np.array_equal(frame.image_bgr, view(60))
    assert frame.small_bgr is not None
    assert frame.small_bgr.shape == (240, 320, 3)
    assert np.abs(frame.small_bgr.astype(int) - view(60)).mean() < 2


def test_the_small_picture_has_the_shape_of_the_large_one() -> None:
    camera = FakeCamera([{}])

    frame = next(Picamera2Source(CameraSettings(), 0, lambda *_: camera).frames())

    assert frame.image_bgr.shape == (1080, 1920, 3)
    assert frame.small_bgr is not None
    assert frame.small_bgr.shape == (360, 640, 3)


def test_every_request_is_released() -> None:
    camera = FakeCamera([{}] * 20)
    source = Picamera2Source(SETTINGS, 0, lambda *_: camera)

    frames = source.frames()
    for _ in islice(frames, 20):
        assert camera.held == 0
    source.close()

    assert list(frames) == []
    assert camera.calls == ["start", "stop", "close"]


@pytest.mark.parametrize(("sensor_ns", "age_ns"), [(9_960_000_000, 40_000_000), (None, 0), (1, 0), (11_000_000_000, 0)])
def test_the_sensor_gives_the_time_if_its_clock_is_ours(sensor_ns: int | None, age_ns: int) -> None:
    source = Picamera2Source(SETTINGS, 0, boottime_ns=lambda: 10_000_000_000)

    assert source._age_ns(sensor_ns) == age_ns


def test_a_camera_that_stalls_is_flushed_closed_and_can_be_opened_again() -> None:
    camera = FakeCamera([{}, None, {}])
    source = Picamera2Source(SETTINGS, 0, lambda *_: camera)

    before = []
    with pytest.raises(SourceError, match="no picture for 3 s; check the ribbon cable"):
        before.extend(source.frames())
    after = next(source.frames())

    assert [*[frame.sequence for frame in before], after.sequence] == [0, 1]
    assert camera.calls[:3] == ["start", "cancel_all_and_flush", "close"]


def test_a_machine_without_picamera2_gets_an_error_that_names_what_to_install() -> None:
    with pytest.raises(SourceError, match="python3-picamera2"):
        next(Picamera2Source(SETTINGS, 0).frames())


def test_a_camera_that_is_not_there_is_an_error_of_ours() -> None:
    def none_there(number: int, exposure_max_us: int) -> Any:
        raise IndexError(number)

    with pytest.raises(SourceError, match=r"picamera2:3 .*list-cameras"):
        next(Picamera2Source(SETTINGS, 3, none_there).frames())


def test_every_exposure_mode_is_cut_and_the_rest_left_alone() -> None:
    normal: dict[str, Any] = {"shutter": [100, 1500, 10_000, 66_666], "gain": [1.0, 2.0, 4.0, 8.0]}
    tuning: dict[str, Any] = {
        "algorithms": [{"rpi.black_level": {"black_level": 4096}}, {"rpi.agc": {"exposure_modes": {"normal": normal}}}]
    }
    channels: dict[str, Any] = {"algorithms": [{"rpi.agc": {"channels": [{"exposure_modes": {"normal": normal}}]}}]}

    short: Any = with_short_exposure(tuning, 2000)
    short_channels: Any = with_short_exposure(channels, 2000)

    expected = {"shutter": [100, 1500, 2000, 2000], "gain": [1.0, 2.0, 4.0, 8.0]}
    assert short["algorithms"][1]["rpi.agc"]["exposure_modes"]["normal"] == expected
    assert short["algorithms"][0] == tuning["algorithms"][0]
    assert short_channels["algorithms"][0]["rpi.agc"]["channels"][0]["exposure_modes"]["normal"] == expected
    assert normal["shutter"][-1] == 66_666


def test_a_picamera2_built_for_another_numpy_gives_an_error_with_the_remedy() -> None:
    def load(*_: int) -> Any:
        raise ValueError("numpy.dtype size changed, may indicate binary incompatibility")

    with pytest.raises(SourceError, match=r"dtype size changed.*take numpy out of its venv"):
        next(Picamera2Source(SETTINGS, 0, load).frames())


def test_a_camera_that_cannot_be_started_gives_an_error_and_is_closed() -> None:
    class Unplugged(FakeCamera):
        def start(self) -> None:
            raise RuntimeError("Failed to start camera: Input/output error")

    camera = Unplugged([])

    with pytest.raises(SourceError, match=r"cannot be started \(Failed to start camera"):
        next(Picamera2Source(SETTINGS, 0, lambda *_: camera).frames())
    assert camera.calls == ["close"]


def test_a_short_buffer_is_no_picture_and_a_strange_format_an_error() -> None:
    stream = {"size": (320, 240), "stride": 320, "format": "YUV420"}

    assert picture_of(np.zeros(1000, np.uint8), stream) is None
    with pytest.raises(SourceError, match="SRGGB10"):
        picture_of(np.zeros(1000, np.uint8), stream | {"format": "SRGGB10"})
