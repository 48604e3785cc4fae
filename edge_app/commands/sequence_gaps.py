"""Which reads never came."""

from edge_app.uplink.messages import ReadMessage


class SequenceGaps:
    """Follows the numbers of each device's reads."""

    def __init__(self) -> None:
        self._last: dict[str, int] = {}

    def before(self, read: ReadMessage) -> range:
        """The numbers missing right before this read; none before a repeat, or where a new outbox begins at 1."""
        last = self._last.get(read.device, read.sequence - 1)
        self._last[read.device] = max(last, read.sequence) if read.sequence > 1 else 1
        return range(last + 1, read.sequence)
