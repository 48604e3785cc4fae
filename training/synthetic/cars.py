"""Cars, from hatchbacks to vans, in shapes and details drawn at random."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from training.synthetic.camera import Points
from training.synthetic.solids import LEFT, RIGHT, Colour, Mesh, MeshBuilder, Surface, outline
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

_ROWS = ((0.0, 0.95), (0.14, 0.985), (0.3, 1.0), (0.5, 1.0), (0.72, 0.99), (0.88, 0.965), (1.0, 0.92))
_LEVELS, _FACTORS = np.array(_ROWS).T
_SQUARENESS = 5.5


@dataclass(frozen=True, slots=True)
class CarShape:
    """The measures of a kind of car, metres; z runs from the rear (negative) to the nose."""

    length: float
    width: float
    height: float
    nose: float
    """Height of the bonnet's front edge."""
    belt: float
    boot: float
    """Height of the body at the rear."""
    glass: tuple[float, float]
    """End and beginning of the windows' foot, as shares of the half length."""
    roof: tuple[float, float]


SHAPES = {
    "hatchback": CarShape(3.7, 1.66, 1.5, 0.78, 0.98, 0.98, (-0.93, 0.52), (-0.8, 0.12)),
    "sedan": CarShape(4.35, 1.72, 1.46, 0.74, 0.96, 1.0, (-0.68, 0.46), (-0.4, 0.08)),
    "suv": CarShape(4.5, 1.82, 1.74, 0.95, 1.12, 1.12, (-0.95, 0.48), (-0.88, 0.16)),
    "van": CarShape(4.1, 1.66, 1.85, 0.86, 1.08, 1.08, (-0.97, 0.8), (-0.93, 0.4)),
    "microvan": CarShape(3.5, 1.5, 1.8, 0.8, 0.98, 0.98, (-0.97, 0.86), (-0.94, 0.62)),
}


def car(rng: np.random.Generator, kind: str | None = None, paint: Colour | None = None) -> Vehicle:
    """A car of a named kind and paint, or of random ones."""
    kind = kind or str(rng.choice(list(SHAPES), p=(0.34, 0.28, 0.22, 0.1, 0.06)))
    shape = SHAPES[kind]
    paint = paint or PAINTS[rng.integers(len(PAINTS))]
    return _CarBuilder(rng, shape, Surface(paint, float(rng.uniform(0.25, 0.5)))).build(kind)


class _CarBuilder:
    def __init__(self, rng: np.random.Generator, shape: CarShape, paint: Surface) -> None:
        self.rng, self.shape, self.paint = rng, shape, paint
        self.mesh = MeshBuilder()
        self.half = np.array([shape.width, shape.length]) / 2
        self.dark_bumper = bool(rng.random() < 0.2)

    def build(self, kind: str) -> Vehicle:
        self._wheels()
        self._body()
        self._cabin()
        self._front()
        self._rear()
        shape = self.shape
        lamp_x, lamp_y = self.half[0] * 0.74, shape.nose * 0.86
        rear_y = shape.boot * 0.8
        end = float(self.half[1]) * 0.97
        lamps = tuple(
            lamp
            for x in (-lamp_x, lamp_x)
            for lamp in (Lamp((x, lamp_y, end), False), Lamp((x, rear_y, -end), True, (40, 30, 255)))
        )
        size = (shape.width, shape.height, shape.length)
        return Vehicle(kind, self._finished(), self.mounts, lamps, size)

    def _finished(self) -> Mesh:
        return self.mesh.build()

    def _on(self, points: Points, rear: bool, lift: float = 0.012) -> Points:
        """Lift flat points (k, 2) of x and y onto the rounded front or rear."""
        across = np.clip(np.abs(points[:, 0]) / self.half[0], 0, 0.985)
        z = self.half[1] * (1 - across**_SQUARENESS) ** (1 / _SQUARENESS)
        top = self.shape.boot if rear else self.shape.nose
        share = np.clip((points[:, 1] - 0.2) / (top - 0.2), 0, 1)
        factor = np.interp(share, _LEVELS, _FACTORS)
        return np.stack([points[:, 0], points[:, 1], (z * factor + lift) * (-1 if rear else 1)], 1)

    def _detail(self, points: Points, surface: Surface, rear: bool, layer: int = 4, both: bool = False) -> None:
        for flat in (points, mirrored(points)) if both else (points,):
            self.mesh.add(self._on(flat, rear), surface, facing(rear), layer)

    def _wheels(self) -> None:
        rim = Surface((int(self.rng.integers(60, 190)),) * 3, 0.3)
        half_x, half_z = self.half
        for z in (half_z * 0.62, -half_z * 0.62):
            for side in (-1, 1):
                self.mesh.box((side * (half_x - 0.14), 0.2, z), (0.2, 0.4, 0.5), RUBBER, -1)
                out = RIGHT if side > 0 else LEFT
                x = side * (half_x + 0.01)
                for radius, surface, layer in ((0.37, BLACK, 2), (0.31, RUBBER, 3), (0.2, rim, 4)):
                    self.mesh.disc((x, 0.31, z), radius, surface, out, layer)

    def _body(self) -> None:
        shape, (half_x, half_z) = self.shape, self.half
        foot = outline(half_x, half_z, _SQUARENESS)
        stops = np.array([-1, shape.glass[0], shape.glass[1], 0.96, 1]) * half_z
        levels = (shape.boot - 0.02, shape.belt, shape.belt, shape.nose + 0.04, shape.nose)
        top = np.interp(foot[:, 1], stops, levels)
        lower = BLACK if self.dark_bumper else self.paint

        def surface_of(row: int, middle: Sequence[float]) -> Surface:
            if row == 0:
                return BLACK
            return lower if row == 1 and abs(middle[2]) > half_z * 0.85 else self.paint

        self.mesh.shell(foot, foot, (0.2, top), _ROWS, surface_of, self.paint, crown=0.035)

    def _cabin(self) -> None:
        shape, (half_x, half_z) = self.shape, self.half
        ends = [np.array(pair) * half_z for pair in (shape.glass, shape.roof)]
        foot = outline(half_x * 0.91, (ends[0][1] - ends[0][0]) / 2, 7, float(ends[0].mean()))
        roof = outline(half_x * 0.72, (ends[1][1] - ends[1][0]) / 2, 6, float(ends[1].mean()))
        pillar = BLACK if self.rng.random() < 0.3 else self.paint

        def surface_of(row: int, middle: Sequence[float]) -> Surface:
            if row in (0, 3):
                return self.paint if row else BLACK
            share = (0.3, 0.75)[row - 1]
            long = ends[0] + (ends[1] - ends[0]) * share
            depth = abs(middle[2] - long.mean()) / ((long[1] - long[0]) / 2)
            wide = abs(middle[0]) / (half_x * (0.91 - 0.19 * share))
            return pillar if depth > 0.9 and wide > 0.88 else GLASS

        self.mesh.shell(
            foot,
            roof,
            (shape.belt - 0.01, shape.height - 0.03),
            ((0, 1), (0.05, 1.0), (0.55, 1.015), (0.93, 1.0), (1.0, 0.94)),
            surface_of,
            self.paint,
            layer=1,
            crown=0.03,
        )

    def _front(self) -> None:
        rng, shape, half_x = self.rng, self.shape, self.half[0]
        nose, plate_y = shape.nose, float(rng.uniform(0.4, 0.5))
        lamp_y = nose - 0.13
        inner, outer = half_x * rng.uniform(0.45, 0.56), half_x * 0.93
        droop, thick = rng.uniform(-0.02, 0.06), rng.uniform(0.06, 0.12)
        lamp = np.array([[inner, -thick], [outer, -thick * 0.6], [outer * 0.99, thick + droop], [inner, thick * 0.6]])
        lamp += [0, lamp_y]
        rim = (lamp - lamp.mean(0)) * [1.1, 1.22] + lamp.mean(0)
        self._detail(rim, BLACK, False, 3, both=True)
        self._detail(lamp, HEADLAMP, False, 4, both=True)
        self._detail(patch((inner + outer) / 2, lamp_y, thick * 1.1, thick * 1.1), CHROME, False, 5, both=True)
        self._grille(lamp_y, inner * 0.94, thick * 1.4)
        intake = patch(0, plate_y - rng.uniform(0.08, 0.16), half_x * rng.uniform(0.9, 1.3), rng.uniform(0.1, 0.2))
        self._detail(intake, BLACK, False, 3)
        for share in (-0.3, 0.3):
            middle = intake.mean(0)
            self._detail(patch(0, middle[1] + share * 0.1, half_x * 0.9, 0.012), Surface((60, 60, 60)), False, 4)
        if rng.random() < 0.7:
            fog = patch(half_x * 0.74, plate_y - 0.1, 0.16, 0.1)
            self._detail(fog, BLACK, False, 3, both=True)
            self._detail(patch(half_x * 0.74, plate_y - 0.1, 0.07, 0.07), HEADLAMP, False, 5, both=True)
        self._detail(patch(0, nose - 0.035, half_x * 1.3, 0.012), Surface((30, 30, 30)), False, 3)
        self._mirrors()
        self.front_plate = Mount(
            (0, plate_y, float(self.half[1])), False, 0.5, False, float(rng.uniform(-0.05, 0.1)), 0.17
        )

    def _grille(self, y: float, half_width: float, height: float) -> None:
        rng = self.rng
        self._detail(patch(0, y, half_width * 2, height), BLACK, False, 3)
        slat = CHROME if rng.random() < 0.6 else Surface((70, 70, 70), 0.2)
        for level in np.linspace(-0.35, 0.35, int(rng.integers(1, 4))):
            self._detail(patch(0, y + level * height, half_width * 1.9, 0.014), slat, False, 4)
        self._detail(patch(0, y + height * 0.1, 0.13, 0.1), CHROME, False, 5)
        self._detail(patch(0, y + height * 0.1, 0.08, 0.05), BLACK, False, 6)

    def _mirrors(self) -> None:
        x, z = self.half[0] + 0.08, self.shape.glass[1] * self.half[1] * 0.85
        for side in (-1, 1):
            self.mesh.box((side * x, self.shape.belt + 0.06, z), (0.2, 0.14, 0.1), self.paint, 1)
            self.mesh.add(
                np.array([[side * x + dx, self.shape.belt + 0.06 + dy, z - 0.07] for dx, dy in patch(0, 0, 0.16, 0.1)]),
                GLASS,
                facing(True),
                1,
            )

    def _rear(self) -> None:
        rng, shape, half_x = self.rng, self.shape, self.half[0]
        boot = shape.boot
        tall = rng.random() < 0.5
        width, height = (0.16, 0.34) if tall else (0.34, 0.16)
        lamp = patch(half_x * 0.93 - width / 2, boot - 0.06 - height / 2, width, height)
        self._detail((lamp - lamp.mean(0)) * 1.08 + lamp.mean(0), BLACK, True, 3, both=True)
        self._detail(lamp, RED_LAMP, True, 4, both=True)
        corner = lamp * [1, 0.45] + [0, lamp[:, 1].min() * 0.55 + 0.01]
        self._detail(corner, AMBER if rng.random() < 0.5 else HEADLAMP, True, 5, both=True)
        self._detail(patch(0, 0.33, half_x * 1.7, 0.14), BLACK, True, 3)
        self._detail(patch(half_x * 0.75, 0.42, 0.2, 0.05), RED_LAMP, True, 4, both=True)
        seam = Surface((30, 30, 30))
        for y in (0.52, boot - 0.03):
            self._detail(patch(0, y, half_x * 1.5, 0.012), seam, True, 3)
        plate_y = float(rng.uniform(0.42, 0.5)) if rng.random() < 0.4 else boot - 0.22
        blue, green, red = self.paint.colour
        recess = Surface((blue * 11 // 20, green * 11 // 20, red * 11 // 20), 0.1)
        self._detail(patch(0, plate_y, 0.66, 0.2), recess, True, 3)
        self._detail(patch(0, plate_y + 0.125, 0.6, 0.035), CHROME if rng.random() < 0.5 else self.paint, True, 4)
        self._detail(patch(0, min(plate_y + 0.2, boot - 0.03), 0.1, 0.07), CHROME, True, 5)
        two = bool(rng.random() < 0.3)
        self.rear_plate = Mount((0, plate_y, -float(self.half[1])), True, 0.5, two, float(rng.uniform(-0.1, 0.1)), 0.21)

    @property
    def mounts(self) -> tuple[Mount, ...]:
        return self.front_plate, self.rear_plate
