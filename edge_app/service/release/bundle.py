"""A bundle: one file with a signed manifest and everything that the manifest lists."""

import hashlib
import tarfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from edge_app.errors import RefusedError
from edge_app.service.release.manifest import MANIFEST, Manifest, PackedFile

SIGNATURE = f"{MANIFEST}.sig"
SUMS = "SHA256SUMS"
PAYLOAD = "payload.tar.gz"
_SELF_KNOWN = (MANIFEST, SIGNATURE, SUMS)
"""Members that the manifest cannot list: itself, its signature, and the checksums of all."""

_MAX_MANIFEST_BYTES = 16_000_000
_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class Bundle:
    """A bundle on disk, its manifest read but not believed yet."""

    path: Path
    manifest: Manifest
    signed: bytes
    """The manifest's bytes."""
    signature: bytes | None

    @classmethod
    def open(cls, path: Path) -> "Bundle":
        """Read manifest and signature; `RefusedError` if the file is no bundle."""
        with _members(path) as archive:
            content = _read(archive, MANIFEST, path)
            signature = _read(archive, SIGNATURE, path) if SIGNATURE in archive.getnames() else None
        return cls(path, Manifest.parse(content), content, signature)

    def check_carried(self) -> None:
        """Refuse a bundle in which a member is altered, missing, or not listed."""
        with _members(self.path) as archive:
            names = archive.getnames()
            if odd := sorted({*names} - {*_SELF_KNOWN, *self.manifest.carried}):
                raise RefusedError(f"{self.path.name}: {odd[0]!r} is not in the manifest: fetch the bundle again")
            for name, sha256 in self.manifest.carried.items():
                member = archive.extractfile(name) if name in names else None
                if member is None or _sha256(member) != sha256:
                    raise RefusedError(f"{self.path.name}: {name} is altered or damaged: fetch the bundle again")

    def unpack(self, into: Path) -> None:
        """Write every file below `into`, checking each against the manifest on the way.

        Raises:
            RefusedError: the payload holds other files than the manifest, or others than they were.
        """
        left = dict(self.manifest.files)
        try:
            with _members(self.path) as outer, tarfile.open(fileobj=outer.extractfile(PAYLOAD), mode="r|gz") as payload:
                for member in payload:
                    facts = left.pop(member.name, None)
                    content = payload.extractfile(member) if member.isreg() else None
                    if facts is None or content is None:
                        raise RefusedError(f"{self.path.name}: {member.name!r} is not in the manifest: fetch it again")
                    _write(content, into / member.name, facts)
        except (tarfile.TarError, EOFError, zlib.error) as error:
            raise RefusedError(f"{self.path.name}: the payload is damaged ({error}): fetch it again") from error
        if left:
            raise RefusedError(f"{self.path.name}: {min(left)} is missing: fetch the bundle again")
        for path, target in self.manifest.links.items():
            (into / path).parent.mkdir(parents=True, exist_ok=True)
            (into / path).symlink_to(target)


@contextmanager
def _members(path: Path) -> Iterator[tarfile.TarFile]:
    try:
        with tarfile.open(path, "r:") as archive:
            yield archive
    except tarfile.TarError as error:
        raise RefusedError(f"{path}: no bundle, or cut off ({error}): fetch it again") from error
    except OSError as error:
        if error.filename != str(path):
            raise
        raise RefusedError(f"{path}: cannot be read ({error.strerror}): check the path") from error


def _read(archive: tarfile.TarFile, name: str, path: Path) -> bytes:
    try:
        member = archive.getmember(name)
    except KeyError as error:
        raise RefusedError(f"{path}: no bundle, it has no {name}") from error
    content = archive.extractfile(member)
    if content is None or member.size > _MAX_MANIFEST_BYTES:
        raise RefusedError(f"{path}: {name} is no ordinary file: fetch the bundle again")
    return content.read()


def _sha256(content: IO[bytes]) -> str:
    digest = hashlib.sha256()
    while chunk := content.read(_CHUNK):
        digest.update(chunk)
    return digest.hexdigest()


def _write(content: IO[bytes], path: Path, facts: PackedFile) -> None:
    """One file, no longer than in the manifest."""
    path.parent.mkdir(parents=True, exist_ok=True)
    digest, left = hashlib.sha256(), facts.bytes
    with path.open("xb") as file:
        while chunk := content.read(min(_CHUNK, left + 1)):
            digest.update(chunk)
            file.write(chunk)
            left -= len(chunk)
            if left < 0:
                break
    if left or digest.hexdigest() != facts.sha256:
        raise RefusedError(f"{path.name}: altered: its sha256 is not that of the manifest; fetch the bundle again")
    path.chmod(0o755 if facts.executable else 0o644)
