"""Stamp: what goes in and what comes out."""

import logging
from datetime import datetime, timedelta

import numpy as np
import pytest

from edge_app.capture.stamp import Stamp, as_bgr
from edge_app.newer_python import UTC

NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)


@pytest.mark.parametrize("shape", [(48, 64), (48, 64, 1), (48, 64, 3), (48, 64, 4)])
def test_pictures_of_every_kind_become_three_channels(shape: tuple[int, ...]) -> None:
    picture = as_bgr(np.full(shape, 77, np.uint8))

    assert picture is not None
    assert picture.shape == (48, 64, 3)
    assert (picture == 77).all()


def test_what_is_no_picture_is_counted_and_numbered_but_gives_no_frame(caplog: pytest.LogCaptureFixture) -> None:
    stamp = Stamp("north")
    flat = np.zeros((1, 614_400), np.uint8)  # what OpenCV gives for a camera whose FOURCC is unset

    with caplog.at_level(logging.WARNING):
        results = [stamp.live(picture) for picture in (flat, None, np.zeros((48, 64, 2), np.uint8))]
    frame = stamp.live(np.zeros((48, 64, 3), np.uint8))

    assert results == [None, None, None]
    assert stamp.corrupt == 3
    assert frame is not None
    assert frame.sequence == 3
    assert "frame 0 is corrupt" in caplog.text


def test_a_picture_is_dated_back_to_when_it_was_taken() -> None:
    stamp = Stamp("north", monotonic_ns=lambda: 10_000_000_000, now=lambda: NOON)

    frame = stamp.live(np.zeros((48, 64, 3), np.uint8), age_ns=40_000_000)

    assert frame is not None
    assert frame.captured_at == NOON - timedelta(milliseconds=40)
    assert frame.monotonic_ns == 9_960_000_000
