"""YOLO annotations become a dataset folder."""

from pathlib import Path

import pytest

from edge_app.evaluation.datasets import read_dataset
from tests.training.importers.imported import labels, picture, plates, run

CENTRED = "0 0.5 0.5 0.25 0.2\n"
BOX = [30, 24, 20, 12]


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A folder with one picture, `images/car.png`."""
    picture(tmp_path / "source" / "images" / "car.png")
    return tmp_path / "source"


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "dataset"


def label(path: Path, content: str) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text(content)


@pytest.mark.parametrize("place", ["images/car.txt", "labels/car.txt"])
def test_labels_lie_beside_the_images_or_in_a_folder_of_their_own(source: Path, out: Path, place: str) -> None:
    label(source / place, CENTRED)

    code = run("yolo", source, out)

    assert code == 0
    assert [plate["box"] for plate in plates(out)["car.png"]] == [BOX]


@pytest.mark.parametrize("name", ["lorry.tif", "lorry.TIFF", "lorry.webp"])
def test_every_kind_of_picture_that_the_device_reads_is_taken(source: Path, out: Path, name: str) -> None:
    picture(source / "images" / name)
    label(source / "labels" / "car.txt", CENTRED)

    run("yolo", source, out)

    assert set(plates(out)) == {"car.png", name}


def test_the_folder_of_the_images_alone_will_do(source: Path, out: Path) -> None:
    label(source / "labels" / "car.txt", CENTRED)

    run("yolo", source / "images", out)

    assert [plate["box"] for plate in plates(out)["car.png"]] == [BOX]


def test_four_corners_are_kept_with_their_box(source: Path, out: Path) -> None:
    label(source / "labels" / "car.txt", "0 0.25 0.5 0.5 0.5 0.5 0.75 0.25 0.7\n")

    run("yolo", source, out)

    (plate,) = plates(out)["car.png"]
    assert plate["corners"] == [[20, 30], [40, 30], [40, 45], [20, 42]]
    assert plate["box"] == [20, 30, 20, 15]


def test_other_classes_are_left_out_if_some_are_named(source: Path, out: Path) -> None:
    label(source / "labels" / "car.txt", CENTRED + "3 0.2 0.2 0.1 0.1\n\n")

    run("yolo", source, out, "--classes", "3")

    assert [plate["box"] for plate in plates(out)["car.png"]] == [[12, 9, 8, 6]]


def test_the_mark_that_some_editors_begin_a_file_with_is_no_class(source: Path, out: Path) -> None:
    label(source / "labels" / "car.txt", f"\ufeff{CENTRED}")

    run("yolo", source, out, "--classes", "0")

    assert [plate["box"] for plate in plates(out)["car.png"]] == [BOX]


def test_an_image_without_labels_shows_no_plate(source: Path, out: Path) -> None:
    label(source / "labels" / "car.txt", CENTRED)
    picture(source / "images" / "road.png")

    run("yolo", source, out)

    assert plates(out)["road.png"] == []
    (with_plate, without) = read_dataset(out)
    assert (with_plate.has_all_boxes, without.has_all_boxes) == (True, True)


def test_a_scene_is_marked(source: Path, out: Path) -> None:
    label(source / "labels" / "car.txt", CENTRED)

    run("yolo", source, out, "--scene")

    assert labels(out)[0]["scene"] is True


@pytest.mark.parametrize("box", ["nan nan nan nan", "1.5 0.5 0.2 0.2", "0.5 0.5 0 0"])
def test_a_box_that_is_nowhere_on_the_image_is_counted_and_left_out(
    source: Path, out: Path, capsys: pytest.CaptureFixture[str], box: str
) -> None:
    label(source / "labels" / "car.txt", f"{CENTRED}0 {box}\n")

    run("yolo", source, out)

    assert [plate["box"] for plate in plates(out)["car.png"]] == [BOX]
    assert "1 plates left out" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (f"{CENTRED}0 0.5 0.5 0.2\n", "line 2 has 4 fields; expected class x y width height, or class and 4 corners"),
        ("0 0.5 0.5 0.2 0.2 0.9\n", "line 1 has 6 fields; expected class x y width height, or class and 4 corners"),
        (f"{CENTRED}\n0 0.5 0,5 0.2 0.2\n", "line 3 holds something else than numbers: '0 0.5 0,5 0.2 0.2'"),
        ("\xe9", "codec can't decode"),
    ],
)
def test_a_damaged_label_is_named_with_its_line_and_the_others_are_kept(
    source: Path, out: Path, capsys: pytest.CaptureFixture[str], content: str, fault: str
) -> None:
    label(source / "labels" / "car.txt", CENTRED)
    picture(source / "images" / "damaged.png")
    (source / "labels" / "damaged.txt").write_bytes(content.encode("latin-1"))

    code = run("yolo", source, out)

    printed = capsys.readouterr().out
    assert code == 0
    assert f"{source / 'labels' / 'damaged.txt'}: left out, " in printed
    assert fault in printed
    assert list(plates(out)) == ["car.png"]


def test_a_damaged_image_is_named(source: Path, out: Path, capsys: pytest.CaptureFixture[str]) -> None:
    label(source / "labels" / "car.txt", CENTRED)
    (source / "images" / "damaged.png").write_bytes(b"not a picture")

    run("yolo", source, out)

    assert f"{source / 'images' / 'damaged.png'}: left out, not readable" in capsys.readouterr().out
    assert list(plates(out)) == ["car.png"]


def test_images_without_any_label_are_wrong_usage(source: Path, out: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code = run("yolo", source, out)

    assert code == 2
    assert "no image has a YOLO .txt beside it or under labels/" in capsys.readouterr().err
    assert not out.exists()


def test_a_folder_without_images_is_wrong_usage(tmp_path: Path, out: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("yolo", tmp_path, out) == 2

    assert f"{tmp_path}: no image in it" in capsys.readouterr().err
