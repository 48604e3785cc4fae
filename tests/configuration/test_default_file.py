"""The file that shows every key."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

from edge_app.configuration import strict_toml
from edge_app.configuration.default_file import default_file
from edge_app.configuration.limits import Between, Example, OneOf

COLOUR = OneOf(("red", "green"))


@dataclass(frozen=True, slots=True)
class Lamp:
    """`[lamp]`: what shines."""

    watts: Annotated[float, Between(0.5, 100)] = 40.0
    """Power, in watts: a sentence that is so long that it has to be wrapped, but not in the middle of its range or default."""  # noqa: E501
    colour: Annotated[str, COLOUR] = "red"
    """Its colour."""
    blink: tuple[Annotated[str, COLOUR], ...] = ("red",)
    """Colours that blink."""
    shade: Annotated[Annotated[float, Between(0, 1)] | None, Example(0.25)] = None
    """Share that is hidden."""


@dataclass(frozen=True, slots=True)
class Switch:
    """`[[switches]]`: any number of switches.

    Each has its own place.
    """

    place: Annotated[Path, Example("/wall/1")]
    """Where it is."""
    is_on: bool = False
    """Begin with light."""


@dataclass(frozen=True, slots=True)
class House:
    """The whole file."""

    lamp: Lamp = field(default_factory=Lamp)
    switches: tuple[Switch, ...] = ()


SHOWN = """\
# A house.
# Its keys.

# What shines.
[lamp]
# Power, in watts: a sentence that is so long that it has to be wrapped, but not in the middle of its range or default.
# 0.5 to 100. Default: 40.0.
watts = 40.0
# Its colour. "red" or "green". Default: "red".
colour = "red"
# Colours that blink. Some of "red" and "green". Default: ["red"].
blink = ["red"]
# Share that is hidden. 0 to 1. Default: not set.
# shade = 0.25

# Any number of switches. Each has its own place. Default: none.
# [[switches]]
# Where it is.
# place = "/wall/1"
# Begin with light. Default: false.
# is_on = false
"""


def test_every_key_is_shown_with_its_sentence_its_range_and_its_default() -> None:
    assert default_file(House, "A house.\nIts keys.") == SHOWN


def test_what_is_shown_loads_as_the_defaults(tmp_path: Path) -> None:
    (tmp_path / "house.toml").write_text(default_file(House, "A house."))

    assert strict_toml.read(tmp_path / "house.toml", House, lambda _: []) == House()
