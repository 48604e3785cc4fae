"""`edge-anpr evaluate` and `replay` on a rendered clip, with the networks as shipped."""

import json
from pathlib import Path
from typing import Any

import pytest

from benchmarks import economy
from edge_app.__main__ import main
from tests.capture.pictures import write_clip as write_video
from tests.evaluation.clips.film import PLATE, car_that_comes_near
from training.clips import write_clip


@pytest.fixture(scope="module")
def rendered(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A car that comes near in a second and a half, with a clear plate."""
    folder = tmp_path_factory.mktemp("clips")
    film = car_that_comes_near()
    lines = write_clip(film, 1, folder / "car.mp4")
    (folder / "events.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    return folder


@pytest.fixture
def clips(rendered: Path, tmp_path: Path) -> Path:
    """The same, to be written into."""
    for path in rendered.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    return tmp_path


def evaluate(folder: Path, capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    assert main(["evaluate", "--json", str(folder)]) == 0
    printed: dict[str, Any] = json.loads(capsys.readouterr().out)
    return printed


def test_a_vehicle_that_passes_is_one_event_read_right(clips: Path, capsys: pytest.CaptureFixture[str]) -> None:
    printed = evaluate(clips, capsys)

    assert printed["events"] == {
        "vehicles": 1, "found": 1, "false": 0, "duplicates": 0, "recall": 1.0, "precision": 1.0, "duplicate_rate": 0.0,
    }  # fmt: skip
    assert printed["reading"] == {"plates": 1, "exact": 1.0, "character_accuracy": 1.0}
    assert printed["voting"]["joint"] == 1.0
    assert printed["tracking"] == {"ids_switched": 0, "tracks_broken": 0}
    assert (printed["videos"], printed["frames"]) == (1, 15)


def test_a_vehicle_published_early_and_updated_is_one_event(clips: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (clips / "early.toml").write_text('[tracking]\npublish = "early"\n')

    assert main(["evaluate", "--json", "--config", str(clips / "early.toml"), str(clips)]) == 0

    printed = json.loads(capsys.readouterr().out)
    assert (printed["events"]["found"], printed["events"]["duplicates"], printed["reading"]["exact"]) == (1, 0, 1.0)
    assert printed["latency_seconds"]["median"] == 0.0, "printed while it was in view"


def test_economy_is_compared_with_reading_every_frame(clips: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert economy.main([str(clips)]) == 0

    events, same, frames, thrifty, lavish = map(float, capsys.readouterr().out.splitlines()[1].split()[1:])
    assert (events, same) == (1, 1)
    assert thrifty <= lavish == frames


def test_economy_names_a_folder_that_holds_no_clips_and_a_line_that_is_wrong(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert economy.main([str(tmp_path)]) == 2
    assert capsys.readouterr().err == (
        f"python -m benchmarks.economy: {tmp_path}: no events.jsonl here; give a folder of clips\n"
    )

    (tmp_path / "events.jsonl").write_text("{}\n")

    assert economy.main([str(tmp_path)]) == 1
    assert f"{tmp_path / 'events.jsonl'}:1: this is no vehicle of a clip" in capsys.readouterr().err


def test_playing_a_clip_again_gives_the_same_scores(clips: Path, capsys: pytest.CaptureFixture[str]) -> None:
    first, second = (evaluate(clips, capsys) for _ in range(2))

    assert first.pop("elapsed_ms").keys() == second.pop("elapsed_ms").keys()
    assert first == second


def test_a_misread_a_missed_vehicle_and_a_false_event_are_written_with_their_frames(
    clips: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    line = json.loads((clips / "events.jsonl").read_text())
    elsewhere = {frame: [0, 0, 40, 10] for frame in line["boxes"]}
    truths = [line | {"plate": "MH12AB1284"}, line | {"plate": "KA01MN4567", "boxes": elsewhere}]
    (clips / "events.jsonl").write_text("\n".join(map(json.dumps, truths)))

    assert main(["evaluate", str(clips), "--failures", str(clips / "failures.jsonl")]) == 0

    failures = [json.loads(each) for each in (clips / "failures.jsonl").read_text().splitlines()]
    assert [(each["kind"], each["truth"]) for each in failures] == [("misread", "MH12AB1284"), ("missed", "KA01MN4567")]
    header, row = capsys.readouterr().out.splitlines()
    assert header.split()[:4] == ["clips", "vehicles", "recall", "precis."]
    assert row.split()[:4] == [clips.name, "2", "0.500", "1.000"]


def test_a_wrong_line_ends_the_command_with_its_place(clips: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (clips / "events.jsonl").write_text('{"video": "car.mp4", "plate": 7}\n')

    assert main(["evaluate", str(clips)]) == 1

    assert f"{clips / 'events.jsonl'}:1: this is no vehicle of a clip" in capsys.readouterr().err


def test_replay_prints_what_only_one_configuration_publishes(clips: Path, capsys: pytest.CaptureFixture[str]) -> None:
    same, strict = clips / "same.toml", clips / "strict.toml"
    same.write_text("")
    strict.write_text("[tracking]\nmin_reads = 100\n")

    assert main(["replay", "--json", "--compare", str(same), str(strict), str(clips)]) == 0
    (printed,) = (json.loads(line) for line in capsys.readouterr().out.splitlines())
    assert main(["replay", "--compare", str(same), str(same), str(clips / "car.mp4")]) == 0

    assert (printed["truth"], printed["a"]["text"], printed["b"], printed["verdict"]) == (PLATE, PLATE, None, "A right")
    assert capsys.readouterr().out.splitlines()[1:] == ["0 of 1 events differ"]


def test_replay_of_one_video_goes_by_the_lines_beside_it(clips: Path, capsys: pytest.CaptureFixture[str]) -> None:
    same, strict = clips / "same.toml", clips / "strict.toml"
    same.write_text("")
    strict.write_text("[tracking]\nmin_reads = 100\n")

    assert main(["replay", "--compare", str(same), str(strict), str(clips / "car.mp4")]) == 0

    row = capsys.readouterr().out.splitlines()[1]
    assert (row.split()[2], row.endswith("A right")) == (PLATE, True)


def test_the_file_of_defaults_can_be_one_of_the_two(clips: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (clips / "empty.toml").write_text("")
    defaults = Path(__file__).parents[2] / "config" / "default.toml"

    assert main(["replay", "--compare", str(defaults), str(clips / "empty.toml"), str(clips / "car.mp4")]) == 0

    assert capsys.readouterr().out.splitlines()[1:] == ["0 of 1 events differ"]


def test_replay_of_a_video_that_is_cut_off_warns_once_and_fails_after_all_it_prints(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings, clip = tmp_path / "a.toml", write_video(tmp_path / "cut.avi", frames=40)
    settings.write_text("")
    clip.write_bytes(clip.read_bytes()[: clip.stat().st_size // 2])
    write_video(tmp_path / "whole.avi", frames=5)

    code = main(["replay", "--compare", str(settings), str(settings), str(tmp_path)])

    printed = capsys.readouterr()
    assert code == 1
    assert printed.out.splitlines()[1:] == ["0 of 0 events differ"]
    assert printed.err.count("frames could be decoded; copy it again") == 1


def test_replay_names_each_path_without_a_video(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "a.toml"
    file.write_text("")
    compare = ["replay", "--compare", str(file), str(file)]

    assert main([*compare, str(file)]) == 2
    assert main([*compare, str(tmp_path)]) == 2
    assert main([*compare, str(tmp_path / "absent.mp4")]) == 1

    printed = capsys.readouterr().err
    assert "a.toml: no video here; give a video, or a folder of them" in printed
    assert f"{tmp_path}: no video here; give a video, or a folder of them" in printed
    assert "absent.mp4: no such file; check the path" in printed


def test_replay_prints_nothing_of_a_first_video_that_cannot_be_opened(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "a.toml").write_text("")
    (tmp_path / "empty.mp4").touch()

    code = main(["replay", "--compare", *[str(tmp_path / "a.toml")] * 2, str(tmp_path / "empty.mp4")])

    printed = capsys.readouterr()
    assert (code, printed.out) == (1, "")
    assert "empty.mp4: is cut off, empty or of an unknown kind; copy it again, or convert it" in printed.err
