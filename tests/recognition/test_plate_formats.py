"""The layouts of plates."""

import re
from importlib import resources
from typing import Any

import pytest

from edge_app.errors import ConfigurationError
from edge_app.newer_python import tomllib
from edge_app.recognition.plate_formats import FormatMatch, PlateFormats, formats_of


@pytest.fixture(scope="module")
def formats() -> PlateFormats:
    return PlateFormats.load(["in"])


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("MH12AB1234", "standard"),
        ("KA01MN4567", "standard"),
        ("TG09A0001", "standard"),
        ("TS07FX1234", "standard"),
        ("OR02BC77", "standard"),
        ("UA07A1234", "standard"),
        ("GJ1ABC1234", "standard"),
        ("WB121234", "standard"),
        ("DL3CAB1234", "standard"),
        ("DL10SX4321", "standard"),
        ("22BH1234AA", "bharat"),
        ("T0126MH1234AB", "temporary"),
        ("KAVAAB1234", "vintage"),
        ("03D153874H", "defence"),
        ("199CD1", "diplomatic"),
        ("77CC0123", "diplomatic"),
        ("75UN12", "diplomatic"),
    ],
)
def test_an_indian_plate_is_valid_and_named(formats: PlateFormats, text: str, name: str) -> None:
    assert formats.match(text) == FormatMatch("IN", name, valid=True)


@pytest.mark.parametrize("text", ["BRA2E19", "ABC1234", "7ABC123", "AB12CDE", "XX12AB1234", "MH12AI1234", "MH12AO1234"])
def test_any_other_plate_is_generic_and_not_valid(formats: PlateFormats, text: str) -> None:
    assert formats.match(text) == FormatMatch(None, "generic", valid=False)


@pytest.mark.parametrize("text", ["MH59", "KA5", "DL3C", "UP14ED"])
def test_the_upper_line_of_a_plate_is_no_valid_plate(formats: PlateFormats, text: str) -> None:
    assert not formats.match(text).valid


def test_what_no_plate_bears_has_no_format(formats: PlateFormats) -> None:
    assert formats.match("A1") == FormatMatch(None, None, valid=False)


@pytest.mark.parametrize(
    "texts", [("MH12AB1234", "XX12AB1234", "X1Y2Z3", "A"), ("MH12AB1234", "ABC1234", "A1C1Z34", "A")]
)
def test_the_prior_falls_from_a_real_code_over_a_layout_and_any_text_to_the_rest(
    formats: PlateFormats, texts: tuple[str, ...]
) -> None:
    priors = [formats.log_prior(text) for text in texts]

    assert priors == sorted(priors, reverse=True)
    assert len(set(priors)) == 4
    assert priors[0] == 0.0


def test_an_unknown_code_is_corrected_to_the_real_ones_a_letter_away(formats: PlateFormats) -> None:
    corrected = formats.corrections("NH12AB1234")

    assert {"MH12AB1234", "CH12AB1234", "NL12AB1234"} <= set(corrected)
    assert all(formats.match(text).valid for text in corrected)
    assert "KA12AB1234" not in corrected
    assert formats.corrections("MH12AB1234") == []


def test_templates_cover_every_format_once(formats: PlateFormats) -> None:
    lengths = [len(template) for template in formats.templates]

    assert len(set(formats.templates)) == len(formats.templates)
    assert (min(lengths), max(lengths)) == (4, 13)


def test_every_format_file_is_dated_and_sourced() -> None:
    folder = resources.files("edge_app.recognition") / "formats"
    tables = {entry.name: tomllib.loads(entry.read_text(encoding="utf-8")) for entry in folder.iterdir()}

    assert all(table["checked"].year >= 2026 for table in tables.values())
    assert tables["in.toml"]["sources"]
    assert all(each["log_prior"] <= 0 for each in tables["in.toml"]["formats"])


def test_an_unknown_country_names_the_known_ones() -> None:
    with pytest.raises(ConfigurationError, match=r'no formats of "atlantis" are shipped; take some of: in$'):
        PlateFormats.load(["atlantis"])


def test_the_generic_format_alone_knows_no_country() -> None:
    assert PlateFormats.load([]).match("MH12AB1234") == FormatMatch(None, "generic", valid=False)


def table(pattern: str) -> dict[str, Any]:
    """What the file of a country with one format holds."""
    return {
        "country": "DE",
        "priors": {"unknown_code": -3.0},
        "characters": {"letter": "ABCM", "digit": "0123456789"},
        "codes": {"district": ["B", "M", "AB", "ABC"]},
        "formats": [{"name": "standard", "pattern": pattern, "log_prior": 0.0}],
    }


def test_codes_may_have_several_lengths_and_words_may_be_repeated_or_be_digits() -> None:
    formats = PlateFormats(
        list(formats_of(table("district letter{1,2} 0 X{2}"))), re.compile("[A-Z0-9]+"), (-5.0, -9.0)
    )

    assert [formats.match(text).valid for text in ("BA0XX", "ABCM0XX", "CCM0XX", "BA0X")] == [True, True, False, False]
    assert formats.log_prior("CCM0XX") == -3.0, "the layout fits, the district does not exist"
    assert formats.corrections("CBM0XX") == ["ABM0XX"]
    assert {len(template) for template in formats.templates} == {5, 6, 7, 8}


@pytest.mark.parametrize(
    ("pattern", "complaint"),
    [("district{2}", "a code cannot be repeated"), ("lettr{2}", "names neither"), ("letter{", "is not a field")],
)
def test_a_field_that_means_nothing_is_refused(pattern: str, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        list(formats_of(table(pattern)))
