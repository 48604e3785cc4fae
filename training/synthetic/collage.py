"""Plates among abstract clutter: teaches what a plate is apart from any vehicle."""

import cv2
import numpy as np

from training.synthetic.camera import PinholeCamera, Points
from training.synthetic.canvas import Canvas
from training.synthetic.observation import random_quad
from training.synthetic.plates import RenderedPlate, render_plate
from training.synthetic.textures import lettered, noise_tile
from training.synthetic.traffic import visible_share


def draw_collage(
    rng: np.random.Generator, size: tuple[int, int]
) -> tuple[Canvas, list[tuple[RenderedPlate, Points, float]]]:
    """A canvas of random shapes, writing and up to four plates with corners from the edge and visible shares."""
    canvas = Canvas(PinholeCamera.looking(size, size[0], (0.0, 1.5, 0.0)))
    _cover(rng, canvas)
    for _ in range(int(rng.integers(0, 40))):
        _shape(rng, canvas)
    for _ in range(int(rng.integers(0, 6))):
        _writing(rng, canvas)
    placed: list[tuple[RenderedPlate, Points]] = []
    for _ in range(int(rng.choice((0, 1, 2, 3, 4), p=(0.15, 0.4, 0.25, 0.12, 0.08)))):
        plate = render_plate(rng)
        quad = _place(rng, size, plate, [other for _, other in placed])
        if quad is None:
            continue
        if rng.random() < 0.5:
            middle = quad.mean(0)
            frame = np.full((4, 4, 3), rng.integers(0, 120), np.uint8)
            canvas.flat_picture(frame, (quad - middle) * rng.uniform(1.04, 1.3, 2) + middle)
        canvas.flat_picture(plate.image_bgr, quad, float(rng.uniform(0.35, 1.1)))
        placed.append((plate, quad))
    return canvas, [(plate, quad + 0.5, visible_share(quad, [], size)) for plate, quad in placed]


def _place(
    rng: np.random.Generator, size: tuple[int, int], plate: RenderedPlate, others: list[Points]
) -> Points | None:
    height = float(np.exp(rng.uniform(np.log(5), np.log(90)))) * (1.5 if plate.lines == 2 else 1.0)
    quad = np.asarray(random_quad(rng, plate.image_bgr.shape[1] / plate.image_bgr.shape[0], height), np.float64)
    room = np.array(size) - np.ptp(quad, axis=0)
    quad += rng.uniform(0, 1, 2) * room - quad.min(0)
    if room.min() < 0:
        return None
    for other in others:
        if np.all(quad.max(0) > other.min(0) - 6) and np.all(other.max(0) > quad.min(0) - 6):
            return None
    return quad


def _cover(rng: np.random.Generator, canvas: Canvas) -> None:
    height, width = canvas.image_bgr.shape[:2]
    coarse = rng.integers(0, 256, (int(rng.integers(2, 7)), int(rng.integers(2, 9)), 3)).astype(np.float32)
    coarse = coarse * 0.4 + coarse.mean(2, keepdims=True) * 0.6
    how = cv2.INTER_NEAREST if rng.random() < 0.3 else cv2.INTER_LINEAR
    ground = cv2.resize(coarse, (width // 2, height // 2), interpolation=how)
    tile = np.roll(noise_tile(int(rng.integers(2, 10))), rng.integers(0, 512, 2).tolist(), (0, 1))
    grain = cv2.resize(tile[: int(rng.integers(60, 512)), : int(rng.integers(60, 512))], (width // 2, height // 2))
    ground += grain[..., None] * rng.uniform(0, 30)
    canvas.image_bgr = cv2.resize(np.clip(ground, 0, 255).astype(np.uint8), (width, height))


def _shape(rng: np.random.Generator, canvas: Canvas) -> None:
    image = canvas.image_bgr
    height, width = image.shape[:2]
    centre = rng.uniform((0, 0), (width, height))
    reach = np.exp(rng.uniform(np.log(8), np.log(height / 2), 2))
    gray = rng.integers(0, 256)
    colour = np.clip(gray + rng.normal(0, 40, 3), 0, 255).tolist()
    kind, thick = rng.integers(5), int(rng.choice((-1, -1, 2, 4, 8)))
    if kind == 0:
        cv2.ellipse(
            image,
            centre.astype(int).tolist(),
            reach.astype(int).tolist(),
            float(rng.uniform(0, 180)),
            0,
            360,
            colour,
            thick,
        )
    elif kind == 1:
        cv2.line(
            image,
            (centre - reach).astype(int).tolist(),
            (centre + reach * rng.choice((-1, 1), 2)).astype(int).tolist(),
            colour,
            abs(thick) + 1,
        )
    elif kind == 2:
        cv2.rectangle(
            image, (centre - reach / 2).astype(int).tolist(), (centre + reach / 2).astype(int).tolist(), colour, thick
        )
    elif kind == 3:
        for step in range(int(rng.integers(3, 12))):  # a grille or a kerb
            y = int(centre[1] + step * max(4, reach[1] / 8))
            cv2.rectangle(
                image,
                (int(centre[0] - reach[0]), y),
                (int(centre[0] + reach[0]), y + max(2, int(reach[1] / 16))),
                colour,
                -1,
            )
    else:
        corners = centre + rng.uniform(-1, 1, (4, 2)) * reach
        cv2.fillConvexPoly(image, cv2.convexHull(corners.astype(np.int32)), colour)


def _writing(rng: np.random.Generator, canvas: Canvas) -> None:
    paper = rng.integers(0, 256, 3).tolist()
    ink = [255 - value for value in paper] if rng.random() < 0.5 else [int(rng.choice((10, 245)))] * 3
    board = lettered(rng, int(rng.integers(1, 4)), (ink[0], ink[1], ink[2]), (paper[0], paper[1], paper[2]))
    quad = np.asarray(random_quad(rng, board.shape[1] / board.shape[0], float(rng.uniform(8, 60))), np.float64)
    size = canvas.camera.width, canvas.camera.height
    canvas.flat_picture(board, quad - quad.mean(0) + rng.uniform((0, 0), size), float(rng.uniform(0.5, 1)))
