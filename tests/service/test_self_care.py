"""Heat halves the rate, memory that runs out ends the daemon in good order."""

import threading
from pathlib import Path

import pytest

from edge_app.errors import EdgeAnprError
from edge_app.service.board import Board
from edge_app.service.memory import Memory
from edge_app.service.self_care import LONGEST_REST_SECONDS, LOOK_SECONDS, SelfCare
from tests.service.test_board import PI, write


class Stop(threading.Event):
    """Notes how long somebody wanted to wait."""

    def __init__(self) -> None:
        super().__init__()
        self.waited: list[float | None] = []

    def wait(self, timeout: float | None = None) -> bool:
        """Not for long."""
        self.waited.append(timeout)
        return False


class Device:
    """A board in a folder, and a clock."""

    def __init__(self, root: Path) -> None:
        self.now = 0.0
        self._root = root
        self.care = SelfCare(lambda: self.now, Board(root), Memory(root))

    def becomes(self, celsius: float) -> bool:
        """Ten seconds later, at this temperature: whether the rate is lowered."""
        self.now += LOOK_SECONDS
        write(self._root, "sys/class/thermal/thermal_zone0/temp", str(int(celsius * 1000)))
        self.care.look()
        return self.care.is_hot

    def uses(self, megabytes: float, allowed: str) -> None:
        """Ten seconds later, with this much memory in use."""
        self.now += LOOK_SECONDS
        write(self._root, "proc/self/cgroup", "0::/system.slice/edge-anpr.service")
        write(self._root, "sys/fs/cgroup/system.slice/edge-anpr.service/memory.max", allowed)
        write(self._root, "proc/self/statm", f"9999999 {int(megabytes * 1e6 / 4096)} 1 1 0 1 0")
        self.care.look()


@pytest.fixture
def device(tmp_path: Path) -> Device:
    return Device(tmp_path)


def test_a_hot_board_works_at_half_the_rate_until_it_is_cool(device: Device) -> None:
    assert [device.becomes(celsius) for celsius in (60, 79, 80, 76, 75, 74, 79)] == [
        False, False, True, True, True, False, False
    ]  # fmt: skip


def test_what_the_board_says_is_told(device: Device, tmp_path: Path) -> None:
    write(tmp_path, PI, "5")
    device.becomes(81)

    board = device.care.look()

    assert (board.celsius, board.half_rate, board.slowed, board.low_power) == (81.0, True, True, True)


def test_the_rest_is_as_long_as_the_work_and_bounded(device: Device) -> None:
    stop = Stop()
    device.becomes(60)
    device.care.rest(0.1, stop)
    device.becomes(85)
    device.care.rest(0.1, stop)
    device.care.rest(9.0, stop)

    assert stop.waited == [0.1, LONGEST_REST_SECONDS]


def test_memory_that_runs_out_ends_the_daemon_before_the_kernel_does(device: Device) -> None:
    device.uses(600, allowed="700000000")

    with pytest.raises(EdgeAnprError, match="640 MB of memory are used, 700 allowed: ending in good order"):
        device.uses(640, allowed="700000000")


def test_memory_without_a_limit_is_nobodys_business(device: Device) -> None:
    device.uses(6000, allowed="max")
    device.becomes(60)
