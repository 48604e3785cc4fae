"""Adapts what an earlier run left in the outbox to the present privacy settings."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from edge_app.events.event import WaitingEvent
from edge_app.events.hash_keys import HashKey, HashKeys
from edge_app.events.lists.lists import Lists
from edge_app.events.messages import ReadMessage
from edge_app.newer_python import UTC


def without_signature(read: ReadMessage) -> ReadMessage:
    """A read that is not signed any more."""
    return replace(read, evidence=None)  # what was signed is no longer there


class LeftOvers:
    """Adapts events of an earlier run; `sign_again` signs those that are changed."""

    def __init__(
        self,
        lists: Lists,
        hash_keys: HashKeys | None,
        takes_pictures: bool,
        sign_again: Callable[[ReadMessage], ReadMessage] = without_signature,
    ) -> None:
        self._lists = lists
        self._hash_keys = hash_keys
        self._takes_pictures = takes_pictures
        self._sign_again = sign_again

    def revise(self, event: WaitingEvent) -> WaitingEvent | None:
        """The event as it may be stored; None if it must not be stored."""
        read = event.read
        is_clear = read.plate.hash_key is None
        if is_clear and self._lists.match(read.plate.text) is None:
            return None
        image_jpeg = event.image_jpeg if self._takes_pictures else None
        if is_clear and self._hash_keys:
            key = self._hash_keys.at(datetime.fromtimestamp(event.origin.made_at_ms / 1e3, UTC))
            read = self._sign_again(_hashed(read, key))
        return replace(event, read=read, image_jpeg=image_jpeg)


def _hashed(read: ReadMessage, key: HashKey) -> ReadMessage:
    text = key.hash(read.plate.text)
    plate = replace(read.plate, text=text, hash_key=key.name, characters=(), candidates=())
    entries = tuple(replace(each, entry=key.hash(each.entry)) for each in read.lists)
    return replace(read, plate=plate, registration=None, lists=entries)
