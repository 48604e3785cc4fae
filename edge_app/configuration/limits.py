"""Bounds that a settings field carries in its type: `Annotated[float, Between(0, 1)]`."""

import re
from dataclasses import dataclass
from typing import Annotated, Protocol

from edge_app.printable import excerpt


class Limit(Protocol):
    """Something a value of a field must keep to."""

    def complaint(self, value: object) -> str | None:
        """What is wrong with `value` and what to do, or None where it keeps to the limit."""


@dataclass(frozen=True, slots=True)
class Between:
    """A number from `low` to `high`, both allowed."""

    low: float
    high: float

    def complaint(self, value: object) -> str | None:
        """See `Limit`."""
        if isinstance(value, int | float) and self.low <= value <= self.high:
            return None
        return f"{value} is out of range; give a number from {self.low:.10g} to {self.high:.10g}"


@dataclass(frozen=True, slots=True)
class OneOf:
    """One of a few words."""

    choices: tuple[str, ...]

    def complaint(self, value: object) -> str | None:
        """See `Limit`."""
        if value in self.choices:
            return None
        return f'"{excerpt(str(value))}" is not known; choose one of: {", ".join(self.choices)}'


@dataclass(frozen=True, slots=True)
class Matching:
    """A text of a certain form."""

    pattern: str
    form: str
    """The form in words, as in "give …"."""

    def complaint(self, value: object) -> str | None:
        """See `Limit`."""
        if re.fullmatch(self.pattern, str(value)):
            return None
        return f'"{excerpt(str(value))}" will not do; give {self.form}'


Share = Annotated[float, Between(0, 1)]
"""A share of a whole or a confidence."""

TopicLevel = Annotated[
    str, Matching(r"[A-Za-z0-9_-]{1,64}", "1 to 64 letters, digits, `-` or `_`: it becomes part of MQTT topics")
]
