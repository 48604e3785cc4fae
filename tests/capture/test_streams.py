"""RTSP, V4L2 and GStreamer sources: what of them can be shown without a camera."""

import logging
import socket
import threading
import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import cv2
import pytest

from edge_app.capture.gstreamer_source import complete, open_gstreamer
from edge_app.capture.opencv_stream import OpenCvStream
from edge_app.capture.rtsp_source import open_rtsp
from edge_app.config import CameraSettings
from edge_app.errors import ConfigurationError, SourceError
from tests.capture.pictures import write_clip


@pytest.fixture
def silent_port() -> Iterator[int]:
    """A port that takes connections and never answers, like a camera that hangs."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def test_a_stream_that_ends_is_opened_again(tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "clip.mp4", frames=4)
    stream = OpenCvStream(
        "north", "a clip", lambda: cv2.VideoCapture(str(clip)), patient=False, hint="wait", first_pause_seconds=0.01
    )

    frames = list(islice(stream.frames(), 10))

    assert [frame.sequence for frame in frames] == list(range(10))
    assert stream.attempts == 3


def test_a_stream_that_never_worked_is_an_error_with_a_hint() -> None:
    stream = OpenCvStream("north", "/dev/video9", cv2.VideoCapture, patient=False, hint="check the cable")

    with pytest.raises(SourceError, match=r"/dev/video9 .*check the cable"):
        next(stream.frames())


def test_a_camera_behind_the_network_is_waited_for_until_closed(caplog: pytest.LogCaptureFixture) -> None:
    stream = OpenCvStream(
        "north", "rtsp://camera", cv2.VideoCapture, patient=True, hint="check", first_pause_seconds=0.001
    )
    frames: list[object] = []
    waiting = threading.Thread(target=lambda: frames.extend(stream.frames()))

    with caplog.at_level(logging.WARNING):
        waiting.start()
        while stream.attempts < 5:
            time.sleep(0.001)
        stream.close()
        waiting.join(5)

    assert not waiting.is_alive()
    assert frames == []
    assert "rtsp://camera gives no picture" in caplog.text


def test_a_network_camera_that_hangs_is_given_up_in_seconds_and_tried_again(
    silent_port: int, tmp_path: Path, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    password_file = tmp_path / "camera-password"
    password_file.write_text("operator:s3cret/word\n")
    camera = CameraSettings(source=f"rtsp://127.0.0.1:{silent_port}/stream", password_file=password_file)
    stream = open_rtsp(camera, camera.source)
    reading = threading.Thread(target=lambda: list(stream.frames()))
    began = time.monotonic()

    with caplog.at_level(logging.WARNING):
        reading.start()
        while "gives no picture" not in caplog.text and time.monotonic() - began < 15:
            time.sleep(0.02)
        stream.close()
        reading.join(10)

    assert time.monotonic() - began < 10
    assert f"rtsp://127.0.0.1:{silent_port}/… gives no picture" in caplog.text
    assert "s3cret" not in caplog.text + "".join(capfd.readouterr())


@pytest.mark.parametrize("content", [None, "", "password-alone", ":password"])
def test_a_password_file_that_cannot_serve_is_refused_without_showing_it(tmp_path: Path, content: str | None) -> None:
    password_file = tmp_path / "camera-password"
    if content is not None:
        password_file.write_text(content)

    with pytest.raises(ConfigurationError, match=r"camera\.password_file") as refusal:
        open_rtsp(CameraSettings(password_file=password_file), "rtsp://camera/stream")

    assert "alone" not in str(refusal.value)


@pytest.mark.skipif(cv2.videoio_registry.hasBackend(cv2.CAP_GSTREAMER), reason="this OpenCV has GStreamer")
def test_an_opencv_without_gstreamer_gives_another_error_than_a_bad_pipeline() -> None:
    with pytest.raises(SourceError, match="without GStreamer"):
        open_gstreamer(CameraSettings(), "videotestsrc")


@pytest.mark.skipif(not cv2.videoio_registry.hasBackend(cv2.CAP_GSTREAMER), reason="this OpenCV has no GStreamer")
def test_a_pipeline_gives_frames() -> None:
    stream = open_gstreamer(CameraSettings(), "videotestsrc ! video/x-raw,width=320,height=240")

    frame = next(stream.frames())

    assert frame.image_bgr.shape == (240, 320, 3)


def test_a_pipeline_without_a_sink_is_given_one() -> None:
    assert complete("videotestsrc").endswith("max-buffers=1 sync=false")
    assert complete("videotestsrc ! appsink name=out") == "videotestsrc ! appsink name=out"
