"""Lines on a disk that fills up."""

import errno
import json
import os
import resource
from collections.abc import Iterator
from pathlib import Path

import pytest

from edge_app.commands.json_lines import JsonLinesFile
from edge_app.errors import EdgeAnprError

MOST_BYTES = 1_000_000


@pytest.fixture
def small_files() -> Iterator[None]:
    """No file may grow beyond `MOST_BYTES`: a write across it is short, as on a disk that is nearly full."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (MOST_BYTES, hard))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_every_document_is_a_line(tmp_path: Path) -> None:
    with JsonLinesFile(tmp_path / "lines") as file:
        file.write([{"plate": "MH12AB1234"}, {"who": "Jürgen"}])
        file.write([])

    lines = (tmp_path / "lines").read_text(encoding="utf-8").splitlines()
    assert [json.loads(line) for line in lines] == [{"plate": "MH12AB1234"}, {"who": "Jürgen"}]


@pytest.mark.usefixtures("small_files")
def test_a_line_of_which_a_part_only_is_taken_is_an_error(tmp_path: Path) -> None:
    with JsonLinesFile(tmp_path / "lines") as file, pytest.raises(EdgeAnprError, match=os.strerror(errno.EFBIG)):
        file.write([{"text": "x" * 2 * MOST_BYTES}])
