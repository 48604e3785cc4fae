"""Whether a JPEG is whole. OpenCV shows a damaged one as far as it goes, and grey, without an error."""

import simplejpeg

_SMALLEST = 8
"""The picture is decoded at an eighth of its size: enough to meet every fault in its data."""

_SIGNS = ("Corrupt JPEG data", "Premature end", "Invalid SOS", "Bogus")
"""Warnings of libjpeg about damage. It has others, of colours that are not to be turned into grey, for one."""


def damage_of(content: bytes) -> str | None:
    """What is wrong with a JPEG's data, in libjpeg's words; None if nothing is, or if it is no JPEG."""
    if not content.startswith(b"\xff\xd8"):
        return None
    try:
        simplejpeg.decode_jpeg(content, colorspace="GRAY", min_factor=_SMALLEST, strict=True)
    except ValueError as error:
        words = str(error)
        return words if words.startswith(_SIGNS) else None
    return None
