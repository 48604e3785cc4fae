"""Roads, traffic, light and cameras of every kind, drawn at random for a clip."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from math import atan, atan2, pi

import numpy as np

from training.synthetic.camera import PinholeCamera
from training.synthetic.camera_effects import CameraEffects
from training.synthetic.clip_film import ClipFilm
from training.synthetic.courses import Course, Passer, queue
from training.synthetic.film import Street
from training.synthetic.fleet import build_vehicle
from training.synthetic.lettering import shipped_fonts
from training.synthetic.plates import RenderedPlate, render_plate
from training.synthetic.road import RoadStyle
from training.synthetic.scenery import LampPost, Thing, Tree, random_scenery
from training.synthetic.vehicles import Vehicle
from training.synthetic.weather import Rain, Shake

_PLATE_METRES = 0.5
_PLATE_HEIGHT_PX = 200
_MIXED = {"hatchback": 5, "sedan": 4, "suv": 3, "van": 2, "motorcycle": 4, "rickshaw": 2, "lorry": 1.5, "bus": 0.8}
_FAST = {"hatchback": 4, "sedan": 5, "suv": 4, "van": 1, "lorry": 2, "bus": 0.6}
_SMALL = {"motorcycle": 7, "rickshaw": 2.5, "hatchback": 1}
_ONE_LINE = {"hsrp": 8, "white": 4, "electric": 1, "bharat": 1, "rental": 0.3, "temporary": 0.3}
_TWO_LINES = {"hsrp_two": 6, "white_two": 6, "electric_two": 1, "bharat_two": 0.5}
_OF_TRADE = ("lorry", "bus", "rickshaw", "van")


@dataclass(frozen=True, slots=True)
class _Plan:
    """What a kind of scene asks for; the rest is drawn at random."""

    kilometres_an_hour: tuple[float, float] = (25, 60)
    lanes: tuple[int, int] = (2, 2)
    one_way: bool = False
    near_z: tuple[float, float] = (8.5, 13)
    """Metres at which plates leave the picture at its lower edge."""
    height: tuple[float, float] = (2.2, 4.5)
    """Of the camera, metres."""
    plate_px: tuple[float, float] = (105, 135)
    """Width of a plate at `near_z`."""
    size: tuple[int, int] = (1280, 720)
    frames_per_second: tuple[int, ...] = (15, 20, 25)
    darkness: tuple[float, float] = (0.0, 0.2)
    exposure_seconds: tuple[float, float] = (0.0008, 0.002)
    shares: dict[str, float] = field(default_factory=lambda: _MIXED)
    parked: int = 0
    stops: bool = False
    occluders: bool = False
    rain: bool = False
    infrared: bool = False
    shakes: bool = False


KINDS: dict[str, _Plan] = {
    "town": _Plan(),
    "highway": _Plan(
        (80, 120), (3, 3), one_way=True, near_z=(26, 33), height=(5.5, 7), plate_px=(88, 100), size=(1600, 900),
        frames_per_second=(20, 25, 30), shares=_FAST, exposure_seconds=(0.0005, 0.0015),
    ),
    "bikes": _Plan((20, 45), shares=_SMALL, plate_px=(120, 150)),
    "night": _Plan((30, 55), darkness=(0.72, 0.9), exposure_seconds=(0.002, 0.004)),
    "infrared": _Plan((30, 90), darkness=(0.93, 0.97), infrared=True, near_z=(10, 15), shares=_FAST),
    "rain": _Plan((30, 60), darkness=(0.25, 0.5), rain=True, exposure_seconds=(0.001, 0.003)),
    "occlusion": _Plan((25, 45), occluders=True, one_way=True),
    "shake": _Plan((40, 80), shakes=True, near_z=(12, 18), height=(4, 6)),
    "parked": _Plan((20, 40), parked=2, near_z=(9, 12)),
    "stop_and_go": _Plan((20, 40), stops=True, one_way=True, frames_per_second=(15,)),
    "dusk": _Plan((40, 70), darkness=(0.42, 0.62), near_z=(10, 16)),
    "leaving": _Plan((30, 70), one_way=True, near_z=(9, 14)),
}  # fmt: skip
"""Kinds of scene, one after the other in a folder of clips."""


def clip_film(rng: np.random.Generator, kind: str, seconds: float) -> ClipFilm:
    """A clip of a kind, see `KINDS`."""
    plan = KINDS[kind]
    road = _road(rng, plan)
    near_z = float(rng.uniform(*plan.near_z))
    camera = _camera(rng, plan, road, near_z)
    far_z = camera.focal_px * _PLATE_METRES / 16
    darkness, cloud = float(rng.uniform(*plan.darkness)), 0.95 if plan.rain else float(rng.random())
    azimuth, elevation = float(rng.uniform(-pi, pi)), float(rng.uniform(0.4, 1.3))
    things = random_scenery(rng, road, darkness, near_z * 1.3 + 6, int(rng.integers(8, 18)))
    street = Street(camera, road, tuple(things), azimuth, elevation, cloud)
    return ClipFilm(
        kind,
        street,
        tuple(_traffic(rng, plan, kind, road, camera, near_z, seconds)),
        seconds,
        int(rng.choice(plan.frames_per_second)),
        near_z * 0.35,
        far_z,
        _effects(rng, plan, darkness),
        darkness,
        float(rng.uniform(*plan.exposure_seconds)),
        tuple(_occluders(rng, camera, near_z)) if plan.occluders else (),
        _shake(rng) if plan.shakes else None,
        Rain.random(rng, plan.size) if plan.rain else None,
        float(rng.uniform(25, 40)) if plan.infrared else None,
    )


def _road(rng: np.random.Generator, plan: _Plan) -> RoadStyle:
    road = RoadStyle.random(rng)
    wet = 0.6 if plan.rain else 1.0
    asphalt = (int(road.asphalt[0] * wet), int(road.asphalt[1] * wet), int(road.asphalt[2] * wet))
    lanes = int(rng.integers(plan.lanes[0], plan.lanes[1] + 1))
    pavement = 2.6 if plan.parked else road.pavement
    return replace(road, lanes=lanes, asphalt=asphalt, pavement=pavement, marks="dashed")


def _camera(rng: np.random.Generator, plan: _Plan, road: RoadStyle, near_z: float) -> PinholeCamera:
    """At the roadside or over the road, every lane with plates to read in the picture."""
    height_px = plan.size[1]
    focal_px = float(rng.uniform(*plan.plate_px)) * near_z / _PLATE_METRES
    height = float(rng.uniform(*plan.height))
    x = float(rng.uniform(-0.6, 0.6)) * road.half_width
    reach = near_z * 1.35
    yaw = atan2(-x, reach) * float(rng.uniform(0.85, 1.0))
    pitch = atan((height - 0.3) / near_z) - atan(height_px / 2 / focal_px)
    return PinholeCamera.looking(plan.size, focal_px, (x, height, 0.0), yaw, pitch, float(rng.normal(0, 0.012)))


def _traffic(
    rng: np.random.Generator,
    plan: _Plan,
    kind: str,
    road: RoadStyle,
    camera: PinholeCamera,
    near_z: float,
    seconds: float,
) -> Iterator[Passer]:
    texts: set[str] = set()
    speed = float(rng.uniform(*plan.kilometres_an_hour)) / 3.6
    legible_z = camera.focal_px * _PLATE_METRES / 60
    for lane, x in enumerate(road.lane_centres()):
        approaching = kind != "leaving" if plan.one_way else lane >= road.lanes // 2
        own = speed * float(rng.uniform(0.9, 1.1))
        begins = legible_z if approaching else near_z * 0.8
        start_z = begins + (1 if approaching else -1) * own * float(rng.uniform(0.0, 1.2))
        if plan.stops:
            ahead = abs(start_z - near_z * float(rng.uniform(1.12, 1.3)))
            course = Course.stopping(own, seconds, ahead, float(rng.uniform(2.5, 4)))
        else:
            course = Course.steady(own, seconds)
        cast = [_cast(rng, plan, approaching, texts) for _ in range(int(seconds / 1.4) + 1)]
        yield from queue(rng, cast, course, x, approaching, start_z)
    for side in ((-1.0, 1.0) * plan.parked)[: plan.parked]:
        front = bool(rng.random() < 0.5)
        vehicle, plate = _cast(rng, replace(plan, shares={"hatchback": 1, "sedan": 1, "suv": 1}), front, texts)
        x = road.centre + side * (road.half_width + 0.75)
        in_view_z = abs(x - float(camera.position[0])) * camera.focal_px / (0.4 * plan.size[0])
        yield Passer(vehicle, plate, x, front, max(near_z * float(rng.uniform(1.2, 1.4)), in_view_z))


def _cast(rng: np.random.Generator, plan: _Plan, approaching: bool, texts: set[str]) -> tuple[Vehicle, RenderedPlate]:
    """A vehicle and an Indian plate that no other in the clip has."""
    shares = np.array(list(plan.shares.values()))
    kind = str(rng.choice(list(plan.shares), p=shares / shares.sum()))
    vehicle = build_vehicle(rng, kind)
    two = vehicle.mounts[0 if approaching else 1].two_lines
    styles = _TWO_LINES if two else _ONE_LINE
    if kind in _OF_TRADE and rng.random() < 0.85:
        styles = {"commercial_two" if two else "commercial": 1}
    weights = np.array(list(styles.values()), np.float64)
    while True:
        style = str(rng.choice(list(styles), p=weights / weights.sum()))
        plate = render_plate(rng, style, height_px=_PLATE_HEIGHT_PX, fonts=shipped_fonts())
        if plate.text not in texts and len(plate.text) >= 6:
            texts.add(plate.text)
            return vehicle, plate


def _effects(rng: np.random.Generator, plan: _Plan, darkness: float) -> CameraEffects:
    exposure = float(rng.uniform(0.95, 1.2)) * (1 + 0.9 * darkness * (not plan.infrared))
    tint = np.exp(rng.normal(0, 0.03, 3)) * exposure if not plan.infrared else np.full(3, exposure)
    return CameraEffects(
        gain=(float(tint[0]), float(tint[1]), float(tint[2])),
        gamma=float(rng.uniform(0.85, 1.1)),
        blur_px=float(rng.uniform(0.3, 0.75)),
        noise=float(rng.uniform(1.0, 2.5) + 3.0 * darkness),
        vignette=float(rng.uniform(0, 0.25)),
        haze=float(rng.uniform(0.08, 0.2)) if plan.rain else 0.0,
    )


def _occluders(rng: np.random.Generator, camera: PinholeCamera, near_z: float) -> Iterator[Thing]:
    """A post and a small tree near the camera, which hide a part of the road."""
    z = near_z * float(rng.uniform(0.45, 0.6))
    x = float(camera.position[0])
    half_view = camera.width / 2 / camera.focal_px * z
    yield LampPost(x + half_view * float(rng.uniform(-0.7, 0.7)) or 0.1, z)
    side = float(rng.choice((-1, 1)))
    tree = Tree.random(rng, x + side * half_view * float(rng.uniform(0.8, 1.1)), z * 0.9)
    yield replace(tree, height=float(rng.uniform(0.55, 0.75)) * float(camera.position[1]) * 1.6)


def _shake(rng: np.random.Generator) -> Shake:
    return Shake(
        sway_px=float(rng.uniform(3, 9)),
        sway_hertz=float(rng.uniform(0.5, 1.4)),
        tremble_px=float(rng.uniform(0.4, 1.3)),
        tremble_hertz=float(rng.uniform(6, 11)),
        roll=float(rng.uniform(0, 0.006)),
        phase=float(rng.uniform(0, 2 * pi)),
    )
