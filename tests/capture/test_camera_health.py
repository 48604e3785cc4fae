"""Camera health: what goes in and what comes out."""

import cv2
import numpy as np
import pytest

from edge_app.capture.camera_health import CameraHealth, PictureState
from edge_app.records import ImageBgr
from tests.capture.pictures import frame_at, view


def grainy(picture: ImageBgr, second: int) -> ImageBgr:
    return np.clip(picture + np.random.default_rng(second).normal(0, 2, picture.shape), 0, 255).astype(np.uint8)


def after(health: CameraHealth, seconds: range, picture: ImageBgr, grain: bool = True) -> PictureState:
    states = [health.check(frame_at(at, grainy(picture, at) if grain else picture)) for at in seconds]
    return states[-1]


@pytest.mark.parametrize(
    ("picture", "grain", "state"),
    [
        (view(), True, PictureState.GOOD),
        (np.full((240, 320, 3), 8, np.uint8), True, PictureState.DARK),
        (np.full((240, 320, 3), 140, np.uint8), True, PictureState.BLANK),
        (view(), False, PictureState.FROZEN),
        (cv2.GaussianBlur(view(), (0, 0), 12), False, PictureState.FROZEN),
    ],
)
def test_a_state_that_lasts_is_believed(picture: ImageBgr, grain: bool, state: PictureState) -> None:
    health = CameraHealth()

    assert after(health, range(20), picture, grain) is state


def test_a_lens_out_of_focus_is_called_blurred() -> None:
    health = CameraHealth()
    soft = cv2.GaussianBlur(view(), (0, 0), 12)

    for second in range(20):
        flicker = np.full_like(soft, second % 2)  # or the camera would seem frozen
        health.check(frame_at(second, soft + flicker))

    assert health.state is PictureState.BLURRED


def test_what_passes_soon_is_no_fault() -> None:
    health = CameraHealth()
    after(health, range(20), view())

    lorry = after(health, range(20, 28), np.full((240, 320, 3), 140, np.uint8))
    road = after(health, range(28, 40), view())

    assert lorry is PictureState.GOOD
    assert road is PictureState.GOOD


def test_headlights_in_the_night_are_not_darkness() -> None:
    night = np.full((240, 320, 3), 10, np.uint8)
    night[100:120, 100:140] = night[100:120, 180:220] = 250

    assert after(CameraHealth(), range(20), night) is PictureState.GOOD
