"""Writes pictures into a video file."""

import shutil
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path

import cv2

from edge_app.records import ImageBgr


def write_video(
    images: Iterator[ImageBgr], path: Path, size: tuple[int, int], frames_per_second: int, coding: Sequence[str]
) -> None:
    """Write H.264, with these options of x264, if ffmpeg is installed, else MPEG-4 part 2."""
    if shutil.which("ffmpeg") is None:
        writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"mp4v"), frames_per_second, size)
        for image in images:
            writer.write(image)
        writer.release()
        return
    raw = ["-f", "rawvideo", "-pix_fmt", "bgr24", "-s", "{}x{}".format(*size), "-r", str(frames_per_second), "-i", "-"]
    x264 = ["-c:v", "libx264", *coding, "-pix_fmt", "yuv420p"]
    command = ["ffmpeg", "-y", "-loglevel", "error", *raw, *x264, "-g", "60", "-movflags", "+faststart", str(path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE) as ffmpeg:
        assert ffmpeg.stdin is not None
        for image in images:
            ffmpeg.stdin.write(image.tobytes())
        ffmpeg.stdin.close()
    if ffmpeg.returncode:
        raise subprocess.CalledProcessError(ffmpeg.returncode, command)
