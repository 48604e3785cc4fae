"""A road with its verges and the sky over it."""

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np

from training.synthetic.canvas import Canvas
from training.synthetic.light import Light
from training.synthetic.solids import Colour
from training.synthetic.textures import Tile, noise_tile

_UP = np.array([[0.0, 1.0, 0.0]])
_FAR_METRES = 400.0
_SKY_SHRINK = 4


@dataclass(frozen=True, slots=True)
class RoadStyle:
    """A straight road along z."""

    lanes: int = 2
    lane_width: float = 3.2
    centre: float = 0.0
    asphalt: Colour = (98, 98, 100)
    verge: Colour = (62, 112, 88)
    pavement: float = 1.8
    """Metres of pavement at each side, 0 for none."""
    marks: str = "dashed"
    """The line between lanes: dashed, solid, double or none."""
    edge_lines: bool = True
    worn: float = 0.25

    @property
    def half_width(self) -> float:
        """From the middle to the kerb, metres."""
        return self.lanes * self.lane_width / 2 + 0.35

    def lane_centres(self) -> list[float]:
        """World x of each lane from left to right."""
        return [self.centre + (lane - (self.lanes - 1) / 2) * self.lane_width for lane in range(self.lanes)]

    @classmethod
    def random(cls, rng: np.random.Generator) -> "RoadStyle":
        """Any road."""
        gray = int(rng.integers(60, 165))
        tint = rng.integers(-10, 10, 3)
        verges = ((62, 112, 88), (95, 140, 165), (110, 130, 150), (120, 120, 120), (60, 90, 70), (140, 175, 195))
        return cls(
            lanes=int(rng.integers(1, 5)),
            lane_width=float(rng.uniform(2.8, 3.6)),
            asphalt=(gray + int(tint[0]), gray + int(tint[1]), gray + int(tint[2])),
            verge=verges[rng.integers(len(verges))],
            pavement=float(rng.choice((0.0, 1.5, 2.5))),
            marks=str(rng.choice(("dashed", "solid", "double", "none"))),
            edge_lines=bool(rng.random() < 0.6),
            worn=float(rng.uniform(0.1, 0.7)),
        )


def draw_sky(canvas: Canvas, light: Light, cloud: float, shift: float = 0.0) -> None:
    """A gradient from the horizon up, with clouds, over the whole canvas."""
    height, width = canvas.camera.height // _SKY_SHRINK, canvas.camera.width // _SKY_SHRINK
    horizon = canvas.camera.horizon_px / _SKY_SHRINK
    rise = np.clip((horizon - np.arange(height)) / (0.7 * height), 0, 1)[:, None, None]
    sky = np.broadcast_to(light.horizon + (light.zenith - light.horizon) * rise**0.7, (height, width, 3)) * 255
    tile = noise_tile(11)
    stretched = cv2.resize(np.roll(tile, int(shift * 512), 1)[:170], (width, height))
    puffs = np.clip(stretched * 0.5 + cloud - 0.35, 0, 1)[..., None] * min(1.0, 0.25 + cloud)
    white = (light.horizon * 0.4 + light.ambient * 0.75) * 255
    picture = np.clip(sky * (1 - puffs) + white * puffs, 0, 255).astype(np.uint8)
    cv2.resize(picture, canvas.image_bgr.shape[1::-1], dst=canvas.image_bgr)


def draw_ground(canvas: Canvas, style: RoadStyle, light: Light) -> None:
    """Verges, pavements, asphalt and marks from the camera to the horizon."""
    lit = light.diffuse(_UP)[0]
    near = float(canvas.camera.position[2])

    def strip(left: float, right: float, colour: Colour, from_z: float = -20.0, to_z: float = _FAR_METRES) -> None:
        left, right = left + style.centre, right + style.centre
        corners = np.array(
            [[left, 0, near + from_z], [right, 0, near + from_z], [right, 0, near + to_z], [left, 0, near + to_z]]
        )
        canvas.polygon(corners, np.clip(np.array(colour) * lit, 0, 255))

    edge = style.half_width
    strip(-300, 300, style.verge, to_z=3000)
    if style.pavement:
        strip(-edge - style.pavement, edge + style.pavement, (150, 155, 158))
        strip(-edge - 0.15, edge + 0.15, (185, 190, 190))
    strip(-edge, edge, style.asphalt)
    _draw_marks(style, strip)
    _roughen(canvas, style)


def _draw_marks(style: RoadStyle, strip: Callable[..., None]) -> None:
    paint = tuple(int(a * style.worn + 225 * (1 - style.worn)) for a in style.asphalt)
    colour = (paint[0], paint[1], paint[2])
    if style.edge_lines:
        for side in (-1, 1):
            middle = side * (style.half_width - 0.3)
            strip(middle - 0.06, middle + 0.06, colour)
    for lane in range(1, style.lanes):
        x = (lane - style.lanes / 2) * style.lane_width
        if style.marks == "dashed":
            for z in np.arange(-1.5, 120, 6.0):
                strip(x - 0.06, x + 0.06, colour, float(z), float(z) + 3.0)
        elif style.marks != "none":
            for offset in (-0.12, 0.12) if style.marks == "double" else (0.0,):
                strip(x + offset - 0.06, x + offset + 0.06, colour)


def _roughen(canvas: Canvas, style: RoadStyle) -> None:
    """Grain, stains and wheel tracks on everything under the horizon."""
    x, z, distance = canvas.camera.ground_map()
    grain = _sample(noise_tile(3), x * 45, z * 45) * np.minimum(9 / distance, 1) * 0.09
    stains = _sample(noise_tile(8), x * 14, z * 5) * 0.05
    across = (x - style.centre) / style.lane_width + style.lanes / 2
    track = _TRACKS[np.clip((across % 1) * len(_TRACKS), 0, len(_TRACKS) - 1).astype(np.uint8)]
    track *= (across > 0) & (across < style.lanes)
    shade = np.where(np.isfinite(distance), (1 + grain + stains - track) * 200, 200)
    canvas.modulate(np.clip(shade, 0, 255).astype(np.uint8), 200)


_TRACKS = np.exp(-(((np.abs(np.linspace(-0.5, 0.5, 128, dtype=np.float32)) - 0.23) / 0.09) ** 2)) * np.float32(0.07)
"""How much wheels have darkened a lane, from its left to its right."""


def _sample(tile: Tile, x: Tile, y: Tile) -> Tile:
    return np.asarray(cv2.remap(tile, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_WRAP), np.float32)
