"""What a file holds, by its first bytes: its name may be wrong."""

import mmap
import os
import stat
from collections.abc import Iterator
from enum import Enum
from pathlib import Path

from edge_app.errors import SourceError

IMAGE_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff"})
VIDEO_SUFFIXES = frozenset({".mp4", ".mkv", ".avi", ".mov", ".m4v", ".webm", ".ts", ".mpg", ".mpeg", ".h264", ".mjpeg"})

_HEAD_BYTES = 1024
_PICTURES = (b"\x89PNG\r\n", b"BM", b"II*\0", b"MM\0*", b"GIF8", b"\0\0\0\x0cjP  ", b"P5\n", b"P6\n")
_VIDEOS = (
    b"\x1a\x45\xdf\xa3",  # Matroska, WebM
    b"\0\0\1\xba",  # MPEG program stream
    b"\0\0\1\xb3",  # MPEG-1 and MPEG-2 video
    b"FLV",
    b"\x30\x26\xb2\x75",  # ASF, WMV
    b"OggS",
    b"DKIF",  # IVF
    b"\x06\x0e\x2b\x34",  # MXF
)
_MOVIE_BOXES = (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot", b"styp")
_STILL_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"mif1", b"avif")
_ANNEX_B = (b"\0\0\0\1", b"\0\0\1")
_TS_PACKET_BYTES = 188


class FileKind(Enum):
    """What to do with a file."""

    PICTURE = "picture"
    VIDEO = "video"
    PHONE_PICTURE = "phone picture"
    """HEIF or AVIF, which OpenCV does not read everywhere."""
    OTHER = "other"


def kind_of(path: Path) -> FileKind:
    """The kind by content; by name if the content is unknown, so that a damaged file is called what it was.

    Raises:
        SourceError: it cannot be read.
    """
    try:
        with path.open("rb") as file:
            head = file.read(_HEAD_BYTES)
            by_content = _by_head(head) or (_of_jpeg(file.fileno()) if head.startswith(b"\xff\xd8\xff") else None)
    except OSError as error:
        raise SourceError(f"{path}: this file cannot be read ({error.strerror}); check the path") from error
    if by_content is not None:
        return by_content
    suffix = path.suffix.lower()
    if suffix in VIDEO_SUFFIXES:
        return FileKind.VIDEO
    return FileKind.PICTURE if suffix in IMAGE_SUFFIXES else FileKind.OTHER


def is_video(path: Path) -> bool:
    """Whether it is a file, and holds a video."""
    return path.is_file() and kind_of(path) is FileKind.VIDEO


def files_below(folder: Path) -> Iterator[Path]:
    """Every file in the folder and below, sorted; those whose names begin with a dot are hidden.

    Links to folders are followed; what is reached twice comes once.

    Raises:
        SourceError: a folder cannot be read.
    """

    def complain(error: OSError) -> None:
        raise SourceError(
            f"{error.filename}: this folder cannot be read ({error.strerror}); check its rights"
        ) from error

    seen = set[tuple[int, int]]()  # a link may lead to a folder above it
    for place, folders, names in os.walk(folder, onerror=complain, followlinks=True):
        here = Path(place).stat()
        if (here.st_dev, here.st_ino) in seen:
            folders.clear()
            continue
        seen.add((here.st_dev, here.st_ino))
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        yield from (Path(place, name) for name in sorted(names) if not name.startswith("."))


def is_regular(path: Path) -> bool:
    """Whether there is something to read, and no pipe or device that would be waited for."""
    try:
        return stat.S_ISREG(path.stat().st_mode)
    except OSError:
        return False


def _by_head(head: bytes) -> FileKind | None:
    if head.startswith(_PICTURES) or (head.startswith(b"RIFF") and head[8:12] == b"WEBP"):
        return FileKind.PICTURE
    if head[4:8] in _MOVIE_BOXES:
        return FileKind.PHONE_PICTURE if head[8:12] in _STILL_BRANDS else FileKind.VIDEO
    if head.startswith(_VIDEOS) or (head.startswith(b"RIFF") and head[8:12] == b"AVI "):
        return FileKind.VIDEO
    if head.startswith(_ANNEX_B) or head[:1] == head[_TS_PACKET_BYTES : _TS_PACKET_BYTES + 1] == b"G":
        return FileKind.VIDEO
    return None


def _of_jpeg(descriptor: int) -> FileKind:
    """One picture, or frame upon frame as cameras record them: a second picture right behind the end of the first.

    Phones put a second one there too, and announce it in the first (MPF, in an APP2 segment).
    """
    with mmap.mmap(descriptor, 0, access=mmap.ACCESS_READ) as content:
        start = content.find(b"\xff\xd8\xff", 3)
        while start > 0:
            if content[start - 2 : start] == b"\xff\xd9":
                return FileKind.PICTURE if content.find(b"MPF\0", 0, start) >= 0 else FileKind.VIDEO
            start = content.find(b"\xff\xd8\xff", start + 3)
    return FileKind.PICTURE
