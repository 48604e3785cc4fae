"""What the journal is given."""

import logging
from typing import Any

import pytest

from edge_app.logs import _journal_handler


def test_the_journal_gets_the_message_and_no_field_for_each_argument() -> None:
    pytest.importorskip("systemd.journal")
    handler: Any = _journal_handler()
    sent: list[tuple[str, dict[str, Any]]] = []
    handler.send = lambda MESSAGE, **fields: sent.append((MESSAGE, fields))  # noqa: N803 - as systemd names it
    logger = logging.Logger("test")
    logger.addHandler(handler)

    logger.info("event %s is %s", "0198", "MH12AB1234")

    ((message, fields),) = sent
    assert message == "event 0198 is MH12AB1234"
    assert not {"CODE_ARGS", "args"} & {key for key, value in fields.items() if value}
    assert fields["SYSLOG_IDENTIFIER"] == "edge-anpr"
