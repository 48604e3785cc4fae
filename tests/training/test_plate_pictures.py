"""Views of pictures that the detector learns from: what they show lies where they are labelled."""

import json
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.converters.tiny import drawn_scenes
from tests.evaluation.clips.film import car_that_comes_near
from training.clips import write_clip
from training.plate_pictures import (
    CLOSE_UP,
    VIEW,
    PictureSet,
    PlatePicture,
    PlateTruth,
    as_crop,
    clip_pictures,
    endless_views,
    real_pictures,
)
from training.real_data import real_labels


@pytest.fixture
def pictures(tmp_path: Path) -> PictureSet:
    drawn_scenes(tmp_path / "street")
    return real_pictures(real_labels(tmp_path))


def test_close_ups_show_plates_that_are_too_large_for_a_view(pictures: PictureSet) -> None:
    rng = np.random.default_rng(3)

    shown = [pictures.view(rng, index % 4, CLOSE_UP) for index in range(24)]

    widths = [float(np.ptp(plate.corners_px[:, 0])) for view in shown for plate in view.plates if plate.counted]
    assert {view.image_bgr.shape for view in shown} == {(384, 640, 3)}
    assert max(widths) > VIEW[0]


def test_batches_are_views_or_a_fourth_as_many_close_ups(pictures: PictureSet) -> None:
    batches = islice(endless_views(np.random.default_rng(1), pictures, range(4), 8), 30)

    kinds = {(len(batch), batch[0].image_bgr.shape[1::-1]) for batch in batches}

    assert kinds == {(8, VIEW), (2, CLOSE_UP)}


@pytest.fixture
def clip(tmp_path: Path) -> dict[str, Any]:
    (line,) = write_clip(car_that_comes_near(), 1, tmp_path / "car.mp4")
    (tmp_path / "events.jsonl").write_text(json.dumps(line) + "\n")
    return line


def test_a_filmed_plate_is_shown_about_as_large_as_the_detector_sees_it(tmp_path: Path, clip: dict[str, Any]) -> None:
    films = clip_pictures(tmp_path)
    rng = np.random.default_rng(4)

    views = [films.view(rng, index, size) for index in (0, 1) for size in (VIEW, CLOSE_UP) for _ in range(8)]

    assert len(films) == 2, "of fifteen frames the first and the ninth"
    widths = {clip["boxes"]["0"][2], clip["boxes"]["8"][2]}
    counted = [plate for view in views for plate in view.plates if plate.counted]
    assert len(counted) >= 16
    for plate in counted:
        assert plate.exact
        assert plate.lines == clip["lines"]
        assert any(0.74 * width < np.ptp(plate.corners_px[:, 0]) < 1.31 * width for width in widths)


def test_a_filmed_plate_that_is_mostly_hidden_is_not_asked_for(tmp_path: Path, clip: dict[str, Any]) -> None:
    clip["visible"] = dict.fromkeys(clip["visible"], 0.5)
    (tmp_path / "events.jsonl").write_text(json.dumps(clip) + "\n")

    films = clip_pictures(tmp_path)

    rng = np.random.default_rng(4)
    assert not any(plate.counted for index in (0, 1) for plate in films.view(rng, index).plates)


def test_films_are_a_part_of_every_few_views(tmp_path: Path, clip: dict[str, Any]) -> None:
    cut_off = PlateTruth(np.array([[0, 80], [30, 80], [30, 90], [0, 90]], np.float32), False, None, counted=False)
    still = PictureSet([lambda: PlatePicture(np.zeros((192, 320, 3), np.uint8), (cut_off,))])

    def filmed_share(films: PictureSet | None) -> float:
        batches = islice(endless_views(np.random.default_rng(1), still, [0], 8, films), 60)
        return float(np.mean([any(plate.exact for plate in view.plates) for batch in batches for view in batch]))

    assert filmed_share(None) == 0
    assert 0.2 < filmed_share(clip_pictures(tmp_path)) < 0.3


def test_a_crop_keeps_one_plate_where_it_was_and_is_grey_around() -> None:
    rng = np.random.default_rng(2)
    wall = rng.integers(0, 90, (192, 320, 3), dtype=np.uint8)
    near, far = (np.array([[x, 80], [x + 90, 80], [x + 90, 104], [x, 104]], np.float32) for x in (30, 200))
    picture = PlatePicture(wall, tuple(PlateTruth(corners, True, 1) for corners in (near, far)))

    crop = as_crop(rng, picture)

    (plate,) = crop.plates
    left, top = plate.corners_px[0].astype(int)
    inside = (slice(top + 2, top + 22), slice(left + 4, left + 86))
    assert np.array_equal(crop.image_bgr[inside], wall[inside])
    assert (crop.image_bgr[[0, 0, -1, -1], [0, -1, 0, -1]] == 114).all()
    assert (crop.image_bgr == 114).all(axis=2).mean() > 0.5


def test_there_is_nothing_to_crop_if_no_plate_is_large() -> None:
    small = PlateTruth(np.array([[10, 10], [40, 10], [40, 18], [10, 18]], np.float32), True, 1)
    picture = PlatePicture(np.zeros((192, 320, 3), np.uint8), (small,))

    assert as_crop(np.random.default_rng(1), picture) is picture
