"""CTC evidence as a reader would give it, for tests that need no network."""

from collections.abc import Mapping

import numpy as np

from edge_app.records import LogProbs, Reading

ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
STEPS = 48


def log_probs(text: str, doubts: Mapping[int, Mapping[str, float]] | None = None, clarity: float = 0.99) -> LogProbs:
    """Evidence for `text`; `doubts` gives some positions other probabilities, `clarity` is that of the others."""
    blank = len(ALPHABET)
    probabilities = np.full((STEPS, blank + 1), 1e-7)
    probabilities[:, blank] = 1.0
    for position, character in enumerate(text):
        step = round((position + 0.5) * STEPS / len(text))
        shares = (doubts or {}).get(position, {character: clarity})
        probabilities[step] = (1 - sum(shares.values())) / len(ALPHABET) + 1e-7
        for value, share in shares.items():
            probabilities[step, ALPHABET.index(value)] = share
    probabilities /= probabilities.sum(axis=1, keepdims=True)
    return np.log(probabilities).astype(np.float32)


def reading(
    text: str,
    doubts: Mapping[int, Mapping[str, float]] | None = None,
    clarity: float = 0.99,
    sharpness: float = 1.0,
    line_height_px: float = 24.0,
) -> Reading:
    """A reading of a one-line plate."""
    return Reading(log_probs(text, doubts, clarity), sharpness, line_height_px)
