"""What picamera2 is asked for: settings in, controls out.

Names and values: https://libcamera.org/api-html/namespace_1_1libcamera_1_1controls.html
"""

import copy
from collections.abc import Mapping
from typing import Any

from edge_app.camera_settings import CameraSettings

AE_METERING_MODE = {"centre": 0, "spot": 1, "matrix": 2}
NOISE_REDUCTION_MODE = {"off": 0, "fast": 1, "high_quality": 2}
AF_MANUAL, AF_CONTINUOUS = 0, 2
HDR_OFF = 0
LIGHT_SECONDS = 30.0
"""The light must have changed for this long: headlights and clouds pass sooner."""
PixelArea = tuple[int, int, int, int]
"""Left, top, width, height."""


def controls_of(settings: CameraSettings, is_night: bool, whole: PixelArea | None = None) -> dict[str, Any]:
    """The controls of a running camera; `whole` is the sensor's area, if it is known."""
    frame_us = int(1e6 / settings.frames_per_second)
    exposure_us, gain, white_balance = settings.exposure_microseconds, settings.gain, settings.white_balance
    if is_night:
        exposure_us = exposure_us or settings.longest_exposure_microseconds
        gain = gain or settings.night_gain
        white_balance = white_balance or (1.0, 1.0)
    asked: dict[str, Any] = {
        "FrameDurationLimits": (frame_us, frame_us),
        "ExposureTimeMode": int(exposure_us is not None),  # 0: automatic; before libcamera 0.5 the value 0 says so
        "AnalogueGainMode": int(gain is not None),
        "ExposureTime": exposure_us or 0,
        "AnalogueGain": gain or 0.0,
        "AeMeteringMode": AE_METERING_MODE[settings.metering],
        "AwbEnable": white_balance is None,
        "NoiseReductionMode": NOISE_REDUCTION_MODE[settings.noise_reduction],
        "Saturation": 0.0 if is_night else 1.0,
        "HdrMode": HDR_OFF,  # it joins exposures of different moments
    }
    if white_balance is not None:
        asked["ColourGains"] = white_balance
    if settings.focus_metres is None:
        asked["AfMode"] = AF_CONTINUOUS
    elif settings.focus_metres > 0:
        asked |= {"AfMode": AF_MANUAL, "LensPosition": 1 / settings.focus_metres}
    if settings.region is not None and whole is not None:
        left, top, width, height = settings.region
        asked["ScalerCrop"] = (
            whole[0] + round(left * whole[2]),
            whole[1] + round(top * whole[3]),
            round(width * whole[2]),
            round(height * whole[3]),
        )
    return asked


def known(asked: Mapping[str, Any], available: Mapping[str, Any]) -> dict[str, Any]:
    """Those of the controls that this camera has; no value of 0 beside a mode that says the same."""
    automatic = {name for name in ("ExposureTime", "AnalogueGain") if f"{name}Mode" in available and not asked[name]}
    return {name: value for name, value in asked.items() if name in available and name not in automatic}


def missing(asked: Mapping[str, Any], available: Mapping[str, Any]) -> list[str]:
    """Controls that were asked for on purpose, and that this camera does not have."""
    asked = {name: value for name, value in asked.items() if name not in _TWINS}
    by_itself = {"AfMode": AF_CONTINUOUS, "HdrMode": HDR_OFF, "Saturation": 1.0, "ExposureTime": 0, "AnalogueGain": 0.0}
    by_itself |= {"AwbEnable": True, "AeMeteringMode": 0, "NoiseReductionMode": 1}
    return [name for name, value in asked.items() if name not in available and by_itself.get(name) != value]


_TWINS = ("ExposureTimeMode", "AnalogueGainMode")
"""Say with a control of their own what the value says in earlier versions."""


def with_limits(tuning: dict[str, Any], exposure_max_us: int, gain_max: float | None) -> dict[str, Any]:
    """Cut every exposure mode of a libcamera tuning (`rpi.agc`, with or without channels) at the limits."""
    limited = copy.deepcopy(tuning)
    for algorithm in limited.get("algorithms", []):
        agc = algorithm.get("rpi.agc", {})
        for channel in agc.get("channels", [agc]):
            for mode in channel.get("exposure_modes", {}).values():
                mode["shutter"] = [min(step, exposure_max_us) for step in mode["shutter"]]
                if gain_max is not None:
                    mode["gain"] = [min(step, gain_max) for step in mode["gain"]]
    return limited


class DayOrNight:
    """Which preset holds, by the measured light; it changes only after the light has changed for a while."""

    def __init__(self, settings: CameraSettings) -> None:
        self.is_night = settings.preset == "night_infrared"
        self._settings = settings
        self._since_ns: int | None = None

    def judge(self, lux: float | None, now_ns: int) -> bool:
        """Take a measurement into account; whether the preset has just changed."""
        settings = self._settings
        if settings.preset != "auto" or lux is None:
            return False
        is_other = lux > settings.day_above_lux if self.is_night else lux < settings.night_below_lux
        if not is_other:
            self._since_ns = None
        elif self._since_ns is None:
            self._since_ns = now_ns
        elif now_ns - self._since_ns >= LIGHT_SECONDS * 1e9:
            self.is_night, self._since_ns = not self.is_night, None
            return True
        return False
