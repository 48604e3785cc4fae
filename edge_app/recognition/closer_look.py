"""Reads a plate from close by: where the first look leaves doubt, by further looks around the best one."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from edge_app.recognition.looks import in_other_layout, nearby_looks, with_line_above
from edge_app.records import PlateDetection, Reading

BETTER = 0.5
"""How much more (natural logarithm) another look must promise than the best so far."""

_STEPS = 2
"""Times that looks are taken around one that reads better than where it began."""

_ABREAST, _JOINED = 2.0, 5
"""Of the looks that promise at most so much less than the best, in its layout and at its place, how many are read
together with it: each sees another edge and shadow of the same characters."""

_WORTH_TWO_LINES = -2.0
"""Promise from which on a line is believed to stand above the one that was found."""

_SAME_PX = 0.1
"""A look whose corners lie no farther from another's shows the same pixels: steps lead back to where they began."""


@dataclass(frozen=True, slots=True, eq=False)
class Look:
    """One reading of a plate, and how well it reads at a glance."""

    detection: PlateDetection
    reading: Reading
    promise: float
    """Log probability of the best path and log prior of what it says; minus infinity where that is no text."""
    clear: bool
    """No other look is worth taking."""


@dataclass(frozen=True, slots=True, eq=False)
class Sight:
    """A plate and the best readings of it."""

    detection: PlateDetection
    readings: tuple[Reading, ...]
    best: PlateDetection
    """Where it reads best; nearer to the plate than `detection` where that was not found well."""
    promise: float
    """Of the best of them."""
    clear: bool
    """Of the best of them."""


def look_closely(
    found: PlateDetection,
    look: Callable[[PlateDetection], Look],
    find_turned: Callable[[], Iterable[PlateDetection]],
) -> Sight:
    """The best readings of a plate that was found; `look` takes one look at a place.

    The plate lies where it was found, however it was looked at, unless a line was missed or `find_turned`, which
    finds it once more in turned views, shows that it has another number of lines; that is the one that reads best.
    """
    first = look(found)
    if first.clear:
        return Sight(found, (first.reading,), found, first.promise, clear=True)
    looks = [first, *map(look, (in_other_layout(found), *nearby_looks(found)))]
    taller = [each for each in map(look, _with_room_above(found)) if each.promise >= _WORTH_TWO_LINES]
    start = best = leader(first, looks + taller)
    beside = taller if best in taller else looks
    if best is not first:
        best = _climb(best, beside, look)
    if not best.clear and (turned := list(map(look, find_turned()))):
        upright = max(turned, key=lambda each: each.promise)
        better = leader(best, [_climb(upright, turned, look)])
        if better is not best:
            start, best, beside = upright, better, turned
    joined = abreast(best, beside)
    where = found if start.detection.lines == found.lines else start.detection
    readings = tuple(each.reading for each in joined)
    return Sight(where, readings, best.detection, max(each.promise for each in joined), best.clear)


def _climb(best: Look, looks: list[Look], look: Callable[[PlateDetection], Look]) -> Look:
    """The best look that a few steps lead to; those taken on the way join `looks`."""
    for _ in range(_STEPS):
        if best.clear:
            break
        around = [look(each) for each in nearby_looks(best.detection) if not _is_known(each, looks)]
        looks += around
        better = leader(best, around)
        if better is best:
            break
        best = better
    return best


def leader(best: Look, others: Sequence[Look]) -> Look:
    """The look that promises most, `best` unless another promises clearly more."""
    other = max(others, key=lambda each: each.promise, default=best)
    return other if other.promise > best.promise + BETTER else best


def abreast(best: Look, looks: Sequence[Look]) -> list[Look]:
    """The best look and those that are read together with it."""
    if not np.isfinite(best.promise):
        return [best]
    near = [
        each
        for each in looks
        if each is not best and each.detection.lines == best.detection.lines and each.promise >= best.promise - _ABREAST
    ]
    return [best, *sorted(near, key=lambda each: each.promise, reverse=True)[: _JOINED - 1]]


def _with_room_above(found: PlateDetection) -> list[PlateDetection]:
    """The plate with a line above it, where the middle of that line lies in the picture."""
    taller = with_line_above(found)
    return [each for each in taller if _middle_of_upper_line(each) >= 0]


def _middle_of_upper_line(plate: PlateDetection) -> float:
    top, bottom = plate.corners_px[:2, 1].mean(), plate.corners_px[2:, 1].mean()
    return float(top + (bottom - top) / 4)


def _is_known(detection: PlateDetection, looks: Sequence[Look]) -> bool:
    return any(
        each.detection.lines == detection.lines
        and np.abs(each.detection.corners_px - detection.corners_px).max() < _SAME_PX
        for each in looks
    )
