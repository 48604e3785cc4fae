"""Bounds that a settings field carries in its type: `Annotated[float, Between(0, 1)]`."""

import ipaddress
import re
from dataclasses import dataclass
from typing import Annotated, Protocol

from edge_app.printable import excerpt


class Limit(Protocol):
    """Something a value of a field must keep to."""

    def complaint(self, value: object) -> str | None:
        """What is wrong with `value` and what to do, or None if it is within the limit."""


@dataclass(frozen=True, slots=True)
class Between:
    """A number from `low` to `high`, both allowed."""

    low: float
    high: float

    def complaint(self, value: object) -> str | None:
        """See `Limit`."""
        if isinstance(value, int | float) and self.low <= value <= self.high:
            return None
        return f"{value} is out of range; give a number from {self.low:.10g} to {self.high:.10g}"


@dataclass(frozen=True, slots=True)
class OneOf:
    """One of a few words."""

    choices: tuple[str, ...]

    def complaint(self, value: object) -> str | None:
        """See `Limit`."""
        if value in self.choices:
            return None
        return f'"{excerpt(str(value))}" is not known; choose one of: {", ".join(self.choices)}'


@dataclass(frozen=True, slots=True)
class Matching:
    """A text of a certain form."""

    pattern: str
    form: str
    """The form in words, as in "give …"."""

    def complaint(self, value: object) -> str | None:
        """See `Limit`."""
        if re.fullmatch(self.pattern, str(value)):
            return None
        return f'"{excerpt(str(value))}" will not do; give {self.form}'


_BROKER_SCHEMES = {"mqtt": "", "tcp": "", "mqtts": "tls = true", "ssl": "tls = true", "tls": "tls = true"}
"""What the scheme of a broker's URL asks for."""


@dataclass(frozen=True, slots=True)
class HostName:
    """A host name or an address, alone."""

    def complaint(self, value: object) -> str | None:
        """See `Limit`; the same in the words of a settings file."""
        text = str(value)
        scheme, slashes, rest = text.rpartition("://")
        if not slashes and (
            begun := re.match(r"(?i)(mqtts?|tcp|ssl|tls|wss?|https?):(?!\d+\s*$)(.*)", text, re.DOTALL)
        ):
            scheme, rest = begun.groups()  # "mqtt:broker"
        host, port = _host_and_port(rest if scheme else text)
        wrong = _fault_of_host(host)
        if wrong or host != text:
            return _as_it_is_written(scheme.lower(), host if not wrong else None, port, wrong, text)
        return None


def _host_and_port(text: str) -> tuple[str, str]:
    """Out of what may have a user before it, a path behind it, and brackets."""
    place = re.split(r"[/?#]", text.strip().rpartition("@")[2].lstrip("/"), maxsplit=1)[0]
    if place.startswith("["):
        host, _, port = place[1:].partition("]")
        return host, port.removeprefix(":")
    if place.count(":") > 1:  # an IPv6 address without brackets
        return place, ""
    host, _, port = place.partition(":")
    return host, port


def _fault_of_host(host: str) -> str | None:
    if not host:
        return "there is no host in it"
    if ":" in host or re.fullmatch(r"[\d.]+", host):
        try:
            ipaddress.ip_address(host)
        except ValueError:
            return "it is no address"
        return None
    labels = host.removesuffix(".").split(".")
    if any(not re.fullmatch(r"(?!-)[\w-]{1,63}(?<!-)", label) for label in labels) or len(host) > 253:
        return "it is no host name"
    return None


def _as_it_is_written(scheme: str, host: str | None, port: str, wrong: str | None, given: str) -> str:
    if host is None:
        return f'"{excerpt(given)}" will not do, for {wrong}; give a host name or an address, alone'
    if scheme in ("ws", "wss"):
        how = "WebSockets are not spoken here; give the broker's host, and `port` for MQTT over TCP"
        return f'"{excerpt(given)}" will not do: {how}'
    lines = [f'host = "{host}"']
    if port.isdecimal():
        lines.append(f"port = {port}")
    if _BROKER_SCHEMES.get(scheme):
        lines.append(_BROKER_SCHEMES[scheme])
    if "@" in given:
        lines.append("username and password_file for the user")
    written = " and ".join(f"`{line}`" if "=" in line else line for line in lines)
    return f'"{excerpt(given)}" will not do: a host name or an address stands alone; write {written}'


@dataclass(frozen=True, slots=True, init=False)
class OnlyFor:
    """No limit: the kinds of source, by their schemes, that have this key."""

    schemes: tuple[str, ...]

    def __init__(self, *schemes: str) -> None:
        object.__setattr__(self, "schemes", schemes)

    def complaint(self, _: object) -> str | None:
        """See `Limit`: everything is allowed."""
        return None


@dataclass(frozen=True, slots=True)
class Example:
    """No limit: a value to show if a field has no default."""

    value: object


Share = Annotated[float, Between(0, 1)]
"""A share of a whole or a confidence."""

TopicLevel = Annotated[
    str, Matching(r"[A-Za-z0-9_-]{1,64}", "1 to 64 letters, digits, `-` or `_`: it becomes part of MQTT topics")
]
