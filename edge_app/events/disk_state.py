"""How the disk under the outbox is, in names that the log, the telemetry and `edge-anpr doctor` share."""

from edge_app.newer_python import StrEnum


class DiskState(StrEnum):
    """What the disk does with what is written."""

    GOOD = "good"
    FULL = "full"
    READ_ONLY = "read-only"
    FAILING = "failing"
