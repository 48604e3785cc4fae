"""Controls of a V4L2 driver by their names, as `v4l2-ctl --list-ctrls` shows them.

Source: https://docs.kernel.org/userspace-api/media/v4l/vidioc-queryctrl.html and vidioc-g-ctrl.html
"""

import fcntl
import os
import re
import struct
from collections.abc import Callable, Sequence
from pathlib import Path

from edge_app.errors import SourceError

Ioctl = Callable[[int, int, bytes], bytes]
"""`fcntl.ioctl` for requests of fixed size."""

_QUERY = struct.Struct("=II32siiiiI8x")  # v4l2_queryctrl: id, type, name, minimum, maximum, step, default, flags
_VALUE = struct.Struct("=Ii")  # v4l2_control: id, value
_NEXT, _DISABLED, _CLASS = 0x8000_0000, 1, 6


def _request(number: int, size: int) -> int:
    """_IOWR('V', number, size) of <linux/ioctl.h>."""
    return 3 << 30 | size << 16 | ord("V") << 8 | number


_QUERYCTRL, _G_CTRL, _S_CTRL = _request(36, _QUERY.size), _request(27, _VALUE.size), _request(28, _VALUE.size)


def set_controls(device: Path, wanted: Sequence[str], ioctl: Ioctl = fcntl.ioctl) -> list[str]:
    """Set `name=number` in this order; what did not come true, in words.

    Raises:
        SourceError: the device cannot be opened.
    """
    try:
        descriptor = os.open(device, os.O_RDWR | os.O_NONBLOCK)
    except OSError as error:
        raise SourceError(
            f"{device} cannot be opened ({error.strerror}); check that it is there, and its group"
        ) from error
    try:
        numbers = _numbers(descriptor, ioctl)
        return [words for each in wanted if (words := _set(descriptor, numbers, each, ioctl))]
    finally:
        os.close(descriptor)


def _numbers(descriptor: int, ioctl: Ioctl) -> dict[str, int]:
    """The number of each control, by its name."""
    found: dict[str, int] = {}
    last = 0
    while True:
        try:
            answer = ioctl(descriptor, _QUERYCTRL, _QUERY.pack(last | _NEXT, 0, b"", 0, 0, 0, 0, 0))
        except OSError:  # EINVAL: that was the last one
            return found
        last, kind, name, *_, flags = _QUERY.unpack(answer)
        if kind != _CLASS and not flags & _DISABLED:
            found[as_name(name.partition(b"\0")[0].decode("ascii", "replace"))] = last


def as_name(title: str) -> str:
    """`Exposure Time, Absolute` as `exposure_time_absolute`."""
    return re.sub(r"[^a-z0-9]+", "_", title.lower()).strip("_")


def _set(descriptor: int, numbers: dict[str, int], wanted: str, ioctl: Ioctl) -> str | None:
    name, _, text = wanted.partition("=")
    if name not in numbers:
        return f"it has no control {name} (it has: {', '.join(sorted(numbers)) or 'none'})"
    try:
        ioctl(descriptor, _S_CTRL, _VALUE.pack(numbers[name], int(text)))
        _, came = _VALUE.unpack(ioctl(descriptor, _G_CTRL, _VALUE.pack(numbers[name], 0)))
    except OSError as error:
        return f"{wanted} was refused ({error.strerror})"
    return None if came == int(text) else f"{wanted} was asked for, and {name} is {came}"
