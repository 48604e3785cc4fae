"""The one way to read a plate: an attempt at the place where it was found, and further ones while doubt remains.

The daemon reads every frame with effort 0: one attempt, two if it is unclear whether the plate has one line or
two. Effort 1 adds at most `MOST_FURTHER_ATTEMPTS`; docs/accuracy.md shows what each kind of them gains and costs.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from edge_app.recognition.rectifier import plate_size
from edge_app.records import Corners, PlateDetection, Reading

MOST_FURTHER_ATTEMPTS = 8

TWO_LINES_BELOW = 2.6
"""Aspect ratio below which a plate may have two lines; of one line few are as narrow, unless seen from the side."""

_BETTER = 0.5
"""Log score by which a further attempt must exceed the best so far to take its place."""

_TOGETHER, _TOGETHER_WITHIN = 5, 2.0
"""Most attempts in the same layout that count together, and the log score that they may lack to the best."""

_CHANGES: tuple[tuple[tuple[float, float], tuple[float, float], tuple[float, float]], ...] = (
    ((0.95, 0.0), (0.0, 0.85), (0.0, 0.0)),
    ((1.1, 0.0), (0.0, 1.15), (0.0, 0.0)),
    ((1.0, 0.0), (0.2, 1.0), (0.0, 0.0)),
    ((1.0, 0.0), (-0.2, 1.0), (0.0, 0.0)),
    ((1.0, -0.15), (0.0, 1.0), (0.0, 0.0)),
    ((1.0, 0.15), (0.0, 1.0), (0.0, 0.0)),
)
"""Places beside the one that was found, in the plate's own coordinates (widths and heights from its middle): two rows
of a matrix, and a shift. Smaller, larger, sloping both ways, leaning both ways."""

_FLATTEST = 1e-3
"""Area in square pixels below which a plate has no sides to change."""


@dataclass(frozen=True, slots=True, eq=False)
class Attempt:
    """One reading of one place."""

    plate: PlateDetection
    """Where it was read, and in which layout."""
    reading: Reading
    log_score: float
    """Log probability of the best path and log prior of its text; minus infinity if that is no text."""
    is_clear: bool
    """Its text is so likely that further attempts are not made."""


Places = Callable[[PlateDetection], Iterable[PlateDetection]]
"""A kind of further attempt: where a plate may lie that was found at a place."""


def read_plate(
    found: PlateDetection, attempt: Callable[[PlateDetection], Attempt], further: Sequence[Places] = ()
) -> tuple[Attempt, ...]:
    """The attempts that count together, the best first.

    `attempt` reads the plate at a place; while doubt remains, so it does at the `further` ones, kind by kind.
    """
    best = max(map(attempt, layouts(found)), key=_log_score)
    if not further or best.is_clear:
        return (best,)
    attempts, left = [best], MOST_FURTHER_ATTEMPTS
    for places in further:
        for plate in places(best.plate):
            if not left:
                break
            another = attempt(plate)
            attempts.append(another)
            left -= 1
            if another.log_score > best.log_score + _BETTER:
                best = another
            if best.is_clear:
                return (best,)
    return _together(best, attempts)


def layouts(found: PlateDetection) -> list[PlateDetection]:
    """The plate as it was found and, if it is narrow for one line, with two: small ones show hardly a gap."""
    width, height = plate_size(found.corners_px)
    may_have_two = found.lines == 1 and width < TWO_LINES_BELOW * height
    return [found, in_other_layout(found)] if may_have_two else [found]


def in_other_layout(plate: PlateDetection) -> PlateDetection:
    """The plate with the other number of lines."""
    return replace(plate, lines=3 - plate.lines)


def beside(plate: PlateDetection) -> list[PlateDetection]:
    """The plate at places beside the one where it was found, for its corners may be wrong."""
    middle, axes = _shape(plate.corners_px)
    if abs(np.linalg.det(axes)) < _FLATTEST:
        return []
    own = np.linalg.solve(axes, (plate.corners_px - middle).T)
    moved = [np.array(change[:2]) @ own + np.array(change[2])[:, None] for change in _CHANGES]
    return [replace(plate, corners_px=np.asarray(middle + (axes @ each).T, np.float32)) for each in moved]


def _together(best: Attempt, attempts: Sequence[Attempt]) -> tuple[Attempt, ...]:
    """The best attempt and those that count with it: each sees another edge and shadow of the same characters."""
    if not np.isfinite(best.log_score):
        return (best,)
    near = [
        each
        for each in attempts
        if each is not best
        and each.plate.lines == best.plate.lines
        and each.log_score >= best.log_score - _TOGETHER_WITHIN
    ]
    return (best, *sorted(near, key=_log_score, reverse=True)[: _TOGETHER - 1])


def _log_score(attempt: Attempt) -> float:
    return attempt.log_score


def _shape(corners: Corners) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """A plate's middle, and as columns its own coordinates: along its width and along its height."""
    across = (corners[1] + corners[2] - corners[0] - corners[3]) / 2
    down = (corners[2] + corners[3] - corners[0] - corners[1]) / 2
    return corners.mean(axis=0).astype(np.float64), np.stack([across, down], axis=1).astype(np.float64)
