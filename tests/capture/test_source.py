"""Source: what goes in and what comes out."""

from pathlib import Path

import pytest

from edge_app.capture.file_source import FileSource
from edge_app.capture.image_folder_source import ImageFolderSource
from edge_app.capture.picamera2_source import Picamera2Source
from edge_app.capture.source import open_source
from edge_app.config import CameraSettings
from edge_app.errors import ConfigurationError, SourceError
from tests.capture.pictures import write_clip, write_picture


def test_each_scheme_opens_its_source(tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "clip.mp4", frames=3)
    write_picture(tmp_path / "a.png")

    file = open_source(CameraSettings(source=f"file:{clip}?loop=1&speed=2"))
    images = open_source(CameraSettings(source=f"images:{tmp_path}"))
    camera = open_source(CameraSettings(source="picamera2:0"))
    stream = open_source(CameraSettings(source="rtsp://192.0.2.1/stream"))

    assert isinstance(file, FileSource)
    assert not file.live
    assert isinstance(images, ImageFolderSource)
    assert not images.live
    assert isinstance(camera, Picamera2Source)
    assert camera.live
    assert stream.live


@pytest.mark.parametrize("url", ["v4l2:/dev/video250", "v4l2:250"])
def test_a_camera_that_is_not_there_may_come_back(url: str) -> None:
    with pytest.raises(SourceError, match="/dev/video250"):
        next(iter(open_source(CameraSettings(source=url)).frames()))


@pytest.mark.parametrize("url", ["file:/nowhere/clip.mp4", "images:/nowhere"])
def test_a_file_that_is_not_there_is_wrong_configuration(url: str) -> None:
    with pytest.raises(ConfigurationError, match="nowhere"):
        open_source(CameraSettings(source=url))
