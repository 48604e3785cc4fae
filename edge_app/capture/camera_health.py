"""Judges whether plates can be found in the camera's picture, and since when not."""

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_app.capture import picture_faults
from edge_app.capture.picture_faults import Levels
from edge_app.config import HealthSettings
from edge_app.newer_python import StrEnum
from edge_app.records import Frame, ImageGray

CHECK_EVERY_SECONDS = 1.0
BLUR_EVERY_CHECKS = 3
"""Blur is judged at full size, which takes ten times as long as all the rest, and changes slowly."""
NIGHT_LEVEL = 100
"""Grey level that 99 % of a night's points stay below: in it the glow of headlights would be taken for blur."""
FROZEN_CELLS = 0.03
"""Share of the picture in which a clock may run while the rest stands still."""
BRIGHT_LEVEL = 250
REFERENCE_PICTURES = 30
"""Number of good pictures of which the reference is made: vehicles vanish in their median."""
UNKNOWN_SECONDS = 600.0
"""A picture in which no part of the reference is found for this long, though the light is alike, shows another view."""
ALIKE_LIGHT = (0.5, 4.0)
"""Brightness, as a share of the reference's, in which views are compared: fog is brighter, a day after a night more."""


class PictureState(StrEnum):
    """What is wrong with a camera or its picture, or `good`."""

    GOOD = "good"
    STARTING = "starting"
    """No picture has come yet."""
    LOST = "lost"
    """No picture comes."""
    FROZEN = "frozen"
    """The same picture comes again and again, if only a clock in it goes on."""
    DARK = "dark"
    OVEREXPOSED = "overexposed"
    COVERED = "covered"
    """In whole or in part."""
    BLURRED = "blurred"
    FOGGY = "foggy"
    """Much less contrast than the reference: fog, dirt, or light into the lens."""
    MOVED = "moved"
    """The camera shows another view than the reference."""


class CameraHealth:
    """Checks a frame once a second; a state counts once it has lasted.

    The reference is a small grey picture, kept as a PNG file: delete it after the camera was moved on purpose.
    """

    def __init__(self, settings: HealthSettings, reference_file: Path | None = None) -> None:
        self.state = PictureState.GOOD
        self.since_ns = 0
        """When the state that counts began, as `Frame.monotonic_ns`."""
        self._settings = settings
        self._file = reference_file
        self._reference = _load(reference_file)
        self._candidates: list[ImageGray] = []
        self._suspected, self._suspected_ns = PictureState.GOOD, 0
        self._checked_ns: int | None = None
        self._checks = -1
        self._edge_px: float | None = None
        self._known_ns = 0
        self._changes = _Changes()

    def check(self, frame: Frame) -> PictureState:
        """Take a frame into account; the state that counts now."""
        now_ns = frame.monotonic_ns
        if self._checked_ns is not None and now_ns - self._checked_ns < CHECK_EVERY_SECONDS * 1e9:
            return self.state
        gray = picture_faults.small_gray(frame.image_bgr if frame.small_bgr is None else frame.small_bgr)
        if self._checked_ns is None or (self._reference is not None and self._reference.shape != gray.shape):
            self.since_ns = self._suspected_ns = self._known_ns = now_ns
            self._reference = self._reference if self._fits(gray) else None
        self._checked_ns = now_ns
        self._checks += 1
        seen = self._judge(frame, gray)
        if seen is not self._suspected:
            self._suspected, self._suspected_ns = seen, now_ns
        if now_ns - self._suspected_ns >= self._settings.confirm_seconds * 1e9 and self.state is not seen:
            self.state, self.since_ns = seen, self._suspected_ns
        if self.state is seen is PictureState.GOOD:
            self._learn(gray)
        return self.state

    def _fits(self, gray: ImageGray) -> bool:
        return self._reference is not None and self._reference.shape == gray.shape

    def _judge(self, frame: Frame, gray: ImageGray) -> PictureState:
        settings, detail = self._settings, picture_faults.detail(gray)
        still_seconds = self._changes.still_seconds(gray, frame.monotonic_ns)
        if still_seconds >= settings.frozen_seconds:
            return PictureState.FROZEN
        brightest = float(np.percentile(gray[::2, ::2], 99))
        if brightest < settings.dark_level:
            return PictureState.DARK
        if np.mean(gray >= BRIGHT_LEVEL) > settings.overexposed_share:
            return PictureState.OVEREXPOSED
        if detail.max() < picture_faults.DETAIL:
            return PictureState.COVERED
        if self._checks % BLUR_EVERY_CHECKS == 0:
            self._edge_px = picture_faults.edge_width_px(frame.image_bgr)
        if self._edge_px is not None and self._edge_px > settings.blurred_px and brightest > NIGHT_LEVEL:
            return PictureState.BLURRED
        return PictureState.GOOD if self._reference is None else self._compare(gray, detail, self._reference, frame)

    def _compare(self, gray: ImageGray, detail: Levels, reference: ImageGray, frame: Frame) -> PictureState:
        settings, before = self._settings, picture_faults.detail(reference)
        shifts = picture_faults.shifts(gray, reference)
        low, high = ALIKE_LIGHT
        is_alike = low < (1 + float(gray.mean())) / (1 + float(reference.mean())) < high
        if shifts or not is_alike:
            self._known_ns = frame.monotonic_ns
        far = [shift for shift in shifts if float(np.hypot(*shift)) > settings.moved_share]
        if len(shifts) >= 2 and len(far) > len(shifts) / 2:
            return PictureState.MOVED
        if frame.monotonic_ns - self._known_ns >= UNKNOWN_SECONDS * 1e9:
            return PictureState.MOVED
        if is_alike and picture_faults.covered_share(detail, before) > settings.covered_share:
            return PictureState.COVERED
        if is_alike and picture_faults.contrast_left(detail, before) < settings.foggy_contrast:
            return PictureState.FOGGY
        return PictureState.GOOD

    def _learn(self, gray: ImageGray) -> None:
        """Make the reference of good pictures, if there is none."""
        if self._reference is not None:
            return
        self._candidates.append(gray)
        if len(self._candidates) == REFERENCE_PICTURES:
            self._reference = np.asarray(np.median(np.stack(self._candidates), axis=0), dtype=np.uint8)
            self._candidates.clear()
            if self._file is not None:
                self._file.parent.mkdir(parents=True, exist_ok=True)
                cv2.imwrite(str(self._file), self._reference)


class _Changes:
    """For how long no more of the picture has changed than a clock takes up.

    An encoder leaves points that hardly change as they are until its next whole picture, so that a still road may
    stand still for a whole group of pictures; `frozen_seconds` has to be longer than that.
    """

    def __init__(self) -> None:
        self._last: ImageGray | None = None
        self._changed: NDArray[np.bool_] | None = None
        self._since_ns = 0

    def still_seconds(self, gray: ImageGray, now_ns: int) -> float:
        """Take a picture into account."""
        if self._last is None or self._last.shape != gray.shape or self._changed is None:
            self._begin(now_ns)
        else:
            self._changed |= picture_faults.changed_cells(gray, self._last)
            if self._changed.mean() > FROZEN_CELLS:
                self._begin(now_ns)
        self._last = gray
        return (now_ns - self._since_ns) / 1e9

    def _begin(self, now_ns: int) -> None:
        self._changed, self._since_ns = np.zeros(picture_faults.CELLS, np.bool_), now_ns


def _load(path: Path | None) -> ImageGray | None:
    if path is None or not path.is_file():
        return None
    picture = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
    return None if picture is None else np.asarray(picture, dtype=np.uint8)
