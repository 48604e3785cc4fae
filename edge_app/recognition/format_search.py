"""The likeliest text for every plate layout: a Viterbi search over (position, character) and steps.

All layouts are searched together, as a tree of positions in which layouts with the same beginning share it. The
search finds the best single alignment; what it proposes is scored exactly elsewhere.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edge_app.recognition.ctc import condense
from edge_app.recognition.plate_formats import Template
from edge_app.records import LogProbs

Floats = NDArray[np.float32]

_IMPOSSIBLE = np.float32(-1e9)
"""In place of -inf, so that differences stay numbers."""

_NEVER_SEEN = 1e-5
"""Characters that are below this probability at every step are left out of the search."""

_FAR_BEHIND = 12.0
"""Layouts whose best alignment is this much less likely (natural logarithm) than the best layout's are dropped."""


@dataclass(frozen=True, slots=True)
class _Scores:
    """Best alignments up to one step; column 0 is the root, before the first position."""

    characters: Floats
    """(characters, positions): ending in the character."""
    blanks: Floats
    """(positions,): ending in a blank after the position."""


class FormatSearch:
    """`search` proposes one text for each layout that the evidence supports."""

    def __init__(self, templates: Sequence[Template], alphabet: str) -> None:
        self._alphabet = alphabet
        parents, masks, ends = _tree(templates, alphabet)
        self._parents = parents
        self._masks = masks
        self._ends = ends

    def search(self, log_probs: LogProbs, most: int) -> list[str]:
        """Up to `most` texts, the best alignment first."""
        seen = np.flatnonzero(log_probs[:, :-1].max(axis=0) > np.log(_NEVER_SEEN))
        if not self._ends.size or not seen.size:
            return []
        trellis = self._run(condense(log_probs), seen)
        last = trellis[-1]
        scores = np.maximum(last.blanks[self._ends], last.characters[:, self._ends].max(axis=0))
        order = np.argsort(-scores, kind="stable")[:most]
        likely = [int(self._ends[index]) for index in order if scores[index] > scores[order[0]] - _FAR_BEHIND]
        paths = [self._trace(trellis, end) for end in likely]
        return ["".join(self._alphabet[seen[code]] for code in path) for path in paths if path]

    def _run(self, log_probs: LogProbs, seen: NDArray[np.int64]) -> list[_Scores]:
        masks, emissions = self._masks[:, seen].T.copy(), log_probs[:, seen]
        nowhere = np.full(masks.shape, _IMPOSSIBLE, np.float32)
        root_only = np.where(np.arange(masks.shape[1]) == 0, np.float32(0), _IMPOSSIBLE)
        trellis = [_Scores(nowhere, root_only)]
        for emission, blank in zip(emissions, log_probs[:, -1], strict=True):
            before = trellis[-1]
            best, best_other = _best(before.characters)
            entered = np.maximum(before.blanks, best_other).take(self._parents, axis=1)
            characters = np.maximum(before.characters, entered) + emission[:, None] + masks
            blanks = np.maximum(before.blanks, best) + blank
            trellis.append(_Scores(np.maximum(characters, _IMPOSSIBLE), np.maximum(blanks, _IMPOSSIBLE)))
        return trellis

    def _trace(self, trellis: list[_Scores], end: int) -> list[int]:
        """The characters of the best alignment that ends at position `end`; none if there is no alignment."""
        position, codes = end, list[int]()
        holds = _favourite(trellis[-1], end)
        for before in trellis[-2::-1]:
            if holds is None:
                holds = _favourite(before, position)
                continue
            parent = int(self._parents[position])
            others = before.characters[:, parent].copy()
            others[holds] = _IMPOSSIBLE
            entered = max(before.blanks[parent], others.max())
            if before.characters[holds, position] < entered:
                codes.insert(0, holds)
                position = parent
                holds = int(others.argmax()) if others.max() > before.blanks[parent] else None
        return codes if position == 0 else []


def _favourite(scores: _Scores, position: int) -> int | None:
    """The character that the best alignment to `position` ends in; None for the blank after it."""
    characters = scores.characters[:, position]
    return int(characters.argmax()) if characters.max() > scores.blanks[position] else None


def _best(characters: Floats) -> tuple[Floats, Floats]:
    """Each position's best score (positions,), and for each character that of the others there, of the same shape."""
    places = np.arange(characters.shape[1])
    tops = characters.argmax(axis=0)
    best = characters[tops, places]
    others = characters.copy()
    others[tops, places] = _IMPOSSIBLE
    second = others.max(axis=0)
    others[:] = best
    others[tops, places] = second
    return best, others


def _tree(templates: Sequence[Template], alphabet: str) -> tuple[NDArray[np.int64], Floats, NDArray[np.int64]]:
    """Each position's parent, its characters as 0 or impossible, and the last position of each layout."""
    known: dict[Template, int] = {(): 0}
    parents, allowed = [0], [""]
    for template in templates:
        for length in range(1, len(template) + 1):
            if template[:length] not in known:
                known[template[:length]] = len(parents)
                parents.append(known[template[: length - 1]])
                allowed.append(template[length - 1])
    masks = [[0.0 if each in characters else float(_IMPOSSIBLE) for each in alphabet] for characters in allowed]
    ends = [known[template] for template in templates]
    return np.array(parents), np.array(masks, np.float32).reshape(-1, len(alphabet)), np.array(ends, np.int64)
