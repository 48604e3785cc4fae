"""The aligner: corners and layout from a close view."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from edge_app.recognition.aligner import PlateAligner, placed, view_of
from edge_app.records import PlateDetection
from edge_app.tflite_model import InputShape, ModelManifest, TfliteModel
from training.views import generated

MODELS = Path(__file__).parent.parent.parent / "models"
SIZE = (128, 64)
UNIT = np.array([[0, 0], [1, 0], [1, 1], [0, 1]], np.float32)


class Canned:
    """A network that always gives the same corners."""

    def __init__(self, corners: NDArray[np.float32], plate: float = 0.0) -> None:
        self.manifest = ModelManifest("canned", "1.0.0", "plate-aligner", InputShape(*SIZE, 1, "GRAY"), "")
        self._outputs = {
            "corners": corners.reshape(1, 8),
            "lines": np.ones((1, 1), np.float32),
            "plate": np.full((1, 1), plate, np.float32),
        }

    def run(self, _pixels: NDArray[np.uint8]) -> dict[str, NDArray[np.float32]]:
        return self._outputs


@pytest.fixture(scope="module")
def aligner() -> PlateAligner:
    return PlateAligner(TfliteModel.load(MODELS / "plate_aligner.tflite", "plate-aligner"))


def test_a_view_shows_the_plate_in_its_middle_and_the_matrix_leads_there() -> None:
    image = np.full((120, 200, 3), 40, np.uint8)
    image[50:70, 60:140] = 220
    corners = np.array([[60, 50], [140, 50], [140, 70], [60, 70]], np.float32)

    view, to_view = view_of(image, corners, SIZE)

    bright = np.argwhere(view > 128)
    (top, left), (bottom, right) = bright.min(axis=0), bright.max(axis=0) + 1
    inside = np.array([[left, top], [right, top], [right, bottom], [left, bottom]], np.float32) / SIZE
    found = placed(inside.astype(np.float32), to_view, SIZE)
    assert found == pytest.approx(corners, abs=1.0)


def test_a_view_of_a_plate_at_the_edge_of_the_picture_is_padded() -> None:
    image = np.full((40, 60, 3), 200, np.uint8)
    corners = np.array([[-10, -5], [30, -5], [30, 10], [-10, 10]], np.float32)

    view, _ = view_of(image, corners, SIZE)

    assert view.shape == (64, 128)
    assert view[0, 0] < view[40, 80], "grey beyond the picture"


def test_corners_that_cross_are_none() -> None:
    crossed = np.array([[0.2, 0.2], [0.8, 0.8], [0.8, 0.2], [0.2, 0.8]], np.float32)

    assert placed(crossed, np.eye(3), SIZE) is None


def test_loose_corners_are_brought_closer_to_the_plate(aligner: PlateAligner) -> None:
    rng = np.random.default_rng(11)
    before, after, lines_right = [], [], []
    for _ in range(40):
        plate = generated(rng)
        height = np.linalg.norm(plate.corners[3] - plate.corners[0])
        loose = plate.corners + rng.normal(0, 0.12, (4, 2)) * height
        found = PlateDetection(loose.astype(np.float32), 0.8, 1)

        aligned = aligner.align(plate.image_bgr, found)

        before.append(np.abs(loose - plate.corners).mean() / height)
        after.append(np.abs(aligned.corners_px - plate.corners).mean() / height)
        lines_right.append(aligned.lines == plate.lines)
    assert np.median(after) < 0.6 * np.median(before)
    assert np.mean(lines_right) > 0.9


@pytest.mark.parametrize("corners", [UNIT + 2, UNIT[::-1]], ids=["elsewhere", "mirrored"])
def test_corners_that_cannot_be_the_plate_leave_it_as_it_was_found(corners: NDArray[np.float32]) -> None:
    found = PlateDetection(np.array([[20, 20], [60, 20], [60, 30], [20, 30]], np.float32), 0.5, 1)

    aligned = PlateAligner(Canned(corners)).align(np.zeros((60, 90, 3), np.uint8), found)

    assert (aligned.corners_px == found.corners_px).all()
    assert aligned.lines == found.lines


@pytest.mark.parametrize(("confidence", "logit", "together"), [(0.5, 5.2, 0.5), (0.9, 5.2, 0.9), (0.5, 0.0, 0.0691)])
def test_the_confidence_is_that_of_detector_and_aligner(confidence: float, logit: float, together: float) -> None:
    corners = np.array([[20, 20], [60, 20], [60, 30], [20, 30]], np.float32)
    network = Canned(UNIT, logit)

    aligned = PlateAligner(network).align(np.zeros((60, 90, 3), np.uint8), PlateDetection(corners, confidence, 1))

    assert aligned.confidence == pytest.approx(together, abs=1e-3)
