"""Which reads never came."""

from dataclasses import dataclass, field

from edge_app.events.messages import ReadMessage

_REPEATED_AT_MOST = 1000
"""How many numbers a device goes back to repeat what was not acknowledged: `mqtt.in_flight`, 20 unless set."""


@dataclass(slots=True)
class _Device:
    """What came of one device."""

    last: int
    """The highest number of its outbox."""
    boot_ids: set[str] = field(default_factory=set)


class SequenceGaps:
    """Follows the numbers of each device's reads."""

    def __init__(self) -> None:
        self._devices: dict[str, _Device] = {}

    def before(self, read: ReadMessage) -> range:
        """The numbers missing right before this read; none before a repeat, or where a new outbox begins."""
        device = self._devices.setdefault(read.device, _Device(read.sequence - 1))
        if _begins_anew(read, device):
            device.last = read.sequence - 1
        device.boot_ids.add(read.boot_id)
        missing = range(device.last + 1, read.sequence)
        device.last = max(device.last, read.sequence)
        return missing


def _begins_anew(read: ReadMessage, device: _Device) -> bool:
    """Whether the read is of an outbox that was begun after those of the reads before: no repeat goes so far back."""
    if read.sequence > device.last:
        return False
    is_far_below = read.sequence < device.last - _REPEATED_AT_MOST and not read.historical
    return read.sequence == 1 or read.boot_id not in device.boot_ids or is_far_below
