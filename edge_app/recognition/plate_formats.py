"""The layouts of plates, country by country, from `formats/*.toml`: formats change priors, they never filter."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import product
from typing import Any

from edge_app.config import FORMATS_DIRECTORY, GENERIC_FORMAT, known_countries, unknown_country
from edge_app.errors import ConfigurationError
from edge_app.newer_python import tomllib

Template = tuple[str, ...]
"""The characters allowed at each position of a text."""

_KNOWN_TEXTS = 4096
"""Whose priors are kept: votes ask for the same texts again and again."""

_FIELD = re.compile(r"([a-z_]+|[A-Z0-9]+)(?:\{(\d+)(?:,(\d+))?\})?")


@dataclass(frozen=True, slots=True)
class FormatMatch:
    """The format a text fits best."""

    country: str | None
    format: str | None
    valid: bool
    """True if the text fits a country's format; the generic one is never valid."""


@dataclass(frozen=True, slots=True)
class PlateFormat:
    """One layout of one country, or of many."""

    country: str | None
    name: str
    log_prior: float
    log_prior_unknown_code: float
    """For texts whose layout fits and whose code (of a state, say) does not exist."""
    exact: re.Pattern[str]
    shape: re.Pattern[str]
    """As `exact`, with any letters in place of the codes, one group for each."""
    codes: tuple[tuple[str, ...], ...]
    """Those that exist, for each group of `shape`."""
    templates: tuple[Template, ...]


class PlateFormats:
    """The formats of some countries, over the generic one."""

    def __init__(
        self, formats: Sequence[PlateFormat], generic: re.Pattern[str], log_priors: tuple[float, float]
    ) -> None:
        self._formats = sorted(formats, key=lambda each: (each.country is None, -each.log_prior))
        self._generic = generic
        self._generic_log_prior, self._other_log_prior = log_priors
        self._known_log_prior = lru_cache(_KNOWN_TEXTS)(self._find_log_prior)

    @classmethod
    def load(cls, countries: Sequence[str]) -> "PlateFormats":
        """Read `formats/COUNTRY.toml` for each country; `ConfigurationError` if there is none."""
        if unknown := [each for each in countries if each not in known_countries()]:
            raise ConfigurationError(f"recognition.formats: {unknown_country(unknown[0])}")
        generic = _read(GENERIC_FORMAT)
        named = [each for country in countries for each in formats_of(_read(country))]
        log_priors = (float(generic["generic"]["log_prior"]), float(generic["other"]["log_prior"]))
        return cls([*named, *_layouts_of(generic)], _any_text(generic["generic"]), log_priors)

    @property
    def templates(self) -> tuple[Template, ...]:
        """Every layout that occurs, each once."""
        return tuple(dict.fromkeys(template for each in self._formats for template in each.templates))

    def match(self, text: str) -> FormatMatch:
        """The likeliest format that `text` fits exactly, else the generic one, else none."""
        for each in self._formats:
            if each.country and each.exact.fullmatch(text):
                return FormatMatch(each.country, each.name, valid=True)
        return FormatMatch(None, GENERIC_FORMAT if self._generic.fullmatch(text) else None, valid=False)

    def log_prior(self, text: str) -> float:
        """How likely a plate bears `text` before it is seen: natural logarithm, 0 for the commonest format."""
        return self._known_log_prior(text)

    def _find_log_prior(self, text: str) -> float:
        best = self._generic_log_prior if self._generic.fullmatch(text) else self._other_log_prior
        for each in self._formats:
            if each.exact.fullmatch(text):
                best = max(best, each.log_prior)
            elif each.shape.fullmatch(text):
                best = max(best, each.log_prior_unknown_code)
        return best

    def corrections(self, text: str) -> list[str]:
        """Texts that differ from `text` in one letter of a code and so turn an unknown code into a real one."""
        return list(dict.fromkeys(fixed for each in self._formats for fixed in _with_real_codes(each, text)))


def _with_real_codes(plate_format: PlateFormat, text: str) -> Iterator[str]:
    found = plate_format.shape.fullmatch(text)
    if found is None:
        return
    for group, codes in enumerate(plate_format.codes, start=1):
        read = found[group]
        if read not in codes:
            for code in codes:
                if len(code) == len(read) and sum(a != b for a, b in zip(read, code, strict=True)) == 1:
                    yield text[: found.start(group)] + code + text[found.end(group) :]


def _read(name: str) -> dict[str, Any]:
    return tomllib.loads((FORMATS_DIRECTORY / f"{name}.toml").read_text(encoding="utf-8"))


def _any_text(limits: dict[str, Any]) -> re.Pattern[str]:
    return re.compile(f"[A-Z0-9]{{{limits['shortest']},{limits['longest']}}}")


def formats_of(table: dict[str, Any]) -> Iterator[PlateFormat]:
    """The formats of a country's file; `ValueError` for a field that names nothing."""
    unknown_code = float(table["priors"]["unknown_code"])
    for entry in table["formats"]:
        yield _format_of(table, entry, table["country"], unknown_code)


def _layouts_of(generic: dict[str, Any]) -> Iterator[PlateFormat]:
    for entry in generic["layouts"]:
        yield _format_of(generic | {"codes": {}}, entry | {"name": GENERIC_FORMAT}, None, 0.0)


def _format_of(table: dict[str, Any], entry: dict[str, Any], country: str | None, unknown_code: float) -> PlateFormat:
    fields = [_parse(field, table) for field in entry["pattern"].split()]
    return PlateFormat(
        country=country,
        name=entry["name"],
        log_prior=float(entry["log_prior"]),
        log_prior_unknown_code=float(entry["log_prior"]) + unknown_code,
        exact=re.compile("".join(field.exact for field in fields)),
        shape=re.compile("".join(field.shape for field in fields)),
        codes=tuple(field.codes for field in fields if field.codes),
        templates=tuple(sum(parts, ()) for parts in product(*(field.templates for field in fields))),
    )


@dataclass(frozen=True, slots=True)
class _Field:
    exact: str
    shape: str
    codes: tuple[str, ...]
    templates: tuple[Template, ...]


def _parse(field: str, table: dict[str, Any]) -> _Field:
    parsed = _FIELD.fullmatch(field)
    if parsed is None:
        raise ValueError(f"{table['country']}: {field!r} is not a field of a plate format")
    name, repeats = parsed[1], parsed[2] is not None
    least, most = int(parsed[2] or 1), int(parsed[3] or parsed[2] or 1)
    if name in table["codes"]:
        if repeats:
            raise ValueError(f"{table['country']}: {field!r}: a code cannot be repeated; write it twice")
        return _codes(tuple(table["codes"][name]))
    if name.islower():
        if name not in table["characters"]:
            raise ValueError(f"{table['country']}: {field!r} names neither [characters] nor [codes]")
        characters = table["characters"][name]
        pattern = f"[{characters}]{{{least},{most}}}"
        return _Field(pattern, pattern, (), tuple((characters,) * count for count in range(least, most + 1)))
    pattern = f"(?:{name}){{{least},{most}}}"
    return _Field(pattern, pattern, (), tuple(tuple(name) * count for count in range(least, most + 1)))


def _codes(codes: tuple[str, ...]) -> _Field:
    """Codes of one length or of several, as Germany's districts have."""
    lengths = sorted({len(code) for code in codes})
    alike = [[code for code in codes if len(code) == length] for length in lengths]
    templates = tuple(tuple("".join(sorted(set(column))) for column in zip(*each, strict=True)) for each in alike)
    return _Field(f"(?:{'|'.join(codes)})", f"([A-Z]{{{lengths[0]},{lengths[-1]}}})", codes, templates)
