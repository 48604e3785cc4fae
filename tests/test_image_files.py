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
