"""Auto-rickshaws and motorcycles with their riders."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from training.synthetic.other_vehicles import detail, lamp_pairs, wheels
from training.synthetic.solids import Colour, MeshBuilder, Surface, outline
from training.synthetic.vehicles import (
    BLACK,
    CHROME,
    GLASS,
    HEADLAMP,
    PAINTS,
    RED_LAMP,
    RUBBER,
    Lamp,
    Mount,
    Vehicle,
    patch,
)

_SKIN = Surface((70, 100, 150))


def rickshaw(rng: np.random.Generator, paint: Colour | None = None) -> Vehicle:
    """A three-wheeled auto-rickshaw: painted body, dark canopy, one headlamp."""
    mesh = MeshBuilder()
    half_x, half_z, height = 0.66, 1.32, 1.72
    body = Surface(paint or ((20, 190, 235), (60, 130, 40), (35, 170, 230))[rng.integers(3)], 0.25)
    canopy = Surface(((30, 30, 30), (20, 170, 225), (50, 95, 40))[rng.integers(3)], 0.08)
    foot = outline(half_x, half_z, 4.0)
    foot[:, 0] *= np.interp(foot[:, 1], [0.2, half_z], [1.0, 0.72])
    mesh.shell(
        foot,
        foot,
        (0.25, 0.92),
        ((0, 0.95), (0.2, 1), (0.8, 1), (1, 0.95)),
        lambda row, _: body if row else BLACK,
        body,
    )
    rim = outline(half_x * 0.97, half_z * 0.86, 6.0, -0.14)
    roof = outline(half_x * 0.86, half_z * 0.72, 6.0, -0.22)

    def canopy_surface(row: int, middle: Sequence[float]) -> Surface:
        before = middle[2] > half_z * 0.25 and abs(middle[0]) < half_x * 0.82
        return GLASS if before and row == 1 else (body if row == 0 else canopy)

    mesh.shell(
        rim,
        roof,
        (0.9, height - 0.05),
        ((0, 1), (0.06, 1), (0.75, 1), (1, 0.96)),
        canopy_surface,
        canopy,
        1,
        crown=0.06,
    )
    front, rear = half_z + 0.01, -half_z - 0.01
    wheels(mesh, half_x * 0.95, (-half_z * 0.6,), 0.26, 0.14)
    mesh.box((0, 0.2, half_z * 0.75), (0.12, 0.4, 0.4), RUBBER, -1)
    detail(mesh, patch(0, 0.74, 0.2, 0.2), front, BLACK, 4)
    mesh.disc((0, 0.74, front + 0.01), 0.085, HEADLAMP, (0, 0, 1), 5)
    detail(mesh, patch(0.34, 0.7, 0.09, 0.07), front, Surface((30, 120, 235), 0.3), both=True)
    detail(mesh, patch(0, 1.25, 0.9, 0.32), -half_z * 0.9, GLASS, 3)
    detail(mesh, patch(0, 0.3, 1.1, 0.08), rear, BLACK, 3)
    detail(mesh, patch(0.5, 0.55, 0.13, 0.2), rear, RED_LAMP, both=True)
    detail(mesh, patch(0, 0.85, 1.1, 0.03), rear, BLACK, 3)
    mounts = (
        Mount((0, 0.47, half_z), False, 0.34, True, 0.1, 0.2),
        Mount((0, 0.58, -half_z), True, 0.34, True, 0.0, 0.2),
    )
    lamps = (Lamp((0, 0.74, half_z), False), *lamp_pairs(0.0, 0.74, half_z, 0.5, 0.55)[2:])
    return Vehicle("rickshaw", mesh.build(), mounts, lamps, (2 * half_x, height, 2 * half_z))


def motorcycle(rng: np.random.Generator, paint: Colour | None = None) -> Vehicle:
    """A motorcycle or scooter with its rider."""
    mesh = MeshBuilder()
    body = Surface(paint or PAINTS[rng.integers(len(PAINTS))], 0.4)
    for z in (0.66, -0.62):
        mesh.box((0, 0.29, z), (0.12, 0.58, 0.5), RUBBER, 0)
        mesh.box((0, 0.5, z), (0.15, 0.2, 0.5), BLACK, 0)
    mesh.box((0, 0.6, 0), (0.3, 0.4, 0.9), body, 0)
    mesh.box((0, 0.83, -0.35), (0.27, 0.12, 0.8), BLACK, 0)
    mesh.box((0, 0.72, -0.72), (0.24, 0.16, 0.2), body, 0)
    mesh.box((0.2, 0.36, -0.4), (0.1, 0.11, 0.6), CHROME, 0)
    mesh.box((0, 0.88, 0.55), (0.26, 0.26, 0.18), body, 1)
    mesh.disc((0, 0.88, 0.65), 0.09, HEADLAMP, (0, 0, 1), 3)
    mesh.box((0, 1.02, 0.42), (0.72, 0.05, 0.05), BLACK, 1)
    for side in (-1, 1):
        mesh.box((side * 0.36, 1.17, 0.42), (0.14, 0.09, 0.04), BLACK, 1)
        detail(mesh, patch(side * 0.19, 0.76, 0.07, 0.06), -0.83, Surface((30, 120, 235), 0.3))
    detail(mesh, patch(0, 0.78, 0.2, 0.08), -0.83, RED_LAMP)
    _rider(rng, mesh)
    mesh.box((0, 0.56, -0.84), (0.2, 0.22, 0.02), BLACK, 2)
    mounts = (
        Mount((0, 0.66, 0.92), False, 0.28, rng.random() < 0.6, 0.25, 0.17),
        Mount((0, 0.56, -0.86), True, 0.34, True, 0.12, 0.2),
    )
    lamps = (Lamp((0, 0.88, 0.66), False), Lamp((0, 0.78, -0.84), True, (40, 30, 255)))
    return Vehicle("motorcycle", mesh.build(), mounts, lamps, (0.75, 1.72, 1.9))


def _rider(rng: np.random.Generator, mesh: MeshBuilder) -> None:
    shirt, trousers = _cloth(rng, 220), _cloth(rng, 90)
    hips, shoulders = outline(0.19, 0.13, 2.6, -0.2, 16), outline(0.22, 0.12, 2.6, -0.05, 16)
    rows = ((0, 0.9), (0.3, 0.95), (0.75, 1.0), (0.92, 0.9), (1.0, 0.6))
    mesh.shell(hips, shoulders, (0.84, 1.46), rows, lambda *_: shirt, shirt, 1, 0.03)
    for side in (-1, 1):
        _limb(mesh, (side * 0.15, 0.9, -0.15), (side * 0.25, 0.72, 0.25), 0.09, trousers)
        _limb(mesh, (side * 0.25, 0.72, 0.25), (side * 0.2, 0.34, 0.0), 0.07, trousers)
        _limb(mesh, (side * 0.23, 1.36, -0.05), (side * 0.33, 1.12, 0.1), 0.055, shirt)
        _limb(mesh, (side * 0.33, 1.12, 0.1), (side * 0.32, 1.04, 0.4), 0.045, _SKIN)
    helmet = Surface(PAINTS[rng.integers(len(PAINTS))], 0.4)
    head = outline(0.125, 0.14, 2.2, points=16)
    mesh.shell(
        head,
        head,
        (1.46, 1.74),
        ((0, 0.6), (0.15, 0.85), (0.4, 1), (0.65, 0.98), (0.85, 0.75), (1, 0.35)),
        lambda row, middle: GLASS if row in (1, 2) and middle[2] > 0.06 else helmet,
        helmet,
        2,
        0.02,
    )


def _cloth(rng: np.random.Generator, lightest: int) -> Surface:
    blue, green, red = rng.integers(20, lightest, 3).tolist()
    return Surface((blue, green, red))


def _limb(
    mesh: MeshBuilder,
    start: tuple[float, float, float],
    end: tuple[float, float, float],
    radius: float,
    surface: Surface,
) -> None:
    first, last = np.array(start), np.array(end)
    along = (last - first) / np.linalg.norm(last - first)
    side = np.cross(along, [0.0, 0.0, 1.0] if abs(along[2]) < 0.9 else [0.0, 1.0, 0.0])
    side /= np.linalg.norm(side)
    other = np.cross(along, side)
    angles = np.linspace(0, 2 * np.pi, 7)
    ring = np.cos(angles)[:, None] * side + np.sin(angles)[:, None] * other
    for here, there in pairwise(ring):
        quad = np.stack([first + here * radius, first + there * radius, last + there * radius, last + here * radius])
        mesh.add(quad, surface, here + there, 1)
