"""What the journal is given."""

import logging
import os
import sys

import pytest

from edge_app import logs
from edge_app.config import LogSettings


def test_every_line_for_the_journal_carries_the_priority_of_its_message(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stderr", os.fdopen(os.dup(2), "w"))
    here = os.fstat(sys.stderr.fileno())
    logs.configure(LogSettings(level="info"), {"JOURNAL_STREAM": f"{here.st_dev}:{here.st_ino}"})

    logging.getLogger("camera").warning("lost:\n%s", "no answer")
    logging.getLogger("camera").debug("MH12AB1234")

    assert capfd.readouterr().err == "<4>camera: lost:\n<4>no answer\n"


def test_elsewhere_a_line_has_time_and_level(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stderr", os.fdopen(os.dup(2), "w"))
    logs.configure(LogSettings(level="info"), {"JOURNAL_STREAM": "1:1"})

    logging.getLogger("camera").warning("lost")

    assert capfd.readouterr().err.endswith(" WARNING camera: lost\n")
