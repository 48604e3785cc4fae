"""Vehicles with their plates in the world, drawn with their shadows and lamps."""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from edge_app.records import Corners, ImageBgr
from training.synthetic.camera import NEAR_METRES, Points
from training.synthetic.camera_effects import add_glow
from training.synthetic.canvas import Canvas
from training.synthetic.light import Light
from training.synthetic.plates import RenderedPlate
from training.synthetic.vehicles import Pose, Vehicle, mounted

_MASK_SHRINK = 2
"""Shadows are drawn this much smaller than the final picture."""


@dataclass(frozen=True, slots=True, eq=False)
class Actor:
    """A vehicle somewhere, and the plate on each of its mounts (None: bare)."""

    vehicle: Vehicle
    pose: Pose
    plates: tuple[RenderedPlate | None, ...]


@dataclass(frozen=True, slots=True, eq=False)
class SeenPlate:
    """A plate that faces the camera."""

    corners_px: Corners
    """In pixels from the upper left edge of the final picture; may lie outside of it."""
    plate: RenderedPlate
    actor: Actor
    visible: float
    """Share that lies in the picture and behind no other vehicle."""


def draw_traffic(canvas: Canvas, actors: Sequence[Actor], light: Light, plate_gain: float = 1.0) -> list[SeenPlate]:
    """Draw vehicles from far to near; the visible parts of their plates."""
    order = sorted(actors, key=lambda actor: -_distance(canvas, actor))
    _draw_shadows(canvas, order, light)
    hulls = [_hull(canvas, actor) for actor in order]
    seen: list[SeenPlate] = []
    for index, actor in enumerate(order):
        canvas.mesh(actor.pose.place_mesh(actor.vehicle.mesh), light)
        for picture in actor.vehicle.pictures:
            canvas.picture(picture.image_bgr, actor.pose.place(picture.corners), _gain(light, actor, picture.corners))
        for mount, plate in zip(actor.vehicle.mounts, actor.plates, strict=True):
            if plate is None:
                continue
            corners = mounted(mount, plate.image_bgr)
            gain = _gain(light, actor, corners) * plate_gain + 0.25 * light.darkness
            pixels = canvas.picture(plate.image_bgr, actor.pose.place(corners), gain)
            if pixels is not None:
                visible = visible_share(pixels, hulls[index + 1 :], (canvas.camera.width, canvas.camera.height))
                seen.append(SeenPlate((pixels + 0.5).astype(np.float32), plate, actor, visible))
    return seen


def add_lamps(image_bgr: ImageBgr, canvas: Canvas, actors: Sequence[Actor], light: Light) -> None:
    """Add the halos of lit lamps to the final picture, in place."""
    if not light.lamps_lit:
        return
    hulls = {id(actor): _hull(canvas, actor) for actor in actors}
    for actor in actors:
        nearer = [hulls[id(other)] for other in actors if _distance(canvas, other) < _distance(canvas, actor)]
        for lamp in actor.vehicle.lamps:
            at = actor.pose.place(np.array(lamp.at))
            out = actor.pose.turn(np.array([0.0, 0.0, -1.0 if lamp.rear else 1.0]))
            towards = canvas.camera.position - at
            facing = float(out @ towards / np.linalg.norm(towards))
            pixel, depth = canvas.camera.project(at)
            hidden = any(len(hull) and cv2.pointPolygonTest(hull, pixel.tolist(), False) > 0 for hull in nearer)
            if facing <= 0.1 or depth < 1 or hidden:
                continue
            size = (0.1 if lamp.rear else 0.22) * canvas.camera.focal_px / float(depth)
            strength = facing * light.darkness * (0.5 if lamp.rear else 1.1)
            add_glow(image_bgr, (float(pixel[0]), float(pixel[1])), size + 1.5, lamp.colour, strength)


def visible_share(corners_px: Points, hulls: Sequence[Points], size: tuple[int, int]) -> float:
    """Share of a plate's area inside the picture and outside the hulls of objects in front of it."""
    low = np.floor(corners_px.min(0)).astype(int)
    extent = np.ceil(corners_px.max(0)).astype(int) - low + 1
    if extent.max() > 4000:
        return 0.0
    cover = np.zeros((extent[1], extent[0]), np.uint8)
    cv2.fillConvexPoly(cover, np.round(corners_px - low).astype(np.int32), 255)
    whole = cv2.countNonZero(cover)
    for hull in hulls:
        if len(hull):
            cv2.fillConvexPoly(cover, np.round(hull - low).astype(np.int32), 0)
    columns, rows = np.arange(extent[0]) + low[0], np.arange(extent[1]) + low[1]
    cover[:, (columns < 0) | (columns >= size[0])] = 0
    cover[(rows < 0) | (rows >= size[1])] = 0
    return float(cv2.countNonZero(cover) / max(whole, 1))


def _distance(canvas: Canvas, actor: Actor) -> float:
    """To the nearest end of a vehicle, along the line of sight."""
    ends = np.array([[0, 0, -0.5], [0, 0, 0.5], [-0.5, 0, 0], [0.5, 0, 0]]) * actor.vehicle.size[2]
    ends[2:] *= actor.vehicle.size[0] / actor.vehicle.size[2]
    _, depths = canvas.camera.project(actor.pose.place(ends))
    return float(depths.min())


def _hull(canvas: Canvas, actor: Actor) -> Points:
    pixels, depths = canvas.camera.project(actor.pose.place(actor.vehicle.mesh.points))
    before = pixels[depths > NEAR_METRES].astype(np.float32)
    return cv2.convexHull(before)[:, 0] if len(before) >= 3 else np.zeros((0, 2), np.float32)


def _gain(light: Light, actor: Actor, corners: Points) -> Points:
    normal = np.cross(corners[1] - corners[0], corners[3] - corners[0])
    normal /= -np.linalg.norm(normal) or 1.0
    towards = actor.pose.turn(normal)[None]
    return np.asarray(light.diffuse(towards)[0] * 1.05)


def _draw_shadows(canvas: Canvas, actors: Sequence[Actor], light: Light) -> None:
    """Darken the ground under vehicles and in their shadow; lit headlamps brighten it."""
    size = canvas.camera.height // _MASK_SHRINK, canvas.camera.width // _MASK_SHRINK
    under, sun = np.full(size, 255, np.uint8), np.full(size, 255, np.uint8)
    strength = float(light.sun.mean() / (light.sun.mean() + light.ambient.mean()))
    for actor in actors:
        half = np.array([actor.vehicle.size[0] * 0.52, 0.0, actor.vehicle.size[2] * 0.51])
        corners = np.array([[-1, 0, -1], [1, 0, -1], [1, 0, 1], [-1, 0, 1]]) * half
        _fill_ground(canvas, under, actor.pose.place(corners), 95)
        if strength > 0.05:
            points = actor.pose.place(actor.vehicle.mesh.points)
            flat = points - light.towards_sun * points[:, 1:2] / max(float(light.towards_sun[1]), 0.2)
            _fill_ground(canvas, sun, flat, int(255 * (1 - strength)))
    blurred = cv2.GaussianBlur(under, (0, 0), size[0] / 90), cv2.GaussianBlur(sun, (0, 0), size[0] / 200)
    canvas.modulate(cv2.multiply(*blurred, scale=1 / 255))


def _fill_ground(canvas: Canvas, mask: np.ndarray, points: Points, level: int) -> None:
    pixels, depths = canvas.camera.project(points * [1, 0, 1])
    pixels = np.clip(pixels[depths > NEAR_METRES], -5000, 5000)
    if len(pixels) >= 3:
        hull = cv2.convexHull((pixels / _MASK_SHRINK).astype(np.float32))
        cv2.fillConvexPoly(mask, np.round(hull).astype(np.int32), level)
