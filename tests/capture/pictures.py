"""Pictures, clips and frames made for the tests of this folder."""

from datetime import datetime
from pathlib import Path

import cv2
import numpy as np

from edge_app.newer_python import UTC
from edge_app.records import Frame, ImageBgr


def view(shift: int = 0, width: int = 320, height: int = 240) -> ImageBgr:
    """Draw a still view with structure everywhere, and a bright block `shift` pixels from the left."""
    across = np.linspace(40, 160, width)
    down = np.linspace(0, 40, height)
    gray = across[None, :] + down[:, None] + 20 * (np.indices((height, width)).sum(axis=0) // 16 % 2)
    picture = np.repeat(gray[:, :, None], 3, axis=2).astype(np.uint8)
    if shift:
        picture[height // 3 : height // 2, shift : shift + width // 6] = (250, 240, 230)
    return picture


def frame_at(seconds: float, picture: ImageBgr, small: ImageBgr | None = None) -> Frame:
    """Make the frame of a picture taken `seconds` after the clock began."""
    return Frame(picture, datetime(2026, 1, 31, tzinfo=UTC), int(seconds * 1e9), int(seconds * 100), "north", small)


def write_clip(path: Path, frames: int, frames_per_second: float = 10.0) -> Path:
    """Write a clip whose n-th frame has the brightness 40 + 8 n, white at the most."""
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"mp4v"), frames_per_second, (320, 240))
    for number in range(frames):
        writer.write(np.full((240, 320, 3), min(40 + 8 * number, 255), np.uint8))
    writer.release()
    return path


def write_picture(path: Path, level: int = 90) -> Path:
    """Write an even grey picture."""
    cv2.imwrite(str(path), np.full((60, 80, 3), level, np.uint8))
    return path
