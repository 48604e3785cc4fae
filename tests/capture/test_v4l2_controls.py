"""Controls of V4L2 by name, against a driver that keeps to the kernel's structures."""

import struct
from pathlib import Path

import pytest

from edge_app.capture.v4l2_controls import as_name, set_controls
from edge_app.errors import SourceError

QUERYCTRL, G_CTRL, S_CTRL = 0xC0445624, 0xC008561B, 0xC008561C  # as a C compiler has them from <linux/videodev2.h>


class Driver:
    """A class of controls, and in it an exposure of at most 500 and a gain that is switched off."""

    def __init__(self) -> None:
        self.exposure = 100
        self._titles = {1: ("User Controls", 6, 0), 7: ("Exposure Time, Absolute", 1, 0), 9: ("Gain", 1, 1)}

    def ioctl(self, _: int, request: int, argument: bytes) -> bytes:
        """See `fcntl.ioctl`."""
        number, value = struct.unpack_from("=Ii", argument)
        if request == QUERYCTRL:
            following = [each for each in self._titles if each > number & 0x7FFF_FFFF]
            if not following:
                raise OSError(22, "Invalid argument")
            title, kind, flags = self._titles[following[0]]
            return struct.pack("=II32siiiiI8x", following[0], kind, title.encode(), 0, 500, 1, 0, flags)
        if request == S_CTRL:
            if value < 0:
                raise OSError(34, "Numerical result out of range")
            self.exposure = min(value, 500)
        assert request in (G_CTRL, S_CTRL)
        return struct.pack("=Ii", number, self.exposure)


def test_a_control_is_set_by_its_name(tmp_path: Path) -> None:
    driver = Driver()
    (tmp_path / "video0").touch()

    assert set_controls(tmp_path / "video0", ["exposure_time_absolute=20"], driver.ioctl) == []
    assert driver.exposure == 20


def test_what_the_driver_has_not_refuses_or_changes_is_put_in_words(tmp_path: Path) -> None:
    (tmp_path / "video0").touch()
    wanted = ["gain=1", "exposure_time_absolute=-1", "exposure_time_absolute=900"]

    words = set_controls(tmp_path / "video0", wanted, Driver().ioctl)

    assert words == [
        "it has no control gain (it has: exposure_time_absolute)",
        "exposure_time_absolute=-1 was refused (Numerical result out of range)",
        "exposure_time_absolute=900 was asked for, and exposure_time_absolute is 500",
    ]


def test_a_device_that_cannot_be_opened_is_an_error_of_ours(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="video9 cannot be opened"):
        set_controls(tmp_path / "video9", [])


def test_a_name_is_that_of_the_usual_tools() -> None:
    assert as_name("White Balance, Automatic") == "white_balance_automatic"
    assert as_name("Exposure (Absolute)") == "exposure_absolute"
