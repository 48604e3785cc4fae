"""Identifiers that sort by the time of their making (RFC 9562, section 5.7); Python before 3.14 has none."""

from uuid import UUID

RANDOM_BYTES = 10
"""74 of these 80 bits are used."""


def uuid7(unix_ms: int, randomness: bytes) -> UUID:
    """The UUIDv7 of a moment, made unique by `RANDOM_BYTES` random bytes."""
    if len(randomness) != RANDOM_BYTES:
        raise ValueError(f"{RANDOM_BYTES} random bytes are needed, {len(randomness)} were given")
    bits = int.from_bytes(randomness, "big")
    head = (unix_ms & 0xFFFF_FFFF_FFFF) << 16 | 0x7 << 12 | bits >> 68
    tail = 0b10 << 62 | bits & 0x3FFF_FFFF_FFFF_FFFF
    return UUID(int=head << 64 | tail)
