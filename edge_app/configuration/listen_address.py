"""Where a server listens: `127.0.0.1:8080`, `0.0.0.0:8080` or `[::]:8080`."""

import ipaddress
import re
from dataclasses import dataclass

from edge_app.printable import excerpt

_FORM = re.compile(r"(?:\[(?P<v6>[0-9a-fA-F:.]+)\]|(?P<v4>[0-9.]+)|(?P<name>localhost)):(?P<port>\d{1,5})")


@dataclass(frozen=True, slots=True)
class ListenAddress:
    """An address of this machine and a port."""

    def complaint(self, value: object) -> str | None:
        """See `Limit`."""
        try:
            split(str(value))
        except ValueError:
            how = 'give an address and a port, as "127.0.0.1:8080", "0.0.0.0:8080" for all networks, or "[::]:8080"'
            return f'"{excerpt(str(value))}" will not do; {how}'
        return None


def split(text: str) -> tuple[str, int]:
    """Address and port; `ValueError` if it is none."""
    found = _FORM.fullmatch(text)
    if found is None:
        raise ValueError(text)
    host = "127.0.0.1" if found["name"] else str(ipaddress.ip_address(found["v6"] or found["v4"]))
    port = int(found["port"])
    if not 0 <= port <= 65535 or (found["v6"] is not None) != (":" in host):
        raise ValueError(text)
    return host, port


def is_loopback(text: str) -> bool:
    """Whether only this machine reaches it."""
    return ipaddress.ip_address(split(text)[0]).is_loopback
