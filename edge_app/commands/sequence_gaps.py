"""Missing reads, by their sequence numbers."""

from dataclasses import dataclass, field

from edge_app.events.messages import ReadMessage

_REPEATED_AT_MOST = 1000
"""Largest step back of a device that repeats what was not acknowledged: `mqtt.in_flight`, 20 unless set."""


@dataclass(slots=True)
class _Device:
    """What arrived from one device."""

    last: int
    """The highest number of its outbox."""
    boot_ids: set[str] = field(default_factory=set)


class SequenceGaps:
    """Follows the numbers of each device's reads."""

    def __init__(self) -> None:
        self._devices: dict[str, _Device] = {}

    def before(self, read: ReadMessage) -> range:
        """The numbers missing right before this read; none before a repeat, or if a new outbox begins."""
        device = self._devices.setdefault(read.device, _Device(read.sequence - 1))
        if _is_of_new_outbox(read, device):
            device.last = read.sequence - 1
        device.boot_ids.add(read.boot_id)
        missing = range(device.last + 1, read.sequence)
        device.last = max(device.last, read.sequence)
        return missing


def _is_of_new_outbox(read: ReadMessage, device: _Device) -> bool:
    """Whether the read is of a newer outbox than the reads before: no repeat goes back as far."""
    if read.sequence > device.last:
        return False
    is_far_below = read.sequence < device.last - _REPEATED_AT_MOST and not read.historical
    return read.sequence == 1 or read.boot_id not in device.boot_ids or is_far_below
