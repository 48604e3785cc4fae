"""The structure of a video file: whether its end is there, and whether it counts its frames.

Sources: ISO/IEC 14496-12 (MP4, MOV), RFC 9559 (Matroska, WebM), the AVI RIFF file reference.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

_FTYP_OR_KIN = (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot")
_SEGMENT = b"\x18\x53\x80\x67"
_HEADER_BYTES = 4096
_MOST_INDEX_BYTES = 64_000_000
_SHOWN_SHARE = 0.98


@dataclass(frozen=True, slots=True)
class Container:
    """A file as it was meant to be."""

    missing_bytes: int = 0
    """Number of bytes missing at its end, if its structure has its length."""
    counts_frames: bool = False
    """Whether the number of its frames stands in it; else players guess it from its length and rate."""


def examine(path: Path) -> Container:
    """The structure of a file; of kinds without one that shows damage, nothing is reported."""
    with path.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        head = file.read(_HEADER_BYTES)
        if head[4:8] in _FTYP_OR_KIN:
            return _mp4(file, size)
        if head.startswith(b"\x1a\x45\xdf\xa3"):
            return Container(missing_bytes=_matroska_lacks(head, size))
        if head.startswith(b"RIFF") and head[8:12] == b"AVI ":
            length = int.from_bytes(head[4:8], "little")
            # Its count takes in the empty chunks with which recorders keep to the rate: of frames that never were.
            return Container(max(0, length + 8 - size) if 0 < length < 0xFFFF_FFFF else 0)
    return Container()


def _mp4(file: BinaryIO, size: int) -> Container:
    missing, counts = 0, True
    for kind, begin, end in _boxes(file, 0, size):
        missing = max(missing, end - size)
        if kind == b"moof":  # of a fragmented file, whose index counts no frames
            counts = False
        if kind == b"moov" and end - begin < _MOST_INDEX_BYTES:
            counts = counts and not _shows_a_part_only(file, begin, min(end, size))
    return Container(missing, counts)


def _boxes(file: BinaryIO, begin: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    """Kind, first byte of the content and end of each box between two places."""
    while begin + 8 <= end:
        file.seek(begin)
        header = file.read(16)
        length, kind, content = int.from_bytes(header[:4], "big"), header[4:8], begin + 8
        if length == 1:
            length, content = int.from_bytes(header[8:16], "big"), begin + 16
        if length == 0:  # up to the file's end
            length = end - begin
        if length < 8:
            return
        yield kind, content, begin + length
        begin += length


def _shows_a_part_only(file: BinaryIO, begin: int, end: int) -> bool:
    """Whether an edit list leaves frames out, as of a clip that was trimmed without being encoded anew."""
    movie_scale = 0
    for kind, content, box_end in _boxes(file, begin, end):
        if kind == b"mvhd":
            movie_scale, _ = _scale_and_duration(file, content)
        if kind == b"trak" and movie_scale:
            shown, (scale, duration) = None, (0, 0)
            for inner, place, inner_end in _boxes(file, content, box_end):
                if inner == b"edts":
                    shown = sum(_edits(file, place, inner_end))
                if inner == b"mdia":
                    heads = [at for name, at, _ in _boxes(file, place, inner_end) if name == b"mdhd"]
                    scale, duration = _scale_and_duration(file, heads[0]) if heads else (0, 0)
            if shown is not None and scale and shown / movie_scale < _SHOWN_SHARE * duration / scale:
                return True
    return False


def _scale_and_duration(file: BinaryIO, content: int) -> tuple[int, int]:
    """Of `mvhd` or `mdhd`: units a second, and how many there are."""
    file.seek(content)
    box = file.read(32)
    if box[:1] == b"\1":
        return int.from_bytes(box[20:24], "big"), int.from_bytes(box[24:32], "big")
    return int.from_bytes(box[12:16], "big"), int.from_bytes(box[16:20], "big")


def _edits(file: BinaryIO, begin: int, end: int) -> Iterator[int]:
    """How long each part is that is shown, in the movie's units."""
    for kind, content, box_end in _boxes(file, begin, end):
        if kind != b"elst":
            continue
        file.seek(content)
        box = file.read(min(box_end - content, 1_000_000))
        wide = box[:1] == b"\1"
        size, half = (20, 8) if wide else (12, 4)
        for place in range(8, 8 + size * int.from_bytes(box[4:8], "big"), size):
            entry = box[place : place + size]
            if len(entry) == size and int.from_bytes(entry[half : 2 * half], "big", signed=True) >= 0:
                yield int.from_bytes(entry[:half], "big")


def _matroska_lacks(head: bytes, size: int) -> int:
    """Bytes missing at the end, by the length of the segment; 0 if it was written without one, as streams are."""
    place = head.find(_SEGMENT)
    if place < 0 or place + 5 > len(head):
        return 0
    place += len(_SEGMENT)
    width = 9 - head[place].bit_length()
    field = head[place : place + width]
    value = int.from_bytes(field, "big") & ((1 << 7 * width) - 1)
    is_unknown = value == (1 << 7 * width) - 1
    return 0 if is_unknown or width > 8 else max(0, place + width + value - size)
