"""A filmed street: a fixed camera, vehicles that pass on a timetable, and dusk falling."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import pi

import cv2
import numpy as np

from edge_app.records import ImageBgr
from training.synthetic.camera import PinholeCamera
from training.synthetic.camera_effects import CameraEffects, add_glow
from training.synthetic.canvas import Canvas
from training.synthetic.fleet import build_vehicle
from training.synthetic.lettering import shipped_fonts
from training.synthetic.light import Light
from training.synthetic.plates import RenderedPlate, render_plate
from training.synthetic.road import RoadStyle, draw_ground, draw_sky
from training.synthetic.scenery import LampPost, Thing
from training.synthetic.solids import Colour
from training.synthetic.traffic import Actor, SeenPlate, add_lamps, draw_traffic
from training.synthetic.vehicles import Pose, Vehicle

_PASS_METRES = 8.0
_FAR_METRES, _NEAR_METRES = 48.0, 1.5
_PLATE_HEIGHT_PX = 200


@dataclass(frozen=True, slots=True)
class Role:
    """One vehicle's role in a film."""

    kind: str
    paint: Colour | None
    style: str
    """Of the plate, see `plates.STYLES`."""
    text: str
    """As `render_plate` takes it: lines parted by "/"."""
    x: float
    approaching: bool
    passes_at: float
    """Seconds into the film at which its plate is eight metres from the camera."""
    speed: float
    """Metres a second."""
    print: int = 0
    """Another number prints the same plate in another lettering."""


@dataclass(frozen=True, slots=True, eq=False)
class Player:
    """A role with its vehicle built and its plate printed."""

    role: Role
    vehicle: Vehicle
    plate: RenderedPlate

    @classmethod
    def of(cls, role: Role, seed: int) -> "Player":
        """Build the same vehicle and plate for the same seed."""
        plate = render_plate(
            np.random.default_rng((seed, role.print)), role.style, role.text, _PLATE_HEIGHT_PX, shipped_fonts()
        )
        return cls(role, build_vehicle(np.random.default_rng(seed), role.kind, role.paint), plate)

    def at(self, seconds: float) -> Actor | None:
        """Its place at a time; None before it comes and after it has gone."""
        role = self.role
        way = -1.0 if role.approaching else 1.0
        plate_z = _PASS_METRES + way * role.speed * (seconds - role.passes_at)
        half = self.vehicle.size[2] / 2
        if not _NEAR_METRES - 2 * half < plate_z < _FAR_METRES:
            return None
        pose = Pose(role.x, plate_z + half, pi if role.approaching else 0.0)
        return Actor(self.vehicle, pose, (self.plate, None) if role.approaching else (None, self.plate))


@dataclass(frozen=True, slots=True, eq=False)
class Street:
    """The scene of a film."""

    camera: PinholeCamera
    road: RoadStyle
    things: Sequence[Thing]
    """The farthest first."""
    azimuth: float = 2.4
    elevation: float = 0.85
    cloud: float = 0.35

    def light(self, darkness: float) -> Light:
        """The light on the street at a darkness of 0 to 1."""
        return Light.at(darkness, self.azimuth, self.elevation, self.cloud)

    def background(self, darkness: float) -> ImageBgr:
        """The empty street, at the canvas's size."""
        canvas, light = Canvas(self.camera), self.light(darkness)
        draw_sky(canvas, light, self.cloud, 0.3)
        draw_ground(canvas, self.road, light)
        for thing in self.things:
            thing.draw(canvas, light)
        return canvas.image_bgr


@dataclass(frozen=True, slots=True, eq=False)
class Shot:
    """One frame of a film and the plates that face the camera in it."""

    image_bgr: ImageBgr
    plates: Sequence[SeenPlate]


@dataclass(frozen=True, slots=True, eq=False)
class Film:
    """Street, players and how it gets dark."""

    street: Street
    players: Sequence[Player]
    seconds: float
    frames_per_second: int
    dusk: tuple[float, float]
    """Seconds between which it gets dark."""
    darkest: float
    effects: CameraEffects
    exposure_seconds: float = 0.004

    def shots(self, seed: int) -> Iterator[Shot]:
        """Every frame in order."""
        rng = np.random.default_rng(seed)
        day, night = self.street.background(0.0), self.street.background(self.darkest)
        for frame in range(round(self.seconds * self.frames_per_second)):
            at = frame / self.frames_per_second
            share = float(np.clip((at - self.dusk[0]) / (self.dusk[1] - self.dusk[0]), 0, 1))
            yield self._shot(rng, at, share, cv2.addWeighted(day, 1 - share, night, share, 0))

    def _shot(self, rng: np.random.Generator, at: float, share: float, background: ImageBgr) -> Shot:
        light = self.street.light(share * self.darkest)
        halves: list[ImageBgr] = []
        for moment in (
            at - self.exposure_seconds / 2,
            at + self.exposure_seconds / 2,
        ):  # two halves make the motion blur
            canvas = Canvas(self.street.camera, image_bgr=background.copy())
            actors = self._actors(moment)
            draw_traffic(canvas, actors, light)
            halves.append(canvas.finish())
        image_bgr = cv2.addWeighted(halves[0], 0.5, halves[1], 0.5, 0)
        actors = self._actors(at)
        add_lamps(image_bgr, canvas, actors, light)
        self._light_lamp_posts(image_bgr, light)
        truth = draw_traffic(Canvas(self.street.camera, 1), actors, light)
        return Shot(self.effects.apply(rng, image_bgr), truth)

    def _actors(self, at: float) -> list[Actor]:
        return [actor for player in self.players if (actor := player.at(at)) is not None]

    def _light_lamp_posts(self, image_bgr: ImageBgr, light: Light) -> None:
        for thing in self.street.things:
            if light.lamps_lit and isinstance(thing, LampPost):
                pixel, depth = self.street.camera.project(np.array(thing.lamp))
                radius = 0.35 * self.street.camera.focal_px / float(depth)
                add_glow(image_bgr, (float(pixel[0]), float(pixel[1])), radius, (140, 210, 255), light.darkness)
