"""Logging: to the journal if systemd started us, else to standard error; no plate text above debug."""

import logging
import os
import sys
from collections.abc import Mapping

from edge_app.config import LogSettings
from edge_app.journal import stderr_is_journal, with_priority
from edge_app.printable import printable_lines

FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"
JOURNAL_FORMAT = "%(name)s: %(message)s"
"""The journal adds the time, and shows the level as a priority."""

_PRIORITIES = {logging.CRITICAL: 2, logging.ERROR: 3, logging.WARNING: 4, logging.INFO: 6, logging.DEBUG: 7}
"""As in syslog; sd-daemon(3) describes how a line carries one."""


class PrintableFormatter(logging.Formatter):
    """Keeps what could steer a terminal from it: names of files come from elsewhere."""

    def format(self, record: logging.LogRecord) -> str:
        """The message with nothing but what can be shown."""
        return printable_lines(super().format(record))


class JournalFormatter(PrintableFormatter):
    """Begins every line with its priority, as the journal reads it from standard error."""

    def format(self, record: logging.LogRecord) -> str:
        """The message, and what belongs to it on further lines."""
        return with_priority(_PRIORITIES.get(record.levelno, 6), super().format(record))


def configure(settings: LogSettings, environment: Mapping[str, str] = os.environ) -> None:
    """Send every record of this process from `settings.level` upwards to one place."""
    handler = logging.StreamHandler(sys.stderr)
    to_journal = stderr_is_journal(environment, sys.stderr)
    handler.setFormatter(JournalFormatter(JOURNAL_FORMAT) if to_journal else PrintableFormatter(FORMAT))
    logging.basicConfig(level=settings.level.upper(), handlers=[handler], force=True)
    logging.captureWarnings(True)
