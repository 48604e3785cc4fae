"""A pinhole camera in a world of metres: x to the right, y up, z ahead, the ground at y = 0."""

from dataclasses import dataclass
from math import cos, sin

import numpy as np
from numpy.typing import NDArray

Points = NDArray[np.float64]
"""(…, 3) in metres of the world, or (…, 2) in pixels with the pixel's centre at whole numbers."""

Floats = NDArray[np.float32]

NEAR_METRES = 0.3

_GROUND_METRES = 300.0
"""End of the map of the ground; farther off nothing can be distinguished."""


@dataclass(frozen=True, slots=True, eq=False)
class PinholeCamera:
    """Place and lens of a camera."""

    width: int
    height: int
    focal_px: float
    position: Points
    axes: Points
    """(3, 3): the camera's right, down and ahead as rows, in the world."""

    @classmethod
    def looking(
        cls,
        size: tuple[int, int],
        focal_px: float,
        position: tuple[float, float, float],
        yaw: float = 0.0,
        pitch: float = 0.0,
        roll: float = 0.0,
    ) -> "PinholeCamera":
        """Turn a camera of `size` (width, height) right by `yaw`, down by `pitch` and clockwise by `roll` (radians)."""
        ahead = np.array([sin(yaw) * cos(pitch), -sin(pitch), cos(yaw) * cos(pitch)])
        right = np.array([cos(yaw), 0.0, -sin(yaw)])
        down = np.cross(right, ahead)
        axes = np.stack([right * cos(roll) + down * sin(roll), down * cos(roll) - right * sin(roll), ahead])
        return cls(*size, focal_px, np.array(position), axes)

    @property
    def horizon_px(self) -> float:
        """Row of the horizon at the picture's middle column."""
        ahead, down = self.axes[2], self.axes[1]
        return float(self.height / 2 - 0.5 + self.focal_px * ahead[1] / max(-down[1], 1e-6))

    def project(self, points: Points) -> tuple[Points, Points]:
        """Pixels (…, 2) and depths (…) in metres; pixels mean nothing if the depth is under `NEAR_METRES`."""
        seen = (points - self.position) @ self.axes.T
        depth = seen[..., 2]
        safe = np.maximum(depth, NEAR_METRES)[..., None]
        centre = np.array([self.width / 2 - 0.5, self.height / 2 - 0.5])
        return seen[..., :2] / safe * self.focal_px + centre, depth

    def clip(self, polygon: Points) -> Points:
        """The part of a convex polygon that lies before the camera and not far out of the picture."""
        half_x, half_y = (size / self.focal_px for size in (self.width, self.height))
        right, down, ahead = self.axes
        planes = (
            (ahead, NEAR_METRES),
            *((ahead * half + side, 0.0) for half, axis in ((half_x, right), (half_y, down)) for side in (axis, -axis)),
        )
        for normal, least in planes:
            polygon = _clip_plane(polygon, (polygon - self.position) @ normal - least)
        return polygon

    def ground_map(self) -> tuple[Floats, Floats, Floats]:
        """World x and z (height, width) of the ground under each pixel and its distance; infinite above the horizon."""
        columns = ((np.arange(self.width) - self.width / 2 + 0.5) / self.focal_px).astype(np.float32)
        rows = ((np.arange(self.height) - self.height / 2 + 0.5) / self.focal_px).astype(np.float32)
        right, down, ahead = self.axes.tolist()
        slope = ahead[1] + columns[None, :] * right[1] + rows[:, None] * down[1]
        left, height, near = self.position.tolist()
        distance = np.where(slope < -1e-4, -height / np.minimum(slope, -1e-4), np.inf).astype(np.float32)
        reach = np.minimum(distance, np.float32(_GROUND_METRES))
        x = left + reach * (ahead[0] + columns[None, :] * right[0] + rows[:, None] * down[0])
        z = near + reach * (ahead[2] + columns[None, :] * right[2] + rows[:, None] * down[2])
        return x, z, distance


def _clip_plane(polygon: Points, heights: Points) -> Points:
    """The part of a convex polygon in which the heights over a plane, one a point, are positive."""
    inside = heights >= 0
    if inside.all():
        return polygon
    kept: list[Points] = []
    for k in range(len(polygon)):
        here, there, height, next_height = polygon[k - 1], polygon[k], heights[k - 1], heights[k]
        if (height >= 0) != (next_height >= 0):
            kept.append(here + (there - here) * (height / (height - next_height)))
        if next_height >= 0:
            kept.append(there)
    return np.array(kept).reshape(-1, 3)
