"""The kind of a file is recognised by its content."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from edge_app.errors import SourceError
from edge_app.file_kinds import FileKind, files_below, is_regular, kind_of
from tests.capture.pictures import view, write_clip

HEIC = b"\0\0\0\x18ftypheic\0\0\0\0mif1heic"
JPEG = cv2.imencode(".jpg", view())[1].tobytes()
MPO = JPEG[:2] + b"\xff\xe2\0\x08MPF\0\0\0" + JPEG[2:] + JPEG


@pytest.mark.parametrize(
    ("name", "content", "kind"),
    [
        ("a.png", cv2.imencode(".png", view())[1].tobytes(), FileKind.PICTURE),
        ("film.jpg", JPEG, FileKind.PICTURE),
        ("nameless", JPEG, FileKind.PICTURE),
        ("two-in-one.jpg", MPO, FileKind.PICTURE),
        ("stream.mjpeg", JPEG * 3, FileKind.VIDEO),
        ("stream.jpg", JPEG * 3, FileKind.VIDEO),
        ("phone.jpg", HEIC, FileKind.PHONE_PICTURE),
        ("stream", b"\0\0\0\1\x67\x42", FileKind.VIDEO),
        ("broken.mp4", b"a letter", FileKind.VIDEO),
        ("broken.jpg", b"a letter", FileKind.PICTURE),
        ("empty.png", b"", FileKind.PICTURE),
        ("notes.txt", b"a letter", FileKind.OTHER),
        ("empty", b"", FileKind.OTHER),
    ],
)
def test_the_first_bytes_decide_the_kind_of_a_file(tmp_path: Path, name: str, content: bytes, kind: FileKind) -> None:
    (tmp_path / name).write_bytes(content)

    assert kind_of(tmp_path / name) is kind


@pytest.mark.parametrize("suffix", [".mp4", ".avi", ".mkv"])
def test_a_video_is_one_under_any_name(tmp_path: Path, suffix: str) -> None:
    write_clip(tmp_path / f"clip{suffix}", frames=3).rename(tmp_path / "clip.jpg")

    assert kind_of(tmp_path / "clip.jpg") is FileKind.VIDEO


def test_every_file_below_a_folder_is_named_but_hidden_ones(tmp_path: Path) -> None:
    for name in ("b/notes.txt", "a.png", ".hidden", ".git/config"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()

    assert list(files_below(tmp_path)) == [tmp_path / "a.png", tmp_path / "b" / "notes.txt"]


def test_linked_folders_are_looked_into_once(tmp_path: Path) -> None:
    (tmp_path / "archive").mkdir()
    (tmp_path / "archive" / "a.png").touch()
    (tmp_path / "road").mkdir()
    (tmp_path / "road" / "others").symlink_to(tmp_path / "archive")
    (tmp_path / "road" / "up").symlink_to(tmp_path / "road")

    assert list(files_below(tmp_path / "road")) == [tmp_path / "road" / "others" / "a.png"]


def test_a_file_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="cannot be read"):
        kind_of(tmp_path / "absent.jpg")


def test_a_link_to_nothing_is_no_file(tmp_path: Path) -> None:
    (tmp_path / "link.jpg").symlink_to("absent")

    assert not is_regular(tmp_path / "link.jpg")


def test_a_grey_picture_is_one(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "a.pgm"), np.zeros((9, 9), np.uint8))

    assert kind_of(tmp_path / "a.pgm") is FileKind.PICTURE
