"""The shipped detector tells where the plate lies in a crop."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from edge_app.errors import EdgeAnprError
from edge_app.evaluation.scoring import iou
from edge_app.records import ImageBgr, PlateDetection
from training.crop_corners import find_in_crops, read_crop
from training.synthetic.plates import render_plate

DETECTOR = Path(__file__).parent.parent.parent / "models" / "plate_detector.keras"

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # Keras' and TensorFlow's own


def crop(margin: int) -> ImageBgr:
    """A plate 161 pixels wide and 40 high, with so much wall around it."""
    plate = render_plate(np.random.default_rng(3), "hsrp", "MH 12 AB 1234", height_px=40).image_bgr
    return np.asarray(
        cv2.copyMakeBorder(plate, margin, margin, margin, margin, cv2.BORDER_CONSTANT, value=(70, 70, 70)), np.uint8
    )


CROPS = {
    "tight": crop(4),
    "wall": np.full((40, 160, 3), 90, np.uint8),
    "loose": crop(20),
    "half": crop(60),
    "lost": crop(100),
}

Found = dict[str, PlateDetection | None]


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Found:
    """What is found in each crop; module-wide, for the network takes seconds to load."""
    paths = [tmp_path_factory.getbasetemp() / f"{name}.png" for name in CROPS]
    for path, picture in zip(paths, CROPS.values(), strict=True):
        cv2.imwrite(str(path), picture)
    return dict(zip(CROPS, find_in_crops(DETECTOR, paths), strict=True))


@pytest.mark.parametrize(("name", "margin"), [("tight", 4), ("loose", 20)])
def test_the_corners_are_those_of_the_plate_in_pixels_of_the_crop(found: Found, name: str, margin: int) -> None:
    plate = found[name]

    assert plate is not None
    assert iou(plate.box_px, (margin, margin, 161, 40)) > 0.6
    assert plate.lines == 1


def test_a_plate_that_does_not_fill_the_crop_is_not_the_one_that_is_meant(found: Found) -> None:
    assert found["half"] is not None
    assert found["lost"] is None


def test_a_crop_without_a_plate_has_no_corners(found: Found) -> None:
    assert found["wall"] is None


def test_a_crop_that_is_no_picture_is_named(tmp_path: Path) -> None:
    (tmp_path / "crop.png").write_bytes(b"not a picture")

    with pytest.raises(EdgeAnprError, match=r"crop\.png: not a readable picture; mend or remove its line"):
        read_crop(tmp_path / "crop.png")
