"""Width and height of a picture by its first bytes: one that would fill the memory is not decoded."""

from edge_app.errors import SourceError

_JPEG_SIZES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
"""Markers of a frame's header: ITU-T T.81, table B.1."""


def size_of(content: bytes) -> tuple[int, int]:
    """Width and height.

    Raises:
        SourceError: it is no JPEG, PNG or WebP, or its header is damaged.
    """
    size = None
    if content.startswith(b"\x89PNG\r\n\x1a\n"):
        size = _big(content[16:20]), _big(content[20:24])
    elif content.startswith(b"\xff\xd8\xff"):
        size = _jpeg(content)
    elif content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        size = _webp(content)
    else:
        raise SourceError("this is no JPEG, PNG or WebP picture; send one as the body of the request")
    if size is None or not all(size):
        raise SourceError("the header of this picture is damaged; send it again from where it came")
    return size


def _jpeg(content: bytes) -> tuple[int, int] | None:
    start = 2
    while content[start : start + 1] == b"\xff" and start + 9 < len(content):
        marker = content[start + 1]
        if marker == 0xFF:  # any number of them may precede a marker
            start += 1
        elif marker in _JPEG_SIZES:
            return _big(content[start + 7 : start + 9]), _big(content[start + 5 : start + 7])
        else:
            start += 2 + _big(content[start + 2 : start + 4])
    return None


def _webp(content: bytes) -> tuple[int, int] | None:
    kind, body = content[12:16], content[20:34]
    if len(body) < 14:
        return None
    if kind == b"VP8X":
        return 1 + _little(body[4:7]), 1 + _little(body[7:10])
    if kind == b"VP8L":
        bits = _little(body[1:5])
        return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    if kind == b"VP8 ":
        return _little(body[6:8]) & 0x3FFF, _little(body[8:10]) & 0x3FFF
    return None


def _big(number: bytes) -> int:
    return int.from_bytes(number, "big")


def _little(number: bytes) -> int:
    return int.from_bytes(number, "little")
