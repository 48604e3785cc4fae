"""Pictures from files: what is a picture is read, and an error with its remedy for every file that is none."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from edge_app.errors import SourceError
from edge_app.image_files import load_image


def jpeg() -> bytes:
    """An even picture of 80 × 60."""
    return cv2.imencode(".jpg", np.full((60, 80, 3), 90, np.uint8))[1].tobytes()


def padded(content: bytes) -> bytes:
    """The same JPEG with fill bytes before its first segment, before its scan and before its end."""
    scan = content.index(b"\xff\xda")
    return b"\xff\xd8\xff\xff" + content[2:scan] + b"\xff" + content[scan:-2] + b"\xff\xff" + content[-2:]


def test_a_jpeg_with_fill_bytes_before_its_markers_is_read(tmp_path: Path) -> None:
    (tmp_path / "padded.jpg").write_bytes(padded(jpeg()))

    assert load_image(tmp_path / "padded.jpg").shape == (60, 80, 3)


@pytest.mark.parametrize("content", [jpeg()[:-2], padded(jpeg())[:-20], b"\xff\xd8\xff\xff"])
def test_a_jpeg_without_its_end_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "cut.jpg").write_bytes(content)

    with pytest.raises(SourceError, match="the end of this picture is missing"):
        load_image(tmp_path / "cut.jpg")


def noisy_jpeg(*settings: int) -> bytes:
    """A picture whose data are long enough to be cut anywhere."""
    noise = np.random.default_rng(1).integers(0, 255, (120, 160, 3), np.uint8)
    return cv2.imencode(".jpg", noise, settings)[1].tobytes()


@pytest.mark.parametrize("settings", [(), (cv2.IMWRITE_JPEG_PROGRESSIVE, 1), (cv2.IMWRITE_JPEG_RST_INTERVAL, 4)])
@pytest.mark.parametrize("is_hole", [False, True])
def test_a_jpeg_whose_data_end_early_is_refused_though_it_is_closed(
    tmp_path: Path, settings: tuple[int, ...], is_hole: bool
) -> None:
    whole = noisy_jpeg(*settings)
    half = len(whole) // 2
    (tmp_path / "half.jpg").write_bytes(whole[:half] + (whole[half + 200 :] if is_hole else b"\xff\xd9"))

    with pytest.raises(SourceError, match=r"half.jpg: this picture is damaged \(Corrupt JPEG data"):
        load_image(tmp_path / "half.jpg")


def test_a_jpeg_with_something_behind_its_end_is_whole(tmp_path: Path) -> None:
    (tmp_path / "trailer.jpg").write_bytes(noisy_jpeg() + b"a phone's film")

    assert load_image(tmp_path / "trailer.jpg").shape == (120, 160, 3)
