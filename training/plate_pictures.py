"""Pictures that the detector learns from: real ones with boxes, generated plates pasted in with exact corners."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from edge_app.detection.detector import PADDING_BGR
from edge_app.evaluation.datasets import LabelledImage, LabelledPlate
from edge_app.geometry import Box, corners_of, hulls, share_within
from edge_app.image_files import load_image
from edge_app.recognition.reading import TWO_LINES_BELOW
from edge_app.recognizer import pad_crop
from edge_app.records import Corners, ImageBgr
from training.rendered_clips import ClipPlate, clip_frames
from training.synthetic.observation import degrade, light, paste, random_quad
from training.synthetic.plates import render_plate
from training.synthetic.scenes import render_scene
from training.synthetic.textures import lettered

Size = tuple[int, int]
"""Width and height in pixels."""

VIEW: Size = (320, 192)
CLOSE_UP: Size = (640, 384)
"""Training pictures; the network is fully convolutional. Close-ups show plates that a view has no room for."""

_SMALLEST_PX = 12.0
"""Narrower plates are neither right nor wrong."""

_VISIBLE_SHARE = 0.75

_ANYWHERE_SHARE, _SIGN_SHARE, _FILLED_SHARE, _CROP_SHARE = 0.12, 0.3, 0.85, 0.2
"""Shares of the pictures: not aimed at a plate; with a sign pasted in; with no more padding than they need; cut
closely around a plate and surrounded as `PlateRecognizer.recognize_crop` surrounds a crop."""

_FAR_PX, _NEAR_PX, _CLOSE_PX = (14.0, 90.0), (60.0, 300.0), (180.0, 560.0)
"""Widths at which plates are shown; at the roadside most are far."""
_FAR_SHARE = 0.6
_CROPPED_PX = 50.0
"""Narrower plates are not cut out."""

_CLOSE_UP_SHARE = 0.2
"""Of the batches."""

_EVERY_FRAME, _FILMED_SHARE, _ZOOM = 8, 0.25, (0.75, 1.3)
"""Of a clip one frame in so many is kept; they are so much of the views, at about the scale of the detector's input."""

Affine = NDArray[np.float32]
"""(2, 3): a scale and a shift."""


@dataclass(frozen=True, slots=True, eq=False)
class PlateTruth:
    """A plate in a training picture."""

    corners_px: Corners
    """Those of the axis-aligned box where `exact` is false."""
    exact: bool
    lines: int | None
    """None if it is not known."""
    counted: bool = True
    """False: too small or cut off; finding it is neither right nor wrong."""


@dataclass(frozen=True, slots=True, eq=False)
class PlatePicture:
    """A picture and all its plates."""

    image_bgr: ImageBgr
    plates: tuple[PlateTruth, ...]
    all_boxed: bool = True
    """False: plates that nobody boxed may be seen too, so only what is around a known plate is background."""
    filmed: bool = False
    """A camera's frame, cut at about the scale of the detector's input, no plate pasted in: plates are as small and
    as smeared as the detector meets them."""


class PictureSet:
    """Whole pictures with their plates, from which views are cut."""

    def __init__(self, pictures: Sequence[Callable[[], PlatePicture]]) -> None:
        self._pictures = pictures
        self._kept: dict[int, PlatePicture] = {}

    def __len__(self) -> int:
        """The number of pictures."""
        return len(self._pictures)

    def view(self, rng: np.random.Generator, index: int, size: Size = VIEW) -> PlatePicture:
        """A random cut (height, width, 3) of one picture; of a still one, some plates replaced by generated ones."""
        if index not in self._kept:
            self._kept[index] = self._pictures[index]()
        whole = self._kept[index]
        aimed = [plate for plate in whole.plates if plate.counted]
        focus = aimed[rng.integers(len(aimed))] if aimed and rng.random() > _ANYWHERE_SHARE else None
        matrix = _look_at(rng, focus, whole, size)
        picture = _cut(whole.image_bgr, matrix, size)
        plates = [_seen(plate, matrix, size) for plate in whole.plates]
        if rng.random() < 0.5 and not any(plate.exact for plate in plates):  # mirrored text is no plate to learn
            picture = np.ascontiguousarray(picture[:, ::-1])
            plates = [_flipped(plate, size[0]) for plate in plates]
        _add_sign(rng, picture, plates)
        if whole.filmed:
            return finish(rng, PlatePicture(picture, tuple(plates)))
        plates = list(_replace_some(rng, picture, plates))
        made = PlatePicture(picture, tuple(plates), all_boxed=whole.all_boxed)
        if rng.random() < _CROP_SHARE:
            made = as_crop(rng, made)
        return finish(rng, made)

    def __add__(self, other: "PictureSet") -> "PictureSet":
        """The pictures of both."""
        return PictureSet([*self._pictures, *other._pictures])


def real_pictures(labels: Sequence[LabelledImage]) -> PictureSet:
    """Pictures with boxed plates, read when first used."""
    return PictureSet([partial(_read, label) for label in labels])


def rendered_pictures(count: int, seed: int) -> PictureSet:
    """Scenes made from nothing, the same for the same seed."""
    with ProcessPoolExecutor(2, get_context("forkserver")) as pool:
        jobs = pool.map(_render, ((seed, index) for index in range(count)), chunksize=16)
        pictures = list(tqdm(jobs, total=count, desc="rendering scenes", unit="scene"))
    return PictureSet([partial(_same, picture) for picture in pictures])


def clip_pictures(folder: Path) -> PictureSet:
    """Frames of rendered clips, kept in memory: about 4 GB of 72 clips of eight seconds.

    Raises:
        SourceError: the folder holds no rendered clips, or none with a plate.
    """
    pictures = [
        PlatePicture(frame.image_bgr, tuple(map(_filmed, plates)), filmed=True)
        for frame, plates in clip_frames(folder, _EVERY_FRAME)
    ]
    return PictureSet([partial(_same, picture) for picture in pictures])


def _filmed(plate: ClipPlate) -> PlateTruth:
    return PlateTruth(plate.corners_px, True, plate.lines, counted=plate.visible >= _VISIBLE_SHARE)


def _read(label: LabelledImage) -> PlatePicture:
    plates = tuple(_truth(plate) for plate in label.plates)
    return PlatePicture(load_image(label.path), plates, all_boxed=label.boxes_complete)


def _truth(plate: LabelledPlate) -> PlateTruth:
    assert plate.box is not None
    _, _, width, height = plate.box
    lines = 1 if width >= TWO_LINES_BELOW * height else None
    if plate.corners is not None:
        return PlateTruth(np.array(plate.corners, np.float32), True, lines)
    return PlateTruth(corners_of(plate.box), False, lines)


def _render(key: tuple[int, int]) -> PlatePicture:
    cv2.setNumThreads(1)
    scene = render_scene(np.random.default_rng(key))
    clear = (PlateTruth(plate.corners_px, True, plate.lines) for plate in scene.plates)
    unclear = (PlateTruth(corners_px, True, None, counted=False) for corners_px in scene.unclear)
    return PlatePicture(scene.image_bgr, (*clear, *unclear))


def _same(picture: PlatePicture) -> PlatePicture:
    return picture


def endless_views(
    rng: np.random.Generator, pictures: PictureSet, chosen: Sequence[int], count: int, films: PictureSet | None = None
) -> Iterator[list[PlatePicture]]:
    """Views of the chosen pictures in ever new order, `count` at a time or a fourth as many close-ups.

    Where there are `films`, a fixed share of the views shows any of their frames.
    """
    order = _endless(rng, chosen)
    filmed = _endless(rng, range(len(films))) if films else None

    def view(size: Size) -> PlatePicture:
        if films and filmed and rng.random() < _FILMED_SHARE:
            return films.view(rng, next(filmed), size)
        return pictures.view(rng, next(order), size)

    while True:
        size, some = (CLOSE_UP, max(1, count // 4)) if rng.random() < _CLOSE_UP_SHARE else (VIEW, count)
        yield [view(size) for _ in range(some)]


def _endless(rng: np.random.Generator, chosen: Sequence[int]) -> Iterator[int]:
    while True:
        yield from rng.permutation(chosen).tolist()


def finish(rng: np.random.Generator, picture: PlatePicture) -> PlatePicture:
    """Light and camera over the finished picture."""
    image = picture.image_bgr
    if rng.random() < 0.4:
        image = light(rng, image)
    if rng.random() < 0.5:
        image = degrade(rng, image, strength=0.6)
    if rng.random() < 0.15:
        image = cv2.cvtColor(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY), cv2.COLOR_GRAY2BGR)
    return replace(picture, image_bgr=image)


def _look_at(rng: np.random.Generator, focus: PlateTruth | None, picture: PlatePicture, size: Size) -> Affine:
    """Scale and shift that bring the focused plate, or any part of the picture, into view."""
    height, width = picture.image_bgr.shape[:2]
    room = np.array(size)
    if picture.filmed:
        scale = float(np.min(np.array(CLOSE_UP) / (width, height)) * np.exp(rng.uniform(*np.log(_ZOOM))))
    else:
        scale = _scale(rng, focus, float((room / (width, height)).min()), size)
    if focus is None:
        centre = rng.uniform((0, 0), (width, height))
        place = room / 2
    else:
        extent = np.ptp(focus.corners_px, axis=0)
        centre = focus.corners_px.min(axis=0) + extent / 2
        half = np.minimum(extent * scale / 2, room * 0.45)
        place = rng.uniform(half, room - half)
    shift = place - centre * scale
    spare = room - np.array([width, height]) * scale
    if rng.random() < _FILLED_SHARE:
        shift = np.clip(shift, np.minimum(spare, 0), np.maximum(spare, 0))
    return np.array([[scale, 0, shift[0]], [0, scale, shift[1]]], np.float32)


def _scale(rng: np.random.Generator, focus: PlateTruth | None, whole: float, size: Size) -> float:
    """At which the focused plate is shown; of any part of the picture, one to three times that of the `whole`."""
    if focus is None:
        return float(np.exp(rng.uniform(np.log(whole), np.log(whole * 3))))
    width, height = np.ptp(focus.corners_px, axis=0).tolist()
    usual = _FAR_PX if rng.random() < _FAR_SHARE else _NEAR_PX
    wanted = float(np.exp(rng.uniform(*np.log(_CLOSE_PX if size == CLOSE_UP else usual))))
    return min(float(np.clip(wanted / width, whole * 0.8, 3.0)), size[1] * 0.9 / height)


def _cut(image: ImageBgr, matrix: Affine, size: Size) -> ImageBgr:
    matrix = matrix.copy()
    while matrix[0, 0] <= 0.5:
        image = cv2.resize(image, (image.shape[1] // 2, image.shape[0] // 2), interpolation=cv2.INTER_LINEAR)
        matrix[:, :2] *= 2
    centred = matrix.copy()  # from pixel edges to pixel centres, as OpenCV counts
    centred[:, 2] += matrix[:, :2].sum(axis=1) * 0.5 - 0.5
    return cv2.warpAffine(image, centred, size, flags=cv2.INTER_LINEAR, borderValue=PADDING_BGR)


def _seen(plate: PlateTruth, matrix: Affine, size: Size) -> PlateTruth:
    corners = (plate.corners_px * matrix[0, 0] + matrix[:, 2]).astype(np.float32)
    seen = replace(plate, corners_px=corners)
    wide = np.ptp(corners[:, 0]) >= _SMALLEST_PX
    return replace(seen, counted=plate.counted and bool(wide) and _visible(seen, (0, 0, *size)) >= _VISIBLE_SHARE)


def _visible(plate: PlateTruth, window: Box) -> float:
    """The share of a plate's hull that lies in a window."""
    return float(share_within(hulls(plate.corners_px), window))


def _flipped(plate: PlateTruth, width: int) -> PlateTruth:
    corners = (np.array([width, 0], np.float32) + plate.corners_px * np.array([-1, 1], np.float32))[[1, 0, 3, 2]]
    return replace(plate, corners_px=corners)


def as_crop(rng: np.random.Generator, picture: PlatePicture) -> PlatePicture:
    """All but the surroundings of one plate made grey, their edges drawn out as those of a crop are."""
    large = [each for each in picture.plates if each.counted and np.ptp(each.corners_px[:, 0]) >= _CROPPED_PX]
    if not large:
        return picture
    height, width = picture.image_bgr.shape[:2]
    corners = large[rng.integers(len(large))].corners_px
    low, high = corners.min(axis=0), corners.max(axis=0)
    margin = (high - low) * rng.uniform(-0.03, 0.35 if rng.random() < 0.4 else 0.1, (2, 2))
    room = np.array([width, height])
    left, top = np.clip(np.rint(low - margin[0]), 0, room - 4).astype(int).tolist()
    right, bottom = np.clip(np.rint(high + margin[1]), (left + 4, top + 4), room).astype(int).tolist()
    window = (left, top, right - left, bottom - top)
    border, (across, down) = pad_crop(picture.image_bgr[top:bottom, left:right])
    canvas = np.full_like(picture.image_bgr, PADDING_BGR)
    above, beside = min(down, top), min(across, left)
    shown = border[down - above :, across - beside :][: height - top + above, : width - left + beside]
    canvas[top - above :, left - beside :][: shown.shape[0], : shown.shape[1]] = shown
    visible = [(plate, _visible(plate, window)) for plate in picture.plates]
    kept = [replace(each, counted=each.counted and share >= _VISIBLE_SHARE) for each, share in visible if share > 0]
    return PlatePicture(canvas, tuple(kept), picture.all_boxed)


def _add_sign(rng: np.random.Generator, image: ImageBgr, plates: list[PlateTruth]) -> None:
    """Now and then cover a part without plates with words on a board."""
    if rng.random() > _SIGN_SHARE:
        return
    blue, green, red = rng.integers(0, 256, 3).tolist()
    ink = int(rng.choice((10, 245)))
    board = lettered(rng, int(rng.integers(1, 4)), (ink, ink, ink), (blue, green, red))
    quad = random_quad(rng, board.shape[1] / board.shape[0], float(np.exp(rng.uniform(np.log(7), np.log(50)))))
    quad += rng.uniform((0, 0), image.shape[1::-1]) - quad.mean(axis=0)
    (left, top), (right, bottom) = quad.min(axis=0), quad.max(axis=0)
    for plate in plates:
        low, high = plate.corners_px.min(axis=0), plate.corners_px.max(axis=0)
        if left < high[0] and low[0] < right and top < high[1] and low[1] < bottom:
            return
    paste(image, (board * rng.uniform(0.4, 1)).astype(np.uint8), quad.astype(np.float32))


def _replace_some(rng: np.random.Generator, image: ImageBgr, plates: list[PlateTruth]) -> Iterator[PlateTruth]:
    for plate in plates:
        if plate.counted and rng.random() < 0.55:
            yield _pasted(rng, image, plate)
        else:
            yield plate
    if not plates and rng.random() < 0.3:
        height, width = image.shape[:2]
        centre, size = rng.uniform((60, 40), (width - 60, height - 40)), np.exp(rng.uniform(np.log(20), np.log(120)))
        box = np.array([[-1, -0.3], [1, -0.3], [1, 0.3], [-1, 0.3]]) * size / 2 + centre
        yield _pasted(rng, image, PlateTruth(box.astype(np.float32), False, None))


def _pasted(rng: np.random.Generator, image: ImageBgr, plate: PlateTruth) -> PlateTruth:
    """Cover a plate with a generated one, in about the light of what it covers."""
    left, top = plate.corners_px[0]
    size = plate.corners_px[2] - plate.corners_px[0]
    new = render_plate(rng, height_px=96 if size[1] > 60 else 64)
    quad = random_quad(rng, new.image_bgr.shape[1] / new.image_bgr.shape[0], 10.0)
    quad -= quad.min(axis=0)
    extent = quad.max(axis=0)
    cover = max(size[0] / extent[0], size[1] / extent[1]) if rng.random() < 0.7 else size[0] / extent[0]
    cover = float(min(cover * rng.uniform(0.98, 1.1), image.shape[1] / extent[0], image.shape[0] / extent[1]))
    quad = (quad - extent / 2) * cover + np.array([left, top]) + size / 2
    beneath = image[max(0, int(top)) : int(top + size[1]) + 1, max(0, int(left)) : int(left + size[0]) + 1]
    glow = float(np.clip(np.percentile(beneath, 85), 50, 250)) / 230 if beneath.size else 0.8
    texture = np.clip(new.image_bgr * glow * rng.uniform(0.85, 1.1), 0, 255).astype(np.uint8)
    if rng.random() < 0.5:
        texture = cv2.GaussianBlur(texture, (0, 0), float(rng.uniform(0.5, 2.0)))
    if rng.random() < 0.4:
        grown = (quad - quad.mean(axis=0)) * rng.uniform(1.03, 1.12) + quad.mean(axis=0)
        cv2.fillConvexPoly(image, np.rint(grown).astype(np.int32), rng.integers(0, 90, 3).tolist())
    paste(image, texture, quad.astype(np.float32))
    return PlateTruth(quad.astype(np.float32), True, new.lines)
