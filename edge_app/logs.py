"""Logging: to the journal if systemd started us, else to standard error; no plate text above debug."""

import copy
import logging
import os
import sys
from collections.abc import Mapping

from edge_app.config import LogSettings
from edge_app.printable import printable_lines

FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"


def configure(settings: LogSettings, environment: Mapping[str, str] = os.environ) -> None:
    """Send every record of this process from `settings.level` upwards to one place."""
    handler = _journal_handler() if _stderr_is_journal(environment) else None
    if handler is None:
        handler = logging.StreamHandler(sys.stderr)
        handler.setFormatter(_PrintableFormatter(FORMAT))
    logging.basicConfig(level=settings.level.upper(), handlers=[handler], force=True)
    logging.captureWarnings(True)


class _PrintableFormatter(logging.Formatter):
    """Keeps what could steer a terminal from it: names of files come from elsewhere."""

    def format(self, record: logging.LogRecord) -> str:
        return printable_lines(super().format(record))


def _stderr_is_journal(environment: Mapping[str, str]) -> bool:
    """Compare with `JOURNAL_STREAM` as in systemd.exec(5): a redirected stderr is not the journal."""
    device, colon, inode = environment.get("JOURNAL_STREAM", "").partition(":")
    if not colon:
        return False
    try:
        stream = os.fstat(sys.stderr.fileno())
    except (OSError, ValueError):
        return False
    return (str(stream.st_dev), str(stream.st_ino)) == (device, inode)


def _journal_handler() -> logging.Handler | None:
    try:
        from systemd.journal import JournalHandler
    except ImportError:
        return None

    class PlainJournalHandler(JournalHandler):  # type: ignore[misc]
        """Leaves the message alone in a record: the journal would keep every argument as a field of its own."""

        def emit(self, record: logging.LogRecord) -> None:
            plain = copy.copy(record)
            plain.msg, plain.args = printable_lines(record.getMessage()), None
            super().emit(plain)

    handler: logging.Handler = PlainJournalHandler(SYSLOG_IDENTIFIER="edge-anpr")
    return handler
