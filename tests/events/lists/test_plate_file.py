"""What an operator's CSV file says."""

from pathlib import Path

import pytest

from edge_app.errors import ConfigurationError
from edge_app.events.lists.plate_file import read_plates


def plates(folder: Path, content: str | bytes) -> tuple[str, ...]:
    """The plates of a file with this content."""
    path = folder / "residents.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return read_plates(path)


@pytest.mark.parametrize(
    "content",
    [
        "MH12AB1234\nDL8CAF5030\n",
        "plate\nMH12AB1234\nDL8CAF5030",
        'Plate,note\nmh 12 ab 1234,"flat 3, left"\nDL-8C-AF-5030,\n',
        "Plate;note\r\nMH12AB1234;flat 3\r\nDL8CAF5030;\r\n",
        '# gate\n\n"MH 12.AB 1234"\tx\n  # more\nDL8CAF5030\n\n',
        b"\xef\xbb\xbfplate\nMH12AB1234\nDL8CAF5030\n",
    ],
)
def test_the_plate_stands_first_however_it_is_written(tmp_path: Path, content: str | bytes) -> None:
    assert plates(tmp_path, content) == ("MH12AB1234", "DL8CAF5030")


def test_a_header_alone_is_a_list_without_plates(tmp_path: Path) -> None:
    assert plates(tmp_path, "plate\n") == ()


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ("", "the list is empty; write `plate` in its first line, plates below"),
        ("plate\nMH12AB1234\nMH12*\n", ":3: no plate stands first; give 3 to 16 letters A-Z and digits"),
        ("plate\n,MH12AB1234\n", ":2: no plate stands first"),
        ("A\nB\nC\nMH12AB1234\n", ":1 (and 2 more lines): no plate stands first"),
        (b"plate\nMH12AB1234,caf\xe9\n", ":2: this is not UTF-8 text; save the file as CSV UTF-8"),
    ],
)
def test_what_is_wrong_is_told_with_its_line_and_without_a_plate(
    tmp_path: Path, content: str | bytes, complaint: str
) -> None:
    with pytest.raises(ConfigurationError) as refused:
        plates(tmp_path, content)

    assert complaint in str(refused.value)
    assert "MH12" not in str(refused.value)


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"absent.csv: the list cannot be read \(No such file"):
        read_plates(tmp_path / "absent.csv")
