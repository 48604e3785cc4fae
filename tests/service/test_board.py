"""What boards say of themselves, in files as their kernels have them."""

from pathlib import Path

import pytest

from edge_app.commands.finding import FAULT, OK, WARNING
from edge_app.commands.machine_checks import check_heat, check_memory_card, check_power
from edge_app.service.board import Board, Throttling

PI = "sys/devices/platform/soc/soc:firmware/get_throttled"


def write(root: Path, name: str, words: str) -> None:
    (root / name).parent.mkdir(parents=True, exist_ok=True)
    (root / name).write_text(f"{words}\n")


def test_the_hottest_zone_counts_and_nonsense_does_not(tmp_path: Path) -> None:
    for number, words in enumerate(("45000", "61500", "-274000", "none")):
        write(tmp_path, f"sys/class/thermal/thermal_zone{number}/temp", words)

    assert Board(tmp_path).celsius() == 61.5
    assert Board(tmp_path / "none").celsius() is None


def test_a_raspberry_pi_says_what_is_and_what_was(tmp_path: Path) -> None:
    write(tmp_path, PI, "50004")

    assert Board(tmp_path).throttling() == Throttling(0x50004)
    found = Throttling(0x50004)
    assert (found.low_power, found.had_low_power, found.slowed, found.was_slowed) == (False, True, True, True)


def test_a_board_that_says_nothing_has_no_fault(tmp_path: Path) -> None:
    board = Board(tmp_path)

    assert [check(board).state for check in (check_heat, check_power, check_memory_card)] == [OK, OK, OK]


@pytest.mark.parametrize(
    ("flags", "heat", "power"),
    [("0", OK, OK), ("1", OK, FAULT), ("10000", OK, WARNING), ("4", WARNING, OK), ("40000", WARNING, OK)],
)
def test_heat_and_supply_are_told_apart(tmp_path: Path, flags: str, heat: str, power: str) -> None:
    write(tmp_path, PI, flags)

    assert (check_heat(Board(tmp_path)).state, check_power(Board(tmp_path)).state) == (heat, power)


def test_a_processor_that_the_kernel_slows_down_is_hot(tmp_path: Path) -> None:
    write(tmp_path, "sys/class/thermal/cooling_device0/type", "pwm-fan")
    write(tmp_path, "sys/class/thermal/cooling_device0/cur_state", "3")
    assert check_heat(Board(tmp_path)).state == OK, "a fan that turns is no fault"

    write(tmp_path, "sys/class/thermal/cooling_device1/type", "cpufreq-cpu0")
    write(tmp_path, "sys/class/thermal/cooling_device1/cur_state", "1")
    assert check_heat(Board(tmp_path)).state == WARNING


@pytest.mark.parametrize(("life", "state"), [("0x01 0x02", OK), ("0x0a 0x01", WARNING), ("0x00 0x00", OK)])
def test_an_emmc_shows_its_wear(tmp_path: Path, life: str, state: str) -> None:
    write(tmp_path, "sys/block/mmcblk0/device/life_time", life)

    assert check_memory_card(Board(tmp_path)).state == state
