"""Pictures from files and into files, with an error and its remedy for every file that is none."""

import os
from pathlib import Path

import cv2
import numpy as np

from edge_app.errors import SourceError
from edge_app.jpeg_damage import damage_of
from edge_app.records import ImageBgr


def silence_opencv() -> None:
    """Keep OpenCV's and FFmpeg's messages on damaged files off stderr: our errors are clearer."""
    if hasattr(cv2.utils, "logging"):
        cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
    else:  # OpenCV 4.6 of Debian 12 and 4.8 of JetPack
        cv2.setLogLevel(0)
    os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")  # AV_LOG_QUIET, read when a video is opened


def load_image(path: Path) -> ImageBgr:
    """The picture, upright if its EXIF data give its orientation; `SourceError` if there is none."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise SourceError(f"{path}: this file cannot be read ({error.strerror}); check the path") from error
    return decode_image(content, str(path))


def decode_image(content: bytes, name: str) -> ImageBgr:
    """The same for the content of a file; `name` begins the error's message."""
    if not content:
        raise SourceError(f"{name}: this file is empty; copy it again from its source")
    if _is_cut_off(content):
        raise SourceError(f"{name}: the end of this picture is missing; copy it again from where it came")
    if damage := damage_of(content):
        raise SourceError(f"{name}: this picture is damaged ({damage}); copy it again from where it came")
    try:
        image = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR)
    except cv2.error as error:
        raise SourceError(f"{name}: OpenCV refuses this picture ({error.err}); make it smaller") from error
    if image is None:
        raise SourceError(f"{name}: this is not a picture, or it is damaged; give a JPEG, PNG or WebP file")
    return np.asarray(image, np.uint8)


def decode_frame(jpeg: bytes) -> ImageBgr | None:
    """A frame of a Motion-JPEG recording; None if it is not whole."""
    if not jpeg.startswith(b"\xff\xd8") or _is_cut_off(jpeg) or damage_of(jpeg):
        return None
    image = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
    return None if image is None else np.asarray(image, np.uint8)


def save_image(path: Path, image_bgr: ImageBgr) -> None:
    """Write the picture in the format its name asks for; `SourceError` if that fails."""
    try:
        encoded, content = cv2.imencode(path.suffix, image_bgr)
        if not encoded:
            raise SourceError(f"{path}: the picture cannot be written as {path.suffix}; give another format")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.tobytes())
    except OSError as error:
        raise SourceError(f"{path}: cannot be written ({error.strerror}); give another folder") from error


def _is_cut_off(content: bytes) -> bool:
    """Whether a JPEG or PNG lacks its end marker: OpenCV 4 shows what is there of it, and grey."""
    if content.startswith(b"\x89PNG"):
        return b"IEND" not in content[-1024:]
    if not content.startswith(b"\xff\xd8"):
        return False
    start = 2
    while content[start : start + 1] == b"\xff" and (marker := content[start + 1 : start + 2]) != b"\xda":
        is_fill = marker == b"\xff"  # any number of them may precede a marker: ITU-T T.81, B.1.1.2
        start += 1 if is_fill else 2 + int.from_bytes(content[start + 2 : start + 4], "big")
    return b"\xff\xd9" not in content[start:]
