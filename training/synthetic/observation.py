"""How a camera sees a flat plate: from an angle, small, blurred, noisy, dim or glaring."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_app.records import Corners, ImageBgr
from training.synthetic.plates import RenderedPlate

_COARSE_SHARE = 0.08


@dataclass(frozen=True, slots=True, eq=False)
class ObservedPlate:
    """A plate in a small picture of its surroundings."""

    image_bgr: ImageBgr
    corners_px: Corners


def observe(rng: np.random.Generator, plate: RenderedPlate) -> ObservedPlate:
    """Look at a plate once, from a random distance and angle, in random light."""
    line_height_px = float(np.exp(rng.uniform(np.log(8), np.log(44))))
    seen = place(rng, plate, line_height_px)
    return ObservedPlate(degrade(rng, light(rng, seen.image_bgr), line_height_px / 24), seen.corners_px)


def place(rng: np.random.Generator, plate: RenderedPlate, line_height_px: float) -> ObservedPlate:
    """Put a plate before some surroundings, at a random angle, in plain light and in focus."""
    quad = random_quad(rng, plate.image_bgr.shape[1] / plate.image_bgr.shape[0], line_height_px * plate.lines * 1.25)
    margin = np.float32(rng.uniform(4, 14))
    quad += margin - quad.min(axis=0)
    width, height = (int(extent + margin) + 1 for extent in quad.max(axis=0))
    canvas = surface(rng, width, height)
    paste(canvas, plate.image_bgr, quad)
    return ObservedPlate(canvas, quad)


def random_quad(rng: np.random.Generator, aspect: float, height_px: float) -> Corners:
    """Corners of a plate of this shape seen from a random angle, about the origin."""
    squeeze = float(rng.uniform(0.6, 1)) if rng.random() < 0.5 else 1.0
    width = height_px * aspect * squeeze
    quad = np.array([[-width, -height_px], [width, -height_px], [width, height_px], [-width, height_px]]) / 2
    roll = np.deg2rad(rng.normal(0, 5) if rng.random() < 0.65 else rng.uniform(-28, 28))
    shear = rng.normal(0, 0.08) if rng.random() < 0.65 else rng.uniform(-0.4, 0.4)
    slope = rng.normal(0, 0.05) if rng.random() < 0.65 else rng.uniform(-0.4, 0.4)
    quad = quad @ np.array([[1, slope], [shear, 1]])
    quad = quad @ np.array([[np.cos(roll), np.sin(roll)], [-np.sin(roll), np.cos(roll)]])
    near = 1 + quad[:, :1] / max(width, 1) * rng.normal(0, 0.12)
    return np.asarray(quad * near, np.float32)


def paste(canvas: ImageBgr, texture: ImageBgr, quad: Corners) -> None:
    """Warp a texture into its place on the canvas, edges and strokes anti-aliased."""
    longest = max(float(np.linalg.norm(quad[1] - quad[0])), float(np.linalg.norm(quad[2] - quad[3])), 1.0)
    shrink = min(1.0, longest * 1.5 / texture.shape[1])
    if shrink < 1:
        size = (max(4, round(texture.shape[1] * shrink)), max(4, round(texture.shape[0] * shrink)))
        texture = cv2.resize(texture, size, interpolation=cv2.INTER_AREA)
    height, width = texture.shape[:2]
    matrix = cv2.getPerspectiveTransform(
        np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32) - np.float32(0.5),
        quad.astype(np.float32) - np.float32(0.5),
    )
    size = (canvas.shape[1], canvas.shape[0])
    warped = cv2.warpPerspective(texture, matrix, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    cover = np.zeros(canvas.shape[:2], np.uint8)
    cv2.fillConvexPoly(cover, np.rint(quad * 16 - 8).astype(np.int32), 255, cv2.LINE_AA, shift=4)
    alpha = cover[..., None].astype(np.float32) / 255
    canvas[:] = (canvas * (1 - alpha) + warped * alpha).astype(np.uint8)


def light(rng: np.random.Generator, image_bgr: ImageBgr) -> ImageBgr:
    """Daylight to dusk, colour cast, a shadow's edge or a glare."""
    height, width = image_bgr.shape[:2]
    values = image_bgr.astype(np.float32) * rng.uniform(0.3, 1.1)
    if rng.random() < 0.3:
        values *= rng.uniform(0.7, 1.3, 3).astype(np.float32)
    if rng.random() < 0.25:
        angle, reach = rng.uniform(0, 2 * np.pi), rng.uniform(-0.4, 0.4)
        across = np.cos(angle) * np.linspace(-1, 1, width)[None] + np.sin(angle) * np.linspace(-1, 1, height)[:, None]
        values *= np.where(across > reach, 1, rng.uniform(0.35, 0.8)).astype(np.float32)[..., None]
    if rng.random() < 0.12:
        rows, columns = np.mgrid[:height, :width].astype(np.float32)
        centre, spread = rng.uniform((0, 0), (width, height)), rng.uniform(0.1, 0.5) * max(height, 8)
        spot = np.exp(-((columns - centre[0]) ** 2 + (rows - centre[1]) ** 2) / (2 * spread**2))
        values += (rng.uniform(60, 220) * spot)[..., None].astype(np.float32)
    offset = rng.uniform(0, 40) if rng.random() < 0.3 else 0
    return np.clip(values * (1 - offset / 255) + offset, 0, 255).astype(np.uint8)


def degrade(rng: np.random.Generator, image_bgr: ImageBgr, strength: float = 1.0) -> ImageBgr:
    """Defocus, motion blur, coarse pixels, sensor noise, sharpening and JPEG.

    Blur grows with `strength`, which is 1 for lines 24 px high.
    """
    if rng.random() < _COARSE_SHARE:
        image_bgr = _coarsen(rng, image_bgr)
    if rng.random() < 0.7:
        sigma = float(rng.uniform(0.2, 1.15)) * max(0.5, min(strength, 2.0))
        image_bgr = cv2.GaussianBlur(image_bgr, (0, 0), sigma)
    if rng.random() < 0.12:
        image_bgr = _smear(rng, image_bgr, float(rng.uniform(1.5, 4.5)) * min(strength, 2.0))
    values = image_bgr.astype(np.float32)
    if rng.random() < 0.2:
        values += (values - cv2.GaussianBlur(values, (0, 0), 1.2)) * rng.uniform(0.5, 2)
    if rng.random() < 0.7:
        noise = rng.standard_normal(values.shape[:2], np.float32) * rng.uniform(1, 8)
        values += noise[..., None]
    image_bgr = np.clip(values, 0, 255).astype(np.uint8)
    if rng.random() < 0.7:
        quality = int(rng.integers(35, 95))
        image_bgr = cv2.imdecode(cv2.imencode(".jpg", image_bgr, (cv2.IMWRITE_JPEG_QUALITY, quality))[1], 1)
    return image_bgr


def _coarsen(rng: np.random.Generator, image_bgr: ImageBgr) -> ImageBgr:
    """The picture at fewer pixels, and back, without smoothing: like carelessly scaled pictures."""
    height, width = image_bgr.shape[:2]
    scale = rng.uniform(0.6, 0.95)
    how = cv2.INTER_NEAREST if rng.random() < 0.5 else cv2.INTER_LINEAR
    small = cv2.resize(image_bgr, (max(4, round(width * scale)), max(4, round(height * scale))), interpolation=how)
    return np.asarray(cv2.resize(small, (width, height), interpolation=cv2.INTER_NEAREST), np.uint8)


def _smear(rng: np.random.Generator, image_bgr: ImageBgr, length_px: float) -> ImageBgr:
    size = int(length_px) * 2 + 1
    kernel: NDArray[np.float32] = np.zeros((size, size), np.float32)
    angle, middle = rng.uniform(0, np.pi), size // 2
    reach = np.array([np.cos(angle), np.sin(angle)]) * length_px / 2
    first, last = (tuple(round(float(middle + sign * value)) for value in reach) for sign in (-1, 1))
    cv2.line(kernel, first, last, 1.0, 1, cv2.LINE_AA)
    return np.asarray(cv2.filter2D(image_bgr, -1, kernel / kernel.sum()), np.uint8)


def surface(rng: np.random.Generator, width: int, height: int) -> ImageBgr:
    """What is around a plate: bumper, frame, shade, or clutter."""
    coarse = rng.integers(0, 256, (int(rng.integers(1, 5)), int(rng.integers(1, 5)), 3)).astype(np.float32)
    coarse = coarse.mean(axis=2, keepdims=True) * 0.7 + coarse * 0.3
    if rng.random() < 0.5:
        coarse *= 0.3
    how = cv2.INTER_NEAREST if rng.random() < 0.3 else cv2.INTER_CUBIC
    return (
        np.clip(cv2.resize(coarse, (width, height), interpolation=how), 0, 255)
        .reshape(height, width, 3)
        .astype(np.uint8)
    )
