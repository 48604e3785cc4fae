"""Disks that do not take everything, and how much is in an outbox."""

import resource
from collections.abc import Iterator
from contextlib import contextmanager

from edge_app.events.event import encode
from edge_app.outbox.outbox import Outbox


@contextmanager
def largest_file(size_bytes: int) -> Iterator[None]:
    """No file can be written to beyond this: SQLite then fails as on a disk with a bad block there."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size_bytes, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)


def size_bytes(outbox: Outbox) -> int:
    """Of what waits, as the outbox has to count it."""
    return sum(len(encode(each.read)) + len(each.image_jpeg or b"") for each in outbox.pending(10_000))
