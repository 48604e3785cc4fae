"""`edge-anpr read`: which files it takes, and where it draws what it found."""

import dataclasses
import os
import re
from pathlib import Path

import cv2
import pytest

from edge_app.__main__ import main
from edge_app.app import open_video
from edge_app.commands.read import Drawings, as_text, vehicle_as_json
from edge_app.demo import CLIP
from tests.capture.pictures import write_clip, write_picture
from tests.events.passes import plate_pass


def files_below(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_pictures_of_the_same_name_are_drawn_beside_each_other(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("north/a.png", "north/a.jpg", "north/night/a.png", "south/a.png"):
        (tmp_path / "in" / name).parent.mkdir(parents=True, exist_ok=True)
        write_picture(tmp_path / "in" / name)
    write_picture(tmp_path / "in" / "b.png").rename(tmp_path / "in" / "nameless")

    roots = [str(tmp_path / "in" / name) for name in ("north", "south/../south/a.png", "nameless")]
    code = main(["read", *roots, "--annotate", str(tmp_path / "out")])

    assert code == 0, capsys.readouterr().err
    assert files_below(tmp_path / "out") == [
        "nameless.png", "north/a.jpg", "north/a.png", "north/night/a.png", "south/a.png",
    ]  # fmt: skip


def test_what_is_read_is_not_drawn_over(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = write_picture(tmp_path / "a.png").read_bytes()

    assert main(["read", str(tmp_path / "a.png"), "--annotate", str(tmp_path)]) == 2

    assert "would be overwritten" in capsys.readouterr().err
    assert (tmp_path / "a.png").read_bytes() == before


def test_the_best_frame_of_each_vehicle_of_a_video_is_drawn(tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "clip.mp4", frames=6)
    times = [frame.captured_at for frame in open_video(clip).frames()]
    passes = [dataclasses.replace(plate_pass(), best_seen=times[number]) for number in (4, 1, 4)]

    Drawings(tmp_path / "out", [clip]).of_video(clip, passes)

    assert files_below(tmp_path / "out") == ["clip.mp4/000001.jpg", "clip.mp4/000004.jpg"]
    assert cv2.imread(str(tmp_path / "out" / "clip.mp4" / "000004.jpg")).shape == (240, 320, 3)


def test_a_video_that_is_cut_off_is_read_as_far_as_it_goes_and_has_failed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    clip = tmp_path / "clip.mp4"
    whole = CLIP.read_bytes()
    clip.write_bytes(whole[: len(whole) // 8])

    code = main(["read", str(clip), "--annotate", str(tmp_path / "out")])

    printed = capsys.readouterr()
    assert code == 1
    assert "KA01MN4567" in printed.out
    assert len(files_below(tmp_path / "out")) > 0
    assert re.fullmatch(rf"edge-anpr: {clip}: only \d+ of 428 frames could be decoded; copy it again\n", printed.err)


def test_a_text_that_fits_no_format_is_marked_for_people() -> None:
    vehicles = [vehicle_as_json(Path("a.mp4"), plate_pass(*plate)) for plate in (("MH12AB1234",), ("XYZ", False))]
    vehicles[0]["frames"] = 1

    assert list(map(as_text, vehicles)) == [
        "a.mp4: MH12AB1234 97%  (seen in 1 frame)",
        "a.mp4: XYZ 97% (fits no format)  (seen in 14 frames)",
    ]


def test_a_video_is_read_whatever_its_path(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    clip = write_clip(tmp_path / "clip.mp4", frames=3).rename(tmp_path / "why?loop=2.mp4")

    code = main(["read", f"/{clip}", "--annotate", str(tmp_path / "out")])

    assert code == 0, capsys.readouterr().err


def test_every_file_of_a_folder_is_read_or_named_whatever_its_name_is(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_picture(tmp_path / "a.png").rename(tmp_path / os.fsdecode(b"no-text-\xff.png"))
    write_picture(tmp_path / "b.png").rename(tmp_path / "red\x1b[31m.png")
    write_clip(tmp_path / "c.mp4", frames=3).rename(tmp_path / os.fsdecode(b"clip-\xff"))
    (tmp_path / "phone.heic").write_bytes(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic")
    (tmp_path / "notes.txt").write_text("a letter")
    os.mkfifo(tmp_path / "pipe.jpg")

    assert main(["read", str(tmp_path)]) == 1

    out, err = capsys.readouterr()
    assert out.count("no plate") == 3
    assert "\x1b" not in out + err
    assert "phone.heic: a phone's picture (HEIF or AVIF), which is not read here; save it as JPEG" in err
    assert "notes.txt: this is neither a picture nor a video" in err
    assert "pipe.jpg: a pipe, a device or a folder, and no file" in err
