"""What the fields of a record ask for: the one place that reads type hints, and the sentences below the fields."""

import ast
import inspect
import textwrap
import types
from dataclasses import dataclass, replace
from typing import Annotated, Any, Union, get_args, get_origin, get_type_hints

from edge_app.configuration.limits import Example, Limit


@dataclass(frozen=True, slots=True)
class Shape:
    """What a type hint allows."""

    kind: Any
    """A record, `tuple`, or the type of a single value."""
    item: "Shape | None" = None
    """What each item of a tuple is."""
    length: int | None = None
    """Items of a tuple; None if there may be any number."""
    limits: tuple[Limit, ...] = ()
    is_optional: bool = False
    """None is allowed too."""
    example: Any = None
    """A value to show if there is no default."""


def shapes_of(record: type) -> dict[str, Shape]:
    """The shape of each field, by name."""
    return {name: shape_of(hint) for name, hint in get_type_hints(record, include_extras=True).items()}


def shape_of(hint: Any) -> Shape:
    """The shape of one type hint."""
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is Annotated:
        return _annotated(shape_of(arguments[0]), arguments[1:])
    if origin in (Union, types.UnionType):
        (kind,) = (each for each in arguments if each is not types.NoneType)
        return replace(shape_of(kind), is_optional=True)
    if origin is tuple:
        is_open = arguments[-1] is Ellipsis
        return Shape(tuple, shape_of(arguments[0]), None if is_open else len(arguments))
    return Shape(hint)


def _annotated(shape: Shape, notes: tuple[Any, ...]) -> Shape:
    limits = tuple(note for note in notes if not isinstance(note, Example))
    examples = [note.value for note in notes if isinstance(note, Example)]
    return replace(shape, limits=shape.limits + limits, example=examples[-1] if examples else shape.example)


def sentences(record: type) -> dict[str, str]:
    """The string below each field, which Python itself forgets."""
    tree = ast.parse(textwrap.dedent(inspect.getsource(record))).body[0]
    assert isinstance(tree, ast.ClassDef)
    found = {}
    for field, below in zip(tree.body, tree.body[1:], strict=False):
        if isinstance(field, ast.AnnAssign) and isinstance(below, ast.Expr) and isinstance(below.value, ast.Constant):
            found[ast.unparse(field.target)] = inspect.cleandoc(str(below.value.value))
    return found
