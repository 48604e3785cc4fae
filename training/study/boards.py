"""What a run would take on boards that are not here: an estimate from multiply-accumulates."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Board:
    """A board and how fast its processor runs int8 convolutions."""

    name: str
    processor: str
    millions_a_millisecond: float
    """Multiply-accumulates of one thread, assumed: see `ASSUMED`."""


BOARDS = (
    Board("Raspberry Pi Zero 2 W", "Cortex-A53, 1.0 GHz", 2.0),
    Board("Raspberry Pi 3", "Cortex-A53, 1.2–1.4 GHz", 2.7),
    Board("Raspberry Pi 4", "Cortex-A72, 1.5–1.8 GHz", 7.0),
    Board("Raspberry Pi 5", "Cortex-A76, 2.4 GHz, dot products", 25.0),
    Board("Jetson Orin Nano", "Cortex-A78AE, 1.5 GHz, dot products; its GPU is not used", 18.0),
)

ASSUMED = (
    "The milliseconds of the boards are **estimates**: multiply-accumulates divided by an assumed rate of one "
    "thread. The rates follow from the width of each processor's int8 instructions and its clock, at about a third "
    "of what these could do at best. They were not measured. Expect a factor of two either way; many small layers "
    "are slower."
)


def milliseconds(board: Board, multiply_accumulates: float) -> float:
    """An estimate."""
    return multiply_accumulates / 1e6 / board.millions_a_millisecond
