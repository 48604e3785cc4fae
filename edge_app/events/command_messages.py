"""Requests and the answer to them, field by field; `docs/schema` is generated from these records.

In a request, only keys without a default have to be there, and no others may be.
"""

from dataclasses import dataclass
from typing import Annotated

from edge_app.configuration.limits import Between, Matching, OneOf, TopicLevel
from edge_app.events.messages import Count, Moment, Sha256

ANSWER_SCHEMA = "edge-anpr/answer/1"

RequestId = Annotated[str, Matching(r"^[!-~]{1,64}$", "1 to 64 letters, digits and signs of ASCII")]


@dataclass(frozen=True, slots=True)
class PingRequest:
    """`<prefix>/<device>/cmd/ping`: are you there? An empty payload is accepted, too."""

    id: RequestId | None = None
    """Comes back in the answer, to distinguish answers without correlation data."""


@dataclass(frozen=True, slots=True)
class SnapshotRequest:
    """`<prefix>/<device>/cmd/snapshot`: the newest frame. An empty payload is accepted, too."""

    id: RequestId | None = None
    """Comes back in the answer."""
    width: Annotated[int, Between(16, 16384)] | None = None
    """Scale a wider picture down to as many pixels; null: send it as it is."""
    camera: TopicLevel | None = None
    """The name of the camera; null: the first one in the configuration."""


@dataclass(frozen=True, slots=True)
class ReloadRequest:
    """`<prefix>/<device>/cmd/reload`: read the configuration file again. An empty payload is accepted, too."""

    id: RequestId | None = None
    """Comes back in the answer."""


@dataclass(frozen=True, slots=True)
class SetListRequest:
    """`<prefix>/<device>/cmd/lists/set`: put other plates into the place of a list's."""

    list: TopicLevel
    """The name of one of the device's lists."""
    csv: str
    """The whole new file."""
    id: RequestId | None = None
    """Comes back in the answer."""


@dataclass(frozen=True, slots=True)
class SnapshotMessage:
    """The newest frame."""

    camera: str
    captured_at: Moment
    clock_synchronized: bool
    """False: do not trust the time."""
    width: Count
    height: Count
    media_type: Annotated[str, OneOf(("image/jpeg",))]
    sha256: Sha256
    """Of the picture's bytes."""
    data: str
    """The picture, in Base64."""


@dataclass(frozen=True, slots=True)
class AnswerMessage:
    """What came of a request. On its response topic, or on `<prefix>/<device>/answer`. QoS 1, not retained."""

    schema: Annotated[str, OneOf((ANSWER_SCHEMA,))]
    device: str
    at: Moment
    software_version: str
    command: str
    """Its name as it was sent, but no more than 64 characters; an unknown one too."""
    id: RequestId | None
    """As in the request."""
    ok: bool
    """Whether it was done."""
    error: str | None
    """What was wrong and what to do; null if it was done."""
    plates: Count | None
    """In the list that was set; null for other commands."""
    snapshot: SnapshotMessage | None
    """Null for other commands."""
