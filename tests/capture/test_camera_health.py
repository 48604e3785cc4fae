"""Camera health: made-up troubles of a view with structure, and what is no trouble."""

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from edge_app.capture.camera_health import REFERENCE_PICTURES, CameraHealth, PictureState
from edge_app.capture.picture_faults import edge_width_px
from edge_app.config import HealthSettings
from edge_app.records import ImageBgr
from tests.capture.pictures import frame_at

SIZE = (320, 180)
LEARNT = REFERENCE_PICTURES + 12
"""Second from which on the reference is there."""


def road() -> ImageBgr:
    """A still view with sharp, irregular structure everywhere."""
    chance = np.random.default_rng(1)
    picture = np.full((SIZE[1], SIZE[0], 3), 110, np.uint8)
    for _ in range(250):
        left, top = int(chance.integers(0, SIZE[0])), int(chance.integers(0, SIZE[1]))
        level, across, down = (int(each) for each in chance.integers([40, 5, 5], [200, 40, 30]))
        cv2.rectangle(picture, (left, top), (left + across, top + down), (level, level, level), -1)
    return picture


ROAD = road()


def grainy(picture: ImageBgr, second: int) -> ImageBgr:
    grain = np.random.default_rng(second).normal(0, 2, picture.shape)
    return np.clip(picture + grain, 0, 255).astype(np.uint8)


def played(trouble: Callable[[ImageBgr], ImageBgr], seconds: int, file: Path | None = None) -> CameraHealth:
    """A camera that was well until its reference was there, and then had a trouble."""
    health = CameraHealth(HealthSettings(), file)
    for second in range(LEARNT):
        health.check(frame_at(second, grainy(ROAD, second)))
    assert health.state is PictureState.GOOD
    for second in range(LEARNT, LEARNT + seconds):
        health.check(frame_at(second, trouble(grainy(ROAD, second))))
    return health


def shifted(right: float, degrees: float = 0.0) -> Callable[[ImageBgr], ImageBgr]:
    turn = cv2.getRotationMatrix2D((SIZE[0] / 2, SIZE[1] / 2), degrees, 1.0)
    turn[0, 2] += right * SIZE[0]
    return lambda picture: np.asarray(cv2.warpAffine(picture, turn, SIZE, borderMode=cv2.BORDER_REFLECT), np.uint8)


def blurred(sigma: float) -> Callable[[ImageBgr], ImageBgr]:
    return lambda picture: np.asarray(cv2.GaussianBlur(picture, (0, 0), sigma), np.uint8)


def covered_in_part(picture: ImageBgr) -> ImageBgr:
    picture = picture.copy()
    picture[:, : SIZE[0] * 2 // 5] = 70
    return picture


@pytest.mark.parametrize(
    ("trouble", "state"),
    [
        (lambda picture: picture, PictureState.GOOD),
        (lambda picture: picture // 2 + 20, PictureState.GOOD),  # dusk
        (lambda picture: picture // 16, PictureState.DARK),
        (lambda picture: np.full_like(picture, 140), PictureState.COVERED),
        (covered_in_part, PictureState.COVERED),
        (blurred(4), PictureState.BLURRED),
        (blurred(8), PictureState.BLURRED),
        (blurred(16), PictureState.BLURRED),
        (lambda picture: np.clip(picture.astype(int) * 3, 0, 255).astype(np.uint8), PictureState.OVEREXPOSED),
        (lambda picture: (picture * 0.25 + 150).astype(np.uint8), PictureState.FOGGY),
        (shifted(0.02), PictureState.MOVED),
        (shifted(0.1), PictureState.MOVED),
        (shifted(0.0, degrees=5), PictureState.MOVED),
        (shifted(0.005), PictureState.GOOD),
    ],
)
def test_each_trouble_has_its_name(trouble: Callable[[ImageBgr], ImageBgr], state: PictureState) -> None:
    health = played(trouble, 14)

    assert health.state is state
    if state is not PictureState.GOOD:
        assert health.since_ns == LEARNT * 10**9


def test_a_picture_that_stands_still_under_a_running_clock_is_frozen() -> None:
    health, still = CameraHealth(HealthSettings()), grainy(ROAD, 0)

    for second in range(80):
        picture = still.copy()
        cv2.putText(picture, f"12:00:{second:02}", (8, 30), cv2.FONT_HERSHEY_SIMPLEX, 0.6, (255, 255, 255), 2)
        health.check(frame_at(second, picture))

    assert health.state is PictureState.FROZEN


def test_a_still_road_behind_an_encoder_is_not_frozen() -> None:
    health = CameraHealth(HealthSettings())

    for second in range(200):
        health.check(frame_at(second, grainy(ROAD, second // 20)))  # a whole picture every 20 seconds

    assert health.state is PictureState.GOOD


def test_what_passes_soon_is_no_fault() -> None:
    lorry = played(lambda picture: np.full_like(picture, 140), 8)

    assert lorry.state is PictureState.GOOD


def test_headlights_in_the_night_are_not_darkness() -> None:
    night = np.full((240, 320, 3), 10, np.uint8)
    night[100:120, 100:140] = night[100:120, 180:220] = 250
    health = CameraHealth(HealthSettings())

    for second in range(20):
        health.check(frame_at(second, grainy(night, second)))

    assert health.state is PictureState.GOOD


def test_the_reference_outlives_the_daemon_and_a_new_one_is_made_once_it_is_deleted(tmp_path: Path) -> None:
    file = tmp_path / "state" / "reference-north.png"
    played(lambda picture: picture, 1, file)
    states = []
    for _ in range(2):
        again = CameraHealth(HealthSettings(), file)
        for second in range(20):
            again.check(frame_at(second, shifted(0.05)(grainy(ROAD, second))))
        states.append(again.state)
        file.unlink(missing_ok=True)

    assert states == [PictureState.MOVED, PictureState.GOOD]


@pytest.mark.parametrize("sigma", [2.0, 4.0, 6.0])
def test_the_blur_is_measured_in_pixels_whatever_the_grain(sigma: float) -> None:
    soft = blurred(sigma)(ROAD)

    for grain in (0.0, 6.0):
        noisy = np.clip(soft + np.random.default_rng(3).normal(0, grain, soft.shape), 0, 255).astype(np.uint8)
        assert edge_width_px(noisy) == pytest.approx(sigma, rel=0.3)
