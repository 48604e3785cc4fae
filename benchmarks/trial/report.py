"""The table of the trial."""

import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Row:
    """One thing that was tried."""

    where: str
    what: str
    passed: bool
    words: str
    """A figure, or what went wrong."""
    seconds: float


class Report:
    """Tries, notes, and goes on; `only`: rows with one of these words in them, and what they need."""

    def __init__(self, only: Sequence[str] = ()) -> None:
        self.rows: list[Row] = []
        self._only = only

    def wants(self, where: str, what: str) -> bool:
        """Whether a row is asked for."""
        return not self._only or any(words in f"{where} {what}" for words in self._only)

    def check(self, where: str, what: str, attempt: Callable[[], str]) -> bool:
        """Try one thing; what it raises is a miss."""
        began = time.monotonic()
        try:
            words, passed = attempt(), True
        except Exception as error:  # noqa: BLE001 - a miss is a line of the table
            words, passed = f"{type(error).__name__}: {error}", False
        row = Row(where, what, passed, words, time.monotonic() - began)
        self.rows.append(row)
        print(_line(row), file=sys.stderr, flush=True)
        return passed

    def table(self) -> str:
        """All of it."""
        return "\n".join([*map(_line, self.rows), f"{sum(row.passed for row in self.rows)} of {len(self.rows)} passed"])


def _line(row: Row) -> str:
    words = " ".join(row.words.split())
    shown = words[:200] if row.passed else words[-400:]  # what went wrong stands at the end
    return f"{'ok' if row.passed else 'MISS':<5}{row.where:<11}{row.what:<50}{row.seconds:6.0f} s  {shown}"


def expect(condition: bool, words: str) -> None:
    """Raise what is wrong."""
    if not condition:
        raise AssertionError(words)
