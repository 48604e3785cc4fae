"""The state of the disk under the outbox, in names that the log, the telemetry and `edge-anpr doctor` share."""

from edge_app.newer_python import StrEnum


class DiskState(StrEnum):
    """How the disk treats writes."""

    GOOD = "good"
    FULL = "full"
    READ_ONLY = "read-only"
    FAILING = "failing"
    LOCKED = "locked"
    """Another program has the file open."""
    MISSING = "missing"
    """The file was deleted while it was in use, and its folder cannot be made anew."""
