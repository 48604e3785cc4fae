"""The Python packages of a device, as the locked requirements fix them, unpacked for its machine."""

import email
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from edge_app.errors import EdgeAnprError

PARTS = {"numpy": "numpy", "opencv-python-headless": "cv2", "ai-edge-litert": "ai_edge_litert"}
"""Packages with a folder of their own, and its name: the system may have one that is to be taken instead."""

_PLATFORM = "{architecture}-manylinux_2_31"
"""Debian 12 has glibc 2.36, Ubuntu 22.04 has 2.35."""
_NOT_INSTALLED = ("RECORD", "INSTALLER", "REQUESTED", "direct_url.json", "uv_cache.json")
"""What an installer leaves in a `.dist-info`."""
_LICENSE_CHARACTERS = 100


@dataclass(frozen=True, slots=True)
class Package:
    """A package in a bundle."""

    name: str
    version: str
    license: str | None
    """An SPDX expression, or what the package calls its licence."""
    license_is_spdx: bool


def install(requirements: Path, architecture: str, python: str, into: Path) -> list[Package]:
    """Put the packages below `into`, which gets `site/` and `parts/`; what they are, in the order of their names."""
    site, parts = into / "site", into / "parts"
    command = [str(Path(sys.executable).with_name("uv")), "pip", "install", "--quiet", "--target", str(site)]
    command += ["--python-platform", _PLATFORM.format(architecture=architecture), "--python-version", python]
    command += ["--require-hashes", "--no-deps", "--only-binary", ":all:", "--link-mode", "copy", "--no-config"]
    ended = subprocess.run([*command, "-r", str(requirements)], capture_output=True, text=True, check=False)
    if ended.returncode != 0:
        raise EdgeAnprError(f"packages for {architecture} and Python {python}: {ended.stderr.strip()}")
    packages = []
    for folder in sorted(site.glob("*.dist-info")):
        package = _read(folder)
        packages.append(package)
        if (part := PARTS.get(package.name)) is not None:
            (parts / part).mkdir(parents=True)
            for name in sorted(_top_level(folder)):
                (site / name).rename(parts / part / name)
    shutil.rmtree(site / "bin", ignore_errors=True)
    (site / ".lock").unlink(missing_ok=True)
    for info in into.glob("*/**/*.dist-info"):
        for name in _NOT_INSTALLED:
            (info / name).unlink(missing_ok=True)
    return sorted(packages, key=lambda package: package.name)


def _read(folder: Path) -> Package:
    facts = email.message_from_string((folder / "METADATA").read_text(encoding="utf-8"))
    expression = facts.get("License-Expression")
    named = (facts.get("License") or "").strip().splitlines() or [
        classifier.rsplit("::", 1)[1].strip()
        for classifier in facts.get_all("Classifier") or []
        if classifier.startswith("License ::")
    ]
    words = expression or (named[0][:_LICENSE_CHARACTERS] if named else None)
    return Package(facts["Name"].lower().replace("_", "-"), facts["Version"], words, expression is not None)


def _top_level(folder: Path) -> set[str]:
    """The names in the target folder that belong to a package, its `.dist-info` among them."""
    return set(_tops(folder)) - {"..", "bin"}


def _tops(folder: Path) -> Iterator[str]:
    for line in (folder / "RECORD").read_text(encoding="utf-8").splitlines():
        yield line.split(",", 1)[0].split("/", 1)[0]
