"""The command `python -m converters.bundle`: bundles for devices, and the keys that sign them."""

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from converters.bundle import signing
from converters.bundle.making import ARCHITECTURES, PYTHONS, Target, make_models, make_release
from converters.bundle.sources import Sources
from edge_app.errors import EdgeAnprError, UsageError
from edge_app.service.release.machine import Machine
from training.repository import REPOSITORY

KEY = Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config", "edge-anpr/signing-key")
"""Where make-signing-key puts the key, and where it is expected."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what the command line asks for."""
    parsed = _parser().parse_args(arguments)
    try:
        if parsed.make_key:
            signing.make_key(parsed.key or KEY)
            print(f"{parsed.key or KEY}: the private key; keep it, and a copy in a safe place")
            print(f"{parsed.key or KEY}.pub: for the devices, in /etc/edge-anpr/keys.d")
            return 0
        print(make(parsed), flush=True)
    except EdgeAnprError as error:
        print(f"bundle: {error}", file=sys.stderr)
        return 2 if isinstance(error, UsageError) else 1
    return 0


def make(parsed: argparse.Namespace) -> Path:
    """The bundle that is asked for."""
    key = key_to_sign_with(parsed.key)
    sources = Sources.of(REPOSITORY)
    if parsed.models:
        return make_models(sources, parsed.out, key)
    if parsed.local or parsed.image:
        machine = Machine.of_image(parsed.image) if parsed.image else Machine.here()
        return make_release(sources, Target(machine.architecture, machine.python), parsed.out, key=None, record=False)
    if parsed.arch is None or parsed.python is None:
        raise UsageError("give --arch and --python of the devices, or --models")
    if key is None:
        print("bundle: not signed, no device will take it: ./build.sh make-signing-key, once", file=sys.stderr)
    return make_release(sources, Target(parsed.arch, parsed.python), parsed.out, key)


def key_to_sign_with(given: Path | None) -> Path | None:
    """The key that is named, or the usual one if it is there."""
    if given is not None and not given.exists():
        raise UsageError(f"{given}: no such key; make one with ./build.sh make-signing-key")
    return given or (KEY if KEY.exists() else None)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="./build.sh bundle", description="One file that installs edge-anpr.")
    parser.add_argument("--arch", choices=ARCHITECTURES, help="the devices' processor, as `uname -m` has it")
    parser.add_argument("--python", choices=PYTHONS, help="the devices' Python")
    parser.add_argument("--models", action="store_true", help="the models alone, for devices of either processor")
    parser.add_argument("--key", type=Path, metavar="FILE", help=f"sign with it (default: {KEY}, if there)")
    parser.add_argument("--out", type=Path, default=Path("dist"), metavar="DIR", help="default: %(default)s")
    parser.add_argument("--make-key", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--local", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--image", type=Path, help=argparse.SUPPRESS)
    return parser


if __name__ == "__main__":
    sys.exit(main())
