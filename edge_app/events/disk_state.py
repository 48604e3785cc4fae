"""The state of the disk under the outbox, in names that the log, the telemetry and `edge-anpr doctor` share."""

from enum import StrEnum


class DiskState(StrEnum):
    """How the disk treats writes."""

    GOOD = "good"
    FULL = "full"
    READ_ONLY = "read-only"
    FAILING = "failing"
    LOCKED = "locked"
    """Another program has the file open."""
