"""Generated scenes: the truth about them must be the truth."""

from itertools import pairwise

import cv2
import numpy as np

from edge_app.records import ImageBgr
from training.synthetic.camera import PinholeCamera
from training.synthetic.camera_effects import CameraEffects
from training.synthetic.canvas import Canvas
from training.synthetic.cars import car
from training.synthetic.film import Film, Player, Role, Street
from training.synthetic.light import Light
from training.synthetic.plates import RenderedPlate
from training.synthetic.road import RoadStyle
from training.synthetic.scenes import SCENE_SIZE, render_scene
from training.synthetic.traffic import Actor, draw_traffic, visible_share
from training.synthetic.vehicles import Pose

MAGENTA = (255, 0, 255)


def magenta_plate() -> RenderedPlate:
    return RenderedPlate(np.full((60, 240, 3), MAGENTA, np.uint8), "MH12AB1234", 1, "IN", "hsrp")


def magenta_corners(image_bgr: ImageBgr) -> np.ndarray:
    """Corners of the smallest quadrilateral around all that is magenta."""
    blue, green, red = (plane.astype(np.int32) for plane in cv2.split(image_bgr))
    mask = ((blue > 2 * green + 30) & (red > 2 * green + 30)).astype(np.uint8)
    points = cv2.findNonZero(mask)
    return cv2.boxPoints(cv2.minAreaRect(points))


def test_the_corners_are_where_the_plate_was_drawn() -> None:
    camera = PinholeCamera.looking((640, 384), 1200.0, (0.3, 1.4, 0.0), yaw=0.03, pitch=0.1, roll=0.05)
    canvas = Canvas(camera)
    vehicle = car(np.random.default_rng(5), "hatchback", (200, 200, 200))
    actor = Actor(vehicle, Pose(0.4, 8.0, np.pi), (magenta_plate(), None))

    (seen,) = draw_traffic(canvas, [actor], Light.at(0.0, 2.5))
    drawn = magenta_corners(canvas.finish())

    distances = np.linalg.norm(seen.corners_px[:, None] - drawn[None], axis=2)
    assert distances.min(axis=1).max() < 1.5
    assert seen.visible == 1.0


def test_corners_count_from_the_pictures_edge_as_the_detectors_do() -> None:
    canvas = Canvas(PinholeCamera.looking((640, 384), 1200.0, (0.0, 1.4, 0.0), pitch=0.1))
    actor = Actor(car(np.random.default_rng(5), "sedan"), Pose(0.0, 9.0, np.pi), (magenta_plate(), None))

    (seen,) = draw_traffic(canvas, [actor], Light.at(0.0, 2.5))

    drawn = magenta_corners(canvas.finish()) + 0.5  # found at the centres of pixels
    assert np.abs(seen.corners_px.mean(axis=0) - drawn.mean(axis=0)).max() < 0.4


def test_corners_run_clockwise_from_the_plates_own_top_left() -> None:
    canvas = Canvas(PinholeCamera.looking((640, 384), 1200.0, (0.0, 1.4, 0.0), pitch=0.1))
    vehicle = car(np.random.default_rng(5), "sedan")

    for heading, plates in ((np.pi, (magenta_plate(), None)), (0.0, (None, magenta_plate()))):
        (seen,) = draw_traffic(canvas, [Actor(vehicle, Pose(0.0, 9.0, heading), plates)], Light.at(0.0, 2.5))
        top_left, top_right, bottom_right, bottom_left = seen.corners_px

        assert top_left[0] < top_right[0]
        assert bottom_left[0] < bottom_right[0]
        assert top_left[1] < bottom_left[1]
        assert top_right[1] < bottom_right[1]


def test_a_plate_behind_another_vehicle_is_not_called_visible() -> None:
    canvas = Canvas(PinholeCamera.looking((640, 384), 700.0, (0.0, 1.4, 0.0), pitch=0.05))
    rng = np.random.default_rng(5)
    near, far = (Actor(car(rng, "suv"), Pose(0.0, z, np.pi), (magenta_plate(), None)) for z in (8.0, 16.0))

    visible = {seen.actor.pose.z: seen.visible for seen in draw_traffic(canvas, [near, far], Light.at(0.0, 2.5))}

    assert visible[8.0] == 1.0
    assert visible[16.0] < 0.2


def test_half_of_a_plate_beyond_the_pictures_edge_counts_as_half_visible() -> None:
    corners = np.array([[-50.0, 10.0], [49.0, 10.0], [49.0, 40.0], [-50.0, 40.0]])

    share = visible_share(corners, [], (640, 384))

    assert abs(share - 0.5) < 0.02


def test_a_scene_is_the_same_for_the_same_seed() -> None:
    first, second = (render_scene(np.random.default_rng(11)) for _ in range(2))

    assert np.array_equal(first.image_bgr, second.image_bgr)
    assert [plate.text for plate in first.plates] == [plate.text for plate in second.plates]


def test_scenes_have_the_size_asked_for_and_their_plates_lie_within() -> None:
    scenes = [render_scene(np.random.default_rng(seed)) for seed in range(12)]

    assert all(scene.image_bgr.shape == (SCENE_SIZE[1], SCENE_SIZE[0], 3) for scene in scenes)
    plates = [plate for scene in scenes for plate in scene.plates]
    assert len(plates) >= 6
    assert {plate.lines for plate in plates} == {1, 2}
    for plate in plates:
        centre = plate.corners_px.mean(axis=0)
        assert np.all(centre > 0)
        assert np.all(centre < SCENE_SIZE)
        assert cv2.contourArea(plate.corners_px, oriented=True) > 0


def test_a_filmed_plate_grows_as_its_vehicle_approaches() -> None:
    part = Role("hatchback", None, "hsrp", "MH 12 AB 1234", 0.0, True, 1.0, 8.0)
    camera = PinholeCamera.looking((640, 384), 1000.0, (0.0, 1.5, 0.0), pitch=0.05)
    street = Street(camera, RoadStyle(), ())
    film = Film(street, (Player.of(part, 3),), 1.0, 5, (9.0, 10.0), 0.0, CameraEffects())

    shots = list(film.shots(1))

    widths = [float(np.ptp(shot.plates[0].corners_px[:, 0])) for shot in shots]
    assert len(shots) == 5
    assert all(later > earlier for earlier, later in pairwise(widths))
