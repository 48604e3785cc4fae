"""How vehicles drive: a course for each lane, which its vehicles follow one behind the other."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import pi

import numpy as np

from training.synthetic.camera import Points
from training.synthetic.plates import RenderedPlate
from training.synthetic.traffic import Actor
from training.synthetic.vehicles import Pose, Vehicle

_BRAKING, _PULLING = 3.0, 2.0
"""Metres a second squared."""
_STEP_SECONDS = 0.02


@dataclass(frozen=True, slots=True, eq=False)
class Course:
    """How far the first vehicle of a lane has come, over time."""

    metres: Points
    """Every `_STEP_SECONDS` from `begins_at` on."""
    begins_at: float
    """Seconds."""

    @classmethod
    def steady(cls, speed: float, seconds: float) -> "Course":
        """Always the same speed, in metres a second."""
        return cls(np.arange(-seconds, 2 * seconds, _STEP_SECONDS) * speed, -seconds)

    @classmethod
    def stopping(cls, speed: float, seconds: float, stop_at: float, stop_seconds: float) -> "Course":
        """Stops after `stop_at` metres, and starts again; it passes 0 at second 0."""
        at, now, waited = -seconds * speed, speed, 0.0
        metres: list[float] = []
        while len(metres) * _STEP_SECONDS < 3 * seconds:
            metres.append(at)
            if at < stop_at - 0.01 and waited == 0:
                now = min(now, (2 * _BRAKING * (stop_at - at)) ** 0.5)
                at = min(at + max(now, 0.05) * _STEP_SECONDS, stop_at)
            elif waited < stop_seconds:
                now, waited = 0.0, waited + _STEP_SECONDS
            else:
                now = min(speed, now + _PULLING * _STEP_SECONDS)
                at += now * _STEP_SECONDS
        return cls(np.array(metres), -seconds)

    def at(self, seconds: float) -> float:
        """Metres come."""
        place = (seconds - self.begins_at) / _STEP_SECONDS
        if place >= len(self.metres) - 1:
            return float(self.metres[-1] + (place - len(self.metres) + 1) * (self.metres[-1] - self.metres[-2]))
        return float(np.interp(place, np.arange(len(self.metres)), self.metres))


@dataclass(frozen=True, slots=True, eq=False)
class Passer:
    """A vehicle with its plate, on its way or parked."""

    vehicle: Vehicle
    plate: RenderedPlate
    x: float
    approaching: bool
    start_z: float
    """Place of its plate at 0 metres of its course."""
    course: Course | None = None
    """None: it is parked."""
    late_seconds: float = 0.0
    behind_metres: float = 0.0
    """It does what the first of its lane does, later and farther back, so none runs into another (Newell 2002)."""

    def at(self, seconds: float, near_z: float, far_z: float) -> Actor | None:
        """Its place; None before it comes and after it has gone."""
        come = self.course.at(seconds - self.late_seconds) - self.behind_metres if self.course else 0.0
        way = -1.0 if self.approaching else 1.0
        plate_z = self.start_z + way * come
        length = self.vehicle.size[2]
        if not near_z - length < plate_z < far_z:
            return None
        pose = Pose(self.x, plate_z + length / 2, pi if self.approaching else 0.0)
        return Actor(self.vehicle, pose, (self.plate, None) if self.approaching else (None, self.plate))


def queue(
    rng: np.random.Generator,
    cast: Sequence[tuple[Vehicle, RenderedPlate]],
    course: Course,
    x: float,
    approaching: bool,
    start_z: float,
) -> list[Passer]:
    """Vehicles that follow each other in a lane."""
    late = behind = 0.0
    passers: list[Passer] = []
    for vehicle, plate in cast:
        # Of vehicles that drive away the plate is at the rear, so the follower's own length keeps it off.
        behind += vehicle.size[2] if passers and not approaching else 0.0
        side = float(np.clip(rng.normal(0, 0.18), -0.4, 0.4))
        passers.append(Passer(vehicle, plate, x + side, approaching, start_z, course, late, behind))
        late += float(rng.uniform(0.9, 2.2))
        behind += float(rng.uniform(1.5, 3.0)) + (vehicle.size[2] if approaching else 0.0)
    return passers
