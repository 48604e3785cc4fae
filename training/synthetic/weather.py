"""Rain, headlamps on a dark road, infrared light and a shaking mast: what happens between road and sensor."""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_app.records import ImageBgr
from training.synthetic.camera import NEAR_METRES, PinholeCamera, Points
from training.synthetic.traffic import Actor

_POOL_SHRINK = 4
_POOL_UNIT = 100


@dataclass(frozen=True, slots=True, eq=False)
class Rain:
    """Streaks that fall, and drops on the glass that stay."""

    drops: Points
    """(n, 3): x, y and radius in pixels."""
    streaks: int
    slant: float

    @classmethod
    def random(cls, rng: np.random.Generator, size: tuple[int, int]) -> "Rain":
        """Some rain."""
        drops = rng.uniform((0, 0, size[0] / 260), (*size, size[0] / 90), (int(rng.integers(4, 14)), 3))
        return cls(drops, int(rng.integers(250, 700)), float(rng.uniform(-0.2, 0.2)))

    def fall(self, rng: np.random.Generator, image_bgr: ImageBgr) -> ImageBgr:
        """The picture seen through rain."""
        height, width = image_bgr.shape[:2]
        layer = np.zeros((height, width), np.uint8)
        heads = rng.uniform((-50, -60), (width + 50, height), (self.streaks, 2))
        lengths = rng.gamma(3.0, height / 130, self.streaks)
        for (x, y), length, level in zip(heads, lengths, rng.integers(25, 95, self.streaks), strict=True):
            tail = (round(x + self.slant * length), round(y + length))
            cv2.line(layer, (round(x), round(y)), tail, int(level), 1, cv2.LINE_AA)
        grey = cv2.cvtColor(cv2.GaussianBlur(layer, (0, 0), 0.7), cv2.COLOR_GRAY2BGR)
        wet = np.asarray(cv2.add(image_bgr, grey), np.uint8)
        soft = cv2.GaussianBlur(wet, (0, 0), width / 160)
        cover = np.zeros((height, width), np.uint8)
        for x, y, radius in self.drops:
            cv2.circle(cover, (round(x), round(y)), round(radius), 255, -1, cv2.LINE_AA)
        share = cv2.GaussianBlur(cover, (0, 0), width / 500)[..., None] / np.float32(255)
        return np.asarray(wet * (1 - share) + np.minimum(soft * 1.08, 255) * share, np.uint8)


def light_road(image_bgr: ImageBgr, camera: PinholeCamera, actors: Sequence[Actor], darkness: float) -> ImageBgr:
    """Brighten the road in front of headlamps, in place."""
    size = camera.height // _POOL_SHRINK, camera.width // _POOL_SHRINK
    pool = np.full(size, _POOL_UNIT, np.uint8)
    for actor in actors:
        half_x, half_z = actor.vehicle.size[0] / 2, actor.vehicle.size[2] / 2
        for reach, level in ((13.0, 118), (9.0, 140), (5.5, 165)):
            beam = np.array([[-half_x, 0, half_z], [half_x, 0, half_z], [half_x + 1, 0, half_z + reach]])
            beam = np.vstack([beam, [[-half_x - 1, 0, half_z + reach]]])
            pixels, depths = camera.project(actor.pose.place(beam))
            if depths.min() > NEAR_METRES:
                corners = np.clip(pixels / _POOL_SHRINK, -4000, 4000)
                cv2.fillConvexPoly(pool, np.round(corners).astype(np.int32), level)
    soft = cv2.GaussianBlur(pool, (0, 0), size[1] / 70)
    lit = _POOL_UNIT + (soft.astype(np.float32) - _POOL_UNIT) * darkness
    wide = cv2.cvtColor(cv2.resize(lit.astype(np.uint8), image_bgr.shape[1::-1]), cv2.COLOR_GRAY2BGR)
    return np.asarray(cv2.multiply(image_bgr, wide, image_bgr, 1 / _POOL_UNIT), np.uint8)


def spotlight(camera: PinholeCamera, reach_metres: float) -> NDArray[np.float32]:
    """How much light (height, width, 1) a lamp beside the camera throws on what each pixel shows, 1 near by."""
    _, _, distance = camera.ground_map()
    across = np.linspace(-1, 1, camera.width, dtype=np.float32)[None]
    down = np.linspace(-1, 1, camera.height, dtype=np.float32)[:, None]
    beam = np.exp(-(across**2 * 0.55 + (down - 0.15) ** 2 * 0.5))
    fall = 1 / (1 + (np.minimum(distance, 400) / reach_metres) ** 2)
    return np.asarray((0.12 + 0.88 * fall) * beam, np.float32)[..., None]


def infrared(image_bgr: ImageBgr, lamp: NDArray[np.float32]) -> ImageBgr:
    """The picture of a camera behind an infrared filter: grey, lit by its own lamp alone."""
    gray = cv2.cvtColor(image_bgr, cv2.COLOR_BGR2GRAY)[..., None]
    lit = np.clip(gray * (0.35 + 1.5 * lamp), 0, 255).astype(np.uint8)
    return np.asarray(cv2.cvtColor(lit, cv2.COLOR_GRAY2BGR), np.uint8)


@dataclass(frozen=True, slots=True)
class Shake:
    """A mast in the wind, and the lorries that make it tremble."""

    sway_px: float
    sway_hertz: float
    tremble_px: float
    tremble_hertz: float
    roll: float
    """Radians at the most."""
    phase: float

    def at(self, seconds: float, size: tuple[int, int]) -> Points:
        """The affine map (2, 3) of the still picture's pixels onto the shaken one's."""
        slow, fast = (2 * np.pi * hertz * seconds + self.phase for hertz in (self.sway_hertz, self.tremble_hertz))
        right = self.sway_px * np.sin(slow) + self.tremble_px * np.sin(fast * 1.13)
        down = 0.5 * self.sway_px * np.sin(slow * 1.37 + 1) + self.tremble_px * np.sin(fast)
        angle = self.roll * np.sin(slow * 0.77)
        turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        middle = np.array(size) / 2
        return np.column_stack([turn, middle - turn @ middle + [right, down]])
