"""Which pictures the converter learns ranges from."""

from pathlib import Path

import numpy as np
import pytest

from converters.calibration import calibration_pixels
from edge_app.errors import UsageError
from tests.converters.tiny import drawn_crops, drawn_scenes
from training.exports import Export, all_exports

DETECTOR, ALIGNER, READER = all_exports()


def test_the_detector_learns_from_whole_pictures_as_the_device_shows_them(tmp_path: Path) -> None:
    drawn_scenes(tmp_path / "data" / "street")
    drawn_crops(tmp_path / "data" / "crops")

    pixels = calibration_pixels(DETECTOR, tmp_path / "data")

    assert [each.shape for each in pixels] == [(1, 384, 640, 3)] * 4
    assert len({each.tobytes() for each in pixels}) == 4, "each picture is its own"
    assert all(each.dtype == np.uint8 and each.max() > 200 for each in pixels)


def test_of_crops_alone_the_detector_cannot_learn(tmp_path: Path) -> None:
    drawn_crops(tmp_path / "data" / "crops")

    with pytest.raises(UsageError, match="its sets hold no whole picture; give a folder with some"):
        calibration_pixels(DETECTOR, tmp_path / "data")


@pytest.mark.parametrize("export", [DETECTOR, ALIGNER, READER], ids=["detector", "aligner", "reader"])
def test_a_folder_without_datasets_is_wrong_usage(tmp_path: Path, export: Export) -> None:
    with pytest.raises(UsageError, match=f"{tmp_path}: no dataset folder in it"):
        calibration_pixels(export, tmp_path)
