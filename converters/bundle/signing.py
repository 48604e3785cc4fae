"""Sign with an Ed25519 key of OpenSSH's: in a file, or in an agent if the file holds the public half alone."""

import subprocess
import tempfile
from pathlib import Path

from edge_app.errors import UsageError
from edge_app.service.release.signature import NAMESPACE


def make_key(path: Path) -> None:
    """Make a pair: `path` and `path`.pub."""
    if path.exists():
        raise UsageError(f"{path}: this is there already; give another name, or move it away")
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", f"edge-anpr {path.name}", "-f", str(path)]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    if ended.returncode != 0:
        raise UsageError(f"{path}: the key cannot be made: {ended.stderr.strip() or ended.stdout.strip()}")


def sign(message: bytes, key: Path) -> bytes:
    """The signature, the same for the same message and key."""
    with tempfile.TemporaryDirectory() as folder:
        signed = Path(folder, "message")
        signed.write_bytes(message)
        command = ["ssh-keygen", "-q", "-Y", "sign", "-f", str(key), "-n", NAMESPACE, str(signed)]
        ended = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
        if ended.returncode != 0:
            raise UsageError(f"{key}: cannot sign: {ended.stderr.strip()}; make a key with ./build.sh make-signing-key")
        return signed.with_suffix(".sig").read_bytes()
