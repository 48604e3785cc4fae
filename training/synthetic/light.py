"""Daylight, dusk and night: the brightness and colour of a surface."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from training.synthetic.camera import Points

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Light:
    """A sun, a sky and a ground that reflect in paint and glass. Colours are BGR, 1 is full white."""

    towards_sun: Points
    sun: Floats
    ambient: Floats
    zenith: Floats
    horizon: Floats
    darkness: float
    """0 by day, 1 at night; lamps are lit from 0.4."""

    @property
    def lamps_lit(self) -> bool:
        """Whether drivers have switched their lamps on."""
        return self.darkness > 0.4

    @classmethod
    def at(cls, darkness: float, azimuth: float, elevation: float = 0.8, cloud: float = 0.0) -> "Light":
        """The light at a darkness of 0 to 1 under a sky with `cloud` 0 to 1; angles in radians."""
        day = (1 - darkness) ** 1.5
        glow = float(np.exp(-(((darkness - 0.6) / 0.25) ** 2)))
        sun_colour = np.array([0.85, 0.97, 1.05]) * 0.75 * day * (1 - 0.85 * cloud)
        blue, grey, night = np.array([0.95, 0.72, 0.5]), np.array([0.84, 0.83, 0.82]), np.array([0.16, 0.09, 0.07])
        pale, dusk = np.array([0.96, 0.92, 0.87]), np.array([0.42, 0.5, 0.78])
        zenith = (blue * (1 - cloud) + grey * cloud) * day + night * (1 - day)
        horizon = pale * day + dusk * glow * 0.75 + night * (1 - day) * 1.4
        ambient = (np.array([0.6, 0.57, 0.55]) + 0.2 * cloud) * (day * 0.87 + 0.13) + np.array(
            [0.08, 0.06, 0.05]
        ) * glow
        flat = np.cos(elevation)
        sun_at = np.array([np.sin(azimuth) * flat, np.sin(elevation), np.cos(azimuth) * flat])
        return cls(sun_at, sun_colour, ambient, np.clip(zenith, 0, 1), np.clip(horizon, 0, 1), darkness)

    def diffuse(self, normals: Points) -> Floats:
        """Light (N, 3) that falls on matt surfaces."""
        upward = 0.72 + 0.28 * normals[:, 1:2]
        direct: Floats = np.clip(normals @ self.towards_sun, 0, None)[:, None]
        return np.asarray(self.ambient * upward + self.sun * direct)

    def shade(self, normals: Points, views: Points, colours: Floats, shine: Floats) -> Floats:
        """Colours (N, 3), 0 to 255, of surfaces seen along the unit vectors `views`."""
        facing = np.clip(-(normals * views).sum(1), 0, 1)
        mirrored = views + 2 * facing[:, None] * normals
        height = mirrored[:, 1:2]
        sky = self.horizon + (self.zenith - self.horizon) * np.clip(height * 1.6, 0, 1)
        ground = self.ambient * 0.32
        around = ground + (sky - ground) * np.clip(height * 6 + 0.5, 0, 1)
        mirror = (shine * (0.1 + 0.9 * (1 - facing) ** 3))[:, None]
        spark = (shine * np.clip(mirrored @ self.towards_sun, 0, 1) ** 40)[:, None] * self.sun * 200
        lit = colours * self.diffuse(normals) * (1 - mirror) + around * 255 * mirror + spark
        return np.asarray(np.clip(lit, 0, 255))
