"""Events that are not to be sent any more and have not left the queue yet."""

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import takewhile

from edge_app.events.chain import ChainLink


@dataclass(frozen=True, slots=True)
class LeavingEvent:
    """One of them."""

    position: int
    event_id: str | None
    """None: it cannot be read."""
    due: float = -math.inf
    """When to delete it."""
    link: ChainLink | None = None
    """Its place in the chain of signed reads, if it was delivered."""


class Leaving:
    """Delivered events stay for a while, in case the broker loses them; what is dropped goes with the next write.

    What is delivered a second time goes soon: else connections that are lost again and again would see the same events
    only.
    """

    def __init__(self) -> None:
        self.pictures: set[int] = set()
        """Positions of pictures that are dropped."""
        self.heard_at = -math.inf
        """When the broker was heard last: what it acknowledged long enough before that is safe."""
        self._delivered: dict[int, LeavingEvent] = {}  # in the order in which they are due
        self._dropped: dict[int, LeavingEvent] = {}  # what goes with the next write
        self._repeated: set[int] = set()

    @property
    def next_due(self) -> float:
        """When there is something to delete."""
        if self._dropped or self.pictures:
            return min((each.due for each in self._dropped.values()), default=-math.inf)  # few: a write takes them all
        first = next((each.due for each in self._delivered.values()), math.inf)
        return first if first <= self.heard_at else math.inf

    def deliver(self, event: LeavingEvent) -> None:
        """The broker has acknowledged an event."""
        if event.position in self._repeated:
            self._dropped[event.position] = replace(event, due=self.heard_at)
        else:
            self._delivered.pop(event.position, None)
            self._delivered[event.position] = event

    def drop(self, position: int, event_id: str | None) -> None:
        """An event must not be sent any more."""
        self._dropped[position] = LeavingEvent(position, event_id)

    def is_waiting(self, position: int) -> bool:
        """Whether the event at a position is still to be sent."""
        return position not in self._delivered and position not in self._dropped

    def find(self, position: int) -> LeavingEvent | None:
        """What leaves from a position."""
        return self._dropped.get(position) or self._delivered.get(position)

    def send_again(self) -> int:
        """Let delivered events that may not be safe wait again; how many these are."""
        again = [position for position, each in self._delivered.items() if each.due > self.heard_at]
        for position in again:
            del self._delivered[position]
        self._repeated.update(again)
        return len(again)

    def due(self, now: float) -> list[LeavingEvent]:
        """What is to be deleted now."""
        return [*self._dropped.values(), *self._due_delivered(now)]

    def has_left(self, events: list[LeavingEvent]) -> None:
        """These are deleted."""
        for event in events:
            self._delivered.pop(event.position, None)
            self._dropped.pop(event.position, None)
            self._repeated.discard(event.position)

    def _due_delivered(self, now: float) -> Iterator[LeavingEvent]:
        return takewhile(lambda each: each.due <= now, self._delivered.values())
