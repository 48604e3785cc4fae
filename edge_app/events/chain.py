"""A read's place in the chain of signed reads."""

from dataclasses import dataclass
from typing import Protocol

from edge_app.events.messages import ReadMessage


@dataclass(frozen=True, slots=True)
class ChainLink:
    """What the next read names as the one before."""

    sequence: int
    digest: str
    """The hash of what was signed, as hexadecimal digits."""


class Signer(Protocol):
    """`edge_app.events.evidence.seal.Sealer`, which not every device needs."""

    def seal(self, read: ReadMessage, previous: str | None) -> tuple[ReadMessage, ChainLink]:
        """The read signed, with the digest of the one before, and its own place in the chain."""
