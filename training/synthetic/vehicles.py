"""Vehicles as solids with places for their plates: local z is the way they drive, y = 0 the road."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import cos, sin

import numpy as np

from edge_app.records import ImageBgr
from training.synthetic.camera import Points
from training.synthetic.solids import FRONT, REAR, Colour, Mesh, Surface

PAINTS: tuple[Colour, ...] = (
    (236, 236, 234), (236, 236, 234), (188, 190, 192), (120, 122, 124), (45, 44, 44), (30, 28, 150), (130, 60, 25),
    (70, 42, 30), (40, 60, 105), (160, 190, 205), (60, 90, 50), (30, 105, 215), (175, 120, 60), (85, 85, 160),
)  # fmt: skip

GLASS = Surface((38, 34, 30), 0.75)
BLACK = Surface((28, 28, 29), 0.08)
RUBBER = Surface((22, 22, 22))
CHROME = Surface((190, 190, 192), 0.5)
RED_LAMP = Surface((38, 30, 185), 0.3, lamp=True)
HEADLAMP = Surface((225, 222, 215), 0.5, lamp=True)
AMBER = Surface((30, 120, 235), 0.3)


@dataclass(frozen=True, slots=True)
class Mount:
    """The place of a plate."""

    centre: tuple[float, float, float]
    rear: bool
    width: float
    """Metres across the plate."""
    two_lines: bool
    tilt: float = 0.0
    """Radians; positive faces up."""
    max_height: float = 0.24
    """Metres; a plate of another shape is made narrower rather than higher."""


@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    """A flat picture fixed to a vehicle: lettering, a sticker, a plate."""

    image_bgr: ImageBgr
    corners: Points
    """(4, 3) in metres, clockwise from its top left as seen from before it."""


@dataclass(frozen=True, slots=True)
class Lamp:
    """A point that shines at night towards its front or rear."""

    at: tuple[float, float, float]
    rear: bool
    colour: Colour = (235, 245, 255)


@dataclass(frozen=True, slots=True, eq=False)
class Vehicle:
    """A vehicle, in its own coordinates or placed in the world."""

    kind: str
    mesh: Mesh
    mounts: tuple[Mount, ...]
    lamps: tuple[Lamp, ...]
    size: tuple[float, float, float]
    """Width, height, length in metres."""
    pictures: tuple[Picture, ...] = ()

    def with_pictures(self, pictures: Sequence[Picture]) -> "Vehicle":
        """The same vehicle with more pictures on it."""
        return replace(self, pictures=(*self.pictures, *pictures))


@dataclass(frozen=True, slots=True)
class Pose:
    """Place and direction of a vehicle: `heading` 0 drives away from the camera."""

    x: float
    z: float
    heading: float

    def place(self, points: Points) -> Points:
        """Local points (…, 3) in the world."""
        return np.add(self.turn(points), (self.x, 0.0, self.z))

    def turn(self, directions: Points) -> Points:
        """Local directions (…, 3) in the world."""
        across, along = directions[..., 0], directions[..., 2]
        x = across * cos(self.heading) + along * sin(self.heading)
        z = along * cos(self.heading) - across * sin(self.heading)
        return np.stack([x, directions[..., 1], z], -1)

    def place_mesh(self, mesh: Mesh) -> Mesh:
        """A local mesh in the world."""
        return replace(mesh, points=self.place(mesh.points), normals=self.turn(mesh.normals))


def mounted(mount: Mount, image_bgr: ImageBgr) -> Points:
    """Local corners (4, 3) of a plate of this picture's shape on a mount."""
    aspect = image_bgr.shape[1] / image_bgr.shape[0]
    width = min(mount.width, mount.max_height * aspect)
    half, rise = width / 2, width / aspect / 2
    side, out = (1.0, -1.0) if mount.rear else (-1.0, 1.0)
    lean = np.array([0.0, cos(mount.tilt), -sin(mount.tilt) * out]) * rise
    across = np.array([side * half, 0.0, 0.0])
    centre = np.add(mount.centre, (0.0, 0.0, out * 0.02))
    return np.stack([centre - across + lean, centre + across + lean, centre + across - lean, centre - across - lean])


def facing(rear: bool) -> tuple[float, float, float]:
    """The local direction that a front or a rear faces."""
    return REAR if rear else FRONT


def patch(x: float, y: float, width: float, height: float) -> Points:
    """A rectangle (4, 2) of x and y around a point."""
    return np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) * [width / 2, height / 2] + [x, y]


def mirrored(points: Points) -> Points:
    """Points (k, 2) on the other side of the vehicle's middle."""
    return np.asarray(points * [-1.0, 1.0])
