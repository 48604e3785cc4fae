"""Small bundles, and an image to install them into."""

import shutil
import subprocess
import sys
from pathlib import Path

from converters.bundle.making import Target, pack
from converters.bundle.sources import Sources
from edge_app.service.release.machine import Machine
from edge_app.service.release.manifest import MODELS, RELEASE

HERE = Target(Machine.here().architecture, Machine.here().python)
_PROGRAM = "#!/bin/sh\ncat $(dirname $0)/../models/verdict >&2\n[ $(cat $(dirname $0)/../models/verdict) = good ]\n"
"""Passes its self-test if its models are good."""


def key_in(folder: Path, name: str = "key") -> Path:
    """A key that signs."""
    path = folder / name
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(path)], check=True)
    return path


def release(
    folder: Path,
    key: Path | None,
    made_at: str = "2026-01-01T00:00:00Z",
    target: Target = HERE,
    verdict: str = "good",
) -> Path:
    """A bundle of a release with hardly anything in it."""
    content = folder / f"release-{made_at[:10]}-{target}-{verdict}"
    files = {
        "bin/edge-anpr": _PROGRAM,
        "config/default.toml": f"# {made_at}\n",
        "models/verdict": verdict,
        "site/edge_app/made_at.py": f"MADE_AT = {made_at!r}\n",
        "systemd/edge-anpr.service": f"# {made_at}\n",
        "systemd/edge-anpr-rescue.service": "#\n",
        "systemd/edge-anpr-watch.service": "#\n",
    }
    return _packed(content, files, RELEASE, made_at, target, key)


def models(folder: Path, key: Path, made_at: str = "2026-02-01T00:00:00Z", verdict: str = "good") -> Path:
    """A bundle of models alone."""
    content = folder / f"models-{made_at[:10]}-{verdict}"
    return _packed(content, {"models/verdict": verdict, "models/new": made_at}, MODELS, made_at, None, key)


def image_in(folder: Path, key: Path) -> Path:
    """A root file system with a Python like ours, which trusts the key."""
    root = folder / "image"
    programs, keys = root / "usr/bin", root / "etc/edge-anpr/keys.d"
    programs.mkdir(parents=True)
    keys.mkdir(parents=True)
    (programs / f"python{HERE.python}").write_bytes(Path(sys.executable).resolve().read_bytes()[:64])
    (programs / "python3").symlink_to(f"python{HERE.python}")
    shutil.copyfile(key.with_name(f"{key.name}.pub"), keys / "key.pub")
    return root


def _packed(
    content: Path, files: dict[str, str], kind: str, made_at: str, target: Target | None, key: Path | None
) -> Path:
    for name, words in files.items():
        path = content / "all" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(words, encoding="utf-8")
        path.chmod(0o755 if name.startswith("bin/") else 0o644)
    sources = Sources(content, "0" * 40, made_at, ())
    return pack(sources, content / "all", kind, target, {}, content, key)
