"""A line on a terminal's standard error with the progress of a command."""

import sys
from typing import TextIO


class ProgressLine:
    """Call it with the number done and the total; silent if standard error is no terminal."""

    def __init__(self, what: str, stream: TextIO | None = None) -> None:
        self._what = what
        self._stream = stream or sys.stderr
        self._shown = self._stream.isatty()

    def __call__(self, done: int, total: int) -> None:
        """Show the new state, and clear the line at the end."""
        if not self._shown:
            return
        line = f"\r{self._what}: {done}/{total} ({done / max(total, 1):.0%})" if done < total else "\r\x1b[K"
        self._stream.write(line)
        self._stream.flush()
