"""Strips that the reader learns from: generated plates and real crops, through the device's own rectifier."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from itertools import repeat
from multiprocessing import get_context
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from edge_app.evaluation.datasets import LabelledImage
from edge_app.recognition.rectifier import Rectifier
from edge_app.records import Corners, ImageGray, PlateDetection
from training.crop_corners import find_in_crops, read_crop
from training.shapes import ALPHABET, READER_HEIGHT, READER_WIDTH
from training.synthetic.observation import degrade, light, observe
from training.synthetic.plates import render_plate

MAX_LENGTH = 13
_CHUNK = 500

FRESH = get_context("forkserver")
"""Processes that share no thread with this one: a fork of TensorFlow hangs."""
_ONE_LINE_ASPECT = 2.3
"""A crop without corners that is wider than this has one line; of others the layout is not known."""


_UPRIGHT_SHARE = 0.3
_CORNER_SPREADS, _SPREAD_SHARES = (0.012, 0.03, 0.06), (0.45, 0.4, 0.15)
_LOOSEST = (0.12, 0.25)
"""Of the plate's width and height."""


@dataclass(frozen=True, slots=True, eq=False)
class Strips:
    """Strips and what they say."""

    images: ImageGray
    """(n, 32, 192)."""
    labels: NDArray[np.int8]
    """(n, MAX_LENGTH) classes of `ALPHABET`, padded with -1."""

    def __len__(self) -> int:
        """The number of strips."""
        return len(self.images)


def encode(text: str) -> NDArray[np.int8]:
    """The classes of a text, padded."""
    row = np.full(MAX_LENGTH, -1, np.int8)
    row[: len(text)] = [ALPHABET.index(character) for character in text]
    return row


def generated_strips(count: int, seed: int, processes: int = 2) -> Strips:
    """Strips of generated plates, the same for the same seed."""
    chunks = [(seed, index, min(_CHUNK, count - index * _CHUNK)) for index in range(-(-count // _CHUNK))]
    with ProcessPoolExecutor(processes, FRESH) as pool:
        parts = list(tqdm(pool.map(_generate, chunks), total=len(chunks), desc="generating strips", unit="chunk"))
    return _join(parts)


def legible_crops(labels: Sequence[LabelledImage]) -> list[LabelledImage]:
    """Those that show one plate and little else, with a text that a label can hold."""
    return [label for label in labels if label.is_crop and 0 < len(label.plates[0].text or "") <= MAX_LENGTH]


def real_strips(
    crops: Sequence[LabelledImage], variants: int, seed: int, detector: Path | None = None, processes: int = 2
) -> Strips:
    """Each of the legible crops, rectified `variants` times from loosened corners.

    `detector`, a checkpoint, tells corners and layout; where it finds nothing, and without it, a crop that is wide
    enough is taken for one line and one that is not is left out.
    """
    paths = [crop.path for crop in crops]
    found = find_in_crops(detector, paths) if detector else [None] * len(paths)
    known = [
        (crop.path, crop.plates[0].text or "", place)
        for crop, place in zip(crops, found, strict=True)
        if place or _is_wide(crop.path)
    ]
    with ProcessPoolExecutor(processes, FRESH) as pool:
        jobs = zip(known, repeat(variants), range(seed, seed + len(known)))
        parts = list(tqdm(pool.map(_vary_crop, jobs, chunksize=32), total=len(known), desc="rectifying crops"))
    return _join(parts)


def batches(rng: np.random.Generator, mixture: list[tuple[Strips, float]], size: int) -> Iterator[Strips]:
    """Endless batches drawn from each source by its share, with light changes so that no two are alike."""
    counts = [round(size * share) for _, share in mixture]
    while True:
        parts = []
        for (strips, _), count in zip(mixture, counts, strict=True):
            chosen = rng.integers(0, len(strips), count)
            parts.append(Strips(strips.images[chosen], strips.labels[chosen]))
        batch = _join(parts)
        yield Strips(_touch(rng, batch.images), batch.labels)


def _join(parts: list[Strips]) -> Strips:
    return Strips(np.concatenate([part.images for part in parts]), np.concatenate([part.labels for part in parts]))


def _generate(chunk: tuple[int, int, int]) -> Strips:
    cv2.setNumThreads(1)
    rng = np.random.default_rng(chunk[:2])
    rectifier = Rectifier(READER_WIDTH, READER_HEIGHT)
    images, labels = [], []
    for _ in range(chunk[2]):
        plate = render_plate(rng, height_px=64)
        seen = observe(rng, plate)
        corners = loosen(rng, seen.corners_px)
        images.append(rectifier.rectify(seen.image_bgr, PlateDetection(corners, 1.0, plate.lines)).image_gray)
        labels.append(encode(plate.text))
    return Strips(np.stack(images), np.stack(labels))


def loosen(rng: np.random.Generator, corners: Corners) -> Corners:
    """Corners as a detector finds them: too upright now and then, each a little off, the whole loose or tight."""
    if rng.random() < _UPRIGHT_SHARE:
        corners = _more_upright(corners, float(rng.uniform(0.2, 1)))
    width = np.linalg.norm(corners[1] - corners[0])
    height = np.linalg.norm(corners[3] - corners[0])
    along = (corners[1] - corners[0]) / max(width, 1e-3)
    down = (corners[3] - corners[0]) / max(height, 1e-3)
    spread = float(rng.choice(_CORNER_SPREADS, p=_SPREAD_SHARES))
    off = rng.normal(0, spread, (4, 2)) * (width * 0.6, height * 1.5)
    loose = rng.uniform((-0.02, -0.03), _LOOSEST) * (width, height) if rng.random() < 0.4 else (0.0, 0.0)
    outward = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) * loose
    moved = off + outward
    return np.asarray(corners + moved[:, :1] * along + moved[:, 1:] * down, np.float32)


def _more_upright(corners: Corners, share: float) -> Corners:
    """Part of the way to the rectangle of the same size that lies level: what a detector unsure of a tilt says."""
    middle = corners.mean(axis=0)
    sides = np.linalg.norm(np.roll(corners, -1, axis=0) - corners, axis=1)
    half = np.array([sides[0] + sides[2], sides[1] + sides[3]]) / 4
    level = middle + np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) * half
    return np.asarray(corners + (level - corners) * share, np.float32)


def _is_wide(path: Path) -> bool:
    height, width = read_crop(path).shape[:2]
    return width >= _ONE_LINE_ASPECT * height


def _vary_crop(job: tuple[tuple[Path, str, PlateDetection | None], int, int]) -> Strips:
    (path, text, found), variants, seed = job
    cv2.setNumThreads(1)
    rng = np.random.default_rng(seed)
    rectifier = Rectifier(READER_WIDTH, READER_HEIGHT)
    crop = read_crop(path)
    height, width = crop.shape[:2]
    whole = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    images = []
    for index in range(variants):
        inset = rng.uniform(0, 0.06, 2) * (width * 0.4, height)
        tight = whole + np.array([[1, 1], [-1, 1], [-1, -1], [1, -1]]) * inset
        corners = loosen(rng, found.corners_px if found else tight.astype(np.float32))
        seen = crop if index == 0 else degrade(rng, light(rng, crop), strength=height / 48)
        images.append(rectifier.rectify(seen, PlateDetection(corners, 1.0, found.lines if found else 1)).image_gray)
    return Strips(np.stack(images), np.repeat(encode(text)[None], variants, axis=0))


def _touch(rng: np.random.Generator, images: ImageGray) -> ImageGray:
    """Shift, contrast, noise and, for one in twelve, a negative."""
    count = len(images)
    values = np.roll(images, int(rng.integers(-2, 3)), axis=2).astype(np.float64)
    values = (values - 128) * rng.uniform(0.75, 1.2, (count, 1, 1)) + 128 + rng.uniform(-12, 12, (count, 1, 1))
    values += rng.standard_normal(values.shape) * rng.uniform(0, 6, (count, 1, 1))
    negative = rng.random(count) < 1 / 12
    values[negative] = 255 - values[negative]
    return np.clip(values, 0, 255).astype(np.uint8)
