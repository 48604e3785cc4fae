"""The journal of systemd, where our standard error goes if systemd started us."""

import os
import sys
import traceback
from collections.abc import Mapping
from types import TracebackType
from typing import TextIO

ERROR = 3
"""Priority of what ended the program, as in syslog; sd-daemon(3) says how a line carries one."""


def stderr_is_journal(environment: Mapping[str, str], stderr: TextIO) -> bool:
    """Compare with `JOURNAL_STREAM` as in systemd.exec(5): a redirected stderr is not the journal."""
    device, colon, inode = environment.get("JOURNAL_STREAM", "").partition(":")
    if not colon:
        return False
    try:
        stream = os.fstat(stderr.fileno())
    except (OSError, ValueError):
        return False
    return (str(stream.st_dev), str(stream.st_ino)) == (device, inode)


def with_priority(priority: int, text: str) -> str:
    """The text with its priority at the beginning of every line."""
    return "\n".join(f"<{priority}>{line}" for line in text.splitlines())


def last_words(text: str, environment: Mapping[str, str] = os.environ) -> str:
    """What ends the program, as the journal or a person is to read it."""
    return with_priority(ERROR, text) if stderr_is_journal(environment, sys.stderr) else text


def print_crash(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """A `sys.excepthook` whose lines the journal takes for errors."""
    sys.stderr.write(last_words("".join(traceback.format_exception(kind, error, trace)).rstrip()) + "\n")
