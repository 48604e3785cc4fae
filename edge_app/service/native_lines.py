"""What libraries in C and C++ write to standard error by themselves, made lines of our log."""

import contextlib
import logging
import os
import re
import sys
import threading
from collections.abc import Iterator
from typing import BinaryIO

from edge_app.printable import excerpt, printable

log = logging.getLogger(__name__)

_MOST_CHARACTERS = 200
_MOST_KINDS = 200


class NativeLines:
    """Logs the 1st, 2nd, 4th, 8th… line of each kind: a decoder may complain of every frame."""

    def __init__(self) -> None:
        self._counts: dict[str, int] = {}

    def take(self, line: str) -> None:
        """Log a line, or count it."""
        kind = re.sub(r"0x[0-9a-f]+|\d+(\.\d+)?", "#", line)
        if kind not in self._counts and len(self._counts) >= _MOST_KINDS:
            self._counts.clear()
        count = self._counts[kind] = self._counts.get(kind, 0) + 1
        if count & (count - 1) == 0:
            # Of what is no address, `without_secrets` would take too much: FFmpeg writes `[h264 @ 0x…]`.
            words = excerpt(line, _MOST_CHARACTERS) if "//" in line else printable(line[:_MOST_CHARACTERS])
            log.warning("a library says: %s%s", words, f" ({count} such lines so far)" if count > 1 else "")


@contextlib.contextmanager
def caught() -> Iterator[None]:
    """Lead file descriptor 2 into the log, and `sys.stderr` to where it led before."""
    kept, python_stderr = os.dup(2), sys.stderr
    reader, writer = os.pipe()
    os.dup2(writer, 2)
    os.close(writer)
    sys.stderr = os.fdopen(os.dup(kept), "w", buffering=1, errors="backslashreplace")
    thread = threading.Thread(target=_log_all, args=(os.fdopen(reader, "rb"),), name="native lines", daemon=True)
    thread.start()
    try:
        yield
    finally:
        os.dup2(kept, 2)  # with which the pipe has no writer any more, and the thread ends
        os.close(kept)
        thread.join(1.0)
        sys.stderr.close()
        sys.stderr = python_stderr


def _log_all(written: BinaryIO) -> None:
    lines = NativeLines()
    with written:
        for line in written:
            if words := line.decode(errors="replace").strip():
                lines.take(words)
