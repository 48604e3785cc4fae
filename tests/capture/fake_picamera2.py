"""What the source uses of picamera2, in the place of a camera: padded lines, controls that come true, and faults."""

from typing import Any

import cv2
import numpy as np

from tests.capture.pictures import view

CONTROLS = ("AfMode", "AnalogueGain", "AwbEnable", "ColourGains", "ExposureTime", "FrameDurationLimits", "LensPosition")


class FakePicamera2:
    """A camera; each of `answers` is metadata, None for a stall, or an error. Metadata shows the controls at work."""

    camera_properties = {"PixelArraySize": (4608, 2592)}  # noqa: RUF012

    def __init__(self, answers: list[Any], controls: tuple[str, ...] = CONTROLS) -> None:
        self.answers, self.held, self.calls, self.controls = answers, 0, [], {}  # type: ignore[var-annotated]
        self.camera_controls = dict.fromkeys(controls)

    def create_video_configuration(self, **asked: Any) -> dict[str, Any]:
        return asked

    def configure(self, asked: dict[str, Any]) -> None:
        self.set_controls(asked["controls"])
        (width, height), small = asked["main"]["size"], asked["lores"]["size"]
        self.camera_configuration = lambda: {
            "main": {"size": (width, height), "format": "RGB888", "stride": 3 * width + 64},
            "lores": {"size": small, "format": "YUV420", "stride": small[0] + 64},
        }
        lines = np.pad(view(60, width, height).reshape(height, -1), ((0, 0), (0, 64)))
        planes = np.asarray(cv2.cvtColor(view(60, *small), cv2.COLOR_BGR2YUV_I420), dtype=np.uint8)
        luma, chroma = planes[: small[1]], planes[small[1] :].reshape(small[1], -1)  # of half the stride
        padded = [np.pad(plane, ((0, 0), (0, padding))).ravel() for plane, padding in ((luma, 64), (chroma, 32))]
        self.make_buffer = {"main": lines.ravel(), "lores": np.concatenate(padded)}.__getitem__

    def set_controls(self, controls: dict[str, Any]) -> None:
        assert controls.keys() <= self.camera_controls.keys(), "picamera2 refuses controls that a camera lacks"
        self.controls |= controls

    def capture_request(self, wait: float) -> "FakePicamera2":
        self._answer = self.answers.pop(0)
        if self._answer is None or isinstance(self._answer, Exception):
            raise self._answer or TimeoutError
        self.held += 1
        return self

    def get_metadata(self) -> dict[str, Any]:
        return self.controls | self._answer

    def release(self) -> None:
        self.held -= 1

    def __getattr__(self, name: str) -> Any:
        return lambda: self.calls.append(name)
