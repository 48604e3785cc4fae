"""A table becomes a dataset folder."""

from pathlib import Path

import pytest

from edge_app.evaluation.datasets import read_dataset
from tests.training.importers.imported import picture, plates, run


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A folder with two pictures and no table yet."""
    picture(tmp_path / "source" / "a.png")
    picture(tmp_path / "source" / "images" / "b.png")
    return tmp_path / "source"


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "dataset"


def table(source: Path, *lines: str) -> Path:
    path = source / "plates.csv"
    path.write_text("\n".join(lines) + "\n")
    return path


@pytest.mark.parametrize(
    ("header", "row"),
    [
        ("filename,xmin,ymin,xmax,ymax,text", "10,20,50,32,ka 01 ab 1234"),
        ("Image , x, y, w, h, Plate_Number", "10, 20, 40, 12, KA-01-AB-1234"),
        ("\ufefffile_name,x_min,y_min,x_max,y_max,label", "10,20,50,32,KA01AB1234"),
    ],
)
def test_columns_are_found_by_their_usual_names(source: Path, out: Path, header: str, row: str) -> None:
    table(source, header, f"a.png,{row}", f"b.png,{row}", f"b.png,{row}")

    code = run("csv", source, out, "--country", "IN")

    plate = {"box": [10, 20, 40, 12], "corners": None, "text": "KA01AB1234", "country": "IN"}
    assert code == 0
    assert plates(out) == {"a.png": [plate], "b.png": [plate, plate]}


def test_images_with_a_text_and_no_box_are_crops(source: Path, out: Path) -> None:
    table(source, "image,text", "a.png,MH12AB1234", "b.png,")

    run("csv", source / "plates.csv", out)

    crop, empty = read_dataset(out)
    assert crop.is_crop
    assert crop.plates[0].text == "MH12AB1234"
    assert empty.plates == ()


def test_rows_of_other_classes_are_left_out_if_some_are_named(source: Path, out: Path) -> None:
    table(source, "image,class,x,y,w,h", "a.png,car,1,2,60,40", "a.png,plate,10,20,40,12")

    run("csv", source, out, "--classes", "plate")

    assert [plate["box"] for plate in plates(out)["a.png"]] == [[10, 20, 40, 12]]


def test_missing_numbers_as_pandas_writes_them_are_no_box(
    source: Path, out: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table(source, "image,x,y,w,h", "a.png,10,20,40,12", "a.png,nan,nan,nan,nan")

    run("csv", source, out)

    assert [plate["box"] for plate in plates(out)["a.png"]] == [[10, 20, 40, 12]]
    assert "1 plates left out" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("row", "fault"),
    [
        ("absent.png,1,2,30,4", "'absent.png' left out, missing or not readable"),
        (",1,2,30,4", "'' left out, missing or not readable"),
        ("b.png,1,two,30,4", "'b.png' left out, could not convert string to float: 'two'"),
        ("b.png,1,2,,4", "'b.png' left out, only 3 of a box's 4 numbers are there"),
        ("b.png,1", "'b.png' left out, only 1 of a box's 4 numbers are there"),
    ],
)
def test_a_row_that_cannot_be_used_is_named_and_the_others_are_kept(
    source: Path, out: Path, capsys: pytest.CaptureFixture[str], row: str, fault: str
) -> None:
    table(source, "image,x,y,w,h", "a.png,10,20,40,12", row)

    code = run("csv", source, out)

    assert code == 0
    assert f"{source / 'plates.csv'}: {fault}" in capsys.readouterr().out
    assert list(plates(out)) == ["a.png"]


def test_of_two_kinds_of_box_the_one_that_is_filled_in_counts(source: Path, out: Path) -> None:
    table(source, "image,xmin,ymin,xmax,ymax,x,y,w,h", "a.png,,,,,10,20,40,12", "b.png,10,20,50,32,,,,")

    run("csv", source, out)

    assert [plate["box"] for found in plates(out).values() for plate in found] == [[10, 20, 40, 12]] * 2


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (b"", "none of its columns [] names an image"),
        (b"text;box\na;b\n", "none of its columns ['text;box'] names an image (image, filename"),
        ("image,text\na.png,\xc4\n".encode("latin-1"), "this is not UTF-8 text; save the table as UTF-8"),
        (b"image,text\na.png," + b"A" * 200_000 + b"\n", "this is no table of comma-separated values"),
    ],
)
def test_a_file_that_is_no_table_of_images_is_wrong_usage(
    source: Path, out: Path, capsys: pytest.CaptureFixture[str], content: bytes, fault: str
) -> None:
    (source / "plates.csv").write_bytes(content)

    code = run("csv", source, out)

    assert code == 2
    assert f"error: {source / 'plates.csv'}: {fault}" in capsys.readouterr().err
    assert not out.exists()


def test_with_several_tables_one_has_to_be_named(source: Path, out: Path, capsys: pytest.CaptureFixture[str]) -> None:
    chosen = table(source, "image,text", "a.png,MH12AB1234")
    (source / "more.csv").write_text("image,text\nb.png,MH12AB1234\n")

    assert run("csv", source, out) == 2
    assert "2 .csv files in it; name the one to import" in capsys.readouterr().err
    assert run("csv", chosen, out) == 0

    assert list(plates(out)) == ["a.png"]
