"""What the journal is given."""

import io
import logging
from pathlib import Path

from edge_app.journal import stderr_is_journal
from edge_app.logs import JOURNAL_FORMAT, JournalFormatter


def test_every_line_for_the_journal_carries_the_priority_of_its_message() -> None:
    written = io.StringIO()
    handler = logging.StreamHandler(written)
    handler.setFormatter(JournalFormatter(JOURNAL_FORMAT))
    logger = logging.Logger("camera")
    logger.addHandler(handler)

    logger.warning("lost:\n%s", "no answer")
    logger.error("gone")

    assert written.getvalue() == "<4>camera: lost:\n<4>no answer\n<3>camera: gone\n"


def test_only_the_journal_itself_is_taken_for_it(tmp_path: Path) -> None:
    with (tmp_path / "err").open("w") as stderr:
        here = (tmp_path / "err").stat()

        assert stderr_is_journal({"JOURNAL_STREAM": f"{here.st_dev}:{here.st_ino}"}, stderr)
        assert not stderr_is_journal({"JOURNAL_STREAM": f"{here.st_dev}:{here.st_ino + 1}"}, stderr)
        assert not stderr_is_journal({}, stderr)
