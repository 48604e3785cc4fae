"""What `doctor` finds of the machine: heat, power, wear, clock, disk."""

import subprocess
from pathlib import Path

from edge_app.app import OUTBOX_FILE
from edge_app.commands.finding import FAULT, OK, WARNING, Finding
from edge_app.config import Settings
from edge_app.outbox import disk, files
from edge_app.service.board import HOT_CELSIUS, Board
from edge_app.service.release import systemctl
from edge_app.system_clock import clock_is_synchronized

_LOW_MEGABYTES = 200
_UPDATE_MEGABYTES = 600
"""An update unpacks a whole release beside the one that runs."""
_OLD_PERCENT = 80
_TIME_SERVICES = ("systemd-timesyncd", "chrony", "chronyd", "ntpsec", "ntp", "ptp4l")


def check_heat(board: Board) -> Finding:
    """The processor is cool enough to work at its full speed."""
    celsius, throttling = board.celsius(), board.throttling()
    shown = "no sensor shows the temperature" if celsius is None else f"{celsius:.0f} °C"
    remedy = "give it shade, air or a larger heat sink"
    if (throttling is not None and throttling.slowed) or board.slowed_by_heat():
        return Finding("heat", WARNING, f"{shown}, and the processor is slowed down; {remedy}")
    if celsius is not None and celsius >= HOT_CELSIUS:
        return Finding("heat", WARNING, f"{shown}: the service works at half its rate; {remedy}")
    if throttling is not None and throttling.was_slowed:
        return Finding("heat", WARNING, f"{shown}; the processor was slowed down since the boot; {remedy}")
    return Finding("heat", OK, shown)


def check_power(board: Board) -> Finding:
    """The supply gives enough; only a Raspberry Pi says so."""
    throttling = board.throttling()
    if throttling is None:
        return Finding("power", OK, "this board does not report its supply")
    remedy = "take a supply of 5 V and 3 A (Raspberry Pi 5: 5 A) and a short cable"
    if throttling.low_power:
        return Finding("power", FAULT, f"the supply gives too little; {remedy}")
    if throttling.had_low_power:
        return Finding("power", WARNING, f"the supply gave too little at some time since the boot; {remedy}")
    return Finding("power", OK, "enough since the boot")


def check_memory_card(board: Board) -> Finding:
    """How worn an eMMC is."""
    wear = board.wear()
    if wear is None:
        return Finding("memory card", OK, "its wear cannot be read; SD cards do not show it")
    used = f"{wear.device} has used up about {wear.used_percent} % of its life"
    if wear.used_percent > _OLD_PERCENT:
        return Finding("memory card", WARNING, f"{used}; replace it soon")
    return Finding("memory card", OK, used)


def check_clock(board: Board) -> Finding:
    """Events carry UTC: the clock has to be set by somebody."""
    own = "this board keeps the time without power" if board.has_clock() else "this board has no clock of its own"
    if clock_is_synchronized():
        source = _time_service()
        return Finding("clock", OK, f"synchronized{f' by {source}' if source else ''}; {own}")
    return Finding("clock", WARNING, f"not synchronized, and {own}; enable systemd-timesyncd or chrony")


def check_room(_: Board, place: Path = Path("/opt/edge-anpr")) -> Finding:
    """The next update has room."""
    there = next(each for each in (place, *place.parents) if each.exists())
    free = disk.free_bytes(there) / 1e6
    if free < _UPDATE_MEGABYTES:
        return Finding(
            "room", WARNING, f"{free:.0f} MB free at {there}; an update takes {_UPDATE_MEGABYTES}: free some"
        )
    return Finding("room", OK, f"{free:.0f} MB free at {there}")


def check_disk(settings: Settings) -> Finding:
    """The outbox has room."""
    folder = settings.device.state_directory
    if not folder.is_dir():
        return Finding("disk", WARNING, f"{folder} is not there yet; the service makes it when it starts")
    if disk.is_read_only(folder):
        words = "read-only: events wait in memory only; `dmesg` gives the reason; often the SD card has to be replaced"
        return Finding("disk", FAULT, f"{folder} is {words}")
    free, least = disk.free_bytes(folder) / 1e6, settings.outbox.keep_free_megabytes
    if free < least:
        words = f"full ({free:.0f} MB free, {least:.0f} are left alone): events wait in memory only; free some"
        return Finding("disk", FAULT, f"{folder} is {words}")
    if damaged := files.damaged_files(folder / OUTBOX_FILE):
        words = f"{damaged[-1].name} is not recovered yet: free room, then stop the service and `edge-anpr recover` it"
        return Finding("disk", FAULT, f"{folder}: {words}")
    if recovered := files.recovered_files(folder / OUTBOX_FILE):
        words = f"a damaged outbox was recovered and kept as {recovered[-1].name}; check the disk, then delete the file"
        return Finding("disk", WARNING, f"{folder}: {words}")
    wanted = settings.outbox.max_megabytes + _LOW_MEGABYTES
    if free < wanted:
        return Finding("disk", WARNING, f"{free:.0f} MB free at {folder}, {wanted:.0f} wanted; free some")
    return Finding("disk", OK, f"{free:.0f} MB free at {folder}")


def _time_service() -> str | None:
    """What sets the clock, by the unit that runs."""
    if not systemctl.runs_here():
        return None
    shown = subprocess.run(["systemctl", "is-active", *_TIME_SERVICES], capture_output=True, text=True, check=False)
    states = dict(zip(_TIME_SERVICES, shown.stdout.splitlines(), strict=False))
    return next((name for name, state in states.items() if state == "active"), None)
