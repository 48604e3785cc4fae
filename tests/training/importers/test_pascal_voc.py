"""Pascal VOC annotations become a dataset folder."""

from pathlib import Path

import pytest

from edge_app.evaluation.datasets import read_dataset
from tests.training.importers.imported import labels, picture, plates, run

BOX = "<bndbox><xmin>10</xmin><ymin>20</ymin><xmax>50</xmax><ymax>32</ymax></bndbox>"


def annotate(path: Path, *objects: str, filename: str = "") -> Path:
    """Write an XML file of these objects."""
    path.parent.mkdir(parents=True, exist_ok=True)
    inside = "".join(f"<object>{each}</object>" for each in objects)
    path.write_text(f"<annotation><filename>{filename}</filename>{inside}</annotation>")
    return path


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A folder with one picture and no label yet."""
    picture(tmp_path / "source" / "car.jpg")
    return tmp_path / "source"


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "dataset"


def test_a_plate_becomes_a_label_that_the_device_can_evaluate(source: Path, out: Path) -> None:
    annotate(source / "car.xml", f"<name>number_plate</name><text>mh 12-ab 1234</text>{BOX}", filename="car.jpg")

    code = run("voc", source, out, "--country", "IN")

    assert code == 0
    plate = {"box": [10, 20, 40, 12], "corners": None, "text": "MH12AB1234", "country": "IN"}
    assert labels(out) == [{"image": "images/car.jpg", "width": 80, "height": 60, "plates": [plate]}]
    assert (out / "images" / "car.jpg").read_bytes() == (source / "car.jpg").read_bytes()
    (label,) = read_dataset(out)
    assert label.plates[0].box == (10, 20, 40, 12)


@pytest.mark.parametrize(
    ("name", "text"),
    [("License Plate", None), ("KA01AB1234", "KA01AB1234"), ("KA 01 AB 1234", "KA01AB1234")],
)
def test_an_object_is_a_plate_by_its_usual_names_or_by_reading_like_one(
    source: Path, out: Path, name: str, text: str | None
) -> None:
    annotate(source / "car.xml", f"<name>{name}</name>{BOX}", f"<name>car</name>{BOX}", f"<name>windscreen</name>{BOX}")

    run("voc", source, out)

    assert [plate["text"] for plate in plates(out)["car.jpg"]] == [text]


def test_named_classes_replace_the_usual_ones(source: Path, out: Path) -> None:
    annotate(source / "car.xml", f"<name>Kennzeichen</name>{BOX}", f"<name>plate</name>{BOX}")

    run("voc", source, out, "--classes", "kennzeichen")

    assert len(plates(out)["car.jpg"]) == 1


def test_of_pictures_with_one_name_the_nearest_is_meant(tmp_path: Path, out: Path) -> None:
    source = tmp_path / "source"
    for level, part in ((50, "night"), (200, "day")):
        picture(source / part / "JPEGImages" / "1.png", level)
        annotate(source / part / "Annotations" / "1.xml", f"<name>plate</name><text>{part}</text>{BOX}")

    run("voc", source, out)

    shown = {label["plates"][0]["text"]: (out / label["image"]).read_bytes() for label in labels(out)}
    assert shown == {part.upper(): (source / part / "JPEGImages" / "1.png").read_bytes() for part in ("day", "night")}


def test_a_box_is_cut_at_the_edges_and_one_outside_is_counted(
    source: Path, out: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    over = BOX.replace(">50<", ">500<")
    outside = BOX.replace(">10<", ">600<").replace(">50<", ">700<")
    turned = BOX.replace(">50<", ">5<")
    annotate(source / "car.xml", *(f"<name>plate</name>{box}" for box in (over, outside, turned)))

    run("voc", source, out)

    assert [plate["box"] for plate in plates(out)["car.jpg"]] == [[10, 20, 70, 12]]
    assert "2 plates left out: outside their image" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        ("<annotation><object>", "damaged (no element found"),
        ("", "damaged (no element found"),
        ("<annotation><object><name>plate</name></object></annotation>", "'plate' has no complete bndbox"),
        (
            f"<annotation><object><name>plate</name>{BOX.replace('20', 'twenty')}</object></annotation>",
            "could not convert string to float: 'twenty'",
        ),
        ('<?xml version="1.0" encoding="klingon"?><annotation/>', "unknown encoding: klingon"),
    ],
)
def test_a_damaged_annotation_is_named_and_the_others_are_kept(
    source: Path, out: Path, capsys: pytest.CaptureFixture[str], content: str, fault: str
) -> None:
    annotate(source / "car.xml", f"<name>plate</name>{BOX}")
    picture(source / "damaged.jpg")
    (source / "damaged.xml").write_text(content)

    code = run("voc", source, out)

    printed = capsys.readouterr().out
    assert code == 0
    assert f"{source / 'damaged.xml'}: left out, " in printed
    assert fault in printed
    assert list(plates(out)) == ["car.jpg"]


def test_an_annotation_that_cannot_be_read_does_not_end_the_import(
    source: Path, out: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    annotate(source / "car.xml", f"<name>plate</name>{BOX}")
    (source / "folder.xml").mkdir()

    code = run("voc", source, out)

    assert code == 0
    assert f"{source / 'folder.xml'}: left out, damaged ([Errno 21] Is a directory" in capsys.readouterr().out
    assert list(plates(out)) == ["car.jpg"]


@pytest.mark.parametrize("content", [None, b"", b"not a picture"])
def test_an_image_that_is_missing_or_damaged_leaves_nothing_behind(
    tmp_path: Path, out: Path, capsys: pytest.CaptureFixture[str], content: bytes | None
) -> None:
    source = tmp_path / "source"
    annotate(source / "car.xml", f"<name>plate</name>{BOX}", filename="car.jpg")
    if content is not None:
        (source / "car.jpg").write_bytes(content)

    code = run("voc", source, out)

    printed = capsys.readouterr()
    assert code == 1
    assert f"{source / 'car.xml'}: left out, its image is missing or not readable" in printed.out
    assert "no image that can be used" in printed.err
    assert not out.exists()


def test_a_folder_without_annotations_is_wrong_usage(
    source: Path, out: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code = run("voc", source, out)

    assert code == 2
    assert "no .xml file in it" in capsys.readouterr().err
    assert not out.exists(), "the next try would be refused"
