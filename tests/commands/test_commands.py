"""`edge-anpr read`, `check-config`, `evaluate` and `doctor`: what they print and how they end."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from edge_app.__main__ import main
from training.synthetic.plates import render_plate

ROOT = Path(__file__).parent.parent.parent


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    """A drawn plate on a dark wall."""
    picture = np.full((480, 640, 3), 70, np.uint8)
    plate = render_plate(np.random.default_rng(3), "hsrp", "MH 12 AB 1234", height_px=30).image_bgr
    picture[240 : 240 + plate.shape[0], 250 : 250 + plate.shape[1]] = plate
    cv2.imwrite(str(tmp_path / "photo.png"), picture)
    return tmp_path / "photo.png"


def test_json_has_every_key_of_the_contract(photo: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code = main(["read", "--json", str(photo)])

    printed = json.loads(capsys.readouterr().out)
    assert code == 0
    assert set(printed) == {"image", "width", "height", "elapsed_ms", "plates"}
    assert (printed["width"], printed["height"]) == (640, 480)
    (plate,) = printed["plates"]
    assert set(plate) == {
        "text", "confidence", "detection_confidence", "box", "corners", "lines", "country", "format", "valid",
        "characters", "candidates", "colours", "category",
    }  # fmt: skip


def test_files_that_cannot_be_read_are_named_and_the_others_are_read(
    photo: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (photo.parent / "empty.jpg").touch()
    (photo.parent / "text.jpg").write_text("not a picture")

    code = main(["read", str(photo.parent), str(photo.parent / "absent.jpg")])

    printed = capsys.readouterr()
    assert code == 1
    assert "photo.png" in printed.out
    for name in ("empty.jpg: this file is empty", "text.jpg: this is not a picture", "absent.jpg: this file cannot"):
        assert name in printed.err


def test_annotated_pictures_are_written(photo: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["read", str(photo), "--annotate", str(tmp_path / "drawn")])

    capsys.readouterr()
    assert cv2.imread(str(tmp_path / "drawn" / "photo.png")).shape == (480, 640, 3)


def test_a_correct_configuration_is_confirmed_and_a_wrong_key_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wrong = tmp_path / "wrong.toml"
    wrong.write_text('[mqtt]\nhots = "broker"\n')

    assert main(["check-config", str(ROOT / "config" / "default.toml")]) == 0
    assert main(["check-config", str(wrong)]) == 2

    assert f"{wrong}:2:" in capsys.readouterr().err


def test_paths_of_a_configuration_that_are_not_here_are_reported_and_are_no_error(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "device.toml"
    file.write_text('[models]\ndirectory = "/nowhere/models"\n[mqtt]\ntls = true\nca_file = "/nowhere/ca.crt"\n')

    assert main(["check-config", str(file)]) == 0

    printed = capsys.readouterr()
    assert printed.out == f"{file}: correct\n"
    assert printed.err.splitlines() == [
        f"{file}: [models] directory: /nowhere/models is not on this machine",
        f"{file}: [mqtt] ca_file: /nowhere/ca.crt is not on this machine",
    ]


@pytest.mark.parametrize(("form", "name"), [("file:{}?loop=1", "gate.mp4"), ("images:{}", "pictures")])
def test_a_recording_that_is_not_here_is_reported_and_is_no_error(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], form: str, name: str
) -> None:
    file = tmp_path / "device.toml"
    file.write_text(f'[camera]\nsource = "{form.format(name)}"\n')

    away = main(["check-config", str(file)])
    logged = capsys.readouterr().err
    (tmp_path / name).touch()
    here = main(["check-config", str(file)])

    assert (away, here) == (0, 0)
    assert logged == f"{file}: [camera] source: {tmp_path / name} is not on this machine\n"
    assert capsys.readouterr().err == ""


def test_a_list_of_plates_that_is_here_and_wrong_is_an_error_and_one_that_is_not_here_is_none(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "device.toml"
    file.write_text('[[lists]]\nname = "stolen"\nkind = "deny"\nfile = "stolen.csv"\n')

    away = main(["check-config", str(file)])
    (tmp_path / "stolen.csv").write_text("MH12AB1234\n?\n")
    wrong = main(["check-config", str(file)])

    assert (away, wrong) == (0, 2)
    printed = capsys.readouterr().err
    assert f"[[lists]] stolen: {tmp_path / 'stolen.csv'} is not on this machine" in printed
    assert f"{tmp_path / 'stolen.csv'}:2: no plate comes first" in printed


def test_everything_here_that_the_daemon_would_refuse_is_reported_together(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "device.toml"
    tables = [f'[[lists]]\nname = "{name}"\nkind = "allow"\nfile = "{name}.csv"\n' for name in ("a", "b")]
    tables += ['[hook]\nprogram = "hook"\n', '[privacy]\nhash = true\nkey_file = "key"\n']
    tables += ['[mqtt]\ntls = true\nca_file = "ca.crt"\n']
    file.write_text("".join(tables))
    for name in ("a.csv", "b.csv", "hook", "key", "ca.crt"):
        (tmp_path / name).write_text("?")

    code = main(["check-config", str(file)])

    printed = capsys.readouterr()
    assert (code, printed.out) == (2, "")
    wrong = [
        "a.csv:1: no plate comes first",
        "b.csv:1: no plate comes first",
        f"[hook] program: {tmp_path / 'hook'} cannot be run",
        "1 characters are too few; make a key",
        "mqtt.ca_file, certificate_file or key_file cannot be used",
    ]
    assert [complaint in line for complaint, line in zip(wrong, printed.err.splitlines(), strict=True)] == [True] * 5


def dataset_of(photo: Path, text: str = "MH12AB1234") -> Path:
    """A dataset folder of the photo, with that text as its truth."""
    (photo.parent / "images").mkdir()
    photo.rename(photo.parent / "images" / "photo.png")
    plate = {"box": [250, 240, 126, 30], "corners": None, "text": text, "country": "IN"}
    label = {"image": "images/photo.png", "width": 640, "height": 480, "plates": [plate]}
    (photo.parent / "labels.jsonl").write_text(json.dumps(label) + "\n")
    return photo.parent


def test_evaluate_scores_a_dataset_folder(photo: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code = main(["evaluate", "--json", str(dataset_of(photo))])

    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert code == 0
    assert [row["effort"] for row in rows] == [0, 1]
    for row in rows:
        assert set(row) == {"dataset", "effort", "images", "detection", "reading", "elapsed_ms"}
        assert (row["images"], row["detection"]["plates"], row["reading"]["plates"]) == (1, 1, 1)


def test_evaluate_scores_with_the_effort_asked_for_alone(photo: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["evaluate", "--json", "--effort", "0", "--", str(dataset_of(photo))])

    assert json.loads(capsys.readouterr().out)["effort"] == 0


def test_failures_are_written_and_a_wrong_path_for_them_is_an_error_before_anything_is_scored(
    photo: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    dataset = dataset_of(photo, text="XX99")

    assert main(["evaluate", str(dataset), "--failures", str(tmp_path / "none" / "failures.jsonl")]) == 2
    printed = capsys.readouterr()
    assert main(["evaluate", str(dataset), "--failures", str(tmp_path / "failures.jsonl")]) == 0

    assert printed.out == ""
    assert "failures.jsonl: cannot be written (No such file or directory)" in printed.err
    failures = [json.loads(line) for line in (tmp_path / "failures.jsonl").read_text().splitlines()]
    assert "XX99" in {failure.get("truth") for failure in failures if failure["kind"] == "misread"}


def test_a_folder_that_is_no_dataset_is_wrong_usage(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["evaluate", str(tmp_path)]) == 2

    assert "no labels.jsonl here and no events.jsonl" in capsys.readouterr().err


def test_a_dataset_folder_that_is_not_there_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["evaluate", str(tmp_path / "nope")]) == 2

    assert f"{tmp_path / 'nope'}: no such folder; check the path" in capsys.readouterr().err


def test_doctor_names_a_broker_that_does_not_answer(
    photo: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = tmp_path / "config.toml"
    settings.write_text(f'[camera]\nsource = "images:{photo.parent}"\n[mqtt]\nhost = "127.0.0.1"\nport = 1\n')

    code = main(["doctor", "--config", str(settings)])

    printed = capsys.readouterr().out
    assert code == 1
    assert "ok       camera" in printed
    assert "ok       models" in printed
    assert "fault    broker: the broker at 127.0.0.1:1 cannot be reached" in printed


def test_a_video_without_a_plate_is_printed_too(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    film = cv2.VideoWriter(str(tmp_path / "empty.avi"), cv2.VideoWriter.fourcc(*"MJPG"), 10, (320, 192))
    for _ in range(3):
        film.write(np.full((192, 320, 3), 90, np.uint8))
    film.release()

    code = main(["read", str(tmp_path / "empty.avi")])

    assert code == 0
    assert capsys.readouterr().out == f"{tmp_path / 'empty.avi'}: no plate\n"


def test_a_folder_for_drawings_that_cannot_be_made_is_an_error_before_anything_is_read(
    photo: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("")

    code = main(["read", str(photo), "--annotate", str(tmp_path / "file" / "drawings")])

    printed = capsys.readouterr()
    assert code == 2
    assert printed.out == ""
    assert "cannot be made" in printed.err
