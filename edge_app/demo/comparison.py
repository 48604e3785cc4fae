"""What was shown beside what was read."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from edge_app.evaluation.clips.matching import nearest_vehicle
from edge_app.evaluation.clips.truth import LabelledVehicle
from edge_app.printable import counted


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table."""

    shown: str | None
    read: str | None
    verdict: str
    frames: int = 0


def compare(vehicles: Sequence[LabelledVehicle], reads: Sequence[dict[str, Any]]) -> list[Row]:
    """A row for each vehicle, in the order of the clip, then one for each read too many."""
    numbered = dict(enumerate(vehicles))
    reads_of: dict[int | None, list[dict[str, Any]]] = {}
    for read in reads:
        reads_of.setdefault(nearest_vehicle(read["plate"]["text"], numbered), []).append(read)
    rows = [_vehicle_row(vehicle, reads_of.get(index, [])) for index, vehicle in numbered.items()]
    rows += [_row(None, read, "duplicate") for index in numbered for read in reads_of.get(index, [])[1:]]
    return rows + [_row(None, read, "false") for read in reads_of.get(None, [])]


def as_table(rows: Sequence[Row]) -> str:
    """The rows for a terminal."""
    lines = [f"{'plate shown':<13} {'plate read':<13} {'frames seen':>11}  verdict"]
    lines += [f"{row.shown or '-':<13} {row.read or '-':<13} {row.frames:>11}  {row.verdict}" for row in rows]
    right = sum(row.verdict == "right" for row in rows)
    vehicles = sum(row.shown is not None for row in rows)
    surplus = len(rows) - vehicles
    ending = f", {counted(surplus, 'read')} too many" if surplus else ""
    return "\n".join([*lines, f"{right} of {vehicles} vehicles right{ending}"])


def _vehicle_row(vehicle: LabelledVehicle, reads: Sequence[dict[str, Any]]) -> Row:
    if not reads:
        return Row(vehicle.plate, None, "missed")
    return _row(vehicle.plate, reads[0], "right" if reads[0]["plate"]["text"] == vehicle.plate else "misread")


def _row(shown: str | None, read: dict[str, Any], verdict: str) -> Row:
    return Row(shown, read["plate"]["text"], verdict, read["seen"]["frames"])
