"""Picamera2 source: what goes in and what comes out."""

import logging
import threading
from itertools import islice
from typing import Any

import numpy as np
import pytest

from edge_app.backoff import Backoff
from edge_app.camera_settings import CameraSettings
from edge_app.capture.camera import Camera
from edge_app.capture.frame_slot import FrameSlot
from edge_app.capture.picamera2_controls import LIGHT_SECONDS, DayOrNight, controls_of, missing, with_limits
from edge_app.capture.picamera2_source import Picamera2Source, picture_of
from edge_app.errors import SourceError
from edge_app.records import Exposure, Frame
from tests.capture.fake_picamera2 import FakePicamera2
from tests.capture.pictures import view

SETTINGS = CameraSettings(name="north", width=320, height=240)


def test_a_frame_carries_both_pictures_without_their_padding() -> None:
    camera = FakePicamera2([{}])

    frame = next(Picamera2Source(SETTINGS, 0, lambda *_: camera).frames())

    assert np.array_equal(frame.image_bgr, view(60))
    assert frame.small_bgr is not None
    assert frame.small_bgr.shape == (240, 320, 3)
    assert np.abs(frame.small_bgr.astype(int) - view(60)).mean() < 2


def test_the_small_picture_has_the_shape_of_the_large_one() -> None:
    camera = FakePicamera2([{}])

    frame = next(Picamera2Source(CameraSettings(), 0, lambda *_: camera).frames())

    assert frame.image_bgr.shape == (1080, 1920, 3)
    assert frame.small_bgr is not None
    assert frame.small_bgr.shape == (360, 640, 3)


def test_every_request_is_released() -> None:
    camera = FakePicamera2([{}] * 20)
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
    camera = FakePicamera2([{}, None, {}])
    source = Picamera2Source(SETTINGS, 0, lambda *_: camera)

    before: list[Frame] = []
    with pytest.raises(SourceError, match="no picture for 3 s; check the ribbon cable"):
        before.extend(source.frames())
    after = next(source.frames())

    assert [*[frame.sequence for frame in before], after.sequence] == [0, 1]
    assert camera.calls[:3] == ["start", "cancel_all_and_flush", "close"]


def test_a_camera_that_is_unplugged_is_lost_and_comes_back() -> None:
    cameras = [FakePicamera2([{}, RuntimeError("V4L2: No such device")]), FakePicamera2([{}] * 2 + [None] * 9)]
    source = Picamera2Source(SETTINGS, 0, lambda *_: cameras.pop(0))
    camera = Camera("north", source, FrameSlot(), backoff=Backoff(0.001, 0.001))

    thread = threading.Thread(target=camera.run)
    thread.start()
    while source.stamp._sequence < 3:
        thread.join(0.01)
    camera.close()
    thread.join(10)

    assert not thread.is_alive()
    assert camera.attempts >= 2


def test_what_is_asked_for_is_set_and_what_a_camera_lacks_is_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    settings = CameraSettings(
        width=320,
        height=240,
        exposure_microseconds=800,
        gain=2.0,
        focus_metres=4.0,
        metering="spot",
        white_balance=(2, 3),
    )
    one, other = FakePicamera2([{}, None]), FakePicamera2([{}])
    cameras = [one, other]
    source = Picamera2Source(settings, 0, lambda *_: cameras.pop(0))

    frames: list[Frame] = []
    with pytest.raises(SourceError):
        frames.extend(source.frames())
    frames.append(next(source.frames()))

    assert one.controls == other.controls
    assert (one.controls["AfMode"], one.controls["LensPosition"], one.controls["ColourGains"]) == (0, 0.25, (2, 3))
    assert [frame.exposure for frame in frames] == [Exposure(800.0, 2.0)] * 2
    assert caplog.messages == ["camera camera: picamera2:0 has no AeMeteringMode"]


def test_what_came_is_logged_beside_what_was_asked(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    camera = FakePicamera2([{"FrameDuration": 33_333, "ExposureTime": 1500, "AnalogueGain": 8.0}] * 2)

    list(islice(Picamera2Source(SETTINGS, 0, lambda *_: camera).frames(), 2))

    asked = "asked for 320 × 240 at 15.0 frames per second, exposed for at most 2000 µs"
    came = "got 320 × 240 at 30.0 frames per second, exposed for 1500 µs with gain 8.0"
    assert caplog.messages == [f"camera north: {asked}; {came}"]


def test_automatic_exposure_is_asked_for_as_the_camera_understands_it() -> None:
    earlier = FakePicamera2([{}])
    later = FakePicamera2([{}], ("ExposureTime", "AnalogueGain", "ExposureTimeMode", "AnalogueGainMode"))

    for camera in (earlier, later):
        next(Picamera2Source(SETTINGS, 0, lambda *_, camera=camera: camera).frames())

    assert (earlier.controls["ExposureTime"], earlier.controls["AnalogueGain"]) == (0, 0.0)
    assert later.controls == {"ExposureTimeMode": 0, "AnalogueGainMode": 0}


def test_the_night_fixes_exposure_and_gain_and_takes_the_colour_off() -> None:
    settings = CameraSettings(preset="night_infrared", speed_kmh=60, pixels_per_metre=250)

    asked = controls_of(settings, is_night=True)

    assert asked["ExposureTime"] == settings.longest_exposure_microseconds == 240
    assert (asked["AnalogueGain"], asked["Saturation"], asked["AwbEnable"]) == (4.0, 0.0, False)
    assert set(missing(asked, {})) == {
        "FrameDurationLimits", "ExposureTime", "AnalogueGain", "AwbEnable", "Saturation", "ColourGains",
    }  # fmt: skip


def test_a_region_is_a_part_of_the_whole_sensor() -> None:
    asked = controls_of(CameraSettings(region=(0.25, 0.5, 0.5, 0.5)), False, (8, 16, 4608, 2592))

    assert asked["ScalerCrop"] == (1160, 1312, 2304, 1296)


def test_night_and_day_change_with_the_light_once_it_has_lasted() -> None:
    light = DayOrNight(CameraSettings(preset="auto", night_below_lux=5, day_above_lux=20))
    measured = [100.0] * 10 + [3.0] * 20 + [8.0] + [3.0] * 40 + [30.0] * 10 + [10.0] * 40 + [30.0] * 40

    changes = [second for second, lux in enumerate(measured) if light.judge(lux, int(second * 1e9))]

    assert changes == [31 + LIGHT_SECONDS, 121 + LIGHT_SECONDS]
    assert not light.is_night


def test_the_camera_gets_the_controls_of_the_night_while_it_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edge_app.capture.picamera2_controls.LIGHT_SECONDS", 0.0)
    camera = FakePicamera2([{"Lux": 1.0}] * 3)
    source = Picamera2Source(CameraSettings(width=320, height=240, preset="auto"), 0, lambda *_: camera)

    exposures = [frame.exposure for frame in islice(source.frames(), 3)]

    assert exposures == [Exposure(0.0, 0.0)] * 2 + [Exposure(2000.0, 4.0)]


def test_a_machine_without_picamera2_gets_an_error_that_names_what_to_install() -> None:
    with pytest.raises(SourceError, match="python3-picamera2"):
        next(Picamera2Source(SETTINGS, 0).frames())


def test_a_camera_that_is_not_there_is_an_error_of_ours() -> None:
    def none_there(number: int, _: CameraSettings) -> Any:
        raise IndexError(number)

    with pytest.raises(SourceError, match=r"picamera2:3 .*list-cameras"):
        next(Picamera2Source(SETTINGS, 3, none_there).frames())


def test_every_exposure_mode_is_cut_and_the_rest_left_alone() -> None:
    normal: dict[str, Any] = {"shutter": [100, 1500, 10_000, 66_666], "gain": [1.0, 2.0, 4.0, 8.0]}
    tuning: dict[str, Any] = {
        "algorithms": [{"rpi.black_level": {"black_level": 4096}}, {"rpi.agc": {"exposure_modes": {"normal": normal}}}]
    }
    channels: dict[str, Any] = {"algorithms": [{"rpi.agc": {"channels": [{"exposure_modes": {"normal": normal}}]}}]}

    short: Any = with_limits(tuning, 2000, None)
    short_channels: Any = with_limits(channels, 2000, 3.0)

    expected = {"shutter": [100, 1500, 2000, 2000], "gain": [1.0, 2.0, 4.0, 8.0]}
    assert short["algorithms"][1]["rpi.agc"]["exposure_modes"]["normal"] == expected
    assert short["algorithms"][0] == tuning["algorithms"][0]
    assert short_channels["algorithms"][0]["rpi.agc"]["channels"][0]["exposure_modes"]["normal"] == expected | {
        "gain": [1.0, 2.0, 3.0, 3.0]
    }
    assert normal["shutter"][-1] == 66_666


def test_a_picamera2_built_for_another_numpy_gives_an_error_with_the_remedy() -> None:
    def load(*_: object) -> Any:
        raise ValueError("numpy.dtype size changed, may indicate binary incompatibility")

    with pytest.raises(SourceError, match=r"dtype size changed.*take numpy out of its venv"):
        next(Picamera2Source(SETTINGS, 0, load).frames())


def test_a_camera_that_cannot_be_started_gives_an_error_and_is_closed() -> None:
    class Unplugged(FakePicamera2):
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
