"""What is known about this machine's clock."""

from datetime import datetime, timedelta, timezone
from pathlib import Path
from uuid import UUID

import pytest

from edge_app.newer_python import UTC
from edge_app.system_clock import as_rfc3339, clock_is_synchronized, read_boot_id


def test_moments_are_in_utc_with_milliseconds() -> None:
    moment = datetime(2026, 1, 31, 15, 30, 0, 999_999, tzinfo=timezone(timedelta(hours=5, minutes=30)))

    assert as_rfc3339(moment) == "2026-01-31T10:00:00.999Z"
    assert as_rfc3339(datetime(2026, 1, 31, tzinfo=UTC)) == "2026-01-31T00:00:00.000Z"


def test_the_boot_has_one_id() -> None:
    assert UUID(read_boot_id()) == UUID(read_boot_id())


def test_if_the_kernel_has_no_boot_id_all_parts_of_the_process_use_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("edge_app.system_clock._BOOT_ID", tmp_path / "absent")
    read_boot_id.cache_clear()

    first, second = read_boot_id(), read_boot_id()
    read_boot_id.cache_clear()

    assert UUID(first) == UUID(second)


def test_the_kernel_has_an_opinion_about_the_clock() -> None:
    assert clock_is_synchronized() in (True, False)
