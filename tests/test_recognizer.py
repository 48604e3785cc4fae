"""Single pictures are read by the shipped networks."""

import numpy as np

from edge_app import PlateRecognizer
from edge_app.records import PlateDetection
from training.synthetic.lettering import shipped_fonts
from training.synthetic.plates import render_plate


def test_a_plate_whose_lines_were_miscounted_is_read_in_the_other_layout() -> None:
    plate = render_plate(np.random.default_rng(1), "white_two", "MH 12/AB 1234", 96, shipped_fonts()).image_bgr
    height, width = plate.shape[:2]
    wall = np.full((384, 640, 3), 70, np.uint8)
    wall[100 : 100 + height, 200 : 200 + width] = plate
    corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32) + np.array(
        [200, 100], np.float32
    )

    (read,) = PlateRecognizer().read(wall, [PlateDetection(corners, 0.9, lines=1)])

    assert read.text == "MH12AB1234"
    assert read.detection.lines == 2
