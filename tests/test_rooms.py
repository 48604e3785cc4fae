"""Imports point one way: no arrow back, no circle, no two rooms that import each other.

A room is a folder of `edge_app/`, a plain module beside them, or the whole of `training/` or `converters/`. Every
import counts, also one inside a function or under `TYPE_CHECKING`.
"""

import ast
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGES = ("edge_app", "training", "converters")

ORDER = (
    # plain modules
    "errors",
    "newer_python",
    "version",
    "printable",
    "journal",
    "geometry",
    "backoff",
    "records",
    "system_clock",
    "tflite_model",
    "jpeg_damage",
    "image_files",
    "file_kinds",
    "configuration",
    "camera_settings",
    "config",
    "logs",
    # from the camera to a settled text
    "capture",
    "detection",
    "recognition",
    "tracking",
    "stages",
    "recognizer",
    "plate_json",
    "pipeline",
    # from a settled text to the broker
    "events",
    "lookup",
    "outbox",
    "uplink",
    "service",
    # for people
    "web",
    "drawing",
    "evaluation",
    "demo",
    # the whole
    "lane",
    "daemon",
    "app",
    "edge_app",  # edge_app/__init__.py: what other programs import
    "commands",
    "__main__",
    # workstation
    "training",
    "converters",
    "study",
)
"""Each room may use those that stand before it."""


@dataclass(frozen=True, slots=True)
class Arrow:
    """One import."""

    file: str
    line: int
    source: str
    """The importing module."""
    target: str
    """The imported module."""

    def __str__(self) -> str:
        return f"{self.file}:{self.line} imports {self.target}"


def arrows_of(root: Path) -> list[Arrow]:
    """Every import of one module of ours by another."""
    files = {_module(root, path): path for package in PACKAGES for path in sorted((root / package).rglob("*.py"))}
    return [
        Arrow(str(path.relative_to(root)), line, module, target)
        for module, path in files.items()
        for line, target in _imports(path, module, files)
        if target != module
    ]


def _module(root: Path, path: Path) -> str:
    return ".".join(path.relative_to(root).with_suffix("").parts).removesuffix(".__init__")


def _imports(path: Path, module: str, ours: Mapping[str, Path]) -> Iterator[tuple[int, str]]:
    """The line and the imported module of ours, once for each imported name."""
    package = module if path.name == "__init__.py" else module.rpartition(".")[0]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            above = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
            base = ".".join([*above, *([node.module] if node.module else [])])
            names = [f"{base}.{alias.name}" for alias in node.names]
        else:
            continue
        for name in names:
            found = name if name in ours else name.rpartition(".")[0]
            if found in ours:
                yield node.lineno, found


def room_of(module: str) -> str:
    """`edge_app.events.lists.hook` is in `events`, `training.synthetic.road` in `training`.

    `training.study` is a room of its own: it also converts what it trained.
    """
    parts = module.split(".")
    if parts[:2] == ["training", "study"]:
        return "study"
    return parts[1] if parts[0] == "edge_app" and len(parts) > 1 else parts[0]


def back_arrows(arrows: Sequence[Arrow], order: Sequence[str] = ORDER) -> list[str]:
    """Imports against the order, and rooms that have no place in it."""
    places = {room: place for place, room in enumerate(order)}
    faults = []
    for arrow in arrows:
        source, target = room_of(arrow.source), room_of(arrow.target)
        unknown = [room for room in (source, target) if room not in places]
        if unknown:
            faults.append(f"{arrow}: give `{unknown[0]}` a place in ORDER, after all that it uses")
        elif places[target] > places[source]:
            faults.append(f"{arrow}: `{source}` may not use `{target}`, which stands after it in ORDER")
    return faults


def mutual_arrows(arrows: Sequence[Arrow]) -> list[str]:
    """Pairs of rooms that import each other."""
    examples: dict[tuple[str, str], Arrow] = {}
    for arrow in arrows:
        examples.setdefault((room_of(arrow.source), room_of(arrow.target)), arrow)
    return [
        f"`{source}` and `{target}` use each other: {arrow}; {examples[target, source]}"
        for (source, target), arrow in examples.items()
        if source < target and (target, source) in examples
    ]


def circle(arrows: Sequence[Arrow]) -> str | None:
    """The modules of a circle, or None if there is none."""
    graph: dict[str, set[str]] = {}
    for arrow in arrows:
        graph.setdefault(arrow.source, set()).add(arrow.target)
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return " is imported by ".join(error.args[1])
    return None


@pytest.fixture(scope="module")
def arrows() -> list[Arrow]:
    return arrows_of(ROOT)


def test_no_room_uses_one_that_comes_after_it(arrows: list[Arrow]) -> None:
    faults = back_arrows(arrows)

    assert not faults, "\n".join(faults)


def test_no_two_rooms_use_each_other(arrows: list[Arrow]) -> None:
    faults = mutual_arrows(arrows)

    assert not faults, "\n".join(faults)


def test_no_module_is_part_of_a_circle(arrows: list[Arrow]) -> None:
    assert circle(arrows) is None


def test_every_room_of_the_order_exists_and_every_room_has_its_place() -> None:
    rooms = {room_of(_module(ROOT, path)) for package in PACKAGES for path in (ROOT / package).rglob("*.py")}

    assert rooms == set(ORDER)


def tree(root: Path, **files: str) -> list[Arrow]:
    """The imports of an `edge_app/` made of these modules; `a__b` is `a/b.py`."""
    for name, text in files.items():
        path = root / "edge_app" / ("__init__.py" if name == "__init__" else f"{name.replace('__', '/')}.py")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return arrows_of(root)


@pytest.mark.parametrize(
    ("line", "text"),
    [
        (1, "from edge_app.high.part import THING"),
        (1, "from edge_app.high import part"),
        (1, "import edge_app.high.part"),
        (1, "import edge_app.high.part as other"),
        (1, "from ..high.part import THING"),
        (1, "from ..high import part"),
        (3, "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from edge_app.high.part import THING"),
        (2, "def late():\n    from edge_app.high.part import THING"),
        (2, "try:\n    from edge_app.high.part import THING\nexcept ImportError:\n    THING = None"),
    ],
)
def test_an_arrow_back_is_found_however_it_is_written(line: int, text: str, tmp_path: Path) -> None:
    arrows = tree(tmp_path, low__user=text, high__part="THING = 1")

    (fault,) = back_arrows(arrows, ("low", "high"))

    assert fault.startswith(f"edge_app/low/user.py:{line} imports edge_app.high.part: `low` may not use `high`")
    assert not back_arrows(arrows, ("high", "low"))


def test_a_name_of_the_package_itself_is_an_arrow_to_its_front_door(tmp_path: Path) -> None:
    arrows = tree(tmp_path, __init__="NAME = 1", low="from edge_app import NAME")

    assert [room_of(arrow.target) for arrow in arrows] == ["edge_app"]


def test_a_room_without_a_place_is_named(tmp_path: Path) -> None:
    (fault,) = back_arrows(tree(tmp_path, new="from edge_app import low", low=""), ("low",))

    assert "edge_app/new.py:1 imports edge_app.low: give `new` a place in ORDER" in fault


def test_rooms_that_use_each_other_are_found_though_no_module_does(tmp_path: Path) -> None:
    arrows = tree(
        tmp_path, a__one="from edge_app.b import one", b__one="", b__two="from edge_app.a import two", a__two=""
    )

    (fault,) = mutual_arrows(arrows)

    assert circle(arrows) is None
    assert fault.startswith("`a` and `b` use each other")
    assert "edge_app/a/one.py:1 imports edge_app.b.one" in fault
    assert "edge_app/b/two.py:1 imports edge_app.a.two" in fault


def test_a_circle_within_one_room_is_found(tmp_path: Path) -> None:
    arrows = tree(
        tmp_path,
        room__a="from edge_app.room import b",
        room__b="from edge_app.room import c",
        room__c="def late():\n    from edge_app.room import a",
    )

    found = circle(arrows)

    assert not mutual_arrows(arrows)
    assert found is not None
    assert {"edge_app.room.a", "edge_app.room.b", "edge_app.room.c"} == set(found.split(" is imported by "))
