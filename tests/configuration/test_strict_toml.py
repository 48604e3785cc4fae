"""A TOML file becomes a record, or every error in it is messages."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import pytest

from edge_app.configuration import strict_toml
from edge_app.configuration.limits import Between
from edge_app.configuration.strict_toml import Complaint
from edge_app.errors import ConfigurationError


@dataclass(frozen=True)
class Gate:
    """A section."""

    height: Annotated[float, Between(0, 10)] = 1.0
    number: int = 1
    open: bool = False
    name: str = "gate"
    picture: Path | None = None
    sizes: tuple[int, ...] = ()
    place: tuple[float, float] = (0.0, 0.0)


@dataclass(frozen=True)
class Lane:
    """A section of which there may be several."""

    name: str
    width: Annotated[int, Between(1, 9)] = 3


@dataclass(frozen=True)
class Site:
    """The whole file."""

    gate: Gate = field(default_factory=Gate)
    lanes: tuple[Lane, ...] = ()


def nothing_more(site: Site) -> Iterator[Complaint]:
    """No complaint of its own."""
    yield from ()


def read(folder: Path, content: str | bytes, check: Callable[[Site], Iterable[Complaint]] = nothing_more) -> Site:
    path = folder / "site.toml"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return strict_toml.read(path, Site, check)


def errors(
    folder: Path, content: str | bytes, check: Callable[[Site], Iterable[Complaint]] = nothing_more
) -> list[str]:
    """What is messages of a wrong file, line for line, without its folder."""
    with pytest.raises(ConfigurationError) as refused:
        read(folder, content, check)
    return str(refused.value).replace(f"{folder}/", "").split("\n")


def test_a_file_becomes_a_record_and_what_it_leaves_out_keeps_its_default(tmp_path: Path) -> None:
    content = """
[gate]
height = 2
sizes = [1, 2]
place = [0.5, 1]
[[lanes]]
name = "left"
[[lanes]]
name = "right"
width = 4
"""

    site = read(tmp_path, content)

    assert site == Site(Gate(height=2.0, sizes=(1, 2), place=(0.5, 1.0)), (Lane("left"), Lane("right", 4)))
    assert type(site.gate.height) is float


def test_an_empty_file_is_all_defaults(tmp_path: Path) -> None:
    assert read(tmp_path, "") == Site()


def test_relative_paths_start_at_the_folder_of_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "site.toml").write_text('[gate]\npicture = "pictures/gate.png"\n')
    monkeypatch.chdir(tmp_path / "elsewhere")

    site = strict_toml.read(Path("../site.toml"), Site, nothing_more)

    assert site.gate.picture == tmp_path / "pictures" / "gate.png"


def test_an_absolute_path_stays(tmp_path: Path) -> None:
    assert read(tmp_path, '[gate]\npicture = "/srv/gate.png"\n').gate.picture == Path("/srv/gate.png")


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("height = 11", "height: 11.0 is out of range; give a number from 0 to 10"),
        ("height = nan", "height: nan is not a finite number; give one"),
        ("height = inf", "height: inf is not a finite number; give one"),
        ("height = true", "height: true is of the wrong type; give a number"),
        ('height = "1"', 'height: "1" is of the wrong type; give a number'),
        ("number = 1.0", "number: 1.0 is of the wrong type; give a whole number"),
        ("number = true", "number: true is of the wrong type; give a whole number"),
        ("open = 1", "open: 1 is of the wrong type; give true or false"),
        ("name = 7", "name: 7 is of the wrong type; give a text in quotes"),
        ("picture = 7", "picture: 7 is of the wrong type; give a path in quotes"),
        ('picture = ""', 'picture: "" is of the wrong type; give a path in quotes'),
        ("sizes = 1", "sizes: 1 is not a list; write it in [ ]"),
        ('sizes = [1, "2"]', 'sizes item 2: "2" is of the wrong type; give a whole number'),
        ("place = [1, 2, 3]", "place: [1, 2, 3] has 3 items; give 2"),
        ("name = ['a', true]", 'name: ["a", true] is of the wrong type; give a text in quotes'),
        ("name = {of = 'a'}", 'name: {of = "a"} is of the wrong type; give a text in quotes'),
    ],
)
def test_a_wrong_value_is_reported_with_its_line_its_key_and_what_to_give(
    tmp_path: Path, line: str, complaint: str
) -> None:
    assert errors(tmp_path, f"\n[gate]\n\n{line}\n") == [f"site.toml:4: [gate] {complaint}"]


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ("[gate]\nheigth = 1", "2: [gate] heigth: there is no such key; did you mean `height`?"),
        ("[gate]\nwarmth = 1", "2: [gate] warmth: there is no such key; remove it, or take one of: height, name,"),
        ("[lane]\n[[gat]]", "1: [lane]: there is no such section; did you mean `lanes`?"),
        ("\nheight = 1", "2: [height]: there is no such section; it belongs in [gate]"),
        ("[[lanes]]\nname = 'a'\n[[lanes]]\nname = 'b'\nwidht = 1", "5: [[lanes]] widht: there is no such key; did"),
        ("[gate]\n[2nd]\nheight = 1", "2: [2nd]: there is no such section; remove it, or take one of: gate, lanes"),
    ],
)
def test_an_unknown_name_is_reported_with_the_one_that_may_be_meant(
    tmp_path: Path, content: str, complaint: str
) -> None:
    assert errors(tmp_path, content)[0].startswith(f"site.toml:{complaint}")


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ("gate = 1", "[gate]: this is a section; write [gate] and its keys below"),
        ("[[gate]]\nheight = 1", "[gate]: this is a section; write [gate] and its keys below"),
        ("lanes = ['left']", "[[lanes]]: this is a section; write [[lanes]] and its keys below"),
        ("[lanes]\nname = 'left'", "[lanes]: this is one section; write [[lanes]] before each"),
        ("lanes = 'left'", '[lanes]: "left" is not a list; write [[lanes]] before each'),
        ("[[lanes]]\nwidth = 1", "[[lanes]]: `name` is missing; add it"),
    ],
)
def test_the_error_on_a_section_that_is_none_shows_how_to_write_it(
    tmp_path: Path, content: str, complaint: str
) -> None:
    assert errors(tmp_path, content) == [f"site.toml:1: {complaint}"]


def test_every_error_is_reported_in_the_order_of_the_lines(tmp_path: Path) -> None:
    content = """[[lanes]]
width = 10
[gate]
open = 1
hight = 1
number = 1.5
"""

    messages = errors(tmp_path, content)

    assert [line.split(": ")[:2] for line in messages] == [
        ["site.toml:1", "[[lanes]]"],
        ["site.toml:2", "[[lanes]] width"],
        ["site.toml:4", "[gate] open"],
        ["site.toml:5", "[gate] hight"],
        ["site.toml:6", "[gate] number"],
    ]


def second_lane(site: Site) -> Iterator[Complaint]:
    """Complains of the second lane, and of a closed gate."""
    if len(site.lanes) > 1:
        yield Complaint(("lanes", 1, "width"), f"the lane {site.lanes[1].name} is too much; remove it")
    if not site.gate.open:
        yield Complaint(("gate", "open"), "nobody gets in; open it")


def test_errors_of_several_keys_together_are_reported_with_the_rest(tmp_path: Path) -> None:
    content = '[gate]\nnumber = "x"\n[[lanes]]\nname = "a"\n[[lanes]]\nname = "b"\nwidth = 2\n'

    messages = errors(tmp_path, content, second_lane)

    assert messages == [
        "site.toml:1: [gate] open: nobody gets in; open it",
        'site.toml:2: [gate] number: "x" is of the wrong type; give a whole number',
        "site.toml:7: [[lanes]] width: the lane b is too much; remove it",
    ]


def test_a_wrong_item_does_not_move_the_others_up(tmp_path: Path) -> None:
    content = '[gate]\nopen = true\n[[lanes]]\nwidth = 2\n[[lanes]]\nname = "b"\n[[lanes]]\nname = "c"\nwidth = 3\n'

    messages = errors(tmp_path, content, second_lane)

    assert messages == [
        "site.toml:3: [[lanes]]: `name` is missing; add it",
        "site.toml:9: [[lanes]] width: the lane c is too much; remove it",
    ]


def test_one_error_is_not_reported_twice(tmp_path: Path) -> None:
    messages = errors(tmp_path, "[gate]\nopen = 1\n", second_lane)

    assert messages == ["site.toml:2: [gate] open: 1 is of the wrong type; give true or false"]


@pytest.mark.parametrize(
    ("content", "line"),
    [
        ("[gate]\nheight = \n", 2),
        ("[gate]\nheight = 1\nheight = 2\n", 3),
        ("[gate]\nsizes = [1,\n\n\n", 2),
        ("\ufeff[gate]\nheight = x\n", 2),
        ("[gate]\r\n\r\nheight = x\r\n", 3),
    ],
)
def test_what_is_no_toml_is_reported_with_its_line(tmp_path: Path, content: str, line: int) -> None:
    (message,) = errors(tmp_path, content)

    assert message.startswith(f"site.toml:{line}: this is not TOML: ")
    assert message.endswith("; correct this line")


def test_the_mark_that_some_editors_begin_a_file_with_is_no_error(tmp_path: Path) -> None:
    site = read(tmp_path, b"\xef\xbb\xbf[gate]\r\nnumber = 3\r\n")

    assert site.gate.number == 3


@pytest.mark.parametrize("start", [b"", b"\xef\xbb\xbf"])
def test_what_is_not_utf8_is_reported_with_its_line(tmp_path: Path, start: bytes) -> None:
    messages = errors(tmp_path, start + b'[gate]\n\nname = "Zufahrt S\xfcd"\n')

    assert messages == ["site.toml:3: this is not UTF-8 text; save the file as UTF-8"]


@pytest.mark.parametrize(("name", "reason"), [("absent.toml", "No such file"), ("", "Is a directory")])
def test_a_file_that_cannot_be_read_is_reported_with_the_remedy(tmp_path: Path, name: str, reason: str) -> None:
    with pytest.raises(ConfigurationError, match=rf"cannot be read \({reason}.*; copy config/default\.toml there"):
        strict_toml.read(tmp_path / name, Site, nothing_more)
