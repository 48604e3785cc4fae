"""Keyed hashes in place of plates: HMAC-SHA256 (RFC 2104), so that nobody without the key can try every plate."""

import hmac
from dataclasses import dataclass, field
from datetime import UTC, datetime

from edge_app.config import PrivacySettings
from edge_app.configuration import systemd_credentials
from edge_app.errors import ConfigurationError

_CREDENTIAL = "plate-hash-key"
_LEAST_BYTES = 32
_NAME_DIGITS = 8
_DAY_SECONDS = 86_400


@dataclass(frozen=True, slots=True)
class HashKey:
    """One key."""

    key: bytes = field(repr=False)

    @property
    def name(self) -> str:
        """Identifies the key without revealing it."""
        return self._digest("edge-anpr key name")[:_NAME_DIGITS]

    def hash(self, plate: str) -> str:
        """64 digits 0-9 and A-F, which a plate's text may consist of."""
        return self._digest(plate).upper()

    def derive(self, period: int) -> "HashKey":
        """The key of one period, which does not reveal those of others."""
        return HashKey(bytes.fromhex(self._digest(f"edge-anpr period {period}")))

    def _digest(self, text: str) -> str:
        return hmac.new(self.key, text.encode(), "sha256").hexdigest()


class HashKeys:
    """The key at each moment: another every `days`, counted in UTC from 1970 so that a fleet changes together."""

    def __init__(self, key: HashKey, days: int) -> None:
        self._key = key
        self._period_seconds = days * _DAY_SECONDS

    def at(self, moment: datetime) -> HashKey:
        """The key at that moment."""
        if not self._period_seconds:
            return self._key
        return self._key.derive(int(moment.astimezone(UTC).timestamp()) // self._period_seconds)


def load(settings: PrivacySettings) -> HashKeys | None:
    """The keys, or None if plates are not hashed.

    Raises:
        ConfigurationError: there is no key, or none that is long enough.
    """
    if not settings.hash:
        return None
    path = settings.key_file or systemd_credentials.file_of(_CREDENTIAL)
    if path is None:
        raise ConfigurationError(
            f"[privacy] hash: there is no key; set `key_file`, or give the service a credential named `{_CREDENTIAL}`"
        )
    try:
        key = path.read_bytes().strip()
    except OSError as error:
        raise ConfigurationError(f"[privacy] key_file {path}: cannot be read: {error}") from error
    if not (key.isascii() and key.decode("ascii").isprintable()):
        raise ConfigurationError(
            f"[privacy] key_file {path}: a key is one line of printable characters, which every program "
            "reads in the same way; make one: `openssl rand -hex 32`"
        )
    if len(key) < _LEAST_BYTES:
        raise ConfigurationError(
            f"[privacy] key_file {path}: {len(key)} characters are too few; make a key: `openssl rand -hex 32`"
        )
    return HashKeys(HashKey(key), settings.key_days)
