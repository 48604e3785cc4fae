"""A film that the networks as shipped read right."""

import numpy as np

from training.synthetic.camera import PinholeCamera
from training.synthetic.camera_effects import CameraEffects
from training.synthetic.cars import car
from training.synthetic.clip_film import ClipFilm
from training.synthetic.courses import Course, Passer
from training.synthetic.film import Street
from training.synthetic.lettering import shipped_fonts
from training.synthetic.plates import render_plate
from training.synthetic.road import RoadStyle

PLATE = "MH12AB1234"


def car_that_comes_near() -> ClipFilm:
    """A car that comes near in a second and a half, with a clear plate."""
    plate = render_plate(np.random.default_rng(3), "hsrp", "MH 12 AB 1234", 200, shipped_fonts())
    vehicle = car(np.random.default_rng(5), "sedan", (120, 60, 30))
    passer = Passer(vehicle, plate, 0.1, True, 11.0, Course.steady(3.5, 1.5))
    camera = PinholeCamera.looking((640, 384), 1500.0, (0.0, 1.6, 0.0), pitch=0.09)
    effects = CameraEffects(gain=(1.2, 1.2, 1.2), blur_px=0.3)
    return ClipFilm("town", Street(camera, RoadStyle(), ()), (passer,), 1.5, 10, 2.0, 60.0, effects)
