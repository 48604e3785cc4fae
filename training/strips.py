"""Strips that the reader learns from: generated plates and real ones, through the device's own rectifier."""

import os
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_app.recognition.rectifier import Rectifier, plate_size
from edge_app.records import Corners, ImageGray, PlateDetection
from training.real_plates import MAX_LENGTH, RealPlate, shrink
from training.shapes import ALPHABET, READER_HEIGHT, READER_WIDTH
from training.synthetic.observation import degrade, light, observe
from training.synthetic.plates import render_plate

FRESH = get_context("forkserver")
"""Processes that share no thread with this one: a fork of TensorFlow hangs."""

_CHUNK = 240
POOL, _REUSE = 24_000, 3
"""Number of strips to draw from, and the mean uses of each before another replaces it."""

_REAL_SHARE = 0.35

_UPRIGHT_SHARE = 0.3
_CORNER_SPREADS, _SPREAD_SHARES = (0.012, 0.03, 0.06), (0.45, 0.4, 0.15)
_LOOSEST = (0.12, 0.25)
"""Of the plate's width and height."""

_AS_IT_IS_SHARE, _SHRUNK_SHARE, _SMALLEST_PX = 0.15, 0.5, 9.0
"""Of the real plates: shown unchanged; made smaller, down to lines of this height."""


@dataclass(frozen=True, slots=True, eq=False)
class Strips:
    """Strips and their texts."""

    images: ImageGray
    """(n, READER_HEIGHT, READER_WIDTH)."""
    labels: NDArray[np.int8]
    """(n, MAX_LENGTH) classes of `ALPHABET`, padded with -1."""

    def __len__(self) -> int:
        """The number of strips."""
        return len(self.images)

    def __getitem__(self, chosen: NDArray[np.int64] | slice) -> "Strips":
        """Some of them."""
        return Strips(self.images[chosen], self.labels[chosen])


def encode(text: str) -> NDArray[np.int8]:
    """The classes of a text, padded."""
    row = np.full(MAX_LENGTH, -1, np.int8)
    row[: len(text)] = [ALPHABET.index(character) for character in text]
    return row


class StripSource:
    """Draws strips in processes of its own: generated plates and, if there are some, real ones; never one twice."""

    def __init__(self, plates: Sequence[RealPlate], seed: int, processes: int = 2, held: int = POOL) -> None:
        """`held`: how many strips batches are drawn from at any time."""
        self._seed = seed
        self._held = held
        self.has_real = bool(plates)
        self._real_share = _REAL_SHARE if plates else 0.0
        self._processes = processes
        self._pool = ProcessPoolExecutor(processes, FRESH, initializer=_begin_process, initargs=(list(plates),))

    def __enter__(self) -> "StripSource":
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.shutdown(cancel_futures=True)

    def draw(self, count: int, stream: int, *, real: float | None = None) -> Strips:
        """`count` strips of a stream, the same for the same seed; `real`: share of real ones."""
        share = self._real_share if real is None else real
        jobs = [(self._seed, stream, index, _CHUNK, share) for index in range(-(-count // _CHUNK))]
        return _join(list(self._pool.map(_draw, jobs)))[slice(count)]

    @staticmethod
    def first_stream(step: int) -> int:
        """The stream from which the pool is filled before a step."""
        return 1_000_000 + step

    def batches(self, size: int, step: int) -> Iterator[Strips]:
        """Endless batches from a given step on, drawn from a pool that is renewed all the time."""
        rng = np.random.default_rng((self._seed, step))
        pool = self.draw(self._held, self.first_stream(step))
        waiting: deque[Future[Strips]] = deque()
        index = fresh = 0
        while True:
            while len(waiting) < 3 * self._processes:
                job = (self._seed, 2_000_000 + step, index, _CHUNK, self._real_share)
                waiting.append(self._pool.submit(_draw, job))
                index += 1
            fresh += size
            if fresh >= _CHUNK * _REUSE:
                fresh -= _CHUNK * _REUSE
                chunk, places = waiting.popleft().result(), rng.choice(self._held, _CHUNK, replace=False)
                pool.images[places], pool.labels[places] = chunk.images, chunk.labels
            chosen = pool[rng.integers(0, self._held, size)]
            yield Strips(_touch(rng, chosen.images), chosen.labels)


_process_plates: list[RealPlate] = []


def _begin_process(plates: list[RealPlate]) -> None:
    cv2.setNumThreads(1)
    os.nice(1)
    _process_plates[:] = plates


def _draw(job: tuple[int, int, int, int, float]) -> Strips:
    """One chunk; the process holds the real plates."""
    *key, count, real_share = job
    rng = np.random.default_rng(tuple(key))
    weights = np.array([plate.weight for plate in _process_plates])
    total = weights.sum() or 1.0
    images, labels = [], []
    for _ in range(count):
        if rng.random() < real_share:
            plate = _process_plates[int(rng.choice(len(weights), p=weights / total))]
            images.append(real_strip(rng, plate))
            labels.append(encode(plate.text))
        else:
            image_gray, text = generated_strip(rng)
            images.append(image_gray)
            labels.append(encode(text))
    return Strips(np.stack(images), np.stack(labels))


def generated_strip(rng: np.random.Generator) -> tuple[ImageGray, str]:
    """A plate of random style and text, seen by a random camera."""
    plate = render_plate(rng, height_px=64)
    seen = observe(rng, plate)
    return _rectify(seen.image_bgr, loosen(rng, seen.corners_px), plate.lines), plate.text


def real_strip(rng: np.random.Generator, plate: RealPlate) -> ImageGray:
    """A real plate at loosened corners, mostly in another light, often from farther away."""
    if rng.random() < _SHRUNK_SHARE:
        tallest = plate_size(plate.places[0])[1] / plate.lines / 1.25
        height = np.exp(rng.uniform(np.log(_SMALLEST_PX), np.log(max(tallest, _SMALLEST_PX))))
        plate = shrink(plate, float(height))
    corners = plate.places[int(rng.integers(len(plate.places)))]
    image_bgr = plate.image_bgr
    if rng.random() > _AS_IT_IS_SHARE:
        line_height_px = plate_size(corners)[1] / plate.lines / 1.25
        image_bgr = degrade(rng, light(rng, image_bgr), strength=line_height_px / 36)
    return _rectify(image_bgr, loosen(rng, corners), plate.lines)


def _rectify(image_bgr: NDArray[np.uint8], corners: Corners, lines: int) -> ImageGray:
    return Rectifier(READER_WIDTH, READER_HEIGHT).rectify(image_bgr, PlateDetection(corners, 1.0, lines)).image_gray


def _join(parts: list[Strips]) -> Strips:
    return Strips(np.concatenate([part.images for part in parts]), np.concatenate([part.labels for part in parts]))


def loosen(rng: np.random.Generator, corners: Corners) -> Corners:
    """Corners as a detector finds them: too upright now and then, each a little off, the whole loose or tight."""
    if rng.random() < _UPRIGHT_SHARE:
        corners = more_upright(corners, float(rng.uniform(0.2, 1)))
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


def more_upright(corners: Corners, share: float) -> Corners:
    """Part of the way to the rectangle of the same size that lies level: like a detector that is unsure of a tilt."""
    middle = corners.mean(axis=0)
    sides = np.linalg.norm(np.roll(corners, -1, axis=0) - corners, axis=1)
    half = np.array([sides[0] + sides[2], sides[1] + sides[3]]) / 4
    level = middle + np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) * half
    return np.asarray(corners + (level - corners) * share, np.float32)


def _touch(rng: np.random.Generator, images: ImageGray) -> ImageGray:
    """Shift, contrast, noise and, for one in twelve, a negative."""
    count = len(images)
    values = np.roll(images, int(rng.integers(-2, 3)), axis=2).astype(np.float32)
    gain = rng.uniform(0.75, 1.2, (count, 1, 1)).astype(np.float32)
    values = (values - 128) * gain + 128 + rng.uniform(-12, 12, (count, 1, 1)).astype(np.float32)
    noise = rng.uniform(0, 6, (count, 1, 1)).astype(np.float32)
    values += rng.standard_normal(values.shape, np.float32) * noise
    negative = rng.random(count) < 1 / 12
    values[negative] = 255 - values[negative]
    return np.clip(values, 0, 255).astype(np.uint8)
