"""CTC evidence: how likely a text is, which texts are likely, and what else each character may be.

Pure numpy; what goes in and comes out are logarithms. Log posteriors have the shape (steps, classes), the last class
being the blank.
Graves et al. 2006, "Connectionist temporal classification".
"""

import heapq
from collections import deque
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from edge_app.records import LogProbs

Floats = NDArray[np.float64]

_SURE_BLANK = 0.999
"""Neighbouring steps with a blank this probable are searched as one."""

_UNLIKELY_CLASS = 1e-3
"""Classes below this at a step do not extend a prefix; what survives is scored exactly anyway."""

_UNLIKELY_PREFIX = 1e-5
"""Prefixes below this share of the best one are dropped."""


def best_path(log_probs: LogProbs, alphabet: str) -> tuple[str, float]:
    """The text of the likeliest path, and the natural logarithm of its probability: not always the likeliest text."""
    return "".join(alphabet[code] for code in best_codes(log_probs)), float(log_probs.max(axis=1).sum())


def best_codes(log_probs: LogProbs) -> tuple[int, ...]:
    """The same as places in the alphabet; none if there is no text."""
    path = log_probs.argmax(axis=1)
    begins = np.concatenate([[True], path[1:] != path[:-1]]) & (path < log_probs.shape[1] - 1)
    return tuple(int(code) for code in path[begins])


def log_likelihood(log_probs: LogProbs, text: str, alphabet: str) -> float:
    """Natural logarithm of P(text | log_probs), summed over all alignments."""
    return float(log_likelihoods(log_probs[None], [text], alphabet)[0, 0])


def log_likelihoods(log_probs: NDArray[np.float32], texts: Sequence[str], alphabet: str) -> Floats:
    """The same for every frame of `log_probs` (frames, steps, classes) and every text: (frames, texts)."""
    labels, ends = _extended_labels(texts, alphabet)
    last = deque(_forward(log_probs, labels), maxlen=1).pop()
    rows = np.arange(len(texts))
    at_blank, at_character = last[ends, rows], last[ends - 1, rows]
    return _log(at_blank + np.where(ends[:, None] > 0, at_character, 0.0)).T


def character_log_likelihoods(log_probs: NDArray[np.float32], text: str, alphabet: str) -> Floats:
    """For each frame and position, log P of `text` with each character in that position: (frames, length, characters).

    Exact: forward variables enter the position, backward variables leave it, and in between one character holds.
    """
    labels, _ = _extended_labels([text], alphabet)
    codes, steps = labels[0, 1::2], log_probs.shape[1]
    alpha = np.stack([step[:, 0].T for step in _forward(log_probs, labels)])
    beta = np.stack([step[::-1, 0].T for step in _forward(log_probs[:, ::-1], labels[:, ::-1])])[::-1]
    entering = _flows(alpha[:-1], codes, len(alphabet), forwards=True)
    leaving = _flows(beta[1:], codes, len(alphabet), forwards=False)
    emitted = np.exp(log_probs[:, :, None, :-1].astype(np.float64))
    held, total = (np.zeros((len(log_probs), len(text), len(alphabet))) for _ in range(2))
    for step in range(steps):
        held += entering[step]
        held *= emitted[:, step]
        total += held * leaving[step]
    return _log(total)


def beam_search(log_probs: LogProbs, alphabet: str, width: int) -> list[str]:
    """Up to `width` likely texts, about the likeliest first; the empty text may be among them."""
    blank = len(alphabet)
    beams: dict[str, tuple[float, float]] = {"": (1.0, 0.0)}
    for step in np.exp(condense(log_probs)):
        likely = [(alphabet[code], float(step[code])) for code in np.flatnonzero(step[:blank] > _UNLIKELY_CLASS)]
        grown = _extend(beams, likely, float(step[blank]))
        best = heapq.nlargest(width, grown.items(), key=lambda beam: beam[1][0] + beam[1][1])
        top = sum(best[0][1])
        beams = {text: (a / top, b / top) for text, (a, b) in best if a + b > top * _UNLIKELY_PREFIX}
    return list(beams)


def condense(log_probs: LogProbs) -> LogProbs:
    """The same without the repetitions of surely blank steps, which add nothing to the text."""
    sure = log_probs[:, -1] > np.log(_SURE_BLANK)
    repeated = sure & np.concatenate([[False], sure[:-1]])
    return np.asarray(log_probs[~repeated])


def condense_all(frames: Sequence[LogProbs]) -> NDArray[np.float32]:
    """Each frame condensed, and made as long as the longest by sure blanks at its end: (frames, steps, classes)."""
    short = [condense(frame) for frame in frames]
    steps = max(map(len, short))
    filled = np.full((len(short), steps, short[0].shape[1]), -np.inf, np.float32)
    filled[:, :, -1] = 0.0
    for row, frame in enumerate(short):
        filled[row, : len(frame)] = frame
    return filled


def _extend(
    beams: dict[str, tuple[float, float]], likely: list[tuple[str, float]], blank: float
) -> dict[str, list[float]]:
    """One step: each text's probability of ending in a blank and of ending in its last character."""
    grown: dict[str, list[float]] = {}
    for text, (after_blank, after_character) in beams.items():
        both = after_blank + after_character
        same = grown.setdefault(text, [0.0, 0.0])
        same[0] += both * blank
        for character, probability in likely:
            longer = grown.setdefault(text + character, [0.0, 0.0])
            if text and text[-1] == character:
                same[1] += after_character * probability
                longer[1] += after_blank * probability
            else:
                longer[1] += both * probability
    return grown


def _extended_labels(texts: Sequence[str], alphabet: str) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Labels with blanks around and between, padded with blanks (texts, states), and each text's last state."""
    longest = max(map(len, texts), default=0)
    labels = np.full((len(texts), 2 * longest + 1), len(alphabet), np.int64)
    for row, text in enumerate(texts):
        labels[row, 1 : 2 * len(text) : 2] = [alphabet.index(character) for character in text]
    return labels, np.array([2 * len(text) for text in texts], np.int64)


def _forward(log_probs: NDArray[np.float32], labels: NDArray[np.int64]) -> Iterator[Floats]:
    """Forward variables of each step, its own emission included: (states, texts, frames), from the first step on.

    Plain products: a text so unlikely that they fall below the smallest number counts as impossible.
    """
    frames, _, classes = log_probs.shape
    states = np.ascontiguousarray(labels.T)
    skips = np.zeros((*states.shape, 1))
    skips[1:2] = 1.0  # from before the text, where only the first step begins
    skips[2:, :, 0] = (states[2:] != classes - 1) & (states[2:] != states[:-2])
    before = np.zeros((len(states) + 2, len(labels), frames))  # two impossible states before the first one
    before[1] = 1.0
    for emission in np.exp(log_probs.astype(np.float64)).transpose(1, 2, 0):
        after = np.empty_like(before)
        after[:2], reached = 0.0, after[2:]
        np.multiply(before[:-2], skips, out=reached)
        reached += before[1:-1]
        reached += before[2:]
        reached *= emission[states]
        yield reached
        before = after


def _flows(variables: Floats, codes: NDArray[np.int64], characters: int, *, forwards: bool) -> Floats:
    """What enters each position from the left, or leaves it to the right: (steps, frames, length, characters).

    The blank beside a position is open to every character, the character beside it to every other one. `variables`
    are those of the neighbouring step; at the text's own end a character may stand at the edge of the strip.
    """
    blanks, letters = variables[..., 0::2], variables[..., 1::2]
    beside = np.zeros_like(letters)
    neighbours = np.full_like(codes, -1)
    edge = np.zeros((1, *letters.shape[1:]))
    if forwards:
        beside[..., 1:], neighbours[1:], edge[..., :1] = letters[..., :-1], codes[:-1], 1.0
    else:
        beside[..., :-1], neighbours[:-1], edge[..., -1:] = letters[..., 1:], codes[1:], 1.0
    differs = np.arange(characters) != neighbours[:, None]
    flows = (blanks[..., :-1] if forwards else blanks[..., 1:])[..., None] + beside[..., None] * differs
    at_edge = np.broadcast_to(edge[..., None], (1, *flows.shape[1:]))
    return np.concatenate([at_edge, flows] if forwards else [flows, at_edge])


def _log(values: Floats) -> Floats:
    """Natural logarithm; minus infinity for what is smaller than a number can be."""
    with np.errstate(divide="ignore"):
        return np.asarray(np.log(values))
