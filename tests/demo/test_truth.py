"""What the shipped clip is said to show."""

import cv2

from edge_app.demo import truth


def test_the_clip_shows_at_least_eight_vehicles_of_both_layouts_some_side_by_side() -> None:
    vehicles = truth.load()

    pairs = [(a, b) for a in vehicles for b in vehicles if a.text < b.text and a.first_frame <= b.last_frame]

    assert len({vehicle.text for vehicle in vehicles}) == len(vehicles) >= 8
    assert {vehicle.lines for vehicle in vehicles} == {1, 2}
    assert any(b.first_frame <= a.last_frame for a, b in pairs)


def test_the_clip_is_as_long_as_its_truth() -> None:
    capture = cv2.VideoCapture(str(truth.CLIP), cv2.CAP_FFMPEG)
    frames = 0
    while capture.grab():
        frames += 1
    capture.release()

    assert frames > max(vehicle.last_frame for vehicle in truth.load())
