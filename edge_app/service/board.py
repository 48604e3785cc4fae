"""What the board says of itself: heat, throttling, power, wear of its memory. Each is None if it says nothing."""

import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

HOT_CELSIUS = 80.0
"""A Raspberry Pi throttles itself from here on; a Jetson some degrees later."""
COOL_CELSIUS = 75.0
"""Below this it is over."""

_THROTTLED_FILES = ("sys/devices/platform/soc/soc:firmware/get_throttled",)
_UNDER_VOLTAGE, _CAPPED, _THROTTLED, _SOFT_LIMIT = 0x1, 0x2, 0x4, 0x8
_SINCE_BOOT = 16
"""The same bits, shifted by so many places, say what has happened since the boot."""


@dataclass(frozen=True, slots=True)
class Throttling:
    """What the firmware of a Raspberry Pi has to say, as `vcgencmd get_throttled` has it."""

    flags: int

    @property
    def low_power(self) -> bool:
        """The supply gives too little now."""
        return bool(self.flags & _UNDER_VOLTAGE)

    @property
    def had_low_power(self) -> bool:
        """It gave too little at some time since the boot."""
        return bool(self.flags >> _SINCE_BOOT & _UNDER_VOLTAGE)

    @property
    def slowed(self) -> bool:
        """The processor is slowed down now."""
        return bool(self.flags & (_CAPPED | _THROTTLED | _SOFT_LIMIT))

    @property
    def was_slowed(self) -> bool:
        """It was slowed down at some time since the boot."""
        return bool(self.flags >> _SINCE_BOOT & (_CAPPED | _THROTTLED | _SOFT_LIMIT))


@dataclass(frozen=True, slots=True)
class Wear:
    """How much of its life an eMMC has behind it; SD cards do not say."""

    device: str
    used_percent: int
    """In steps of ten, rounded up; above 100 the maker's estimate is used up."""


@dataclass(frozen=True, slots=True)
class Board:
    """This machine; `root` is another place than `/` in tests."""

    root: Path = Path("/")

    def celsius(self) -> float | None:
        """The temperature of the hottest zone."""
        zones = (self.root / "sys/class/thermal").glob("thermal_zone*/temp")
        # A zone that is switched off gives an error, and some give nonsense while they start.
        found = [number / 1000 for zone in zones if (number := _number(zone)) is not None and 0 < number < 200_000]
        return max(found, default=None)

    def throttling(self) -> Throttling | None:
        """Of a Raspberry Pi; if the kernel has no file for it, a program asks its firmware."""
        return self.throttling_file() or self._asked()

    def throttling_file(self) -> Throttling | None:
        """Of a Raspberry Pi, as the kernel has it."""
        for name in _THROTTLED_FILES:
            words = _text(self.root / name)
            if words is not None and re.fullmatch(r"(0x)?[0-9a-fA-F]+", words):
                return Throttling(int(words, 16))
        return None

    def slowed_by_heat(self) -> int:
        """How many of the kernel's ways to cool the processor by slowing it down are in use."""
        coolers = (self.root / "sys/class/thermal").glob("cooling_device*")
        return sum(
            bool(_number(cooler / "cur_state"))
            for cooler in coolers
            if re.search("cpu|processor", _text(cooler / "type") or "", re.IGNORECASE)
        )

    def wear(self) -> Wear | None:
        """Of the first eMMC: the worse of its two kinds of cells."""
        for path in sorted((self.root / "sys/block").glob("mmcblk*/device/life_time")):
            steps = [int(word, 16) for word in (_text(path) or "").split() if re.fullmatch(r"0x[0-9a-fA-F]+", word)]
            if any(steps):
                return Wear(path.parent.parent.name, max(steps) * 10)
        return None

    def has_clock(self) -> bool:
        """Whether it keeps the time without power."""
        return any((self.root / "sys/class/rtc").glob("rtc*"))

    def _asked(self) -> Throttling | None:
        """What vcgencmd prints, on a kernel that has no file for it."""
        if self.root != Path("/"):
            return None
        try:
            command = ["vcgencmd", "get_throttled"]
            printed = subprocess.run(command, capture_output=True, text=True, check=False, timeout=5).stdout
        except (OSError, subprocess.TimeoutExpired):
            return None
        found = re.search(r"throttled=(0x[0-9a-fA-F]+)", printed)
        return Throttling(int(found[1], 16)) if found else None


def _text(path: Path) -> str | None:
    try:
        return path.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError):
        return None


def _number(path: Path) -> int | None:
    words = _text(path)
    return int(words) if words is not None and re.fullmatch(r"-?\d+", words) else None
