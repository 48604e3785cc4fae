"""What the shipped clip shows."""

import json
from itertools import combinations

import cv2

from edge_app.demo import CLIP
from edge_app.evaluation.clips.truth import EVENTS_FILE, read_clips

(SHOWN,) = read_clips(CLIP.parent)


def test_the_clip_shows_at_least_eight_vehicles_some_side_by_side() -> None:
    plates = {vehicle.plate for vehicle in SHOWN.vehicles}
    pairs = combinations(SHOWN.vehicles, 2)

    assert len(plates) == len(SHOWN.vehicles) >= 8
    assert None not in plates
    assert any(b.first_frame <= a.last_frame and a.first_frame <= b.last_frame for a, b in pairs)


def test_the_clip_shows_plates_of_one_line_and_of_two() -> None:
    lines = (CLIP.parent / EVENTS_FILE).read_text(encoding="utf-8").splitlines()

    assert {json.loads(line)["lines"] for line in lines} == {1, 2}


def test_the_clip_is_as_long_as_its_truth() -> None:
    capture = cv2.VideoCapture(str(CLIP), cv2.CAP_FFMPEG)
    frames = 0
    while capture.grab():
        frames += 1
    capture.release()

    assert frames > max(vehicle.last_frame for vehicle in SHOWN.vehicles)
