"""Characters cut from strips: chosen, sized for a network, varied, and distorted."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_app.records import ImageGray
from training.shapes import ALPHABET
from training.study.plates import Plates

_MARGIN = 0.1
"""Share of a character's width and height that a crop shows beyond it on each side."""
_JITTER = 0.05
"""Standard deviation of each edge, as such a share: what cuts plates into characters is no more exact."""

_INK_SIZE, _INK_ROOM = 28, 20
"""Of the pictures that show ink alone, and of the character within: as in MNIST."""


@dataclass(frozen=True, slots=True)
class CropShape:
    """What a network is shown of a character."""

    width: int
    height: int
    ink: bool = False
    """White ink on black, the character's own proportions, 28 × 28; else the grey picture, stretched."""


@dataclass(frozen=True, slots=True, eq=False)
class Characters:
    """Characters as they were cut, each of its own size, and their classes."""

    patches: list[ImageGray]
    classes: NDArray[np.int64]

    def shown(self, shape: CropShape) -> ImageGray:
        """(n, height, width) as a network is shown them."""
        return np.stack([show(patch, shape) for patch in self.patches])


def cut_characters(plates: Plates, split: str, country: str, count: int, seed: int) -> Characters:
    """At most `count` characters of a split, of `home` or `abroad`; the same for every network."""
    numbers = plates.of(split, country)
    ends = np.cumsum([len(str(plates.facts[number]["text"])) for number in numbers])
    rng = np.random.default_rng((seed, len(split), len(country)))
    patches, classes = [], []
    for chosen in rng.permutation(ends[-1] if len(ends) else 0)[:count]:
        row = int(np.searchsorted(ends, chosen, side="right"))
        index = int(chosen - (ends[row - 1] if row else 0))
        number = int(numbers[row])
        places = plates.places(number)[index]
        patches.append(cut(plates.wide[number], places, rng.normal(0, _JITTER, 4)))
        classes.append(ALPHABET.index(str(plates.facts[number]["text"])[index]))
    return Characters(patches, np.array(classes, np.int64))


def cut(strip: ImageGray, place: NDArray[np.floating], jitter: NDArray[np.floating] | None = None) -> ImageGray:
    """A character with a margin; `place` is left, top, width, height."""
    left, top, width, height = (float(value) for value in place)
    edges = np.array([-_MARGIN, -_MARGIN, _MARGIN, _MARGIN]) + (0 if jitter is None else jitter)
    ends = np.array([left, top, left + width, top + height]) + edges * np.array([width, height, width, height])
    x1, y1 = np.clip(np.floor(ends[:2]).astype(int), 0, (strip.shape[1] - 3, strip.shape[0] - 3))
    x2, y2 = np.clip(np.ceil(ends[2:]).astype(int), (x1 + 3, y1 + 3), (strip.shape[1], strip.shape[0]))
    return np.ascontiguousarray(strip[y1:y2, x1:x2])


def show(patch: ImageGray, shape: CropShape) -> ImageGray:
    """A patch as a network is shown it."""
    if shape.ink:
        return ink_of(patch)
    return np.asarray(cv2.resize(patch, (shape.width, shape.height), interpolation=cv2.INTER_LINEAR), np.uint8)


def ink_of(patch: ImageGray) -> ImageGray:
    """White ink on black in the middle of 28 × 28 pixels; the rarer tone along the border is the ink's."""
    _, binary = cv2.threshold(patch, 0, 255, cv2.THRESH_BINARY + cv2.THRESH_OTSU)
    border = np.concatenate([binary[0], binary[-1], binary[:, 0], binary[:, -1]])
    if border.mean() > 127:
        binary = 255 - binary
    rows, columns = np.flatnonzero(binary.any(axis=1)), np.flatnonzero(binary.any(axis=0))
    canvas = np.zeros((_INK_SIZE, _INK_SIZE), np.uint8)
    if not len(rows):
        return canvas
    tight = binary[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    scale = _INK_ROOM / max(tight.shape)
    height, width = (max(2, round(side * scale)) for side in tight.shape)
    top, left = (_INK_SIZE - height) // 2, (_INK_SIZE - width) // 2
    canvas[top : top + height, left : left + width] = cv2.resize(tight, (width, height), interpolation=cv2.INTER_AREA)
    return canvas


def vary(rng: np.random.Generator, images: ImageGray) -> ImageGray:
    """Each turned, moved, sized, in another light, blurred or noisy: the classic augmentation."""
    height, width = images.shape[1:]
    varied = np.empty_like(images)
    for index, image in enumerate(images):
        matrix = cv2.getRotationMatrix2D((width / 2, height / 2), rng.normal(0, 6), rng.uniform(0.88, 1.12))
        matrix[:, 2] += rng.normal(0, 0.04, 2) * (width, height)
        seen = cv2.warpAffine(image, matrix, (width, height), borderMode=cv2.BORDER_REPLICATE)
        if rng.random() < 0.3:
            seen = cv2.GaussianBlur(seen, (0, 0), rng.uniform(0.3, 2.0))
        values = (seen.astype(np.float32) - 128) * rng.uniform(0.6, 1.3) + 128 + rng.uniform(-30, 30)
        if rng.random() < 0.5:
            values += rng.standard_normal(values.shape, np.float32) * rng.uniform(0, 16)
        varied[index] = np.clip(values, 0, 255)
    return varied


DISTORTIONS: dict[str, tuple[float, ...]] = {
    "blur": (0, 1, 2, 3, 4, 6),
    "noise": (0, 10, 20, 35, 50, 80),
    "resolution": (64, 32, 20, 14, 10, 7),
    "rotation": (0, 5, 10, 15, 22, 30),
}
"""Sigma in pixels of strips 64 pixels high; sigma of 256 grey values; the strip's height in pixels; degrees."""


def distort(rng: np.random.Generator, patch: ImageGray, kind: str, level: float) -> ImageGray:
    """A patch of a strip 64 pixels high, worse in one way."""
    if kind == "blur":
        return np.asarray(cv2.GaussianBlur(patch, (0, 0), level), np.uint8) if level else patch
    if kind == "noise":
        return np.clip(patch + rng.standard_normal(patch.shape) * level, 0, 255).astype(np.uint8)
    height, width = patch.shape
    if kind == "resolution":
        size = (max(2, round(width * level / 64)), max(2, round(height * level / 64)))
        small = cv2.resize(patch, size, interpolation=cv2.INTER_AREA)
        return np.asarray(cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR), np.uint8)
    turn = level if rng.random() < 0.5 else -level
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), turn, 1)
    return np.asarray(cv2.warpAffine(patch, matrix, (width, height), borderMode=cv2.BORDER_REPLICATE), np.uint8)
