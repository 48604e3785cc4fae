"""The truth of rendered clips, as the trainings take it."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edge_app.errors import SourceError
from tests.evaluation.clips.film import PLATE, car_that_comes_near
from training.clips import write_clip
from training.rendered_clips import clip_frames


@pytest.fixture
def clip(tmp_path: Path) -> dict[str, Any]:
    (line,) = write_clip(car_that_comes_near(), 1, tmp_path / "car.mp4")
    return line


def write_events(folder: Path, *lines: dict[str, Any]) -> None:
    (folder / "events.jsonl").write_text("\n\n".join(map(json.dumps, lines)) + "\n")


def test_every_few_frames_come_with_their_plates_and_those_of_empty_videos_with_none(
    tmp_path: Path, clip: dict[str, Any]
) -> None:
    (tmp_path / "empty.mp4").write_bytes((tmp_path / "car.mp4").read_bytes())
    write_events(tmp_path, clip, {"video": "empty.mp4"})

    seen = [(frame.sequence, plates) for frame, plates in clip_frames(tmp_path, every=8)]

    assert [sequence for sequence, _ in seen] == [0, 8, 0, 8]
    assert [len(plates) for _, plates in seen] == [1, 1, 0, 0]
    for sequence, (plate,) in seen[:2]:
        assert (plate.text, plate.lines) == (PLATE, clip["lines"])
        assert plate.corners_px == pytest.approx(np.array(clip["corners"][str(sequence)]))
        assert plate.visible == clip["visible"][str(sequence)]
        assert plate.clear == (sequence in clip["clear_frames"])


@pytest.mark.parametrize(
    ("key", "value", "fault"),
    [
        ("corners", None, "lacks 'corners'"),
        ("visible", None, "lacks 'visible'"),
        ("corners", {"0": [1, 2]}, "cannot reshape"),
        ("visible", {"0": "much"}, "could not convert"),
    ],
)
def test_a_line_of_clips_that_were_not_rendered_or_long_ago_is_named(
    tmp_path: Path, clip: dict[str, Any], key: str, value: object, fault: str
) -> None:
    wrong = {name: each for name, each in clip.items() if name != key} | ({key: value} if value else {})
    write_events(tmp_path, clip, wrong)

    with pytest.raises(SourceError, match=rf"events.jsonl:3: .*{fault}.*render them again with ./build.sh clips"):
        clip_frames(tmp_path)


def test_a_video_that_is_not_there_is_an_error_before_the_first_frame(tmp_path: Path, clip: dict[str, Any]) -> None:
    write_events(tmp_path, clip | {"video": "gone.mp4"})

    with pytest.raises(SourceError, match="no such video"):
        clip_frames(tmp_path)


def test_clips_in_which_no_plate_is_seen_are_nothing_to_learn_from(tmp_path: Path, clip: dict[str, Any]) -> None:
    write_events(tmp_path, {"video": clip["video"]})

    with pytest.raises(SourceError, match="no plate is seen"):
        clip_frames(tmp_path)
