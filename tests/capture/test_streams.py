"""RTSP, V4L2 and GStreamer sources: what of them can be shown without a camera."""

import importlib.util
import socket
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import cv2
import pytest

from edge_app.capture.gstreamer_source import complete, open_gstreamer
from edge_app.capture.network_source import open_network
from edge_app.capture.opencv_stream import OpenCvStream
from edge_app.config import CameraSettings
from edge_app.errors import ConfigurationError, SourceError
from edge_app.records import Frame
from tests.capture.pictures import write_clip

HAS_GSTREAMER = cv2.videoio_registry.hasBackend(cv2.CAP_GSTREAMER) or importlib.util.find_spec("gi") is not None


@pytest.fixture
def silent_port() -> Iterator[int]:
    """A port that takes connections and never answers, like a camera that hangs."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def test_a_stream_that_ends_says_so_and_can_be_opened_again(tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "clip.mp4", frames=4)
    stream = OpenCvStream(
        "north", "a clip", lambda: cv2.VideoCapture(str(clip)), lambda some: SourceError(f"it ended; some: {some}")
    )

    first, second = list[Frame](), list[Frame]()
    for frames in (first, second):
        with pytest.raises(SourceError, match="it ended; some: True"):
            frames.extend(stream.frames())

    assert [frame.sequence for frame in first + second] == list(range(8))


def test_a_stream_that_never_worked_is_an_error_with_a_hint() -> None:
    stream = OpenCvStream("north", "/dev/video9", cv2.VideoCapture, lambda some: SourceError(f"some: {some}"))

    with pytest.raises(SourceError, match="some: False"):
        next(stream.frames())


def test_a_network_camera_that_hangs_is_given_up_in_seconds(
    silent_port: int, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    password_file = tmp_path / "camera-password"
    password_file.write_text("operator:s3cret/word\n")
    camera = CameraSettings(source=f"rtsp://127.0.0.1:{silent_port}/stream", password_file=password_file)
    began = time.monotonic()

    with pytest.raises(SourceError) as error:
        next(open_network(camera, camera.source).frames())

    assert time.monotonic() - began < 30
    assert str(error.value).startswith(f"rtsp://127.0.0.1:{silent_port}/…: no answer within 3 s; check the")
    assert "s3cret" not in str(error.value) + "".join(capfd.readouterr())


@pytest.mark.parametrize("content", [None, "", "password-alone", ":password"])
def test_a_password_file_that_cannot_serve_is_refused_without_showing_it(tmp_path: Path, content: str | None) -> None:
    password_file = tmp_path / "camera-password"
    if content is not None:
        password_file.write_text(content)

    with pytest.raises(ConfigurationError, match=r"camera\.password_file") as refusal:
        open_network(CameraSettings(password_file=password_file), "rtsp://camera/stream")

    assert "alone" not in str(refusal.value)


def test_a_machine_with_neither_gets_an_error_that_names_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cv2.videoio_registry.hasBackend", lambda _: False)
    monkeypatch.setitem(sys.modules, "gi", None)

    with pytest.raises(SourceError, match=r"without GStreamer.*apt install python3-gi"):
        next(open_gstreamer(CameraSettings(), "videotestsrc").frames())


@pytest.mark.filterwarnings("ignore:DynamicImporter:ImportWarning")
@pytest.mark.skipif(not HAS_GSTREAMER, reason="neither OpenCV nor PyGObject brings GStreamer")
def test_a_pipeline_gives_frames() -> None:
    stream = open_gstreamer(CameraSettings(), "videotestsrc ! video/x-raw,width=320,height=240")

    frame = next(stream.frames())

    assert frame.image_bgr.shape == (240, 320, 3)


@pytest.mark.filterwarnings("ignore:DynamicImporter:ImportWarning")
@pytest.mark.skipif(not HAS_GSTREAMER, reason="neither OpenCV nor PyGObject brings GStreamer")
def test_a_wrong_pipeline_says_what_is_wrong_with_it() -> None:
    with pytest.raises(SourceError, match="pipeline"):
        next(open_gstreamer(CameraSettings(), "nosuchelement").frames())


def test_a_pipeline_without_a_sink_is_given_one() -> None:
    assert complete("videotestsrc").endswith("max-buffers=1 sync=false")
    assert complete("videotestsrc ! appsink name=out") == "videotestsrc ! appsink name=out"
