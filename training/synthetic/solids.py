"""Solids of flat faces: shells around outlines, boxes, discs and the details painted on them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from training.synthetic.camera import Points

Colour = tuple[int, int, int]
"""Blue, green, red."""

Row = tuple[float, float]
"""A level of a shell: the share of its height and the factor on its outline."""

FRONT, REAR, LEFT, RIGHT = (0.0, 0.0, 1.0), (0.0, 0.0, -1.0), (-1.0, 0.0, 0.0), (1.0, 0.0, 0.0)


@dataclass(frozen=True, slots=True)
class Surface:
    """What a face is made of."""

    colour: Colour
    shine: float = 0.0
    lamp: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Mesh:
    """Faces ready to be placed and drawn; face k has the points from `starts[k]` to `starts[k + 1]`."""

    points: Points
    starts: NDArray[np.int64]
    normals: Points
    colours: NDArray[np.float64]
    shine: NDArray[np.float64]
    lamps: NDArray[np.bool_]
    layers: NDArray[np.int64]
    """Drawn from the lowest to the highest, in each from far to near."""


def outline(
    half_width: float, half_length: float, squareness: float = 5.0, middle_z: float = 0.0, points: int = 32
) -> Points:
    """A superellipse (points, 2) of x and z that starts in front and is symmetric: point k mirrors point -k."""
    angles = np.arange(points) * (2 * np.pi / points)
    power = 2 / squareness
    x = half_width * np.sign(np.sin(angles)) * np.abs(np.sin(angles)) ** power
    z = half_length * np.sign(np.cos(angles)) * np.abs(np.cos(angles)) ** power
    return np.stack([x, z + middle_z], 1)


@dataclass(frozen=True, slots=True, eq=False)
class _Batch:
    """Polygons of equally many points."""

    polygons: Points
    """(n, k, 3)."""
    facings: Points
    """(n, 3)."""
    surfaces: Sequence[Surface]
    layer: int


@dataclass(slots=True)
class MeshBuilder:
    """Collects faces; `build` makes the mesh of them."""

    _batches: list[_Batch] = field(default_factory=list)

    def add(self, points: Points, surface: Surface, facing: Sequence[float] | Points, layer: int = 0) -> None:
        """Add a convex polygon (k, 3) that is seen from the side `facing` points to."""
        self._batches.append(_Batch(points[None], np.array([facing]), (surface,), layer))

    def shell(
        self,
        bottom: Points,
        top: Points,
        heights: tuple[float, Points | float],
        rows: Sequence[Row],
        surface_of: Callable[[int, Sequence[float]], Surface],
        cap: Surface,
        layer: int = 0,
        crown: float = 0.03,
    ) -> None:
        """Raise walls from one outline to another and close them with a crowned cap.

        `heights` are the bottom's and the top's, the latter one number or one a point; `surface_of(row, middle)`
        gives the material of a wall's face.
        """
        middle = np.array([0.0, bottom[:, 1].mean()])
        levels = np.empty((len(rows), len(bottom), 3))
        for level, (share, factor) in zip(levels, rows, strict=True):
            level[:, ::2] = (bottom + (top - bottom) * share - middle) * factor + middle
            level[:, 1] = heights[0] + (np.asarray(heights[1]) - heights[0]) * share
        beside = np.roll(levels, -1, 1)
        quads = np.stack([levels[:-1], beside[:-1], beside[1:], levels[1:]], 2)
        middles = quads.mean(2)
        surfaces = [surface_of(row, point) for row, points in enumerate(middles.tolist()) for point in points]
        facings = (middles - [0.0, heights[0], middle[1]]) * [1, 0.2, 1]
        self._batches.append(_Batch(quads.reshape(-1, 4, 3), facings.reshape(-1, 3), surfaces, layer))
        self._cap(levels[-1], cap, layer, crown)

    def _cap(self, rim: Points, surface: Surface, layer: int, crown: float) -> None:
        across = np.linspace(0, 1, 7)[:, None, None]
        half = np.arange(len(rim) // 2 + 1)
        ribs = rim[half] + (rim[-half] - rim[half]) * across
        ribs[..., 1] += crown * (1 - (2 * across[..., 0] - 1) ** 2)
        quads = np.stack([ribs[:-1, :-1], ribs[1:, :-1], ribs[1:, 1:], ribs[:-1, 1:]], 2).reshape(-1, 4, 3)
        up = np.broadcast_to([0.0, 1.0, 0.0], (len(quads), 3))
        self._batches.append(_Batch(quads, up, (surface,) * len(quads), layer))

    def box(self, centre: Sequence[float], size: Sequence[float], surface: Surface, layer: int = 0) -> None:
        """Add a box of `size` (x, y, z) metres around `centre`."""
        quads = _UNIT_BOX * (np.asarray(size) / 2) + np.asarray(centre)
        self._batches.append(_Batch(quads, _UNIT_BOX.mean(1), (surface,) * 6, layer))

    def disc(
        self, centre: Sequence[float], radius: float, surface: Surface, facing: Sequence[float], layer: int = 0
    ) -> None:
        """Add a round face along the x or the z axis."""
        angles = np.linspace(0, 2 * np.pi, 16, endpoint=False)
        points = np.tile(np.asarray(centre, np.float64), (16, 1))
        points[:, 2 if facing[0] else 0] += radius * np.cos(angles)
        points[:, 1] += radius * np.sin(angles)
        self.add(points, surface, facing, layer)

    def build(self) -> Mesh:
        """Compute normals and pack the faces."""
        batches = self._batches
        sizes = np.concatenate([np.full(len(batch.polygons), batch.polygons.shape[1]) for batch in batches])
        starts = np.concatenate([[0], np.cumsum(sizes)])
        points = np.concatenate([batch.polygons.reshape(-1, 3) for batch in batches])
        first, second, third, fourth = (points[starts[:-1] + sizes * k // 4] for k in range(4))
        normals = np.cross(third - first, fourth - second)
        normals /= np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-9)
        facings = np.concatenate([batch.facings for batch in batches])
        normals *= np.where((normals * facings).sum(1, keepdims=True) < 0, -1.0, 1.0)
        surfaces = [surface for batch in batches for surface in batch.surfaces]
        layers = np.concatenate([np.full(len(batch.polygons), batch.layer) for batch in batches])
        return Mesh(
            points,
            starts,
            normals,
            np.array([surface.colour for surface in surfaces], np.float64),
            np.array([surface.shine for surface in surfaces]),
            np.array([surface.lamp for surface in surfaces]),
            layers,
        )


def _unit_box() -> Points:
    square = np.array([[-1.0, -1.0], [1.0, -1.0], [1.0, 1.0], [-1.0, 1.0]])
    return np.stack([np.insert(square, axis, sign, axis=1) for axis in range(3) for sign in (-1.0, 1.0)])


_UNIT_BOX = _unit_box()
"""(6, 4, 3): the faces of a cube from -1 to 1."""
