"""Ed25519 keys (RFC 8032) in PEM files; only this file and `seal` make signatures."""

import hashlib
import os
from pathlib import Path

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from edge_app.config import EvidenceSettings
from edge_app.configuration import systemd_credentials
from edge_app.errors import ConfigurationError, UsageError

_CREDENTIAL = "evidence-key"
"""The name of the systemd credential."""

_NAME_DIGITS = 16
_REMEDY = "make a pair with `edge-anpr make-key FILE`"


class PublicKey:
    """Checks signatures."""

    def __init__(self, key: Ed25519PublicKey) -> None:
        self._key = key
        self.name = hashlib.sha256(key.public_bytes_raw()).hexdigest()[:_NAME_DIGITS]
        """Identifies the key."""

    def fits(self, signature: bytes, message: bytes) -> bool:
        """Whether the private key's owner signed this message."""
        try:
            self._key.verify(signature, message)
        except InvalidSignature:
            return False
        return True

    def as_pem(self) -> bytes:
        """As OpenSSL writes it: SubjectPublicKeyInfo."""
        return self._key.public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )  # fmt: skip


class PrivateKey:
    """Signs."""

    def __init__(self, key: Ed25519PrivateKey) -> None:
        self._key = key
        self.public = PublicKey(key.public_key())

    def sign(self, message: bytes) -> bytes:
        """64 bytes, the same for the same message."""
        return self._key.sign(message)

    def as_pem(self) -> bytes:
        """As OpenSSL writes it: PKCS #8, without a passphrase."""
        return self._key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )


def make(path: Path) -> PublicKey:
    """Make a pair: the private key in a new file that only its owner can read, the public one beside it as `.pub`.

    Raises:
        UsageError: one of them is there already, or the path cannot be written.
    """
    key = PrivateKey(Ed25519PrivateKey.generate())
    public_path = public_path_of(path)
    try:
        if public_path.exists():
            raise FileExistsError(None, "File exists", str(public_path))
        _write_new(path, key.as_pem(), 0o600)
        _write_new(public_path, key.public.as_pem(), 0o644)
    except FileExistsError as error:
        raise UsageError(f"{error.filename}: this is there already; give another name, or move it away") from error
    except OSError as error:
        raise UsageError(f"{error.filename}: cannot be written ({error.strerror}); give another place") from error
    return key.public


def public_path_of(path: Path) -> Path:
    """The public key's file for a private key's file."""
    return path.with_name(f"{path.name}.pub")


def load(settings: EvidenceSettings) -> PrivateKey:
    """The device's key.

    Raises:
        ConfigurationError: there is none, or none that can be used.
    """
    path = settings.key_file or systemd_credentials.file_of(_CREDENTIAL)
    if path is None:
        raise ConfigurationError(
            "[evidence] enabled: there is no key; set `key_file`, or give the service a credential named"
            f" `{_CREDENTIAL}`; {_REMEDY}"
        )
    try:
        key = serialization.load_pem_private_key(path.read_bytes(), password=None)
    except OSError as error:
        raise ConfigurationError(f"[evidence] key_file {path}: cannot be read: {error}") from error
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:  # TypeError: it has a passphrase
        raise ConfigurationError(f"[evidence] key_file {path}: no private key without passphrase; {_REMEDY}") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise ConfigurationError(f"[evidence] key_file {path}: a key of another kind than Ed25519; {_REMEDY}")
    return PrivateKey(key)


def load_public(path: Path) -> PublicKey:
    """A public key.

    Raises:
        UsageError: there is none in this file.
    """
    try:
        key = serialization.load_pem_public_key(path.read_bytes())
    except OSError as error:
        raise UsageError(f"{path}: the key cannot be read ({error.strerror}); check the path") from error
    except (ValueError, UnsupportedAlgorithm) as error:
        raise UsageError(f"{path}: this is no public key; give the `.pub` file that `make-key` wrote") from error
    if not isinstance(key, Ed25519PublicKey):
        raise UsageError(f"{path}: a key of another kind than Ed25519; give the `.pub` file that `make-key` wrote")
    return PublicKey(key)


def _write_new(path: Path, content: bytes, mode: int) -> None:
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:  # noqa: PTH123 - a descriptor
        file.write(content)
