"""A read's seal: a signature over its canonical JSON (RFC 8785), which holds the hash of the read before.

Not signed is what is known only when a read is sent: `historical`, and `image`, whose hash the seal has instead. If the
read before was given up, a second signature, the gap, names the read that this one comes after now. It is made when the
read is sent, and leaves the chain of hashes as it was.
"""

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import rfc8785

from edge_app.events.chain import ChainLink
from edge_app.events.decoder import MessageError, as_record
from edge_app.events.event import as_plain
from edge_app.events.evidence.keys import PrivateKey, PublicKey
from edge_app.events.messages import EvidenceMessage, GapMessage, ReadMessage

_UNSIGNED = ("historical", "image")
_UNSIGNED_EVIDENCE = ("signature", "gap")


class SealError(Exception):
    """A read is not what the device signed; the message gives the reason."""


@dataclass(frozen=True, slots=True)
class Seal:
    """The place of a good read in the chain."""

    device: str
    sequence: int
    event_id: str
    digest: str
    previous: str | None
    """The digest of the read before, as it was made."""
    gap: GapMessage | None

    @property
    def before(self) -> tuple[str | None, ...]:
        """The digests of the reads that it may come after."""
        return (self.previous,) if self.gap is None else (self.previous, self.gap.follows)


class Sealer:
    """Signs reads with the device's key."""

    def __init__(self, key: PrivateKey) -> None:
        self._key = key
        self.key_name = key.public.name

    def seal(self, read: ReadMessage, previous: str | None) -> tuple[ReadMessage, ChainLink]:
        """The read signed, with the digest of the one before, and its own place in the chain."""
        image_sha256 = read.image.sha256 if read.image else None
        unsigned = EvidenceMessage(self.key_name, previous, image_sha256, signature="", gap=None)
        signed = signed_part(as_plain(replace(read, evidence=unsigned)))
        evidence = replace(unsigned, signature=self._sign(signed))
        return replace(read, evidence=evidence), ChainLink(read.sequence, _digest(signed))

    def seal_again(self, read: ReadMessage) -> ReadMessage:
        """A read that was changed, signed anew at its place in the chain; unsigned if it was not signed."""
        return self.seal(read, read.evidence.previous)[0] if read.evidence else read

    def bridge(self, read: ReadMessage, follows: str | None) -> tuple[ReadMessage, ChainLink]:
        """A sealed read that names the one it comes after, if that has changed since it was made, and its place.

        Reads that were sealed with an earlier key stay as they are.
        """
        evidence, digest = read.evidence, _digest(signed_part(as_plain(read)))
        if evidence is not None and evidence.previous != follows and evidence.key == self.key_name:
            gap = GapMessage(follows, self._sign(_gap_part(digest, follows)))
            read = replace(read, evidence=replace(evidence, gap=gap))
        return read, ChainLink(read.sequence, digest)

    def _sign(self, message: bytes) -> str:
        return base64.b64encode(self._key.sign(message)).decode()


def inspect(document: object, keys: Mapping[str, PublicKey]) -> Seal:
    """The content of a read's seal, checked with one of the keys, which are given by name.

    Raises:
        SealError: it is no read, has no seal, or is not what was signed.
    """
    try:
        read = as_record(ReadMessage, document)
        signed = signed_part(document)  # type: ignore[arg-type]  # a record came of it
    except MessageError as error:
        raise SealError(f"this is no read: {error}") from error
    except ValueError as error:
        raise SealError(f"it holds values that programs read differently from JSON: {error}") from error
    if read.evidence is None:
        raise SealError("it is not signed")
    _check(read, read.evidence, signed, keys)
    evidence, digest = read.evidence, _digest(signed)
    return Seal(read.device, read.sequence, read.event_id, digest, evidence.previous, evidence.gap)


def signed_part(read: dict[str, Any]) -> bytes:
    """The canonical JSON of all that is signed of a parsed read; `ValueError` if there is none, as of huge numbers."""
    kept = {key: value for key, value in read.items() if key not in _UNSIGNED}
    if kept.get("evidence"):
        kept["evidence"] = {key: value for key, value in kept["evidence"].items() if key not in _UNSIGNED_EVIDENCE}
    return rfc8785.dumps(kept)


def _check(read: ReadMessage, evidence: EvidenceMessage, signed: bytes, keys: Mapping[str, PublicKey]) -> None:
    key = keys.get(evidence.key)
    if key is None:
        raise SealError(f"it was signed with key {evidence.key}, which was not given")
    if not key.fits(base64.b64decode(evidence.signature), signed):
        raise SealError("its signature is wrong: something in it was changed after it was signed")
    if read.image is not None and read.image.sha256 != evidence.image_sha256:
        raise SealError("its `image` names another picture than was signed")
    if (gap := evidence.gap) is not None:
        part = _gap_part(_digest(signed), gap.follows)
        if not key.fits(base64.b64decode(gap.signature), part):
            raise SealError("the signature of its `gap` is wrong: the device did not sign it")


def _gap_part(digest: str, follows: str | None) -> bytes:
    return rfc8785.dumps({"read": digest, "follows": follows})


def _digest(signed: bytes) -> str:
    return hashlib.sha256(signed).hexdigest()
