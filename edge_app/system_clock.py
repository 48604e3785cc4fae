"""This machine's clock and its present boot, for events."""

import ctypes
import functools
import os
import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")

_TIMEX_BYTES = 512
"""More than any kernel's `struct timex`, whose first field `modes` = 0 asks without changing anything."""

_TIME_ERROR = 5
"""adjtimex(2): the clock is not synchronized."""


def utc_now() -> datetime:
    """The time of day, aware."""
    return datetime.now(UTC)


def as_rfc3339(moment: datetime) -> str:
    """A moment as `2026-01-31T10:00:00.123Z`."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def wall_time(monotonic_ns: int, now: datetime, now_ns: int) -> datetime:
    """The time of day at a moment of `time.monotonic_ns`, counted back from one reading of both clocks.

    The clock may have been set since that moment; so every time in a record comes from the same reading.
    """
    return now - timedelta(microseconds=(now_ns - monotonic_ns) / 1000)


def clock_is_synchronized() -> bool:
    """Whether the kernel's clock is synchronized; chrony, ntpd and timesyncd all set this."""
    try:
        state: int = ctypes.CDLL(None, use_errno=True).adjtimex(ctypes.create_string_buffer(_TIMEX_BYTES))
    except (OSError, AttributeError):  # not Linux, or a C library without the call
        return False
    return state not in (-1, _TIME_ERROR)


@functools.cache
def read_boot_id() -> str:
    """The kernel's identifier of this boot; if it cannot be read, one of this process."""
    try:
        return _BOOT_ID.read_text(encoding="ascii").strip()
    except OSError:
        return str(uuid.UUID(bytes=os.urandom(16), version=4))
