"""File source: what goes in and what comes out."""

import logging
import os
import time
from collections.abc import Generator
from datetime import datetime, timedelta
from itertools import islice
from pathlib import Path

import cv2
import numpy as np
import psutil
import pytest

from edge_app.capture.file_source import FileSource
from edge_app.demo import CLIP
from edge_app.errors import SourceError
from edge_app.newer_python import UTC
from tests.capture.pictures import write_clip


def test_every_frame_of_a_clip_comes_once_in_its_order_and_time(tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "clip.mp4", frames=12, frames_per_second=10)

    frames = list(FileSource(clip, "north").frames())

    assert [frame.sequence for frame in frames] == list(range(12))
    assert np.allclose([frame.image_bgr.mean() for frame in frames], 40 + 8 * np.arange(12), atol=5)
    assert np.allclose(np.diff([frame.monotonic_ns for frame in frames]), 100_000_000, atol=1_000_000)
    assert {frame.camera for frame in frames} == {"north"}


def test_footage_ended_when_its_file_was_written(tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "clip.mp4", frames=10, frames_per_second=10)
    written_at = datetime(2025, 6, 1, 12, 0, 0, tzinfo=UTC)
    os.utime(clip, (written_at.timestamp(), written_at.timestamp()))

    frames = list(FileSource(clip, "north").frames())

    assert frames[0].captured_at == written_at - timedelta(seconds=1)
    assert frames[-1].captured_at - frames[0].captured_at == timedelta(seconds=0.9)


def test_a_paced_replay_happens_now_and_takes_its_time(tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "clip.mp4", frames=7, frames_per_second=20)
    began_at, began = datetime.now(UTC), time.monotonic()

    frames = list(FileSource(clip, "north", speed=2.0).frames())

    took = time.monotonic() - began
    assert 0.15 <= took < 1.0
    assert timedelta(0) <= frames[0].captured_at - began_at < timedelta(seconds=1)


def test_a_looped_clip_begins_again_with_times_and_numbers_going_on(tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "clip.mp4", frames=3, frames_per_second=10)

    source = FileSource(clip, "north", loop=True)
    frames = list(islice(source.frames(), 8))

    assert [frame.sequence for frame in frames] == list(range(8))
    assert np.allclose(np.diff([frame.monotonic_ns for frame in frames]), 100_000_000, atol=1_000_000)


def test_closing_ends_a_replay_that_would_go_on_for_ever(tmp_path: Path) -> None:
    source = FileSource(write_clip(tmp_path / "clip.mp4", frames=3), "north", loop=True, speed=0.001)
    frames = source.frames()

    next(frames)
    source.close()

    assert list(frames) == []


@pytest.mark.parametrize("content", [b"", b"this is a letter, not a video\n" * 50])
def test_a_file_that_is_no_video_is_an_error_that_names_it(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "letter.mp4"
    path.write_bytes(content)

    with pytest.raises(SourceError, match=r"letter\.mp4: is cut off, empty or of an unknown kind; copy it again"):
        next(FileSource(path, "north").frames())


def test_a_video_whose_index_is_cut_off_is_to_be_copied_again(tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "clip.mp4", frames=40)
    whole = clip.read_bytes()
    clip.write_bytes(whole[: len(whole) // 2])

    with pytest.raises(SourceError, match=r"clip\.mp4: is cut off, empty or of an unknown kind; copy it again"):
        next(FileSource(clip, "north").frames())


def test_a_damaged_clip_gives_the_frames_it_has_and_a_warning(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    clip = write_clip(tmp_path / "clip.avi", frames=40)
    whole = clip.read_bytes()
    clip.write_bytes(whole[: len(whole) // 2])

    with caplog.at_level(logging.WARNING):
        frames = list(FileSource(clip, "north").frames())

    assert 5 < len(frames) < 35
    assert "bytes are missing, and" in caplog.text


@pytest.mark.parametrize("end", [b"\xff\xd9", b""])
def test_a_damaged_frame_of_motion_jpeg_is_left_out_and_counted(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, end: bytes
) -> None:
    noise = np.random.default_rng(1).integers(0, 255, (240, 320, 3), np.uint8)
    whole = cv2.imencode(".jpg", noise)[1].tobytes()
    clip = tmp_path / "clip.mjpeg"
    clip.write_bytes(whole * 3 + whole[: len(whole) // 2] + end + whole * 2)

    with caplog.at_level(logging.WARNING):
        source = FileSource(clip, "north")
        frames = list(source.frames())

    assert (len(frames), source.stamp.corrupt) == (5, 1)
    assert "1 of 6 frames are damaged and left out; copy it again" in caplog.text


@pytest.mark.parametrize("codec", ["MPEG-4", "H.264"])
def test_rubbish_in_the_middle_is_counted_though_the_decoder_conceals_it(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, codec: str
) -> None:
    clip = CLIP if codec == "H.264" else write_clip(tmp_path / "whole.mp4", frames=40)
    content = bytearray(clip.read_bytes())
    begin = 1_204_000 if codec == "H.264" else content.index(b"mdat") + 1000
    rubbish = np.random.default_rng(1).integers(0, 255, 3000 if codec == "H.264" else 100, np.uint8).tobytes()
    content[begin : begin + len(rubbish)] = rubbish
    (tmp_path / "damaged.mp4").write_bytes(content)

    with caplog.at_level(logging.WARNING):
        source = FileSource(tmp_path / "damaged.mp4", "north")
        frames = len(list(source.frames()))

    assert frames > 20
    assert source.stamp.corrupt > 0
    assert "damaged.mp4: it is damaged in " in caplog.text
    assert "copy it again" in caplog.text


def test_of_a_player_that_is_stopped_nothing_is_left_behind(tmp_path: Path) -> None:
    frames = FileSource(write_clip(tmp_path / "clip.mp4", frames=12), "north").frames()
    assert isinstance(frames, Generator)
    next(frames)
    assert len(psutil.Process().children()) == 1

    frames.close()

    assert psutil.Process().children() == []


def test_a_file_that_guesses_its_frames_is_judged_by_its_end_alone(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Matroska counts no frames: with a rate that varies, players guess too many of them."""
    whole = write_clip(tmp_path / "whole.mkv", frames=40)
    (tmp_path / "cut.mkv").write_bytes(whole.read_bytes()[:-2000])

    with caplog.at_level(logging.WARNING):
        seen = len(list(FileSource(whole, "north").frames()))
        assert (seen, caplog.text) == (40, "")
        list(FileSource(tmp_path / "cut.mkv", "north").frames())

    assert "its last 2000 bytes are missing" in caplog.text


def test_a_name_with_a_colon_is_no_protocol(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_clip(tmp_path / "clip.mp4", frames=3).rename(tmp_path / "10:00:00.mp4")
    monkeypatch.chdir(tmp_path)

    assert len(list(FileSource(Path("10:00:00.mp4"), "north").frames())) == 3
