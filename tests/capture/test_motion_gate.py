"""Motion gate: what goes in and what comes out."""

from itertools import count

import numpy as np
import pytest

from edge_app.capture.motion_gate import MotionGate
from edge_app.config import MotionSettings
from edge_app.records import ImageBgr
from tests.capture.pictures import frame_at, view

FRAMES_PER_SECOND = 10


def settled(gate: MotionGate, seconds: float = 10.0) -> float:
    """Show a still view until the gate has closed; gives the time of the last frame."""
    for number in range(int(seconds * FRAMES_PER_SECOND)):
        gate.admits(frame_at(number / FRAMES_PER_SECOND, noisy(view(), number)))
    return seconds


NOISE = np.random.default_rng(1).normal(0, 6, (10, 240, 320, 3))


def noisy(picture: ImageBgr, number: int, times: float = 1) -> ImageBgr:
    return np.clip(picture + times * NOISE[number % len(NOISE)], 0, 255).astype(np.uint8)


def test_the_first_frames_are_admitted_and_a_still_picture_is_not() -> None:
    gate = MotionGate(MotionSettings())

    admitted = [gate.admits(frame_at(n / 10, noisy(view(), n))) for n in range(60)]

    assert all(admitted[:20])
    assert not any(admitted[21:])


def test_a_vehicle_opens_the_gate_and_it_stays_open_for_the_hold_time() -> None:
    gate = MotionGate(MotionSettings(hold_seconds=0.5))
    end = settled(gate)

    arrives = gate.admits(frame_at(end + 0.1, view(shift=60)))
    after = [gate.admits(frame_at(end + 0.2 + n / 10, view())) for n in range(10)]

    assert arrives
    assert after == [True] * 5 + [False] * 5


@pytest.mark.parametrize(("gain", "offset"), [(1.15, 0), (0.7, 0), (1.0, 35), (1.0, -30), (1.2, -25)])
def test_a_change_of_the_light_moves_nothing(gain: float, offset: float) -> None:
    gate = MotionGate(MotionSettings())
    end = settled(gate)

    brighter = np.clip(view() * gain + offset, 0, 255).astype(np.uint8)

    assert not gate.admits(frame_at(end + 0.1, brighter))


def test_a_vehicle_is_seen_while_the_light_changes() -> None:
    gate = MotionGate(MotionSettings())
    end = settled(gate)

    darker = (view(shift=60) * 0.7).astype(np.uint8)

    assert gate.admits(frame_at(end + 0.1, darker))


@pytest.mark.parametrize(("brighter", "is_seen"), [(12, False), (20, True)])
def test_a_faint_vehicle_is_seen_from_sixteen_grey_levels_on(brighter: int, is_seen: bool) -> None:
    gate, still = MotionGate(MotionSettings()), view()
    for number in range(40):
        gate.admits(frame_at(number / 10, still))

    faint = still.copy()
    faint[80:140, 60:140] += brighter

    assert gate.admits(frame_at(4.1, faint)) == is_seen


def test_what_is_a_point_wide_in_the_small_picture_is_seen() -> None:
    gate, still = MotionGate(MotionSettings()), view()
    for number in range(40):
        gate.admits(frame_at(number / 10, still))

    pole = still.copy()
    pole[20:220, 100:102] += 24

    assert gate.admits(frame_at(4.1, pole))


def test_the_noise_of_a_camera_at_night_opens_nothing() -> None:
    gate = MotionGate(MotionSettings())

    admitted = [gate.admits(frame_at(n / 10, noisy(view(), n, times=1.75))) for n in range(150)]

    assert not any(admitted[31:])


def test_what_has_come_to_stay_is_motion_for_about_half_a_minute() -> None:
    gate, parked = MotionGate(MotionSettings(hold_seconds=0)), view(shift=60)
    for number in range(40):
        gate.admits(frame_at(number / 10, view()))

    seconds = next(second for second in count() if not gate.admits(frame_at(4 + second, parked)))

    assert seconds == pytest.approx(31, abs=5)


def test_what_has_come_to_stay_becomes_background() -> None:
    gate = MotionGate(MotionSettings())
    end = settled(gate)

    parked = [gate.admits(frame_at(end + n / 10, view(shift=60))) for n in range(1, 1200)]

    assert parked[0]
    assert not parked[-1]


def test_the_small_picture_is_used_if_there_is_one() -> None:
    gate = MotionGate(MotionSettings(hold_seconds=0))
    still = view()
    for number in range(40):
        gate.admits(frame_at(number / 10, still, small=view(width=160, height=120)))

    moved = gate.admits(frame_at(4.1, still, small=view(shift=30, width=160, height=120)))

    assert moved


def test_a_camera_that_changes_its_size_gets_a_new_background() -> None:
    gate = MotionGate(MotionSettings())
    end = settled(gate)

    assert gate.admits(frame_at(end + 0.1, view(width=320, height=180)))


def test_a_gate_that_is_off_admits_all() -> None:
    gate = MotionGate(MotionSettings(enabled=False))

    assert all(gate.admits(frame_at(second, view())) for second in range(30))
