"""Lorries and buses."""

from itertools import pairwise

import numpy as np

from training.synthetic.camera import Points
from training.synthetic.solids import LEFT, RIGHT, Colour, MeshBuilder, Surface, outline
from training.synthetic.vehicles import (
    AMBER,
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
    facing,
    mirrored,
    patch,
)

_TAIL = (40, 30, 255)


def detail(mesh: MeshBuilder, points: Points, z: float, surface: Surface, layer: int = 4, both: bool = False) -> None:
    """Paint flat points (k, 2) on the upright plane at `z`: a front where positive, a rear where negative."""
    for flat in (points, mirrored(points)) if both else (points,):
        solid = np.column_stack([flat, np.full(len(flat), z)])
        mesh.add(solid, surface, facing(z < 0), layer)


def wheels(mesh: MeshBuilder, half_width: float, stations: tuple[float, ...], radius: float, width: float) -> None:
    """Add a wheel at both sides of each station along z."""
    for z in stations:
        for side in (-1, 1):
            x = side * (half_width - width / 2 - 0.02)
            mesh.box((x, radius * 0.75, z), (width, radius * 1.5, radius * 1.5), RUBBER, -1)
            out = RIGHT if side > 0 else LEFT
            face = side * (half_width + 0.01)
            mesh.disc((face, radius, z), radius, RUBBER, out, 3)
            mesh.disc((face, radius, z), radius * 0.55, Surface((120, 120, 125), 0.2), out, 4)


def _side_windows(
    mesh: MeshBuilder, half_width: float, z: tuple[float, float], y: tuple[float, float], count: int
) -> None:
    edges = np.linspace(*z, count + 1)
    for side, out in ((-1, LEFT), (1, RIGHT)):
        for near, far in pairwise(edges):
            x = side * (half_width + 0.01)
            corners = np.array(
                [[x, y[0], near + 0.06], [x, y[0], far - 0.06], [x, y[1], far - 0.06], [x, y[1], near + 0.06]]
            )
            mesh.add(corners, GLASS, out, 3)


def bus(rng: np.random.Generator, paint: Colour | None = None) -> Vehicle:
    """A city bus."""
    mesh = MeshBuilder()
    half_x, half_z, height = 1.22, float(rng.uniform(3.6, 5.0)), float(rng.uniform(2.8, 3.1))
    body = Surface(paint or PAINTS[rng.integers(len(PAINTS))], 0.25)
    band = Surface(PAINTS[rng.integers(len(PAINTS))], 0.2)
    foot = outline(half_x, half_z, 14)
    rows = ((0, 0.97), (0.1, 1.0), (0.33, 1.0), (0.4, 1.0), (0.78, 0.985), (1.0, 0.96))
    levels = (BLACK, body, band, body, body)
    mesh.shell(foot, foot, (0.3, height), rows, lambda row, _: levels[row], body, crown=0.05)
    wheels(mesh, half_x, (half_z * 0.62, -half_z * 0.5), 0.5, 0.28)
    _side_windows(mesh, half_x, (-half_z * 0.9, half_z * 0.85), (1.35, 2.2), 7)
    front, rear = half_z + 0.01, -half_z - 0.01
    detail(mesh, patch(0, 1.75, half_x * 1.8, 1.0), front, GLASS, 3)
    detail(mesh, patch(0, 1.75, 0.04, 1.0), front, BLACK)
    detail(mesh, patch(0, height - 0.35, half_x * 1.3, 0.26), front, BLACK)
    detail(mesh, patch(half_x * 0.74, 0.78, 0.34, 0.2), front, HEADLAMP, both=True)
    detail(mesh, patch(half_x * 0.74, 1.0, 0.2, 0.08), front, AMBER, both=True)
    detail(mesh, patch(0, 0.95, 0.9, 0.2), front, BLACK, 3)
    detail(mesh, patch(0, 0.48, half_x * 1.9, 0.3), front + 0.03, Surface((70, 70, 72), 0.15), 3)
    detail(mesh, patch(0, 1.95, half_x * 1.5, 0.7), rear, GLASS, 3)
    detail(mesh, patch(half_x * 0.84, 0.95, 0.16, 0.42), rear, RED_LAMP, both=True)
    detail(mesh, patch(0, 1.1, 1.3, 0.35), rear, BLACK, 3)
    for x in (-1, 1):
        mesh.box((x * (half_x + 0.16), 2.0, half_z + 0.1), (0.2, 0.4, 0.1), BLACK, 0)
    mounts = (
        Mount((0, 0.5, half_z + 0.05), False, 0.5, False, max_height=0.2),
        Mount((0, 0.68, -half_z - 0.01), True, 0.5, rng.random() < 0.5, max_height=0.2),
    )
    lamps = lamp_pairs(half_x * 0.74, 0.78, half_z, half_x * 0.84, 0.95)
    return Vehicle("bus", mesh.build(), mounts, lamps, (2 * half_x, height, 2 * half_z))


def lamp_pairs(x: float, y: float, half_z: float, rear_x: float, rear_y: float) -> tuple[Lamp, ...]:
    """Two headlamps and two rear lamps, mirrored about the middle."""
    front = tuple(Lamp((side * x, y, half_z), False) for side in (-1, 1))
    return front + tuple(Lamp((side * rear_x, rear_y, -half_z), True, _TAIL) for side in (-1, 1))


def lorry(rng: np.random.Generator, paint: Colour | None = None) -> Vehicle:
    """A lorry: a painted cab before a box or an open load bed."""
    mesh = MeshBuilder()
    half_x, half_z = float(rng.uniform(0.85, 1.2)), float(rng.uniform(2.3, 3.6))
    cab = Surface(
        paint or ((25, 110, 235), (30, 150, 230), (190, 110, 30), (220, 220, 220), (40, 40, 170))[rng.integers(5)], 0.3
    )
    height = half_x * 2.05
    deep = 1.5
    foot = outline(half_x * 0.95, deep / 2, 9, half_z - deep / 2)
    roof = outline(half_x * 0.9, deep / 2 - 0.12, 9, half_z - deep / 2 - 0.1)
    mesh.shell(
        foot,
        roof,
        (0.4, height),
        ((0, 0.98), (0.15, 1), (0.5, 1), (0.9, 0.99), (1, 0.95)),
        lambda row, _: cab if row else BLACK,
        cab,
    )
    load = height + float(rng.uniform(-0.7, 0.6))
    bed = half_z - deep / 2 - 0.15
    box = Surface(((60, 110, 150), (200, 200, 200), (40, 80, 130), (120, 70, 30))[rng.integers(4)], 0.1)
    mesh.box((0, (load + 0.8) / 2, -deep / 2 - 0.08), (2 * half_x, load - 0.8, 2 * bed), box, 0)
    mesh.box((0, 0.68, -deep / 2), (half_x * 1.4, 0.22, 2 * bed), BLACK, -1)
    wheels(mesh, half_x, (half_z - 0.8, -half_z * 0.6), 0.45, 0.26)
    front, rear = half_z + 0.01, -half_z - 0.01
    detail(mesh, patch(0, height * 0.72, half_x * 1.65, height * 0.3), half_z + 0.0, GLASS, 3)
    detail(mesh, patch(0, height * 0.72, 0.03, height * 0.3), front, BLACK)
    detail(mesh, patch(0, height * 0.46, half_x * 1.2, 0.26), front, BLACK, 3)
    for y in (-0.07, 0.0, 0.07):
        detail(mesh, patch(0, height * 0.46 + y, half_x * 1.15, 0.025), front + 0.01, CHROME, 5)
    detail(mesh, patch(half_x * 0.76, 0.74, 0.26, 0.18), front, HEADLAMP, both=True)
    detail(mesh, patch(half_x * 0.76, 0.92, 0.16, 0.07), front, AMBER, both=True)
    detail(
        mesh,
        patch(0, 0.52, half_x * 1.95, 0.3),
        front + 0.05,
        Surface((200, 200, 205) if rng.random() < 0.4 else (45, 45, 48), 0.2),
        3,
    )
    for y in np.linspace(0.95, load - 0.15, 4):
        detail(mesh, patch(0, float(y), half_x * 1.96, 0.03), rear, BLACK, 3)
    for x in (0.0, half_x * 0.6):
        detail(mesh, patch(x, (load + 0.8) / 2, 0.03, load - 0.9), rear, BLACK, 3, both=x > 0)
    detail(mesh, patch(0, 0.62, half_x * 1.9, 0.3), rear, Surface((60, 60, 62), 0.1), 3)
    detail(mesh, patch(half_x * 0.8, 0.66, 0.22, 0.14), rear - 0.01, RED_LAMP, both=True)
    for x in (-1, 1):
        mesh.box((x * (half_x + 0.14), height * 0.75, half_z - 0.05), (0.18, 0.34, 0.08), BLACK, 0)
    mounts = (
        Mount((0, 0.53, half_z + 0.06), False, 0.5, False, max_height=0.2),
        Mount((0, 0.62, -half_z - 0.02), True, 0.5, rng.random() < 0.6, max_height=0.22),
    )
    return Vehicle(
        "lorry",
        mesh.build(),
        mounts,
        lamp_pairs(half_x * 0.76, 0.74, half_z, half_x * 0.8, 0.66),
        (2 * half_x, max(height, load), 2 * half_z),
    )
