"""Image folder source: what goes in and what comes out."""

import logging
import os
from datetime import datetime
from pathlib import Path

import pytest

from edge_app.capture.image_folder_source import ImageFolderSource
from edge_app.errors import SourceError
from edge_app.newer_python import UTC
from tests.capture.pictures import write_picture


def test_pictures_come_in_the_order_of_their_names(tmp_path: Path) -> None:
    for name, level in (("b.png", 200), ("a.jpg", 100), ("c.PNG", 50)):
        write_picture(tmp_path / name, level)
    (tmp_path / "notes.txt").write_text("not asked for")

    frames = list(ImageFolderSource(tmp_path, "north", frames_per_second=4).frames())

    assert [round(float(frame.image_bgr.mean()), -1) for frame in frames] == [100, 200, 50]
    assert frames[2].monotonic_ns - frames[0].monotonic_ns == 500_000_000


def test_a_picture_was_taken_when_its_file_was_written(tmp_path: Path) -> None:
    written_at = datetime(2025, 6, 1, 12, 0, 0, tzinfo=UTC)
    os.utime(write_picture(tmp_path / "a.png"), (written_at.timestamp(), written_at.timestamp()))

    (frame,) = ImageFolderSource(tmp_path, "north", frames_per_second=4).frames()

    assert frame.captured_at == written_at


def test_corrupt_pictures_are_left_out_with_a_warning_that_names_them(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    write_picture(tmp_path / "b.png")
    (tmp_path / "a.jpg").write_text("a letter")
    (tmp_path / "c.jpg").touch()
    (tmp_path / "d.jpg").mkdir()

    with caplog.at_level(logging.WARNING):
        frames = list(ImageFolderSource(tmp_path, "north", frames_per_second=4).frames())

    assert [frame.sequence for frame in frames] == [1]
    assert all(name in caplog.text for name in ("a.jpg", "c.jpg", "d.jpg"))


def test_a_folder_without_pictures_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="holds no picture"):
        ImageFolderSource(tmp_path, "north", frames_per_second=4)
