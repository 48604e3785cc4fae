"""What lens, sensor and compression do to a picture."""

from dataclasses import dataclass

import cv2
import numpy as np

from edge_app.records import ImageBgr
from training.synthetic.solids import Colour
from training.synthetic.textures import Tile, sensor_noise


@dataclass(frozen=True, slots=True)
class CameraEffects:
    """How good a camera is."""

    gain: tuple[float, float, float] = (1.0, 1.0, 1.0)
    """Exposure and white balance: factors on blue, green, red."""
    gamma: float = 1.0
    blur_px: float = 0.4
    """Standard deviation of the lens's blur."""
    motion_px: float = 0.0
    motion_angle: float = 0.0
    noise: float = 2.0
    """Standard deviation in levels of 255 at middle grey."""
    vignette: float = 0.1
    haze: float = 0.0
    jpeg_quality: int | None = None

    @classmethod
    def random(cls, rng: np.random.Generator, darkness: float) -> "CameraEffects":
        """Any camera from good to poor; the darker, the noisier."""
        exposure = float(np.exp(rng.normal(0.05, 0.25))) * (1 + 1.2 * darkness * rng.random())
        tint = np.exp(rng.normal(0, 0.06, 3)) * exposure
        return cls(
            gain=(float(tint[0]), float(tint[1]), float(tint[2])),
            gamma=float(rng.uniform(0.75, 1.25)),
            blur_px=float(rng.choice((0.0, rng.uniform(0.3, 0.8), rng.uniform(0.6, 1.6)), p=(0.35, 0.45, 0.2))),
            motion_px=float(rng.uniform(1.5, 5)) if rng.random() < 0.15 else 0.0,
            motion_angle=float(rng.uniform(0, np.pi)),
            noise=float(rng.uniform(0, 5) + darkness * rng.uniform(0, 9)),
            vignette=float(rng.uniform(0, 0.35)) if rng.random() < 0.5 else 0.0,
            haze=float(rng.uniform(0, 0.3)) if rng.random() < 0.2 else 0.0,
            jpeg_quality=int(rng.integers(30, 96)) if rng.random() < 0.7 else None,
        )

    def apply(self, rng: np.random.Generator, image_bgr: ImageBgr) -> ImageBgr:
        """The picture as this camera delivers it."""
        if self.blur_px > 0.2:
            image_bgr = cv2.GaussianBlur(image_bgr, (0, 0), self.blur_px)
        if self.motion_px:
            image_bgr = _smear(image_bgr, self.motion_px, self.motion_angle)
        image_bgr = cv2.merge(
            [cv2.LUT(plane, curve) for plane, curve in zip(cv2.split(image_bgr), self._curves(), strict=True)]
        )
        if self.vignette:
            image_bgr = _darken_corners(image_bgr, self.vignette)
        if self.noise > 0.3:
            image_bgr = _add_noise(rng, image_bgr, self.noise)
        if self.jpeg_quality is not None:
            coded = cv2.imencode(".jpg", image_bgr, (cv2.IMWRITE_JPEG_QUALITY, self.jpeg_quality))[1]
            image_bgr = cv2.imdecode(coded, cv2.IMREAD_COLOR)
        return image_bgr

    def _curves(self) -> list[np.ndarray]:
        levels = np.arange(256) / 255
        tones = [(1 - self.haze) * (levels * gain).clip(0, 1) ** self.gamma + self.haze * 0.8 for gain in self.gain]
        return [np.clip(tone * 255, 0, 255).astype(np.uint8) for tone in tones]


def _smear(image_bgr: ImageBgr, length_px: float, angle: float) -> ImageBgr:
    size = int(length_px) * 2 + 3
    middle = size // 2
    reach = np.array([np.cos(angle), np.sin(angle)]) * length_px / 2
    ends = [np.round((middle + sign * reach) * 16).astype(int).tolist() for sign in (-1, 1)]
    kernel = np.zeros((size, size), np.float32)
    cv2.line(kernel, ends[0], ends[1], 1.0, 1, cv2.LINE_AA, 4)
    return np.asarray(cv2.filter2D(image_bgr, -1, kernel / kernel.sum()), np.uint8)


def _darken_corners(image_bgr: ImageBgr, strength: float) -> ImageBgr:
    height, width = image_bgr.shape[:2]
    across, down = np.linspace(-1, 1, width, dtype=np.float32), np.linspace(-1, 1, height, dtype=np.float32)
    shade = 255 * (1 - strength * (across[None] ** 2 + down[:, None] ** 2) / 2)
    return np.asarray(
        cv2.multiply(image_bgr, cv2.cvtColor(shade.astype(np.uint8), cv2.COLOR_GRAY2BGR), scale=1 / 255), np.uint8
    )


def _add_noise(rng: np.random.Generator, image_bgr: ImageBgr, deviation: float) -> ImageBgr:
    """Noise that is partly common to the three colours, as a sensor behind a Bayer filter gives it."""
    height, width = image_bgr.shape[:2]
    common = _cut(rng, height, width)
    tints = [cv2.resize(_cut(rng, height // 2, width // 2), (width, height)) for _ in range(3)]
    planes = [cv2.addWeighted(common, deviation, tint, deviation * 0.7, 0) for tint in tints]
    return np.asarray(cv2.add(image_bgr, cv2.merge(planes), dtype=cv2.CV_8U), np.uint8)


def _cut(rng: np.random.Generator, height: int, width: int) -> Tile:
    pool = sensor_noise()
    top, left = rng.integers(0, (pool.shape[0] - height, pool.shape[1] - width))
    return pool[top : top + height, left : left + width]


def add_glow(
    image_bgr: ImageBgr, centre: tuple[float, float], radius_px: float, colour: Colour, strength: float
) -> None:
    """Add the halo of a lamp, in place."""
    reach = int(radius_px * 3) + 1
    height, width = image_bgr.shape[:2]
    left, right = max(0, int(centre[0]) - reach), min(width, int(centre[0]) + reach)
    top, bottom = max(0, int(centre[1]) - reach), min(height, int(centre[1]) + reach)
    if left >= right or top >= bottom:
        return
    x, y = np.arange(left, right) - centre[0], np.arange(top, bottom) - centre[1]
    halo = np.exp(-np.sqrt(x[None] ** 2 + y[:, None] ** 2 + 1e-6) / (radius_px * 0.55)) * strength
    field = image_bgr[top:bottom, left:right]
    field[:] = np.clip(field + halo[..., None] * np.array(colour), 0, 255).astype(np.uint8)
