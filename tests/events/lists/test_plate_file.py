"""The contents of an operator's CSV file."""

from pathlib import Path

import pytest

from edge_app.errors import ConfigurationError
from edge_app.events.lists.plate_file import doubts, read_entries


def plates(folder: Path, content: str | bytes) -> tuple[str, ...]:
    """The plates of a file with this content."""
    path = folder / "residents.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return tuple(each.text for each in read_entries(path))


@pytest.mark.parametrize(
    "content",
    [
        "MH12AB1234\nDL8CAF5030\n",
        "plate\nMH12AB1234\nDL8CAF5030",
        'Plate,note\nmh 12 ab 1234,"flat 3, left"\nDL-8C-AF-5030,\n',
        "Plate;note\r\nMH12AB1234;flat 3\r\nDL8CAF5030;\r\n",
        '# gate\n\n"MH 12.AB 1234"\tx\n  # more\nDL8CAF5030\n\n',
        b"\xef\xbb\xbfplate\nMH12AB1234\nDL8CAF5030\n",
        'plate,note\nMH12AB1234,"flat 3\nKA05MN7788\nsold 2024"\nDL8CAF5030,visitor\n',
        "Flat;Owner;Registration No.\n3;Rao;MH 12 AB 1234\n7;;DL 8C AF 5030\n;;\n",
        'sep=;\n"Number plate";"Note"\n"MH12AB1234";"a,b,c,d"\n"DL8CAF5030";""\n',
        "vehicle,number plate\nToyota,MH12AB1234\nHonda,DL\N{EN DASH}8C\N{EN DASH}AF\N{EN DASH}5030\n",
        'MH12AB1234, "a; b"\n# a comment, "of one quote\nDL8CAF5030,\n',
        "MH12AB1234\rDL8CAF5030\r",
        "Name\tPlate\r\nRao\tMH 12 AB 1234\r\nIyer\tDL8CAF5030\r\n".encode("utf-16"),
        "Inhaber;Amtl. Kennzeichen\nRao;MH-12 AB 1234\nIyer;DL-8C AF 5030\n",
        "नाम,वाहन संख्या\nराव,MH१२AB१२३४\nअय्यर,DL८CAF5030\n",
        "Nom;Plaque d'immatriculation\nRao;MH12AB1234\nIyer;DL8CAF5030\n",
        "Flat | Vehicle # \n3|MH12AB1234\n7|DL8CAF5030\n",
        'plate,note\nMH12AB1234,"from\n# 3, floor"\nDL8CAF5030,one\u2028two\n',
        "plate\n'MH12\u200bAB1234\u200e\n\uff24\uff2c\uff18CAF5030\n",
        "MH12AB1234,vehicle of the guard\nDL8CAF5030,\n",
    ],
)
def test_the_plate_comes_first_however_it_is_written(tmp_path: Path, content: str | bytes) -> None:
    assert plates(tmp_path, content) == ("MH12AB1234", "DL8CAF5030")


def test_a_header_alone_is_a_list_without_plates(tmp_path: Path) -> None:
    assert plates(tmp_path, "plate\n") == ()


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ("", "the list is empty; write `plate` in its first line, plates below"),
        ("plate\nMH12AB1234\nMH12*\n", ":3: no plate comes first; give 3 to 16 letters A-Z and digits"),
        ("plate\n,MH12AB1234\n", ":2: no plate comes first"),
        ("who,plate\nRao,\n", ":2: no plate in column 2"),
        ('plate,who\nMH12AB1234,"Rao\n', ":2: a quote is opened here and not closed"),
        ("A\nB\nC\nMH12AB1234\n", ":1 (and 2 more lines): no plate comes first"),
        ("Residents of block B\nMH12AB1234\n", "or call the column of the plates `plate`"),
        ("Owner,Car\nRao,MH12AB1234\n", ":1: this line names columns, and none of them `plate`"),
        ("plate\n\u041c\u041d12AB1234\n", ":2: no plate comes first"),  # letters that look like M and H
        (b"plate\nMH12AB1234,caf\xe9\n", ":2: this is not UTF-8 text; save the file as CSV UTF-8"),
    ],
)
def test_what_is_wrong_is_reported_with_its_line_and_without_a_plate(
    tmp_path: Path, content: str | bytes, complaint: str
) -> None:
    with pytest.raises(ConfigurationError) as refused:
        plates(tmp_path, content)

    assert complaint in str(refused.value)
    assert "MH12" not in str(refused.value)


def test_a_file_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"absent.csv: the list cannot be read \(No such file"):
        read_entries(tmp_path / "absent.csv")


def test_lines_that_fit_no_format_are_named_and_not_quoted(tmp_path: Path) -> None:
    path = tmp_path / "residents.csv"
    path.write_text('plate,n\nMH12AB1234,"1\n2"\nTotal,2\nDL8CAF5030,1\nSum,3\n')

    found = doubts(read_entries(path), lambda text: text[-1].isdigit())

    assert found is not None
    assert found.startswith("2 entries fit no format of [recognition] formats (line 4, 6); check what stands there")


def test_a_list_that_fits_leaves_no_doubts(tmp_path: Path) -> None:
    path = tmp_path / "residents.csv"
    path.write_text("MH12AB1234\n")

    assert doubts(read_entries(path), lambda _: True) is None
