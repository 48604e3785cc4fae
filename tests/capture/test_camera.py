"""A supervised camera: opened again for ever, and what its state says."""

import threading
from collections.abc import Iterator

import numpy as np
import pytest

from edge_app.backoff import Backoff
from edge_app.capture.camera import HANG_SECONDS, SILENT_SECONDS, Camera
from edge_app.capture.frame_slot import FrameSlot
from edge_app.capture.stamp import Stamp
from edge_app.errors import RefusedPasswordError, SourceError
from edge_app.records import Frame


class Script:
    """A live source that does what each item says: an error, or a number of frames."""

    live, is_open = True, True

    def __init__(self, *acts: int | Exception) -> None:
        self.stamp = Stamp("north")
        self.done = threading.Event()
        self._acts = list(acts)
        self._closed = threading.Event()

    def frames(self) -> Iterator[Frame]:
        """The next act; after the last one, nothing comes until it is closed."""
        act = self._acts.pop(0) if self._acts else None
        if isinstance(act, Exception):
            raise act
        for _ in range(act or 0):
            frame = self.stamp.live(np.zeros((48, 64, 3), np.uint8))
            assert frame is not None
            yield frame
        if not self._acts:
            self.done.set()
            self._closed.wait()

    def close(self) -> None:
        """End."""
        self._closed.set()


def play(source: Script, refusals: Backoff | None = None) -> Camera:
    """A camera whose thread has come to the end of the script."""
    camera = Camera("north", source, FrameSlot(), backoff=Backoff(0.001, 0.001), refusals=refusals)
    thread = threading.Thread(target=camera.run)
    thread.start()
    assert source.done.wait(10)
    camera.close()
    thread.join(10)
    assert not thread.is_alive()
    return camera


def test_whatever_ends_a_live_source_it_is_opened_again() -> None:
    camera = play(Script(2, SourceError("unplugged"), ZeroDivisionError("of ours"), 0, 3))

    assert (camera.attempts, camera.source.stamp.live(None), camera.loss) == (5, None, None)


def test_a_loss_says_why_and_since_the_last_frame() -> None:
    camera = play(Script(1, SourceError("unplugged; check the cable"), 0))

    assert camera.loss is not None
    assert (camera.loss.reason, camera.loss.since_ns) == ("unplugged; check the cable", camera.last_frame_ns)


def test_an_error_of_the_program_is_logged_and_its_words_are_not_published(
    caplog: pytest.LogCaptureFixture,
) -> None:
    camera = play(Script(ValueError("rtsp://user:secret@host"), 0))

    assert camera.loss is not None
    assert "ValueError" in camera.loss.reason
    assert "secret" not in camera.loss.reason
    assert "camera north: an error of the program" in caplog.text


def test_a_refused_password_is_tried_again_slowly() -> None:
    asked: list[float] = []

    class Noted(Backoff):
        def next_seconds(self) -> float:
            asked.append(super().next_seconds())
            return 0.0

    play(Script(RefusedPasswordError("wrong password"), SourceError("away"), 1), Noted(60.0, 900.0, lambda: 1.0))

    assert asked == [60.0]


def test_a_camera_that_gives_neither_pictures_nor_errors_is_lost_and_hangs_at_last() -> None:
    now_ns = 0
    camera = Camera("north", Script(), FrameSlot(), monotonic_ns=lambda: now_ns)

    states = []
    for seconds in (0, SILENT_SECONDS + 1, SILENT_SECONDS + HANG_SECONDS + 1):
        now_ns = int(seconds * 1e9)
        states.append((camera.loss is not None, camera.hangs))

    assert states == [(False, False), (True, False), (True, True)]


def test_a_slow_camera_gets_the_time_of_three_pictures() -> None:
    now_ns = 0
    camera = Camera("north", Script(), FrameSlot(), frames_per_second=0.1, monotonic_ns=lambda: now_ns)

    now_ns = int(29e9)

    assert camera.loss is None
