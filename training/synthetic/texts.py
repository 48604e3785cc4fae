"""Random texts of plates, in the patterns of each country."""

import tomllib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edge_app.config import FORMATS_DIRECTORY

_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_SERIES_LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ"
_DIGITS = "0123456789"
_STATES = sorted(tomllib.loads((FORMATS_DIRECTORY / "in.toml").read_text(encoding="utf-8"))["codes"]["state"])
_MILLIONS = {
    "MH": 38, "UP": 35, "TN": 31, "GJ": 27, "KA": 24, "RJ": 19, "MP": 18, "AP": 14, "KL": 14, "WB": 14, "DL": 12,
    "HR": 11, "PB": 11, "TS": 11, "BR": 10, "OD": 7, "JH": 6, "CG": 6, "AS": 4, "UK": 3, "TG": 2,
}  # fmt: skip
"""Vehicles registered, in the order of the Road Transport Year Book 2019-20 (Ministry of Road Transport and Highways),
the figures rough; a state left out has a million."""
_RARE_SHARE = 0.2
"""Of the plates, on which every state is as common as another, so that the rare ones are learned too."""


def _state_shares() -> NDArray[np.float64]:
    common = np.array([_MILLIONS.get(state, 1) for state in _STATES], float)
    return (1 - _RARE_SHARE) * common / common.sum() + _RARE_SHARE / len(_STATES)


_STATE_SHARES = _state_shares()

# 'L' a letter, 'S' a letter but I and O, 'D' a digit, a space parts the groups.
_FOREIGN_PATTERNS = {
    "GB": ("LLDD LLL", "LDDD LLL", "LLL DDDL", "LLL DDDD"),
    "DE": ("L LL DDDD", "LL LL DDD", "LLL L DDD", "LLL LL DDD"),
    "FR": ("LL DDD LL", "DDDD LL DD"),
    "IT": ("LL DDDLL",),
    "NL": ("DD LLL D", "LL DDD L", "LL LL DD"),
    "RO": ("L DD LLL", "LL DD LLL", "L DDD LLL"),
    "RU": ("L DDD LL DD", "L DDD LL DDD"),
    "BR": ("LLL DDDD", "LLL DDDD", "LLLDLDD"),
    "US": (
        "DLLLDDD",
        "LLL DDDD",
        "LLL DDD",
        "DDD LLL",
        "LLLDDDD",
        "DDDDDD",
        "LDDDDDD",
        "LL DDDDD",
        "LDDDDDDL",  # New York: taxis
        "DDDDDLL",  # New York: commercial vehicles
    ),
    "PK": ("LLL DDD", "LLL DDDD", "LL DDD", "LL DDDD"),
    "AE": ("L DDDDD", "LD DDDDD", "DDDDD", "DDDDDD"),
    "AU": ("LLL DDL", "LL DD LL", "LLL DDD"),
    "??": ("DDDD", "LDDD", "LLLLL", "LLL LLLL", "DDDDL", "LDL DLD", "DD DDD DD", "LLLDDDDL", "LLDDDDD"),
}


@dataclass(frozen=True, slots=True)
class PlateWords:
    """The groups of characters on each line of a plate."""

    lines: tuple[tuple[str, ...], ...]

    @property
    def text(self) -> str:
        """All characters, the top line first."""
        return "".join(word for line in self.lines for word in line)


def _fill(rng: np.random.Generator, pattern: str) -> tuple[str, ...]:
    alphabets = {"L": _LETTERS, "S": _SERIES_LETTERS, "D": _DIGITS}
    return tuple(
        "".join(alphabets[kind][rng.integers(len(alphabets[kind]))] for kind in group) for group in pattern.split()
    )


def indian_groups(rng: np.random.Generator, kind: str = "standard") -> tuple[str, ...]:
    """Groups such as ("MH", "12", "AB", "1234"); `kind` is standard, bh or temporary."""
    state = _STATES[rng.choice(len(_STATES), p=_STATE_SHARES)]
    if kind == "bh":
        year, number = _fill(rng, "DD DDDD")
        return (year, "BH", number, _fill(rng, "S" if rng.random() < 0.3 else "SS")[0])
    if kind == "temporary":
        month_year, number, series = _fill(rng, "DDDD DDDD SS")
        return ("T", month_year, state, number, series)
    if state == "DL" and rng.random() < 0.8:
        district = str(rng.integers(1, 14)) + "CSPRTVBE"[rng.integers(8)]
        series = _fill(rng, "S" * int(rng.integers(1, 3)))[0]
    else:
        code = 1 + int(99 * rng.random() ** 2)  # the first offices have the most vehicles
        district = f"{code:02d}" if rng.random() < 0.95 else str(code)
        length = int(rng.choice(4, p=(0.03, 0.25, 0.67, 0.05)))
        series = _fill(rng, "S" * length)[0] if length else ""
    digits = int(rng.choice((1, 2, 3, 4), p=(0.01, 0.02, 0.04, 0.93)))
    serial = "".join(_DIGITS[rng.integers(10)] for _ in range(digits))
    return tuple(group for group in (state, district, series, serial) if group)


def indian_words(rng: np.random.Generator, kind: str, lines: int) -> PlateWords:
    """An Indian text set in one or two lines, broken as sign painters break it."""
    groups = indian_groups(rng, kind)
    if lines == 1:
        return PlateWords((groups,))
    if kind != "standard" or len(groups) < 4:
        middle = 2 if len(groups) > 2 else 1
        return PlateWords((groups[:middle], groups[middle:]))
    state, district, series, serial = groups
    draw = rng.random()
    if draw < 0.45:
        return PlateWords(((state, district), (series, serial)))
    if draw < 0.75 or len(series) == 1:
        return PlateWords(((state, district, series), (serial,)))
    return PlateWords(((state, district, series[0]), (series[1:], serial)))


def foreign_words(rng: np.random.Generator, country: str, lines: int) -> PlateWords:
    """A text in one of the country's patterns."""
    patterns = _FOREIGN_PATTERNS[country]
    groups = _fill(rng, patterns[rng.integers(len(patterns))])
    if lines == 1 or len(groups) == 1:
        return PlateWords((groups,))
    return PlateWords((groups[:1], groups[1:]))


FOREIGN_COUNTRIES = tuple(_FOREIGN_PATTERNS)
