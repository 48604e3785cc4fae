"""`[camera]` and `[[cameras]]`: where frames come from, and how a camera is set up for plates."""

import math
from collections.abc import Iterator
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Annotated

from edge_app.configuration import source_url
from edge_app.configuration.limits import Between, Example, Matching, OneOf, OnlyFor, Share, TopicLevel
from edge_app.configuration.record_fields import shapes_of
from edge_app.configuration.source_url import SourceForm

STROKE_METRES = 0.010
"""Width of a stroke of an Indian plate's letters of 65 mm (Central Motor Vehicles Rules, rule 51)."""
SMEAR_SHARE = 0.2
"""Share of a stroke by which a plate may smear."""
SMEAR_PX = 0.5
"""Smear that no pixel shows: where a fifth of a stroke is less, a shorter exposure costs light and gains nothing."""


@dataclass(frozen=True, slots=True)
class CameraSettings:
    """`[camera]`: where frames come from. For several cameras see `[[cameras]]`."""

    name: TopicLevel = "camera"
    """Its part of its MQTT topics: letters, digits, `-` and `_`."""
    source: Annotated[str, SourceForm()] = "picamera2:0"
    """`picamera2:0`, `v4l2:/dev/video0`, `rtsp://HOST/PATH`, `rtsps://HOST/PATH`, `http://HOST/PATH` or `https://…`
    (MJPEG), `gst:PIPELINE`, `file:clip.mp4?loop=1&speed=1` or `images:DIR`."""
    width: Annotated[int, Between(64, 16384), OnlyFor("picamera2", "v4l2")] = 1920
    """Width asked of the camera, in pixels."""
    height: Annotated[int, Between(64, 16384), OnlyFor("picamera2", "v4l2")] = 1080
    """Height asked of the camera, in pixels."""
    frames_per_second: Annotated[float, Between(0.1, 240)] = 15.0
    """Frames asked of the camera each second; what a network camera is set to, or how fast a folder is played."""
    password_file: Annotated[Path | None, OnlyFor(*source_url.NETWORK), Example("/etc/edge-anpr/camera-password")] = (
        None
    )
    """File with `user:password`. If not set, the systemd credential `camera-password-NAME` or `camera-password` is
    used."""
    rtsp_transport: Annotated[str, OneOf(("tcp", "udp")), OnlyFor("rtsp")] = "tcp"
    """How the camera sends its pictures. UDP loses packets, which smears plates."""
    preset: Annotated[str, OneOf(("auto", "day", "night_infrared")), OnlyFor("picamera2")] = "day"
    """"day": exposure and gain are automatic, the exposure within its limit. "night_infrared": for an infrared lamp;
    the longest exposure allowed and `night_gain`, both fixed, without colour, so that plates that throw the light back
    are not over-exposed. "auto": one or the other, by the measured light."""
    night_below_lux: Annotated[float, Between(0, 100_000), OnlyFor("picamera2")] = 5.0
    """With the preset "auto": the night begins once the light has been below this for 30 seconds, in lux."""
    day_above_lux: Annotated[float, Between(0, 100_000), OnlyFor("picamera2")] = 20.0
    """With the preset "auto": the day begins once the light has been above this for 30 seconds, in lux."""
    night_gain: Annotated[float, Between(1, 64), OnlyFor("picamera2")] = 4.0
    """Gain of the preset "night_infrared"."""
    exposure_max_microseconds: Annotated[int, Between(20, 1_000_000), OnlyFor("picamera2")] = 2000
    """Longest exposure, in microseconds. Not used if `speed_kmh` is set."""
    speed_kmh: Annotated[Annotated[float, Between(1, 300)] | None, OnlyFor("picamera2"), Example(60.0)] = None
    """Speed of the vehicles, in km/h: the longest exposure follows, so that no plate smears by more than a fifth of a
    stroke of its letters, or by half a pixel. Needs `pixels_per_metre`."""
    pixels_per_metre: Annotated[Annotated[float, Between(10, 5000)] | None, OnlyFor("picamera2"), Example(250.0)] = None
    """Width of a plate in the full picture, in pixels, divided by its width in metres (0.5 for a car in India)."""
    road_angle_degrees: Annotated[float, Between(1, 90), OnlyFor("picamera2")] = 30.0
    """Angle between the camera's line of sight and the direction of travel, in degrees; 90: vehicles cross the view."""
    exposure_microseconds: Annotated[
        Annotated[int, Between(20, 1_000_000)] | None, OnlyFor("picamera2"), Example(1000)
    ] = None
    """A fixed exposure, in microseconds; if not set, it is automatic within its limit."""
    gain: Annotated[Annotated[float, Between(1, 64)] | None, OnlyFor("picamera2"), Example(4.0)] = None
    """A fixed gain; if not set, it is automatic."""
    gain_max: Annotated[Annotated[float, Between(1, 64)] | None, OnlyFor("picamera2"), Example(16.0)] = None
    """Highest automatic gain; if not set, what the sensor can do."""
    metering: Annotated[str, OneOf(("centre", "spot", "matrix")), OnlyFor("picamera2")] = "centre"
    """Part of the picture that the automatic exposure looks at."""
    white_balance: Annotated[tuple[float, float] | None, OnlyFor("picamera2"), Example((1.8, 1.6))] = None
    """Fixed gains of red and blue; if not set, they are automatic."""
    focus_metres: Annotated[Annotated[float, Between(0, 1000)] | None, OnlyFor("picamera2"), Example(8.0)] = None
    """Distance at which a lens with a motor is focused, in metres; 0: it is left alone. If not set, it focuses by
    itself all the time."""
    sensor_mode: Annotated[tuple[int, int] | None, OnlyFor("picamera2"), Example((2304, 1296))] = None
    """Width and height of the sensor's mode, as `rpicam-hello --list-cameras` lists them; if not set, libcamera
    chooses."""
    region: Annotated[
        tuple[Share, Share, Share, Share] | None, OnlyFor("picamera2"), Example((0.25, 0.25, 0.5, 0.5))
    ] = None
    """Part of the sensor that the picture shows: left, top, width, height as shares of the whole; if not set, all."""
    flip: Annotated[str, OneOf(("none", "horizontal", "vertical", "both")), OnlyFor("picamera2")] = "none"
    """"both" for a camera that hangs upside down."""
    noise_reduction: Annotated[str, OneOf(("off", "fast", "high_quality")), OnlyFor("picamera2")] = "fast"
    """Stronger reduction smooths fine strokes away."""
    fourcc: Annotated[
        Annotated[str, Matching(r"[A-Z0-9]{4}", "four letters, as MJPG or YUYV")] | None,
        OnlyFor("v4l2"),
        Example("MJPG"),
    ] = None
    """Format of the pictures, as `v4l2-ctl --list-formats-ext` lists them; if not set, MJPG or else YUYV."""
    controls: Annotated[
        tuple[Annotated[str, Matching(r"[a-z0-9_]+=-?\d+", "`name=number`")], ...],
        OnlyFor("v4l2"),
        Example(("auto_exposure=1", "exposure_time_absolute=20")),
    ] = ()
    """Controls of the driver, as `v4l2-ctl --list-ctrls` names them, in the order in which they are set."""

    @property
    def longest_exposure_microseconds(self) -> int:
        """From the vehicles' speed if it is given, else as set."""
        if self.speed_kmh is None or self.pixels_per_metre is None:
            return self.exposure_max_microseconds
        return shutter_microseconds(self.speed_kmh, self.pixels_per_metre, self.road_angle_degrees)


def shutter_microseconds(speed_kmh: float, pixels_per_metre: float, road_angle_degrees: float) -> int:
    """The longest exposure in which a plate smears by at most a fifth of a stroke, or by half a pixel."""
    smear_metres = max(SMEAR_SHARE * STROKE_METRES, SMEAR_PX / pixels_per_metre)
    across_metres_per_second = speed_kmh / 3.6 * math.sin(math.radians(road_angle_degrees))
    return max(20, round(1e6 * smear_metres / across_metres_per_second))


def keys_without_effect(camera: CameraSettings) -> Iterator[str]:
    """Keys that are set, and that the camera's kind of source does not have."""
    scheme, defaults, shapes = source_url.parse(camera.source).scheme, CameraSettings(), shapes_of(CameraSettings)
    for field in fields(CameraSettings):
        has_it = all(scheme in limit.schemes for limit in shapes[field.name].limits if isinstance(limit, OnlyFor))
        if not has_it and getattr(camera, field.name) != getattr(defaults, field.name):
            yield field.name
