"""Digits and letters as a hand writes them, drawn from strokes: the original sets cannot be had everywhere."""

import cv2
import numpy as np

from edge_app.records import ImageGray
from training.shapes import ALPHABET

_SIZE = 28
_DRAWN = 112
"""Drawn this large, then made smaller, so that strokes are smooth."""

_STROKES = {
    "0": "50 10 22 22 18 55 38 90 66 86 82 52 74 20 50 10",
    "1": "30 25 50 10 50 90",
    "2": "25 30 40 10 70 15 72 38 25 88 78 88",
    "3": "25 18 50 8 74 18 70 40 45 47 76 54 76 82 50 92 24 84",
    "4": "65 90 65 10 20 62 82 62",
    "5": "75 12 32 12 28 45 60 40 78 62 62 88 25 84",
    "6": "70 12 38 30 24 65 45 90 75 78 68 52 28 62",
    "7": "22 14 78 14 45 90 / 35 50 68 50",
    "8": "50 48 25 32 40 10 68 16 66 38 50 48 25 68 40 90 72 82 70 58 50 48",
    "9": "72 36 50 52 26 38 38 12 70 18 72 36 66 90",
    "A": "20 90 50 10 80 90 / 32 60 68 60",
    "B": "26 10 26 90 / 26 10 68 16 66 42 26 48 76 58 70 88 26 90",
    "C": "76 24 52 10 22 40 26 76 54 90 78 76",
    "D": "26 10 26 90 / 26 10 66 20 78 50 64 84 26 90",
    "E": "76 10 26 10 26 90 78 90 / 26 48 66 48",
    "F": "76 10 26 10 26 92 / 26 48 66 48",
    "G": "76 22 50 10 22 42 30 82 60 90 78 70 78 54 54 54",
    "H": "24 10 24 90 / 76 10 76 90 / 24 50 76 50",
    "I": "34 10 66 10 / 50 10 50 90 / 34 90 66 90",
    "J": "40 10 76 10 / 62 10 62 72 48 90 24 78",
    "K": "26 10 26 90 / 74 10 28 52 78 90",
    "L": "28 10 28 90 76 90",
    "M": "18 90 22 10 50 60 78 10 82 90",
    "N": "24 90 24 10 76 90 76 10",
    "O": "50 10 20 22 16 58 34 88 68 88 84 56 78 20 50 10",
    "P": "28 90 28 10 70 14 74 40 60 52 28 54",
    "Q": "50 10 20 22 16 58 34 86 68 86 84 56 78 20 50 10 / 58 66 86 94",
    "R": "28 90 28 10 70 14 72 38 60 50 28 52 / 48 52 76 90",
    "S": "74 20 50 10 26 26 38 46 64 54 76 72 52 90 24 80",
    "T": "18 12 82 12 / 50 12 50 90",
    "U": "24 10 24 66 48 90 74 68 76 10",
    "V": "20 10 50 90 80 10",
    "W": "14 10 32 90 50 34 68 90 86 10",
    "X": "22 10 78 90 / 78 10 22 90",
    "Y": "20 10 50 48 80 10 / 50 48 50 90",
    "Z": "22 12 78 12 24 88 80 88",
}
"""x and y of the points of each stroke in hundredths, strokes parted by "/"."""

_ANGULAR = frozenset("14AEFHIKLMNTVWXYZ7")
"""Written with corners; the others are curves."""


def written(rng: np.random.Generator, character: str) -> ImageGray:
    """A character as some hand writes it: white on black, 28 × 28 pixels, like the digits of MNIST."""
    slant, turn = rng.normal(0, 0.15), rng.normal(0, 0.08)
    size = rng.uniform(0.62, 0.8, 2) * (rng.uniform(0.75, 1), 1)
    warp = np.array([[np.cos(turn), -np.sin(turn) - slant], [np.sin(turn), np.cos(turn)]]) * size
    canvas = np.zeros((_DRAWN, _DRAWN), np.uint8)
    thickness = int(rng.integers(6, 15))
    middle = np.array([0.5, 0.5]) + rng.normal(0, 0.02, 2)
    for stroke in _STROKES[character].split("/"):
        points = np.array(stroke.split(), float).reshape(-1, 2) / 100 - 0.5
        points = points + rng.normal(0, 0.025, points.shape)
        points = _rounded(points, 1 if character in _ANGULAR and rng.random() < 0.7 else 3)
        drawn = np.rint((points @ warp.T + middle) * _DRAWN * 16).astype(np.int32)
        cv2.polylines(canvas, [drawn[:, None]], False, 255, thickness, cv2.LINE_AA, shift=4)
    small = cv2.resize(canvas, (_SIZE, _SIZE), interpolation=cv2.INTER_AREA)
    return np.asarray(np.clip(small * rng.uniform(0.85, 1.3), 0, 255), np.uint8)


def handwriting(count: int, seed: int) -> tuple[ImageGray, np.ndarray[tuple[int], np.dtype[np.int64]]]:
    """`count` characters (count, 28, 28) and their classes in `ALPHABET`, each class as common as another."""
    rng = np.random.default_rng((seed, 28))
    classes = rng.permutation(np.arange(count) % len(ALPHABET))
    return np.stack([written(rng, ALPHABET[index]) for index in classes]), classes


def _rounded(
    points: np.ndarray[tuple[int, int], np.dtype[np.float64]], times: int
) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    """The stroke with its corners cut (Chaikin 1974)."""
    for _ in range(times):
        near, far = points[:-1] * 0.75 + points[1:] * 0.25, points[:-1] * 0.25 + points[1:] * 0.75
        points = np.concatenate([points[:1], np.stack([near, far], 1).reshape(-1, 2), points[-1:]])
    return points
