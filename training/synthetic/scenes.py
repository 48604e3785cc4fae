"""Random scenes with plates whose corners are known exactly, for training the detector."""

from dataclasses import dataclass
from math import atan, pi

import numpy as np

from edge_app.records import Corners, ImageBgr
from training.synthetic.camera import PinholeCamera, Points
from training.synthetic.camera_effects import CameraEffects
from training.synthetic.canvas import Canvas
from training.synthetic.collage import draw_collage
from training.synthetic.fleet import build_vehicle, random_plate
from training.synthetic.light import Light
from training.synthetic.plates import RenderedPlate
from training.synthetic.road import RoadStyle, draw_ground, draw_sky
from training.synthetic.scenery import random_scenery
from training.synthetic.traffic import Actor, add_lamps, draw_traffic
from training.synthetic.vehicles import Pose

SCENE_SIZE = (640, 384)
"""Width, height in pixels: what the detector is trained on."""

_COLLAGE_SHARE = 0.25
_CLEAR_SHARE = 0.85
_MIN_WIDTH_PX, _MIN_HEIGHT_PX = 11.0, 4.0


@dataclass(frozen=True, slots=True, eq=False)
class ScenePlate:
    """A plate in a scene and its text."""

    corners_px: Corners
    """Clockwise from the plate's own top left, in pixels from the picture's upper left edge."""
    text: str
    lines: int
    country: str


@dataclass(frozen=True, slots=True, eq=False)
class Scene:
    """A picture with every plate in it."""

    image_bgr: ImageBgr
    plates: tuple[ScenePlate, ...]
    unclear: tuple[Corners, ...]
    """Plates too small, hidden or cut off to be asked for: neither right nor wrong to find."""


def render_scene(rng: np.random.Generator, size: tuple[int, int] = SCENE_SIZE) -> Scene:
    """A scene of `size` (width, height): mostly vehicles on a road, by day or night, else plates among clutter."""
    if rng.random() < _COLLAGE_SHARE:
        canvas, placed = draw_collage(rng, size)
        darkness = 0.0
        image_bgr = canvas.finish()
    else:
        darkness = float(
            rng.choice((rng.uniform(0, 0.2), rng.uniform(0.2, 0.6), rng.uniform(0.6, 0.95)), p=(0.65, 0.2, 0.15))
        )
        image_bgr, placed = _draw_street(rng, size, darkness)
    return _sort_out(CameraEffects.random(rng, darkness).apply(rng, image_bgr), placed)


def _sort_out(image_bgr: ImageBgr, placed: list[tuple[RenderedPlate, Points, float]]) -> Scene:
    plates: list[ScenePlate] = []
    unclear: list[Corners] = []
    for plate, corners, visible in placed:
        corners_px = np.asarray(corners, np.float32)
        sides = np.linalg.norm(np.roll(corners_px, -1, 0) - corners_px, axis=1)
        large = (sides[0] + sides[2]) / 2 >= _MIN_WIDTH_PX and (sides[1] + sides[3]) / 2 >= _MIN_HEIGHT_PX
        if visible >= _CLEAR_SHARE and large:
            plates.append(ScenePlate(corners_px, plate.text, plate.lines, plate.country))
        elif visible > 0.05:
            unclear.append(corners_px)
    return Scene(image_bgr, tuple(plates), tuple(unclear))


def _draw_street(
    rng: np.random.Generator, size: tuple[int, int], darkness: float
) -> tuple[ImageBgr, list[tuple[RenderedPlate, Points, float]]]:
    cloud = float(rng.random())
    light = Light.at(darkness, float(rng.uniform(-pi, pi)), float(rng.uniform(0.4, 1.3)), cloud)
    road = RoadStyle.random(rng)
    actors, camera = _cast(rng, size, road)
    canvas = Canvas(camera)
    draw_sky(canvas, light, cloud, float(rng.random()))
    draw_ground(canvas, road, light)
    nearest = min((actor.pose.z for actor in actors), default=6.0)
    for thing in random_scenery(rng, road, darkness, nearest * 0.7 + 4, int(rng.integers(0, 18))):
        thing.draw(canvas, light)
    seen = draw_traffic(canvas, actors, light, float(rng.uniform(0.75, 1.15)))
    image_bgr = canvas.finish()
    add_lamps(image_bgr, canvas, actors, light)
    return image_bgr, [(plate.plate, plate.corners_px.astype(np.float64), plate.visible) for plate in seen]


def _cast(rng: np.random.Generator, size: tuple[int, int], road: RoadStyle) -> tuple[list[Actor], PinholeCamera]:
    """A camera, a vehicle whose plate is about as large as wished, and others around it."""
    parked = rng.random() < 0.35
    wished_px = float(np.exp(rng.uniform(np.log(22), np.log(270 if parked else 170))))
    focal_px = size[0] * float(np.exp(rng.uniform(np.log(0.6), np.log(2.6))))
    distance = max(focal_px * 0.5 / wished_px, 1.6)
    lanes = road.lane_centres()
    lane = lanes[rng.integers(len(lanes))] if not parked else road.centre + float(rng.uniform(-1.5, 1.5))
    height = float(rng.uniform(0.8, 1.9) if parked or rng.random() < 0.3 else rng.uniform(1.5, 6))
    height = min(height, 0.5 + distance * 0.7)
    reach = np.array([size[0], size[1]]) / focal_px / 2
    yaw, tilt = rng.uniform((-0.7, -0.55), (0.7, 0.55)) * reach
    roll = float(rng.normal(0, 0.03) if rng.random() < 0.8 else rng.uniform(-0.2, 0.2))
    pitch = float(atan((height - 0.55) / distance) + tilt)
    x = lane - float(np.tan(yaw)) * distance + (0.0 if rng.random() < 0.7 else float(rng.uniform(-1, 1)))
    camera = PinholeCamera.looking(size, focal_px, (x, height, 0.0), float(yaw) * 0.6, pitch, roll)
    actors = [] if rng.random() < 0.06 else [_actor(rng, lane, distance, parked, focal_px)]
    for _ in range(int(rng.integers(0, 6))):
        beside, beyond = lanes[rng.integers(len(lanes))] + float(rng.uniform(-0.5, 0.5)), float(rng.exponential(14))
        other = _actor(rng, beside, distance + beyond, parked, focal_px)
        if all(_apart(other, actor) for actor in actors):
            actors.append(other)
    return actors, camera


def _actor(rng: np.random.Generator, x: float, near_z: float, parked: bool, focal_px: float) -> Actor:
    """A vehicle whose nearer end is about at `near_z`, front or rear to the camera."""
    vehicle = build_vehicle(rng)
    turn = float(rng.uniform(-0.75, 0.75) if parked else rng.normal(0, 0.06))
    front = bool(rng.random() < 0.55)
    height_px = int(np.clip(focal_px * 0.45 / near_z, 28, 128))
    plate = None if rng.random() < 0.06 else random_plate(rng, vehicle.mounts[0 if front else 1], height_px)
    pose = Pose(x, near_z + vehicle.size[2] / 2, turn + (pi if front else 0.0))
    return Actor(vehicle, pose, (plate, None) if front else (None, plate))


def _apart(one: Actor, other: Actor) -> bool:
    """Whether two vehicles do not overlap."""
    width = (one.vehicle.size[0] + other.vehicle.size[0]) / 2 + 0.2
    length = (one.vehicle.size[2] + other.vehicle.size[2]) / 2 + 0.4
    return abs(one.pose.x - other.pose.x) > width or abs(one.pose.z - other.pose.z) > length
