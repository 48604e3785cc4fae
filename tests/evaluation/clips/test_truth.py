"""`events.jsonl`: what it holds, and what is reported of a line that is wrong."""

import json
from pathlib import Path
from typing import Any

import pytest

from edge_app.errors import SourceError
from edge_app.evaluation.clips.truth import LabelledClip, LabelledVehicle, read_clip, read_clips

LINE = {"video": "a.mp4", "plate": "MH 12 ab 1234", "first_frame": 3, "last_frame": 9}


def folder_with(folder: Path, *lines: dict[str, Any] | str, videos: tuple[str, ...] = ("a.mp4",)) -> Path:
    for video in videos:
        (folder / video).touch()
    text = "\n".join(line if isinstance(line, str) else json.dumps(line) for line in lines)
    (folder / "events.jsonl").write_text(text + "\n")
    return folder


def test_each_line_is_a_vehicle_of_its_video(tmp_path: Path) -> None:
    boxes = {"3": [10, 20, 100, 25], "4": [11, 22, 101, 25.5]}
    lines = (LINE | {"video": "b.mp4", "plate": None}, "", LINE | {"boxes": boxes, "kind": "bus"}, {"video": "c.mp4"})

    first, second, third = read_clips(folder_with(tmp_path, *lines, videos=("a.mp4", "b.mp4", "c.mp4")))

    assert [clip.path.name for clip in (first, second, third)] == ["a.mp4", "b.mp4", "c.mp4"]
    (vehicle,) = first.vehicles
    assert (vehicle.plate, vehicle.first_frame, vehicle.last_frame) == ("MH12AB1234", 3, 9)
    assert vehicle.boxes == {3: (10.0, 20.0, 100.0, 25.0), 4: (11.0, 22.0, 101.0, 25.5)}
    assert [clip.has_boxes for clip in (first, second, third)] == [True, False, True]
    assert second.vehicles[0].plate is None
    assert third.vehicles == ()


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ("{", "not JSON at column 2"),
        ("[1]", "this is no vehicle of a clip (not an object)"),
        ({"video": 7}, "(`video` is not a text)"),
        ({"plate": "MH12AB1234"}, "lacks 'video'"),
        ({"video": "a.mp4", "plate": "MH12AB1234", "first_frame": 3}, "lacks 'last_frame'"),
        ({"video": "a.mp4", "first_frame": 3, "last_frame": 4}, "lacks 'plate'"),
        (LINE | {"first_frame": 10}, "first_frame 10, last_frame 9: frames count from 0"),
        (LINE | {"first_frame": "3"}, "(`first_frame` and `last_frame` are whole numbers, unquoted)"),
        (LINE | {"last_frame": 9.5}, "(`first_frame` and `last_frame` are whole numbers, unquoted)"),
        (LINE | {"plate": 7}, "(`plate` is a text, or null if nobody could read it)"),
        (LINE | {"plate": "--"}, "`plate` has neither letter nor digit"),
        (LINE | {"boxes": {"10": [1, 2, 3, 4]}}, "`boxes` has frames outside of 3 to 9"),
        (LINE | {"boxes": {"four": [1, 2, 3, 4]}}, "`boxes` has frames outside of 3 to 9"),
        (LINE | {"boxes": [[1, 2, 3, 4]]}, "(`boxes` is not an object of a box by frame)"),
        (LINE | {"boxes": {"4": [1, 2, 3]}}, "(a box has four numbers: left, top, width, height)"),
        (LINE | {"boxes": {"4": "1234"}}, "(a box has four numbers: left, top, width, height)"),
        (LINE | {"boxes": {"4": [1, 2, 3, "4"]}}, "(a box has four numbers: left, top, width, height)"),
        (LINE | {"video": "b.mp4"}, "b.mp4: no such video; correct `video`"),
    ],
)
def test_a_wrong_line_is_named_with_what_to_write(tmp_path: Path, line: dict[str, Any] | str, fault: str) -> None:
    folder = folder_with(tmp_path, LINE, line)

    with pytest.raises(SourceError) as error:
        read_clips(folder)

    assert str(error.value).startswith(f"{folder / 'events.jsonl'}:2: ")
    assert fault in str(error.value)


def test_a_video_that_no_line_is_about_is_not_taken_for_empty(tmp_path: Path) -> None:
    folder = folder_with(tmp_path, LINE, videos=("a.mp4", "b.mp4"))

    with pytest.raises(SourceError, match=r'no line is about b\.mp4; .* write {"video": "b\.mp4"}'):
        read_clips(folder)


@pytest.mark.parametrize(("lines", "number"), [((LINE, {"video": "a.mp4"}), 2), (({"video": "a.mp4"}, LINE), 1)])
def test_a_video_cannot_both_be_empty_and_have_a_vehicle(
    tmp_path: Path, lines: tuple[dict[str, Any], ...], number: int
) -> None:
    folder = folder_with(tmp_path, *lines)

    with pytest.raises(SourceError, match=rf"events\.jsonl:{number}: .* nothing passes in a\.mp4.*; remove the line"):
        read_clips(folder)


def test_a_file_without_lines_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="names no video"):
        read_clips(folder_with(tmp_path, videos=()))


def test_of_one_video_only_the_lines_about_it_count(tmp_path: Path) -> None:
    lines = (LINE, LINE | {"video": "b.mp4", "plate": "KA01MN4567"}, {"video": "c.mp4"}, LINE | {"video": "gone.mp4"})
    folder = folder_with(tmp_path, *lines, videos=("a.mp4", "b.mp4", "c.mp4", "forgotten.mp4"))

    labelled, nothing, forgotten = (read_clip(folder / name) for name in ("b.mp4", "c.mp4", "forgotten.mp4"))

    assert labelled == LabelledClip(folder / "b.mp4", (LabelledVehicle("KA01MN4567", 3, 9, {}),))
    assert nothing == LabelledClip(folder / "c.mp4", ())
    assert forgotten is None


def test_nothing_is_known_of_a_video_without_lines_beside_it(tmp_path: Path) -> None:
    (tmp_path / "a.mp4").touch()

    assert read_clip(tmp_path / "a.mp4") is None
