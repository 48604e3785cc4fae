"""Lines of sections and keys, in every way that TOML lets them be written."""

import tomllib

import pytest

from edge_app.configuration.toml_lines import KeyPath, find_lines, line_of


def lines_in(text: str) -> dict[KeyPath, int]:
    """The lines found in what is TOML indeed."""
    tomllib.loads(text)
    return find_lines(text)


def test_sections_and_their_keys_are_found_wherever_they_are() -> None:
    text = 'top = 1\n\n[mqtt]\nhost = "a"\n\n  port=1883\n[log]\nlevel = "info"\n'

    lines = lines_in(text)

    assert lines == {
        ("top",): 1,
        ("mqtt",): 3,
        ("mqtt", "host"): 4,
        ("mqtt", "port"): 6,
        ("log",): 7,
        ("log", "level"): 8,
    }


def test_tables_of_an_array_are_counted() -> None:
    lines = lines_in('[[zones]]\nname = "a"\n[[zones]]\n\nname = "b"\n')

    assert lines[("zones",)] == lines[("zones", 0)] == 1
    assert lines[("zones", 0, "name")] == 2
    assert lines[("zones", 1)] == 3
    assert lines[("zones", 1, "name")] == 5


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ('\n"mqtt".port = 1', ("mqtt", "port")),
        ("\nmqtt . port = 1", ("mqtt", "port")),
        ("[mqtt]\n'port' = 1", ("mqtt", "port")),
        ("[mqtt]\n1883 = 1", ("mqtt", "1883")),
        ("[mqtt]\n2nd-port = 1", ("mqtt", "2nd-port")),
        ("[mqtt]\n-5 = 1", ("mqtt", "-5")),
        ("\n[2nd]", ("2nd",)),
        ("\n[ mqtt . tls ]", ("mqtt", "tls")),
        ('\n["mqtt"]', ("mqtt",)),
    ],
)
def test_names_may_be_quoted_dotted_or_begin_with_a_digit(text: str, where: KeyPath) -> None:
    assert lines_in(text)[where] == 2


@pytest.mark.parametrize("comment", ["# the broker", "# [broker]", "# port = 1", '# """', "# it's '''", "#[[zones]]"])
def test_a_comment_is_no_section_no_key_and_opens_no_text(comment: str) -> None:
    lines = lines_in(f"{comment}\n[mqtt]\n  {comment}\nport = 1\n")

    assert lines == {("mqtt",): 2, ("mqtt", "port"): 4}


def test_a_comment_may_follow_a_section_or_a_value() -> None:
    lines = lines_in('[mqtt] # the "[broker]"\nport = 1 # = 2\n[[zones]] # [a]\nname = "a"\n')

    assert lines == {
        ("mqtt",): 1,
        ("mqtt", "port"): 2,
        ("zones",): 3,
        ("zones", 0): 3,
        ("zones", 0, "name"): 4,
    }


@pytest.mark.parametrize("quotes", ['"""', "'''"])
def test_a_line_of_a_long_text_is_neither_section_nor_key(quotes: str) -> None:
    lines = lines_in(f"[a]\ntext = {quotes}\n[b]\nport = 1\n# {quotes}\nport = 2\n")

    assert lines == {("a",): 1, ("a", "text"): 2, ("a", "port"): 6}


def test_points_of_a_polygon_are_no_sections() -> None:
    lines = lines_in('[[zones]]\npolygon = [\n  [0, 0],\n  [1]\n]\nname = "a"\n')

    assert lines[("zones", 0, "name")] == 6


@pytest.mark.parametrize("separator", ["\u2028", "\x85"])
def test_only_what_ends_a_line_in_toml_counts(separator: str) -> None:
    lines = lines_in(f"# a{separator}b\r\n[mqtt]\r\nport = 1\r\n")

    assert lines == {("mqtt",): 2, ("mqtt", "port"): 3}


def test_a_key_without_a_line_of_its_own_has_that_of_its_section() -> None:
    lines = lines_in('\n[recognition]\nformats = [\n  "in",\n  "xx",\n]\n')

    assert line_of(("recognition", "formats", 1), lines) == 3
    assert line_of(("recognition", "absent"), lines) == 2
    assert line_of(("absent",), lines) == 1
