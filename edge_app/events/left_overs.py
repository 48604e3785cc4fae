"""Adapts what an earlier run left in the outbox to the present privacy settings."""

import dataclasses
import json
from datetime import datetime
from typing import Any

from edge_app.events.event import WaitingEvent, as_json
from edge_app.events.hash_keys import HashKey, HashKeys
from edge_app.events.lists.lists import Lists
from edge_app.events.uuid7 import unix_ms
from edge_app.newer_python import UTC


class LeftOvers:
    """Adapts events of an earlier run."""

    def __init__(self, lists: Lists, hash_keys: HashKeys | None, takes_pictures: bool) -> None:
        self._lists = lists
        self._hash_keys = hash_keys
        self._takes_pictures = takes_pictures

    def revise(self, event: WaitingEvent) -> WaitingEvent | None:
        """The event as it may be stored; None if it must not be stored."""
        read = json.loads(event.payload)
        is_clear = read["plate"].get("hash_key") is None
        if is_clear and self._lists.match(read["plate"]["text"]) is None:
            return None
        image_jpeg = event.image_jpeg if self._takes_pictures else None
        if not (is_clear and self._hash_keys):
            return dataclasses.replace(event, image_jpeg=image_jpeg)
        key = self._hash_keys.at(datetime.fromtimestamp(unix_ms(event.event_id) / 1e3, UTC))
        return dataclasses.replace(event, image_jpeg=image_jpeg, payload=as_json(_hashed(read, key)))


def _hashed(read: dict[str, Any], key: HashKey) -> dict[str, Any]:
    text = key.hash(read["plate"]["text"])
    plate = read["plate"] | {"text": text, "hash_key": key.name, "characters": [], "candidates": []}
    lists = [match | {"entry": key.hash(match["entry"])} for match in read.get("lists", [])]
    return read | {"plate": plate, "lists": lists, "evidence": None}  # the signed text is gone
