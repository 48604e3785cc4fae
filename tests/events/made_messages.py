"""Messages as hypothesis makes them, from the types and limits of their records."""

import base64
import dataclasses
import math
import re
import types
from datetime import datetime
from typing import Annotated, Any, Union, get_args, get_origin, get_type_hints

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from edge_app.configuration.limits import Between, Matching, OneOf
from edge_app.events import messages
from edge_app.events.uuid7 import RANDOM_BYTES, uuid7
from edge_app.newer_python import UTC
from edge_app.system_clock import as_rfc3339


def made(hint: Any) -> SearchStrategy[Any]:
    """Anything that a field of this type may hold."""
    arguments = get_args(hint)
    if get_origin(hint) is Annotated:
        return _limited(arguments[0], arguments[1])
    if get_origin(hint) in (Union, types.UnionType):
        return st.one_of([made(argument) for argument in arguments])
    if get_origin(hint) is tuple:
        items = st.lists(made(arguments[0]), max_size=4).map(tuple)
        return items if arguments[-1] is Ellipsis else st.tuples(*map(made, arguments))
    if dataclasses.is_dataclass(hint) and isinstance(hint, type):
        hints = get_type_hints(hint, include_extras=True)
        return st.builds(hint, **{key: made(field) for key, field in hints.items()})
    return _PLAIN[hint]


_PLAIN: dict[type, SearchStrategy[Any]] = {
    str: st.text(max_size=8),
    int: st.integers(),
    float: st.floats(allow_nan=False, allow_infinity=False),
    bool: st.booleans(),
    type(None): st.none(),
}


_LONG: dict[str, SearchStrategy[str]] = {
    get_args(messages.Sha256)[1].pattern: st.binary(min_size=32, max_size=32).map(bytes.hex),
    get_args(messages.Signature)[1].pattern: st.binary(min_size=64, max_size=64).map(
        lambda signature: base64.b64encode(signature).decode()
    ),
    get_args(messages.EventId)[1].pattern: st.binary(min_size=RANDOM_BYTES, max_size=RANDOM_BYTES).map(
        lambda randomness: str(uuid7(int.from_bytes(randomness[:5], "big"), randomness))
    ),
    get_args(messages.Moment)[1].pattern: st.integers(0, 4_000_000_000_000).map(
        lambda unix_ms: as_rfc3339(datetime.fromtimestamp(unix_ms / 1000, UTC))
    ),
}
"""By pattern, what hypothesis would take long to make from it, digit by digit."""


def _limited(kind: type, limit: object) -> SearchStrategy[Any]:
    if isinstance(limit, Matching) and limit.pattern in _LONG:
        return _LONG[limit.pattern]
    if isinstance(limit, Matching):
        return st.from_regex(re.compile(limit.pattern, re.ASCII), fullmatch=True)
    if isinstance(limit, OneOf):
        return st.sampled_from(limit.choices)
    assert isinstance(limit, Between)
    high = limit.high if math.isfinite(limit.high) else None
    if kind is int:
        return st.integers(int(limit.low), None if high is None else int(high))
    return st.floats(limit.low, high, allow_nan=False, allow_infinity=False)
