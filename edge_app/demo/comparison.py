"""What was shown beside what was read."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from edge_app.demo.truth import ShownVehicle
from edge_app.evaluation.scoring import edit_distance
from edge_app.printable import counted

_ALIKE = 0.5
"""A wrong text belongs to a vehicle if at most this share of its characters is wrong."""


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table."""

    shown: str | None
    read: str | None
    frames: int = 0

    @property
    def verdict(self) -> str:
        """What to make of it."""
        if self.read is None:
            return "missed"
        if self.shown is None:
            return "not there, or twice"
        return "right" if self.read == self.shown else "misread"


def compare(vehicles: Sequence[ShownVehicle], reads: Sequence[dict[str, Any]]) -> list[Row]:
    """A row for each vehicle, in the order of their coming, then one for each read that belongs to none."""
    left = list(reads)
    taken = {vehicle.text: _take(left, vehicle.text, 0) for vehicle in vehicles}
    for text in [text for text, read in taken.items() if read is None]:
        taken[text] = _take(left, text, int(len(text) * _ALIKE))
    return [_row(text, read) for text, read in taken.items()] + [_row(None, read) for read in left]


def as_table(rows: Sequence[Row]) -> str:
    """The rows for a terminal."""
    lines = [f"{'plate shown':<13} {'plate read':<13} {'frames seen':>11}  verdict"]
    lines += [f"{row.shown or '-':<13} {row.read or '-':<13} {row.frames:>11}  {row.verdict}" for row in rows]
    right = sum(row.verdict == "right" for row in rows)
    vehicles = sum(row.shown is not None for row in rows)
    surplus = len(rows) - vehicles
    ending = f", {counted(surplus, 'read')} too many" if surplus else ""
    return "\n".join([*lines, f"{right} of {vehicles} vehicles right{ending}"])


def _take(reads: list[dict[str, Any]], text: str, most_errors: int) -> dict[str, Any] | None:
    """The read nearest to a text, taken out of the list; None where all have more errors."""
    errors = [edit_distance(read["plate"]["text"], text) for read in reads]
    if not errors or min(errors) > most_errors:
        return None
    return reads.pop(errors.index(min(errors)))


def _row(shown: str | None, read: dict[str, Any] | None) -> Row:
    return Row(shown, None) if read is None else Row(shown, read["plate"]["text"], read["seen"]["frames"])
