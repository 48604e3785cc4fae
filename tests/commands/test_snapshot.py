"""A picture for the installer."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from edge_app.__main__ import main
from edge_app.config import CrossingLineSettings
from edge_app.demo import CLIP
from edge_app.drawing.grid import draw_grid
from edge_app.image_files import load_image

SITE = f"""
[camera]
source = "file:{CLIP}"
[[zones]]
name = "gate"
polygon = [[0.1, 0.4], [0.4, 0.4], [0.4, 0.9], [0.1, 0.9]]
[[zones]]
name = "kerb"
polygon = [[0.7, 0.4], [1.0, 0.4], [1.0, 0.9], [0.7, 0.9]]
include = false
[[crossing_lines]]
name = "barrier"
start = [0.45, 0.65]
end = [0.65, 0.65]
"""


@pytest.fixture
def site(tmp_path: Path) -> Path:
    path = tmp_path / "config.toml"
    path.write_text(SITE)
    return path


def test_a_snapshot_is_the_camera_s_picture(site: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code = main(["snapshot", "--config", str(site), str(tmp_path / "out.png")])

    first = cv2.VideoCapture(str(CLIP)).read()[1]
    assert code == 0
    assert np.array_equal(load_image(tmp_path / "out.png"), first)
    assert "1280 × 720 pixels" in capsys.readouterr().out


def test_with_a_grid_zones_and_lines_are_drawn_in_their_places(
    site: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["snapshot", "--config", str(site), str(tmp_path / "plain.png")])
    main(["snapshot", "--config", str(site), "--grid", str(tmp_path / "grid.png")])

    assert "pixels, 2 zones, 1 line\n" in capsys.readouterr().out
    plain, drawn = (load_image(tmp_path / name).astype(int) for name in ("plain.png", "grid.png"))
    change = drawn - plain
    assert np.abs(change[100, 128]).max() > 0, "a line of the grid at 0.1"
    assert not change[600, 600].any(), "nothing where there is neither zone nor line"
    assert change[600, 200].argmax() == 1, "the included zone is green"
    assert change[600, 1100].argmax() == 2, "the excluded zone is red"
    assert list(drawn[468, 600]) == [0, 200, 255], "the line"


def pixels_of_labels(size: tuple[int, int], *lines: CrossingLineSettings) -> int:
    """How many are dark on a white picture with these lines."""
    white = np.full((size[1], size[0], 3), 255, np.uint8)
    return int((draw_grid(white, [], lines) == 30).all(axis=2).sum())


@pytest.mark.parametrize("size", [(1280, 720), (640, 480), (3840, 2160)])
@pytest.mark.parametrize(("upper", "lower"), [(0.35, 0.5), (0.55, 0.7)])
@pytest.mark.parametrize("ends", [(0.1, 0.9), (0.9, 0.1)])
def test_the_words_of_neighbouring_lines_do_not_cover_each_other(
    size: tuple[int, int], upper: float, lower: float, ends: tuple[float, float]
) -> None:
    def both(first: float, second: float) -> tuple[CrossingLineSettings, CrossingLineSettings]:
        return (
            CrossingLineSettings("first", (0.1, first), (0.9, first)),
            CrossingLineSettings("second", (ends[0], second), (ends[1], second)),
        )

    near, far = (pixels_of_labels(size, *both(*places)) for places in ((upper, lower), (0.25, 0.75)))

    assert near == far > 0


def test_a_long_name_covers_no_word_of_a_steep_line() -> None:
    level, steep = (CrossingLineSettings("entrance-from-north", (0.3, 0.3), end) for end in ((0.9, 0.3), (0.3, 0.9)))

    assert pixels_of_labels((1280, 720), steep) == pixels_of_labels((1280, 720), level)


@pytest.mark.parametrize(
    ("arguments", "code", "fault"),
    [(["out.txt"], 2, "let it end with .jpg or .png"), (["--config", "absent.toml", "out.jpg"], 2, "cannot be read")],
)
def test_what_prevents_a_picture_is_reported(
    arguments: list[str], code: int, fault: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["snapshot", *arguments]) == code
    assert fault in capsys.readouterr().err


def test_a_folder_that_is_not_there_is_an_error_and_not_made(
    site: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code = main(["snapshot", "--config", str(site), str(tmp_path / "absent" / "out.jpg")])

    assert code == 2
    assert f"{tmp_path / 'absent'}: no such folder; make it, or give another" in capsys.readouterr().err
    assert not (tmp_path / "absent").exists()


def test_a_camera_that_is_not_there_is_reported(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "config.toml").write_text('[camera]\nsource = "file:absent.mp4"\n')

    code = main(["snapshot", "--config", str(tmp_path / "config.toml"), str(tmp_path / "out.jpg")])

    assert code == 2
    assert "no such video file" in capsys.readouterr().err
    assert not (tmp_path / "out.jpg").exists()


def test_aiming_prints_how_each_plate_shows_and_draws_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    frames = cv2.VideoCapture(str(CLIP))
    (tmp_path / "pictures").mkdir()
    frames.set(cv2.CAP_PROP_POS_FRAMES, 20)
    cv2.imwrite(str(tmp_path / "pictures" / "0.png"), frames.read()[1])
    (tmp_path / "config.toml").write_text(f'[camera]\nsource = "images:{tmp_path / "pictures"}"\n')

    code = main(["snapshot", "--config", str(tmp_path / "config.toml"), "--aim", str(tmp_path / "out.png")])

    printed = capsys.readouterr().out
    assert code == 0
    assert "px wide, smear" in printed
    assert "of such single frames are read right" in printed
    assert "longest exposure at 30° to the road:" in printed
    assert not np.array_equal(load_image(tmp_path / "out.png"), load_image(tmp_path / "pictures" / "0.png"))


def test_without_a_plate_aiming_says_what_to_do(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "pictures").mkdir()
    cv2.imwrite(str(tmp_path / "pictures" / "0.png"), np.full((240, 320, 3), 90, np.uint8))
    (tmp_path / "config.toml").write_text(f'[camera]\nsource = "images:{tmp_path / "pictures"}"\n')

    code = main(["snapshot", "--config", str(tmp_path / "config.toml"), "--aim", str(tmp_path / "out.png")])

    assert code == 0
    assert "no plate was found: let a vehicle stand where plates are to be read" in capsys.readouterr().out
