"""Texts as networks of the study take and give them: places with one of 36 characters, or none."""

import numpy as np
from numpy.typing import NDArray

from edge_app.recognition.ctc import best_path
from training.real_plates import MAX_LENGTH
from training.shapes import ALPHABET

PLACES = MAX_LENGTH
SYMBOLS = len(ALPHABET) + 1
"""The last one stands for no character."""
_SURE = 12.0
"""Logit of what is certain."""


def codes_of(text: str) -> NDArray[np.int64]:
    """(PLACES,) the symbols of a text; what is longer is cut off."""
    codes = np.full(PLACES, SYMBOLS - 1, np.int64)
    known = [ALPHABET.index(each) for each in text if each in ALPHABET][:PLACES]
    codes[: len(known)] = known
    return codes


def text_of(codes: NDArray[np.integer]) -> str:
    """The text of some symbols."""
    return "".join(ALPHABET[code] for code in codes if code < len(ALPHABET))


def as_pixels(texts: list[str]) -> NDArray[np.uint8]:
    """(n, PLACES, SYMBOLS, 1): 255 for the symbol of each place: a text as a picture for the runtime."""
    return (np.eye(SYMBOLS, dtype=np.uint8) * 255)[np.stack([codes_of(text) for text in texts])][..., None]


def as_steps(logits: NDArray[np.floating]) -> NDArray[np.float32]:
    """(2n + 1, SYMBOLS) logits of a CTC layer whose text is that of the places (n, SYMBOLS), a blank between each."""
    steps = np.full((2 * len(logits) + 1, SYMBOLS), -_SURE, np.float32)
    steps[0::2, -1] = _SURE
    steps[1::2] = logits
    return steps


def greedy(logits: NDArray[np.floating]) -> str:
    """The text of a CTC layer's likeliest path."""
    return best_path(np.asarray(logits, np.float32), ALPHABET)[0]
