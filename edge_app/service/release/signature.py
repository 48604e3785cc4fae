"""Ed25519 signatures as OpenSSH makes them: `ssh-keygen` is on every machine that is reached over ssh."""

import subprocess
import tempfile
from collections.abc import Iterable
from pathlib import Path

from edge_app.errors import RefusedError

NAMESPACE = "edge-anpr-bundle"
"""A signature made for something else does not count."""
_SIGNER = "edge-anpr"
_KIND = "ssh-ed25519"


def public_keys(files: Iterable[Path]) -> list[str]:
    """The keys in `*.pub` files: of each the kind and the key itself."""
    keys = []
    for file in files:
        words = file.read_text(encoding="utf-8", errors="replace").split()
        if len(words) < 2 or words[0] != _KIND:
            raise RefusedError(f"{file}: no Ed25519 public key; put the .pub file there that make-signing-key wrote")
        keys.append(" ".join(words[:2]))
    return keys


def check(message: bytes, signature: bytes, keys: Iterable[str]) -> None:
    """Refuse a message that none of these keys has signed."""
    with tempfile.TemporaryDirectory() as folder:
        signers, signed = Path(folder, "signers"), Path(folder, "signature")
        signers.write_text("".join(f'{_SIGNER} namespaces="{NAMESPACE}" {key}\n' for key in keys), encoding="utf-8")
        signed.write_bytes(signature)
        command = ["ssh-keygen", "-Y", "verify", "-I", _SIGNER, "-n", NAMESPACE, "-f", str(signers), "-s", str(signed)]
        try:
            verified = subprocess.run(command, input=message, capture_output=True, check=False)
        except FileNotFoundError as error:
            raise RefusedError("ssh-keygen, which checks signatures, is missing: apt install openssh-client") from error
    if verified.returncode != 0:
        raise RefusedError(
            "the signature is not that of a key in /etc/edge-anpr/keys.d, or the bundle was altered: sign it with a key"
            " that this device knows, or fetch it again"
        )
