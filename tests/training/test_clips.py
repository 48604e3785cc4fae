"""Rendered clips: the truth about them must be the truth, and the same for the same seed."""

from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
import pytest

from edge_app.evaluation.clips.truth import read_clips
from edge_app.printable import counted
from tests.training.test_scenes import magenta_corners, magenta_plate
from training.clips import main, write_clip, write_clips
from training.synthetic.camera import PinholeCamera
from training.synthetic.camera_effects import CameraEffects
from training.synthetic.cars import car
from training.synthetic.clip_film import ClipFilm
from training.synthetic.clip_scenes import KINDS, clip_film
from training.synthetic.courses import Course, Passer, queue
from training.synthetic.film import Street
from training.synthetic.plates import RenderedPlate
from training.synthetic.road import RoadStyle
from training.synthetic.scenery import LampPost
from training.synthetic.weather import Shake

SIZE = (640, 360)


def film_of(shake: Shake | None = None, foreground: tuple[LampPost, ...] = (), speed: float = 8.0) -> ClipFilm:
    """A car with a magenta plate, eight metres away at the beginning."""
    camera = PinholeCamera.looking(SIZE, 1000.0, (0.0, 1.5, 0.0), pitch=0.08)
    vehicle = car(np.random.default_rng(5), "sedan", (200, 200, 200))
    passer = Passer(vehicle, magenta_plate(), 0.1, True, 8.0, Course.steady(speed, 1.0))
    street, effects = Street(camera, RoadStyle(), ()), CameraEffects(blur_px=0, noise=0, vignette=0)
    return ClipFilm("town", street, (passer,), 0.2, 20, 2.0, 60.0, effects, foreground=foreground, shake=shake)


@pytest.mark.parametrize("shake", [None, Shake(20.0, 1.3, 2.0, 9.0, 0.03, phase=1.0)], ids=["still", "shaken"])
def test_the_corners_are_where_the_plate_is_seen(shake: Shake | None) -> None:
    for image_bgr, plates in film_of(shake).shots(1):
        (seen,) = plates

        distances = np.linalg.norm(seen.corners_px[:, None] - magenta_corners(image_bgr)[None], axis=2)

        assert distances.min(axis=1).max() < 2.0


def test_a_plate_behind_a_post_is_hidden() -> None:
    (_, (free,)), *_ = film_of().shots(1)
    (_, (hidden,)), *_ = film_of(foreground=(LampPost(0.06, 5.0),)).shots(1)

    assert free.visible == 1.0
    assert 0.3 < hidden.visible < 0.95


def test_what_moves_is_smeared_in_a_longer_exposure() -> None:
    film = film_of(speed=30.0)
    sharp, smeared = (next(iter(replace(film, exposure_seconds=seconds).shots(1)))[0] for seconds in (0.0005, 0.03))

    assert cv2.Laplacian(smeared, cv2.CV_64F).var() < 0.9 * cv2.Laplacian(sharp, cv2.CV_64F).var()


def test_a_course_stops_at_the_wanted_place_and_goes_on() -> None:
    course = Course.stopping(10.0, seconds=12.0, stop_at=30.0, stop_seconds=3.0)

    places = [course.at(seconds) for seconds in np.arange(0, 12, 0.5)]

    assert places[0] == pytest.approx(0.0, abs=0.3)
    assert all(later >= earlier for earlier, later in pairwise(places))
    assert sum(abs(place - 30.0) < 0.05 for place in places) >= 6
    assert places[-1] > 35.0


@pytest.mark.parametrize("approaching", [True, False])
def test_vehicles_of_a_lane_never_overlap(approaching: bool) -> None:
    rng = np.random.default_rng(3)
    plate = RenderedPlate(np.zeros((10, 40, 3), np.uint8), "MH12AB1234", 1, "IN", "hsrp")
    cast = [(car(rng), plate) for _ in range(5)]
    course = Course.stopping(12.0, seconds=12.0, stop_at=40.0, stop_seconds=4.0)

    lane = queue(rng, cast, course, 0.0, approaching, start_z=50.0 if approaching else 0.0)

    for seconds in np.arange(0, 12, 0.25):
        actors = [actor for passer in lane if (actor := passer.at(float(seconds), -500.0, 500.0)) is not None]
        assert len(actors) == len(cast)
        ends = sorted((each.pose.z, each.vehicle.size[2]) for each in actors)
        assert all(b - a > (one + other) / 2 for (a, one), (b, other) in pairwise(ends))


def test_the_same_seed_gives_the_same_clips_and_fewer_are_the_first_of_more(tmp_path: Path) -> None:
    write_clips(tmp_path / "two", seed=5, count=2, seconds=0.1, kinds=["rain", "infrared"], processes=2)
    write_clips(tmp_path / "one", seed=5, count=1, seconds=0.1, kinds=["rain", "infrared"])

    first, second = (tmp_path / name / "0000-rain.mp4" for name in ("one", "two"))
    truth = (tmp_path / "two" / "events.jsonl").read_text()
    assert first.read_bytes() == second.read_bytes()
    assert truth.startswith((tmp_path / "one" / "events.jsonl").read_text())
    assert [clip.path.name for clip in read_clips(tmp_path / "two")] == ["0000-rain.mp4", "0001-infrared.mp4"]
    assert all(clip.has_boxes and clip.vehicles for clip in read_clips(tmp_path / "two"))


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_has_traffic_whose_plates_come_large_enough_to_read(kind: str) -> None:
    film = clip_film(np.random.default_rng(2), kind, 8.0)

    texts = [passer.plate.text for passer in film.passers]
    widest = 0.0
    for seconds in np.arange(0, 8, 0.5):
        actors = [passer.at(float(seconds), film.near_z, film.far_z) for passer in film.passers]
        depths = [each.pose.z - each.vehicle.size[2] / 2 for each in actors if each]
        widest = max([widest, *(film.street.camera.focal_px * 0.5 / depth for depth in depths if depth > film.near_z)])

    assert len(set(texts)) == len(texts) >= 5
    assert widest > 70


@pytest.mark.parametrize(
    ("words", "fault"),
    [(("--count", "0"), "--count: more than 0"), (("--seconds", "-1"), "--seconds: more than 0"), ((), "holds some")],
)
def test_what_cannot_be_meant_is_wrong_usage(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], words: tuple[str, ...], fault: str
) -> None:
    (tmp_path / "kept.txt").touch()

    code = main(["--out", str(tmp_path), *words])

    assert code == 2
    assert fault in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["kept.txt"]


def test_what_was_rendered_and_its_folder_are_printed_at_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)

    code = main(["--out", "traffic", "--count", "1", "--seconds", "0.1", "--kinds", "town", "--processes", "1"])

    (clip,) = read_clips(tmp_path / "traffic")
    vehicles = counted(len(clip.vehicles), "vehicle")
    assert code == 0
    assert capsys.readouterr().out == f"1 clip, {vehicles} in {tmp_path / 'traffic'}\n"


def test_a_plate_has_a_text_only_if_it_is_large_enough_long_enough(tmp_path: Path) -> None:
    near, far = film_of(), film_of()
    (passer,) = far.passers
    far = replace(far, passers=(replace(passer, start_z=30.0),))

    (asked,), (not_asked,) = (write_clip(film, 1, tmp_path / "a.mp4") for film in (near, far))

    assert (asked["plate"], not_asked["plate"]) == ("MH12AB1234", None)
    assert len(asked["clear_frames"]) >= 4 > len(not_asked["clear_frames"])
    for line in (asked, not_asked):
        assert (line["first_frame"], line["last_frame"], len(line["boxes"])) == (0, 3, 4)


def test_every_frame_has_the_corners_and_the_share_that_is_seen(tmp_path: Path) -> None:
    (line,) = write_clip(film_of(foreground=(LampPost(0.06, 5.0),)), 1, tmp_path / "a.mp4")

    _, (seen,) = next(film_of().shots(1))
    assert line["corners"].keys() == line["visible"].keys() == line["boxes"].keys()
    assert np.array(line["corners"]["0"]) == pytest.approx(seen.corners_px, abs=0.06)
    assert all(0.3 <= share < 0.95 for share in line["visible"].values())
