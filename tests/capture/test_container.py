"""The structure of a video file."""

from pathlib import Path

import pytest

from edge_app.capture.container import Container, examine
from tests.capture.pictures import write_clip


@pytest.mark.parametrize(("suffix", "counts"), [(".mp4", True), (".avi", False), (".mkv", False)])
def test_a_whole_file_lacks_nothing(tmp_path: Path, suffix: str, counts: bool) -> None:
    clip = write_clip(tmp_path / f"clip{suffix}", frames=30)

    assert examine(clip) == Container(missing_bytes=0, counts_frames=counts)


@pytest.mark.parametrize("suffix", [".mp4", ".avi", ".mkv"])
def test_a_file_that_was_cut_lacks_a_number_of_bytes(tmp_path: Path, suffix: str) -> None:
    clip = write_clip(tmp_path / f"clip{suffix}", frames=30)
    whole = clip.read_bytes()
    clip.write_bytes(whole[:-100])

    assert examine(clip).missing_bytes == 100


@pytest.mark.parametrize("content", [b"", b"\x1a\x45\xdf\xa3", b"\0\0\0\1\x67", b"\0\0\0\x08ftyp\0\0\0\1moov"])
def test_of_other_files_nothing_is_reported(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a").write_bytes(content)

    assert examine(tmp_path / "a").missing_bytes == 0
