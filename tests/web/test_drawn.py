"""Zones, lines and preset drawn on the page, in the configuration's text and file."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from edge_app import config
from edge_app.errors import ConfigurationError
from edge_app.web import drawn
from edge_app.web.drawn import CrossingLine, Drawing, Zone
from tests.web.conftest import OpenSite

SQUARE = ((0.1, 0.4), (0.9, 0.4), (0.9, 1.0), (0.1, 1.0))
TWO_CAMERAS = """\
# mine
[device]
name = "gate-01"

[[cameras]]
name = "north"
source = "picamera2:0"
[[cameras]]
name = "south"
source = "picamera2:1"
preset = "day" # bright

# the lane
[[zones]]
name = "old"
camera = "north"
polygon = [
    [0.1, 0.1], [0.2, 0.1], [0.2, 0.2],
]
[[zones]]
name = "kept"
camera = "south"
polygon = [[0.1, 0.1], [0.2, 0.1], [0.2, 0.2]]

# about the broker
[mqtt]
host = "localhost"
"""


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str], Path]:
    """Writes a configuration."""

    def write(text: str) -> Path:
        path = tmp_path / "config.toml"
        path.write_text(text)
        return path

    return write


def test_only_the_cameras_own_drawings_change(write: Callable[[str], Path]) -> None:
    path = write(TWO_CAMERAS)
    drawing = Drawing((Zone("lane", SQUARE),), (CrossingLine("stop", (0.1, 0.7), (0.9, 0.7)),), "night_infrared")

    text = drawn.drawn(TWO_CAMERAS, config.load(path), "north", drawing)

    settings = config.load(write(text))
    assert drawn.drawing_of(settings, "north") == drawing
    assert drawn.drawing_of(settings, "south") == drawn.drawing_of(config.load(write(TWO_CAMERAS)), "south")
    for line in ("# mine", "# the lane", "# about the broker", 'preset = "day" # bright', 'host = "localhost"'):
        assert line in text
    assert '"old"' not in text


@pytest.mark.parametrize(
    "text", ["", "[camera]\nname = 'north'", "[mqtt]\nhost='b'\n\n\n# end", '[camera]\r\nname="north"\r\n']
)
def test_drawings_find_a_place_in_any_file(text: str, write: Callable[[str], Path]) -> None:
    settings = config.load(write(text))
    name = settings.every_camera[0].name
    drawing = Drawing((Zone("lane", SQUARE), Zone("sign", SQUARE[:3], include=False)), (), "auto")

    once = drawn.drawn(text, settings, name, drawing)
    again = drawn.drawn(once, config.load(write(once)), name, drawing)
    none = drawn.drawn(again, config.load(write(again)), name, Drawing((), ()))

    assert drawn.drawing_of(config.load(write(once)), name) == drawing
    assert again == once
    assert drawn.drawing_of(config.load(write(none)), name).zones == ()


def test_zones_written_in_another_way_are_left_to_hands(write: Callable[[str], Path]) -> None:
    text = 'zones = [{name = "a", polygon = [[0.1, 0.1], [0.2, 0.1], [0.2, 0.2]]}]\n'

    with pytest.raises(ConfigurationError, match=r"not written as \[\[zones\]\]"):
        drawn.drawn(text, config.load(write(text)), "camera", Drawing((), ()))


def test_what_would_be_wrong_is_not_written(write: Callable[[str], Path]) -> None:
    path = write("[camera]\nname = 'north'\n")
    crossed = Zone("lane", ((0.1, 0.1), (0.9, 0.9), (0.9, 0.1), (0.1, 0.9)))
    text = drawn.drawn(path.read_text(), config.load(path), "north", Drawing((crossed,), ()))

    with pytest.raises(ConfigurationError, match=r"^config.toml:\d+: \[\[zones\]\] polygon: its edges cross"):
        drawn.save(path, path.read_text(), text)

    assert path.read_text() == "[camera]\nname = 'north'\n"


def test_the_file_keeps_its_rights_and_can_be_put_back(write: Callable[[str], Path]) -> None:
    path = write("[camera]\nname = 'north'\n")
    path.chmod(0o640)
    before = path.read_text()
    text = drawn.drawn(before, config.load(path), "north", Drawing((Zone("lane", SQUARE),), ()))

    drawn.save(path, before, text)
    saved, mode = path.read_text(), path.stat().st_mode & 0o777
    drawn.restore(path, text, before)

    assert (saved, mode) == (text, 0o640)
    assert path.read_text() == before
    assert [each.name for each in path.parent.iterdir()] == ["config.toml"]


def test_a_file_that_somebody_has_written_since_is_not_put_back(write: Callable[[str], Path]) -> None:
    path = write("# another hand\n")

    drawn.restore(path, "ours", "before")

    assert path.read_text() == "# another hand\n"


def put(site: Any, zones: list[Any], lines: list[Any] | None = None, camera: str = "north") -> Any:
    body = json.dumps({"zones": zones, "crossing_lines": lines or []}).encode()
    return site.ask(f"/v1/cameras/{camera}/settings", "PUT", body)


def test_a_zone_drawn_on_the_page_is_saved_and_taken_up(open_site: OpenSite, write: Callable[[str], Path]) -> None:
    path = write('[camera]\nname = "north"\n')
    site = open_site(configuration=path)

    answer = put(site, [{"name": "lane", "polygon": SQUARE}], [{"name": "stop", "start": [0, 0.5], "end": [1, 0.5]}])

    assert answer.status == 202
    assert site.reloads == 1
    assert config.load(path).zones[0].polygon == SQUARE
    assert config.load(path).crossing_lines[0].to_right == "in"
    assert site.undo is not None
    site.undo()
    assert path.read_text() == '[camera]\nname = "north"\n'


@pytest.mark.parametrize(
    ("body", "status", "words"),
    [
        (b"no JSON", 400, "not JSON"),
        (b"[]", 422, "not an object"),
        (b'{"zones": []}', 422, "crossing_lines is missing"),
        (b'{"zones": [{"name": "a b", "polygon": []}], "crossing_lines": []}', 422, "zones.name"),
        (
            b'{"zones": [{"name": "a", "polygon": [[0.1, 2], [0, 0], [1, 0]]}], "crossing_lines": []}',
            422,
            "out of range",
        ),
        (b'{"zones": [{"name": "a", "polygon": [[0.1, 0.1]]}], "crossing_lines": []}', 422, "nothing was saved"),
        (b'{"zones": [], "crossing_lines": [], "preset": "dusk"}', 422, "preset"),
    ],
)
def test_wrong_drawings_are_refused(
    body: bytes, status: int, words: str, open_site: OpenSite, write: Callable[[str], Path]
) -> None:
    path = write('[camera]\nname = "north"\n')
    site = open_site(configuration=path)

    answer = site.ask("/v1/cameras/north/settings", "PUT", body)

    assert answer.status == status
    assert words in answer.json["detail"]
    assert path.read_text() == '[camera]\nname = "north"\n'
    assert site.reloads == 0


def test_a_file_that_may_not_be_written_is_shown_as_it_should_be(
    open_site: OpenSite, write: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: Path, text: str) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(drawn, "_write", refuse)  # root, as whom CI tests, may write everywhere
    site = open_site(configuration=write('[camera]\nname = "north"\n'))

    answer = put(site, [{"name": "lane", "polygon": SQUARE}])

    assert answer.status == 409
    assert "docs/http.md" in answer.json["detail"]
    assert config.load(write(answer.json["errors"][0])).zones[0].name == "lane"
    assert site.reloads == 0


def test_without_a_configuration_file_nothing_is_saved(open_site: OpenSite) -> None:
    answer = put(open_site(), [])

    assert answer.status == 409
    assert "without a configuration file" in answer.json["detail"]
