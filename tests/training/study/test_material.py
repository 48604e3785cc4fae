"""What networks of the study learn from is labelled truly, and split by text."""

from pathlib import Path
from xml.etree import ElementTree as ET

import numpy as np
import pytest

from training.shapes import ALPHABET
from training.study.crops import DISTORTIONS, CropShape, cut, cut_characters, distort, ink_of, show, vary
from training.study.plates import SPLITS, WIDE, draw_plate, make_plates, split_of
from training.study.roads import make_roads
from training.study.strokes import handwriting, written
from training.study.voc_to_yolo import convert, read_labels
from training.synthetic.lettering import shipped_fonts
from training.synthetic.plates import render_plate


@pytest.mark.parametrize("text", ["MH 12 AB 1234", "MH 12/AB 1234"])
def test_ink_lies_where_the_characters_of_a_rendered_plate_are(text: str) -> None:
    style = "white_two" if "/" in text else "white"

    plate = render_plate(np.random.default_rng(3), style, text, height_px=96, fonts=shipped_fonts()[:1])

    assert "".join(glyph.character for glyph in plate.glyphs) == "MH12AB1234"
    gray = plate.image_bgr.mean(axis=2)
    for glyph in plate.glyphs:
        left, top, width, height = (round(value) for value in glyph.box_px)
        assert np.ptp(gray[top : top + height, left : left + width]) > 100, f"{glyph.character} has ink"


def test_every_character_of_a_study_plate_has_its_place_on_the_strip() -> None:
    for index in range(20):
        plate = draw_plate(np.random.default_rng((1, index)))

        assert plate.wide.shape == WIDE[::-1]
        assert plate.places.shape == (len(plate.text), 4)
        assert (plate.places[:, 2:] > 0).all()
        assert (np.diff(plate.places[:, 0] + plate.places[:, 2] / 2) > 0).all(), "from left to right"


def test_a_text_is_of_one_split_and_most_texts_are_to_learn_from() -> None:
    splits = [split_of(f"KA{number:04d}") for number in range(1000)]

    assert split_of("KA0001") == splits[1]
    assert set(splits) == set(SPLITS)
    assert 0.6 < splits.count("train") / len(splits) < 0.8
    assert 0.1 < splits.count("test") / len(splits) < 0.3


def test_plates_are_drawn_once_and_no_text_is_in_two_splits(tmp_path: Path) -> None:
    plates = make_plates(tmp_path, 30, seed=4)
    written_at = (tmp_path / "wide.npy").stat().st_mtime_ns

    again = make_plates(tmp_path, 30, seed=4)

    assert (tmp_path / "wide.npy").stat().st_mtime_ns == written_at
    texts = [set(again.texts(again.of(split))) for split in SPLITS]
    assert sum(map(len, texts)) == len(set.union(*texts))
    both = len(plates.of("train", "home")) + len(plates.of("train", "abroad"))
    assert both == len(plates.of("train"))


def test_the_same_characters_are_cut_for_every_network(tmp_path: Path) -> None:
    plates = make_plates(tmp_path, 12, seed=5)

    one, same = (cut_characters(plates, "train", "home", 20, seed=1) for _ in range(2))

    assert len(one.patches) == 20
    assert np.array_equal(one.classes, same.classes)
    assert one.shown(CropShape(80, 80)).shape == (20, 80, 80)
    assert one.shown(CropShape(28, 28, ink=True)).shape == (20, 28, 28)


def test_ink_is_white_whatever_the_plate_s_colours() -> None:
    dark = np.full((60, 40), 220, np.uint8)
    dark[10:50, 15:25] = 20

    for patch in (dark, 255 - dark):
        shown = ink_of(patch)
        assert shown[14, 14] > 200
        assert shown[0].max() == shown[:, 0].max() == 0


def test_a_crop_at_the_strip_s_edge_stays_within_it() -> None:
    strip = np.zeros((64, 512), np.uint8)

    for place in ((-20, -20, 30, 40), (505, 50, 30, 40)):
        assert min(cut(strip, np.array(place, float)).shape) >= 3


def test_augmented_pictures_differ_and_keep_their_size() -> None:
    images = np.stack([written(np.random.default_rng(1), "A")] * 4)

    varied = vary(np.random.default_rng(0), images)

    assert varied.shape == images.shape
    assert not np.array_equal(varied[0], varied[1])


@pytest.mark.parametrize("kind", DISTORTIONS)
def test_a_distortion_begins_with_the_picture_as_it_is_and_grows(kind: str) -> None:
    rng = np.random.default_rng(2)
    picture = np.repeat(np.repeat(rng.integers(0, 2, (8, 8)), 8, 0), 8, 1).astype(np.uint8) * 255

    changes = [
        float(np.abs(distort(np.random.default_rng(1), picture, kind, level).astype(float) - picture).mean())
        for level in DISTORTIONS[kind]
    ]

    assert changes[0] == 0
    assert changes[-1] > changes[1] > 0


def test_handwriting_has_every_character_and_no_two_alike() -> None:
    images, classes = handwriting(72, seed=1)

    assert sorted(classes.tolist()) == sorted(list(range(len(ALPHABET))) * 2)
    assert images.shape == (72, 28, 28)
    assert all(image.max() > 150 for image in images)
    for code in range(len(ALPHABET)):
        one, other = images[classes == code]
        assert not np.array_equal(one, other)


def test_show_stretches_a_patch_to_the_network_s_size() -> None:
    assert show(np.zeros((40, 20), np.uint8), CropShape(75, 100)).shape == (100, 75)


def voc(path: Path, *objects: str, size: str = "<size><width>640</width><height>384</height></size>") -> None:
    path.write_text(f"<annotation>{size}{''.join(objects)}</annotation>", encoding="utf-8")


def item(left: float, top: float, right: float, bottom: float, name: str = "plate", difficult: int = 0) -> str:
    edges = f"<xmin>{left}</xmin><ymin>{top}</ymin><xmax>{right}</xmax><ymax>{bottom}</ymax>"
    return f"<object><name>{name}</name><difficult>{difficult}</difficult><bndbox>{edges}</bndbox></object>"


def test_boxes_survive_the_way_from_voc_to_yolo(tmp_path: Path) -> None:
    voc(tmp_path / "a.xml", item(100, 50, 180, 70), item(600, 300, 700, 330))

    report = convert(tmp_path, tmp_path / "labels")

    assert (report.pictures, report.kept, report.dropped) == (1, 2, {})
    boxes = read_labels(tmp_path / "labels" / "a.txt", (640, 384))
    assert boxes[0] == pytest.approx((100, 50, 80, 20), abs=0.01)
    assert boxes[1] == pytest.approx((600, 300, 40, 30), abs=0.01), "cut at the picture's edge"


@pytest.mark.parametrize(
    ("broken", "reason"),
    [
        (item(10, 10, 60, 30, name="car"), "of another class"),
        (item(10, 10, 60, 30, difficult=1), "marked as difficult"),
        (item(60, 10, 10, 30), "no extent"),
        (item(700, 10, 760, 30), "outside the picture"),
        (item(10, 10, 15, 12), "narrower than 8 pixels"),
        (item(10, 10, 30, 200), "of no plate's shape"),
        (item(10, 10, 60, 30) * 2, "the same box twice"),
        ("<object><name>plate</name></object>", "an edge of the box is missing"),
    ],
)
def test_a_label_that_cannot_be_used_is_dropped_with_its_reason(tmp_path: Path, broken: str, reason: str) -> None:
    voc(tmp_path / "a.xml", broken)

    report = convert(tmp_path, tmp_path / "labels")

    ((found, count),) = report.dropped.items()
    assert found.startswith(reason)
    assert count == 1


def test_a_damaged_annotation_is_counted_and_the_others_are_converted(tmp_path: Path) -> None:
    (tmp_path / "a.xml").write_text("<annotation>", encoding="utf-8")
    voc(tmp_path / "b.xml", item(10, 10, 60, 30), size="")
    voc(tmp_path / "c.xml", item(10, 10, 60, 30))

    report = convert(tmp_path, tmp_path / "labels")

    assert report.dropped == {"file that is no annotation, or without its picture's size": 2}
    assert report.kept == 1


def test_roads_come_with_converted_boxes_and_a_report(tmp_path: Path) -> None:
    roads = make_roads(tmp_path, 6, seed=2)

    pictures = [picture for split in SPLITS for picture in roads.of(split)]
    report = roads.report()

    assert len(pictures) == len(list((tmp_path / "images").iterdir()))
    assert sum(len(picture.boxes) for picture in pictures) == report["kept"]
    assert len(list(ET.parse(tmp_path / "annotations" / pictures[0].path.with_suffix(".xml").name).iter("size"))) == 1
    assert pictures[0].image().shape == (384, 640, 3)
