"""What every importer shares: names, destinations and the command line."""

from pathlib import Path

import pytest

from tests.training.importers.imported import labels, picture, run
from training.importers.__main__ import main


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """Two pictures of one name in two folders."""
    for folder, level in (("north", 50), ("south", 200)):
        picture(tmp_path / "source" / folder / "1.png", level)
        (tmp_path / "source" / folder / "1.txt").write_text("0 0.5 0.5 0.25 0.2\n")
    return tmp_path / "source"


def test_pictures_of_one_name_from_two_folders_both_stay(source: Path, tmp_path: Path) -> None:
    run("yolo", source, tmp_path / "out")

    names = [label["image"] for label in labels(tmp_path / "out")]
    assert names == ["images/1.png", "images/south_1.png"]
    for name, folder in zip(names, ("north", "south"), strict=True):
        assert (tmp_path / "out" / name).read_bytes() == (source / folder / "1.png").read_bytes()


def test_of_a_picture_that_was_turned_the_size_is_that_of_the_turned_one(tmp_path: Path) -> None:
    lying = picture(tmp_path / "source" / "1.jpg").read_bytes()
    rotated = b"\xff\xe1\x00\x22Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0"
    (tmp_path / "source" / "1.jpg").write_bytes(lying[:2] + rotated + lying[2:])
    (tmp_path / "source" / "1.txt").write_text("0 0.5 0.5 0.5 0.2\n")

    run("yolo", tmp_path / "source", tmp_path / "out")

    (label,) = labels(tmp_path / "out")
    assert (label["width"], label["height"]) == (60, 80)
    assert label["plates"][0]["box"] == [15, 32, 30, 16]


@pytest.mark.parametrize("occupied", ["folder", "file"])
def test_a_destination_that_holds_something_is_left_alone(
    source: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], occupied: str
) -> None:
    kept = tmp_path / "out" / "kept" if occupied == "folder" else tmp_path / "out"
    kept.parent.mkdir(exist_ok=True)
    kept.write_text("mine")

    code = run("yolo", source, tmp_path / "out")

    assert code == 2
    assert "already there and not empty; name a new folder" in capsys.readouterr().err
    assert kept.read_text() == "mine"


def test_an_empty_destination_will_do(source: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "out").mkdir()

    code = run("yolo", source, tmp_path / "out")

    assert code == 0
    assert f"{tmp_path / 'out'}: 2 images, 2 plates" in capsys.readouterr().out


def test_a_destination_that_cannot_be_made_is_an_error(
    source: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("")

    assert run("yolo", source, tmp_path / "file" / "out") == 1

    assert "error: " in capsys.readouterr().err


@pytest.mark.parametrize("form", ["voc", "yolo", "csv"])
def test_a_source_that_is_not_there_is_wrong_usage(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], form: str
) -> None:
    assert run(form, tmp_path / "absent", tmp_path / "out") == 2

    assert f"{tmp_path / 'absent'}: no such file or folder" in capsys.readouterr().err


def test_the_form_has_to_be_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main([str(tmp_path), str(tmp_path / "out")])

    assert ended.value.code == 2
    assert "--from" in capsys.readouterr().err
