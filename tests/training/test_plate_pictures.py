"""Views of pictures that the detector learns from: what they show lies where they say."""

from itertools import islice
from pathlib import Path

import numpy as np
import pytest

from tests.converters.tiny import drawn_scenes
from training.plate_pictures import (
    CLOSE_UP,
    VIEW,
    PictureSet,
    PlatePicture,
    PlateTruth,
    as_crop,
    endless_views,
    real_pictures,
)
from training.real_data import real_labels


@pytest.fixture
def pictures(tmp_path: Path) -> PictureSet:
    drawn_scenes(tmp_path / "street")
    return real_pictures(real_labels(tmp_path))


def test_close_ups_show_plates_that_a_view_has_no_room_for(pictures: PictureSet) -> None:
    rng = np.random.default_rng(3)

    shown = [pictures.view(rng, index % 4, CLOSE_UP) for index in range(24)]

    widths = [float(np.ptp(plate.corners_px[:, 0])) for view in shown for plate in view.plates if plate.counted]
    assert {view.image_bgr.shape for view in shown} == {(384, 640, 3)}
    assert max(widths) > VIEW[0]


def test_batches_are_views_or_a_fourth_as_many_close_ups(pictures: PictureSet) -> None:
    batches = islice(endless_views(np.random.default_rng(1), pictures, range(4), 8), 30)

    kinds = {(len(batch), batch[0].image_bgr.shape[1::-1]) for batch in batches}

    assert kinds == {(8, VIEW), (2, CLOSE_UP)}


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


def test_where_no_plate_is_large_there_is_nothing_to_crop() -> None:
    small = PlateTruth(np.array([[10, 10], [40, 10], [40, 18], [10, 18]], np.float32), True, 1)
    picture = PlatePicture(np.zeros((192, 320, 3), np.uint8), (small,))

    assert as_crop(np.random.default_rng(1), picture) is picture
