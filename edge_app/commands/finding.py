"""What one check of `doctor` has found."""

from dataclasses import dataclass

OK, WARNING, FAULT = "ok", "warning", "fault"


@dataclass(frozen=True, slots=True)
class Finding:
    """The result of one check."""

    subject: str
    state: str
    """`ok`, `warning` or `fault`."""
    words: str
    """The result and, for a warning or fault, the remedy."""
