"""Troubles made up on real views, and the false alarms of an hour of clips.

`python -m benchmarks.cameras.health CLIPS…` prints for each trouble: of how many views it was reported, under which
names, and after how many seconds. Then it plays every clip over and over, without a trouble, for its share of the hour.
"""

import argparse
import statistics
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from copy import deepcopy
from datetime import datetime
from functools import lru_cache
from itertools import count, cycle, islice
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_app.capture.camera_health import REFERENCE_PICTURES, CameraHealth, PictureState
from edge_app.config import HealthSettings
from edge_app.errors import EdgeAnprError
from edge_app.evaluation.clips.truth import read_clips
from edge_app.image_files import silence_opencv
from edge_app.newer_python import UTC
from edge_app.records import Frame, ImageBgr

LEARNT_SECONDS = REFERENCE_PICTURES + 15
TROUBLE_SECONDS = 100
FULL_SIZE = (1920, 1080)
Trouble = Callable[[ImageBgr, int], ImageBgr]
"""A picture as the trouble leaves it, so many seconds after it began."""


def blur(sigma: float) -> Trouble:
    """Out of focus."""
    return lambda picture, _: _bgr(cv2.GaussianBlur(picture, (0, 0), sigma))


def disc(radius: int) -> Trouble:
    """Out of focus, as a lens shows it: each point as a disc."""
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1)).astype(np.float32)
    return lambda picture, _: _bgr(cv2.filter2D(picture, -1, kernel / kernel.sum()))


def moved(right: float, down: float = 0.0, degrees: float = 0.0, zoom: float = 1.0) -> Trouble:
    """Another view; what comes into view is a mirror image."""

    def move(picture: ImageBgr, _: int) -> ImageBgr:
        height, width = picture.shape[:2]
        matrix = cv2.getRotationMatrix2D((width / 2, height / 2), degrees, zoom)
        matrix[:, 2] += right * width, down * width
        return _bgr(cv2.warpAffine(picture, matrix, (width, height), borderMode=cv2.BORDER_REFLECT))

    return move


def levels(gain: float, offset: float) -> Trouble:
    """Other light, fog or exposure."""
    return lambda picture, _: np.clip(picture * gain + offset, 0, 255).astype(np.uint8)


def covered(share: float) -> Trouble:
    """A leaf, a bag or a spider's web before the left part of the lens: soft and even."""

    def cover(picture: ImageBgr, _: int) -> ImageBgr:
        soft = _bgr(cv2.GaussianBlur(picture, (0, 0), 3))
        edge = round(share * picture.shape[1])
        soft[:, :edge] = 60
        picture = picture.copy()
        picture[:, :edge] = soft[:, :edge]
        return picture

    return cover


def dirt(picture: ImageBgr, _: int) -> ImageBgr:
    """Mud on the lens: large soft spots."""
    height, width = picture.shape[:2]
    chance, mask = np.random.default_rng(3), np.zeros((height, width), np.float32)
    for _ in range(14):
        centre = int(chance.integers(width)), int(chance.integers(height))
        cv2.circle(mask, centre, width // 9, 1.0, -1)
    mask = np.asarray(cv2.GaussianBlur(mask, (0, 0), width / 60), np.float32)[..., None]
    return np.asarray(picture * (1 - mask) + 70 * mask, np.uint8)


class Frozen:
    """The same picture again and again, with a running clock or without."""

    def __init__(self, has_clock: bool) -> None:
        self._has_clock = has_clock
        self._still: ImageBgr | None = None

    def __call__(self, picture: ImageBgr, second: int) -> ImageBgr:
        """The first picture that it was given."""
        if second == 0 or self._still is None:
            self._still = picture
        shown = self._still.copy()
        if self._has_clock:
            place, words = (
                (shown.shape[1] // 40, shown.shape[0] // 14),
                f"2026-01-31 12:{second // 60:02}:{second % 60:02}",
            )
            cv2.putText(shown, words, place, cv2.FONT_HERSHEY_SIMPLEX, shown.shape[0] / 600, (255, 255, 255), 2)
        return shown


TROUBLES: dict[str, tuple[Trouble, set[PictureState]]] = {
    "blur, sigma 4": (blur(4), {PictureState.BLURRED}),
    "blur, sigma 8": (blur(8), {PictureState.BLURRED}),
    "blur, sigma 16": (blur(16), {PictureState.BLURRED, PictureState.COVERED}),
    "blur, disc of 17 px": (disc(8), {PictureState.BLURRED}),
    "covered, whole": (covered(1.0), {PictureState.COVERED, PictureState.DARK}),
    "covered, 60 %": (covered(0.6), {PictureState.COVERED, PictureState.BLURRED}),
    "covered, 30 %": (covered(0.3), {PictureState.COVERED}),
    "dirt": (dirt, {PictureState.COVERED, PictureState.FOGGY, PictureState.BLURRED}),
    "fog, 25 % contrast": (levels(0.25, 140), {PictureState.FOGGY, PictureState.BLURRED, PictureState.COVERED}),
    "fog, 10 % contrast": (levels(0.1, 170), {PictureState.FOGGY, PictureState.BLURRED, PictureState.COVERED}),
    "shift of 2 %": (moved(0.02), {PictureState.MOVED}),
    "shift of 10 %": (moved(0.1), {PictureState.MOVED}),
    "shift down of 5 %": (moved(0.0, 0.05), {PictureState.MOVED}),
    "turned by 3°": (moved(0.0, degrees=3), {PictureState.MOVED}),
    "turned by 10°": (moved(0.0, degrees=10), {PictureState.MOVED}),
    "nearer by 10 %": (moved(0.0, zoom=1.1), {PictureState.MOVED}),
    "over-exposed": (levels(4.0, 60), {PictureState.OVEREXPOSED}),
    "dark": (levels(0.05, 0), {PictureState.DARK}),
    "frozen": (Frozen(has_clock=False), {PictureState.FROZEN}),
    "frozen under a clock": (Frozen(has_clock=True), {PictureState.FROZEN}),
}


def main() -> int:
    """Print both tables; 1 if a trouble was missed or there was a false alarm."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.cameras.health", description=__doc__)
    parser.add_argument("clips", type=Path, nargs="+", metavar="CLIPS", help="folders of clips")
    parser.add_argument("--minutes", type=float, default=60.0, help="of the clips without a trouble")
    parser.add_argument("--views", type=int, default=6, help="number of clips on which troubles are made")
    arguments = parser.parse_args()
    silence_opencv()
    try:
        paths = [clip.path for folder in arguments.clips for clip in read_clips(folder)]
    except EdgeAnprError as error:
        print(f"python -m benchmarks.cameras.health: {error}", file=sys.stderr)
        return 2
    chosen = paths[:: max(1, len(paths) // max(1, arguments.views))][: arguments.views]
    views = [[_large(picture) for picture in seconds_of(path)] for path in chosen]
    known = [(view, learnt(view)) for view in views]
    missed = sum(_report(name, known) for name in TROUBLES) if known else 0
    alarms = _false_alarms(paths, round(60 * arguments.minutes / len(paths)))
    return int(bool(missed or alarms))


def seconds_of(path: Path) -> list[ImageBgr]:
    """A picture a second of a clip or, of a short one, five of it, at the size of a usual camera."""
    capture, pictures = cv2.VideoCapture(str(path)), []
    rate, frames = capture.get(cv2.CAP_PROP_FPS), capture.get(cv2.CAP_PROP_FRAME_COUNT)
    step = max(1, round(min(rate, frames / 5)))
    for number in range(int(frames)):
        if not capture.grab():
            break
        if number % step == 0:
            pictures.append(_bgr(capture.retrieve()[1]))
    capture.release()
    return pictures


def learnt(view: list[ImageBgr]) -> CameraHealth:
    """One that knows a view."""
    health = CameraHealth(HealthSettings())
    for second, picture in enumerate(islice(cycle(view), LEARNT_SECONDS)):
        health.check(_frame(second, _grainy(picture, second)))
    return health


def _report(name: str, views: list[tuple[list[ImageBgr], CameraHealth]]) -> int:
    """Print a trouble's line; the number of views on which it was missed."""
    trouble, names = TROUBLES[name]
    states: Counter[str] = Counter()
    seconds = []
    for view, knowing in views:
        health, after = deepcopy(knowing), None
        for second, picture in enumerate(islice(_spoilt(trouble, view), TROUBLE_SECONDS)):
            health.check(_frame(LEARNT_SECONDS + second, picture))
            if health.state in names:
                after = second
                break
        states[str(health.state)] += 1
        seconds += [] if after is None else [after]
    when = f"after {statistics.median(seconds):.0f} s, {max(seconds)} s at most" if seconds else "-"
    print(f"{name:<22} {len(seconds)} of {len(views)}  {when:<28} {dict(states)}", flush=True)
    return len(views) - len(seconds)


def _spoilt(trouble: Trouble, view: list[ImageBgr]) -> Iterator[ImageBgr]:
    """A picture a second. A sensor's grain comes after the lens; a picture that is frozen has its grain frozen."""
    if isinstance(trouble, Frozen):
        yield from (trouble(view[0], second) for second in count())
    spoilt = [trouble(picture, 0) for picture in view]
    yield from (_grainy(spoilt[second % len(spoilt)], second) for second in count())


def _false_alarms(paths: list[Path], seconds: int) -> int:
    wrong: dict[str, Counter[str]] = {}
    for path in paths:
        health = CameraHealth(HealthSettings())
        for second, picture in enumerate(islice(cycle(seconds_of(path)), seconds)):
            state = health.check(_frame(second, _grainy(picture, second)))
            if state is not PictureState.GOOD:
                wrong.setdefault(path.name, Counter())[str(state)] += 1
    print(f"{len(paths)} clips, {len(paths) * seconds / 60:.0f} minutes: false alarms on {len(wrong)}")
    for name, states in wrong.items():
        print(f"  {name}: seconds {dict(states)}")
    return len(wrong)


def _large(picture: ImageBgr) -> ImageBgr:
    return _bgr(cv2.resize(picture, FULL_SIZE, interpolation=cv2.INTER_CUBIC))


def _grainy(picture: ImageBgr, second: int) -> ImageBgr:
    height, width = picture.shape[:2]
    return _bgr(cv2.add(picture, _grain(height, width, second % 7), dtype=cv2.CV_8U))


@lru_cache(14)
def _grain(height: int, width: int, number: int) -> NDArray[np.int16]:
    grain = np.random.default_rng(number).integers(-3, 4, (height, width, 1), np.int16)
    return np.repeat(grain, 3, axis=2)


def _frame(second: int, picture: ImageBgr) -> Frame:
    return Frame(picture, datetime(2026, 1, 31, tzinfo=UTC), second * 10**9, second, "camera")


def _bgr(picture: cv2.typing.MatLike) -> ImageBgr:
    return np.asarray(picture, np.uint8)


if __name__ == "__main__":
    sys.exit(main())
