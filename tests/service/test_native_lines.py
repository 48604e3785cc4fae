"""What libraries write to standard error by themselves arrives in the log, without secrets and without end."""

import logging
import subprocess
import sys

import pytest

from edge_app.service.native_lines import NativeLines

PROGRAM = """
import logging, os, sys
from edge_app.service.native_lines import caught
with caught():
    logging.basicConfig(stream=sys.stderr, format="%(levelname)s %(message)s")
    os.write(2, b"[h264 @ 0x55d0c8] error while decoding MB 7 3\\n")
    print("ours", file=sys.stderr)
os.write(2, b"afterwards\\n")
"""


def test_lines_of_libraries_become_lines_of_the_log_and_ours_stay_as_they_are() -> None:
    written = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True).stderr

    assert sorted(written.splitlines()) == [
        "WARNING a library says: [h264 @ 0x55d0c8] error while decoding MB 7 3",
        "afterwards",
        "ours",
    ]


def test_a_line_that_comes_with_every_frame_is_logged_ever_more_rarely(caplog: pytest.LogCaptureFixture) -> None:
    lines = NativeLines()
    with caplog.at_level(logging.WARNING):
        for number in range(100):
            lines.take(f"[h264 @ 0x{number:x}] error while decoding MB {number} 3")

    assert len(caplog.records) == 7, "1st, 2nd, 4th … 64th"


def test_a_password_in_such_a_line_is_not_shown(caplog: pytest.LogCaptureFixture) -> None:
    NativeLines().take("[tcp] connection to rtsp://admin:top@secret@10.0.0.1/stream failed")

    assert "secret" not in caplog.text
    assert "10.0.0.1" in caplog.text
