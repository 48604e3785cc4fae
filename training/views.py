"""Close views that the aligner learns from: generated plates, real plates with corners or a box, and what is none."""

import os
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from edge_app.detection.detector import PlateDetector
from edge_app.evaluation.datasets import LabelledImage, LabelledPlate
from edge_app.geometry import corners_of, hulls, same_plate
from edge_app.image_files import load_image
from edge_app.recognition.aligner import view_of
from edge_app.recognition.reading import TWO_LINES_BELOW
from edge_app.recognition.rectifier import plate_size
from edge_app.records import Corners, ImageBgr, ImageGray
from edge_app.stages import as_frame
from training.shapes import ALIGNER_HEIGHT, ALIGNER_WIDTH
from training.strips import FRESH, loosen, more_upright
from training.synthetic.observation import degrade, light, paste, random_quad, surface
from training.synthetic.plates import render_plate
from training.synthetic.textures import lettered

POOL, _CHUNK, _REUSE = 15_000, 250, 6
"""Number of views to draw from, how many are drawn at a time, and the mean uses of each before another replaces it."""

_KINDS, _SHARES = ("generated", "corners", "box", "nothing"), (0.45, 0.25, 0.2, 0.1)
"""What views show, and how often; a kind without real pictures is made up for by generated plates."""

_SURROUND = 0.9
"""Of a plate's box: what is cut out around it, times its width and height, on each side."""

_TALLEST_PX = 64
"""Height of a plate in a cutting; larger ones are made smaller."""

_LOWEST_PX, _HIGHEST_PX = 8.0, 44.0
"""Heights of a line of generated plates, and the least of real ones, half of which are shown from afar."""

_EMPTY_PX = (24.0, 260.0)
"""Widths of views without a plate."""

_FAINT = 0.02
"""Confidence from which on the detector's false finds are learned as no plates."""

_WHOLLY_LABELLED = ("negatives", "in_", "id_", "ro_")
"""Beginnings of the names of sets whose pictures show hardly a plate without a box."""

_WEIGHTS = {"in_": 3.0, "vn_": 2.0, "id_": 2.0}
"""How often the plates of a set are drawn, by the beginning of its name."""


@dataclass(frozen=True, slots=True, eq=False)
class Cutting:
    """A real plate with its surroundings, or a picture's part without a plate."""

    image_bgr: ImageBgr
    kind: str
    """One of `_KINDS` but the first."""
    corners: Corners
    """In pixels of the cutting: the plate's, those of its box, or those of any place."""
    lines: int | None
    weight: float


@dataclass(frozen=True, slots=True, eq=False)
class Views:
    """Views, and the wanted outputs."""

    images: ImageGray
    """(n, ALIGNER_HEIGHT, ALIGNER_WIDTH)."""
    wanted: NDArray[np.float32]
    """(n, 13): corners as shares of the view, whether they are exact, whether only their hull is known, whether there
    are two lines, whether that is known, and whether there is a plate."""

    def __len__(self) -> int:
        """The number of views."""
        return len(self.images)


def find_cuttings(labels: Sequence[LabelledImage], detector: PlateDetector | None = None) -> list[Cutting]:
    """Every plate of which a box or the corners are known, and places without one: `detector`'s false finds too."""
    return [
        cutting
        for label in tqdm(labels, desc="cutting out real plates", unit="picture")
        if label.has_boxes
        for cutting in _cuttings(label, detector)
    ]


def _cuttings(label: LabelledImage, detector: PlateDetector | None) -> Iterator[Cutting]:
    image_bgr = load_image(label.path)
    name = label.path.parent.parent.name
    weight = next((weight for start, weight in _WEIGHTS.items() if name.startswith(start)), 1.0)
    for plate in label.plates:
        yield _cut_out(image_bgr, plate, weight)
    if detector and label.boxes_complete and name.startswith(_WHOLLY_LABELLED):
        known = np.array([plate.box for plate in label.plates]).reshape(-1, 4)
        for found in detector.find(as_frame(image_bgr), _FAINT):
            if not same_plate(found.box_px, known).any():
                yield replace(_cut_out(image_bgr, LabelledPlate(found.box_px, None, None), 1.0), kind="nothing")
    if not label.plates:
        yield from _empty(image_bgr)


def _cut_out(image_bgr: ImageBgr, plate: LabelledPlate, weight: float) -> Cutting:
    assert plate.box is not None
    left, top, width, height = plate.box
    x0, y0 = max(0, int(left - _SURROUND * width)), max(0, int(top - _SURROUND * height))
    x1, y1 = int(left + (1 + _SURROUND) * width) + 1, int(top + (1 + _SURROUND) * height) + 1
    part = image_bgr[y0:y1, x0:x1]
    exact = plate.corners is not None
    corners = (np.array(plate.corners, np.float32) if exact else corners_of(plate.box)) - np.array([x0, y0], np.float32)
    lines = 1 if width >= TWO_LINES_BELOW * height else None
    return _smaller(Cutting(part, "corners" if exact else "box", corners, lines, weight), _TALLEST_PX / height)


def _empty(image_bgr: ImageBgr) -> Iterator[Cutting]:
    """Places of a picture without a plate, at several sizes."""
    rng = np.random.default_rng(image_bgr.shape[:2])
    rows, columns = image_bgr.shape[:2]
    for _ in range(6):
        width = float(np.exp(rng.uniform(*np.log(_EMPTY_PX))))
        size = np.array([width, width * rng.uniform(0.2, 0.8)])
        left, top = rng.uniform((0, 0), np.maximum((1, 1), np.array([columns, rows]) - size))
        box = LabelledPlate((float(left), float(top), float(size[0]), float(size[1])), None, None)
        yield replace(_cut_out(image_bgr, box, 1.0), kind="nothing")


def _smaller(cutting: Cutting, scale: float) -> Cutting:
    """The cutting from farther away; a copy if the scale is one or more."""
    if scale >= 1:
        return replace(cutting, image_bgr=cutting.image_bgr.copy())
    rows, columns = cutting.image_bgr.shape[:2]
    size = max(8, round(columns * scale)), max(8, round(rows * scale))
    image = np.asarray(cv2.resize(cutting.image_bgr, size, interpolation=cv2.INTER_AREA), np.uint8)
    ratio = np.array(size, np.float32) / (columns, rows)
    return replace(cutting, image_bgr=image, corners=(cutting.corners * ratio).astype(np.float32))


class ViewSource:
    """Draws views in processes of its own."""

    def __init__(self, cuttings: Sequence[Cutting], seed: int, processes: int = 2, held: int = POOL) -> None:
        """`held`: how many views batches are drawn from at any time."""
        self._seed, self._held, self._processes = seed, held, processes
        self._pool = ProcessPoolExecutor(processes, FRESH, initializer=_begin_process, initargs=(list(cuttings),))

    def __enter__(self) -> "ViewSource":
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.shutdown(cancel_futures=True)

    def draw(self, count: int, stream: int) -> Views:
        """`count` views of a stream, the same for the same seed."""
        chunks = list(self._pool.map(_draw, ((self._seed, stream, index) for index in range(-(-count // _CHUNK)))))
        images, wanted = (np.concatenate([getattr(each, name) for each in chunks]) for name in ("images", "wanted"))
        return Views(images[:count], wanted[:count])

    def batches(self, size: int, step: int) -> Iterator[Views]:
        """Endless batches from a given step on, drawn from a pool that is renewed all the time."""
        rng = np.random.default_rng((self._seed, step))
        pool = self.draw(self._held, 1_000_000 + step)
        waiting: deque[Future[Views]] = deque()
        index = fresh = 0
        while True:
            while len(waiting) < 2 * self._processes:
                waiting.append(self._pool.submit(_draw, (self._seed, 2_000_000 + step, index)))
                index += 1
            fresh += size
            if fresh >= _CHUNK * _REUSE:
                fresh -= _CHUNK * _REUSE
                chunk, places = waiting.popleft().result(), rng.choice(self._held, _CHUNK, replace=False)
                pool.images[places], pool.wanted[places] = chunk.images, chunk.wanted
            chosen = rng.integers(0, self._held, size)
            yield Views(_touch(rng, pool.images[chosen]), pool.wanted[chosen])


_process_cuttings: dict[str, list[Cutting]] = {}


def _begin_process(cuttings: list[Cutting]) -> None:
    cv2.setNumThreads(1)
    os.nice(1)
    for kind in _KINDS[1:]:
        _process_cuttings[kind] = [cutting for cutting in cuttings if cutting.kind == kind]


def _draw(key: tuple[int, int, int]) -> Views:
    """One chunk; the process holds the real plates."""
    rng = np.random.default_rng(key)
    weights = {kind: np.array([each.weight for each in cuttings]) for kind, cuttings in _process_cuttings.items()}
    images, wanted = [], []
    for kind in rng.choice(_KINDS, _CHUNK, p=_SHARES):
        cuttings = _process_cuttings.get(kind)
        if cuttings:
            drawn = _filmed_again(rng, cuttings[int(rng.choice(len(cuttings), p=weights[kind] / weights[kind].sum()))])
        else:
            drawn = generated(rng)
        image, row = view(rng, drawn)
        images.append(image)
        wanted.append(row)
    return Views(np.stack(images), np.stack(wanted))


def generated(rng: np.random.Generator) -> Cutting:
    """A plate of random style before surroundings with edges and lettering, seen by a random camera."""
    plate = render_plate(rng, height_px=64)
    line_height_px = float(np.exp(rng.uniform(np.log(_LOWEST_PX), np.log(_HIGHEST_PX))))
    quad = random_quad(rng, plate.image_bgr.shape[1] / plate.image_bgr.shape[0], line_height_px * plate.lines * 1.25)
    margin = np.ptp(quad, axis=0) * rng.uniform(0.3, 0.9, 2) + 6
    quad = (quad + margin - quad.min(axis=0)).astype(np.float32)
    width, height = (int(extent) for extent in quad.max(axis=0) + margin + 1)
    canvas = surface(rng, width, height)
    if rng.random() < 0.5:
        share = rng.random()
        canvas = (canvas * share + surface(rng, width, height) * (1 - share)).astype(np.uint8)
    if rng.random() < 0.3:
        blue, green, red = rng.integers(0, 256, 3).tolist()
        words = lettered(rng, int(rng.integers(1, 3)), (10, 10, 10), (blue, green, red))
        place = random_quad(rng, words.shape[1] / words.shape[0], line_height_px)
        place += np.array([width * rng.random(), height * rng.choice([0.1, 0.9])]) - place.mean(axis=0)
        paste(canvas, words, place.astype(np.float32))
    paste(canvas, plate.image_bgr, quad)
    image = degrade(rng, light(rng, canvas), line_height_px / 24)
    return Cutting(image, "corners", quad, plate.lines, 1.0)


def _filmed_again(rng: np.random.Generator, cutting: Cutting) -> Cutting:
    """A real plate from farther away, in another light, turned: not turned if only its box is known."""
    lines = cutting.lines or 1.5
    if rng.random() < 0.5:
        tallest = plate_size(cutting.corners)[1] / lines / 1.25
        height = float(np.exp(rng.uniform(np.log(_LOWEST_PX), np.log(max(tallest, _LOWEST_PX + 0.1)))))
        cutting = _smaller(cutting, height / tallest)
    image = cutting.image_bgr
    if rng.random() < 0.8:
        image = degrade(rng, light(rng, image), plate_size(cutting.corners)[1] / lines / 1.25 / 30)
    corners = cutting.corners
    if cutting.kind != "box" and rng.random() < 0.5:
        rows, columns = image.shape[:2]
        matrix = cv2.getRotationMatrix2D((columns / 2, rows / 2), float(rng.uniform(-20, 20)), 1.0)
        image = np.asarray(cv2.warpAffine(image, matrix, (columns, rows), borderMode=cv2.BORDER_REPLICATE), np.uint8)
        corners = (np.c_[corners, np.ones(4)] @ matrix.T).astype(np.float32)
    return replace(cutting, image_bgr=image, corners=corners)


def view(rng: np.random.Generator, cutting: Cutting) -> tuple[ImageGray, NDArray[np.float32]]:
    """What the aligner sees of a cutting if the detector has found it roughly, and the wanted output."""
    found = _as_found(rng, cutting)
    image, to_view = view_of(cutting.image_bgr, found, (ALIGNER_WIDTH, ALIGNER_HEIGHT))
    corners = cv2.perspectiveTransform(cutting.corners[None], to_view)[0] / (ALIGNER_WIDTH, ALIGNER_HEIGHT)
    is_plate = cutting.kind != "nothing"
    known = (
        cutting.kind == "corners",
        cutting.kind == "box",
        cutting.lines == 2,
        is_plate and cutting.lines is not None,
        is_plate,
    )
    return image, np.concatenate([corners.ravel(), known]).astype(np.float32)


def _as_found(rng: np.random.Generator, cutting: Cutting) -> Corners:
    """The corners as a detector finds them: too upright, the hull, loose, shifted; now and then a part, or one line."""
    corners = cutting.corners
    if cutting.kind != "box":
        if rng.random() < 0.6:
            corners = more_upright(corners, float(rng.uniform(0.2, 1)))
        if rng.random() < 0.5:
            left, top, width, height = hulls(corners).tolist()
            corners = corners + (corners_of((left, top, width, height)) - corners) * rng.uniform(0, 1)
        corners = loosen(rng, corners.astype(np.float32))
    size, shift = np.exp(rng.normal(0, 0.1, 2)), rng.normal(0, 0.06, 2)
    if cutting.lines != 1 and rng.random() < 0.15:
        size[1] *= 0.5
        shift[1] += -0.25 if rng.random() < 0.3 else 0.25
    if rng.random() < 0.06:
        size[0] *= rng.uniform(0.6, 0.85)
        shift[0] += rng.uniform(-0.15, 0.15)
    middle = corners.mean(axis=0)
    axes = np.stack(
        [
            (corners[1] + corners[2] - corners[0] - corners[3]) / 2,
            (corners[2] + corners[3] - corners[0] - corners[1]) / 2,
        ]
    )
    own = (corners - middle) @ np.linalg.pinv(axes)
    return np.asarray(middle + (own * size + shift) @ axes, np.float32)


def _touch(rng: np.random.Generator, images: ImageGray) -> ImageGray:
    """Contrast and, for one in twenty, a negative."""
    count = len(images)
    values = (images.astype(np.float32) - 128) * rng.uniform(0.8, 1.2, (count, 1, 1)) + 128
    values += rng.uniform(-12, 12, (count, 1, 1))
    negative = rng.random(count) < 0.05
    values[negative] = 255 - values[negative]
    return np.clip(values, 0, 255).astype(np.uint8)
