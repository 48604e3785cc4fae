"""A second player beside the first, for what it reports: OpenCV passes on no error of FFmpeg's decoders.

They conceal damage, and their words go to standard output or error, so the second player is a process of its own.
Words by which a decoder or the file's structure shows damage count; those at a start in mid-stream do not. Most
damage to H.264, MPEG-2 and MPEG-4 is noticed; FFmpeg's decoders of H.265, VP8 and VP9 report none.
"""

import contextlib
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO

_PLAY = """
import cv2
capture = cv2.VideoCapture("/proc/self/fd/0", cv2.CAP_FFMPEG)
while capture.grab():
    pass
"""
_ERRORS_ONLY = "16"
_DAMAGE = re.compile(
    rb"error while decoding MB|Error at MB|(?:ac-tex|dc|mb_type|cbpy?) damaged|slice mismatch|Invalid NAL unit size"
    rb"|exceeds containing master|Invalid length 0x"
)
_MOST_SECONDS = 600.0


class DamageCheck:
    """A file that is being played."""

    def __init__(self, process: subprocess.Popen[bytes], words: IO[bytes]) -> None:
        self._process = process
        self._words = words

    def places(self) -> int:
        """In how many places the file is damaged, once it has been played to its end."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(_MOST_SECONDS)
        self._words.seek(0)
        return sum(_DAMAGE.search(line) is not None for line in self._words)


@contextlib.contextmanager
def playing(path: Path) -> Iterator[DamageCheck]:
    """Play a file from here on."""
    environment = {**os.environ, "OPENCV_FFMPEG_LOGLEVEL": _ERRORS_ONLY}
    with path.open("rb") as file, tempfile.TemporaryFile() as words:
        process = subprocess.Popen(
            [sys.executable, "-c", _PLAY], stdin=file, stdout=words, stderr=subprocess.STDOUT, env=environment
        )
        try:
            yield DamageCheck(process, words)
        finally:
            process.kill()
            process.wait()
