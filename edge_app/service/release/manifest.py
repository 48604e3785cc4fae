"""The contents of a bundle: `MANIFEST.json`, which is signed."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from edge_app.errors import RefusedError

MANIFEST = "MANIFEST.json"
MODELS_MANIFEST = "MODELS.json"
"""The manifest of a bundle of models alone, in the release that was made with it."""
RELEASE, MODELS = "release", "models"
"""The kinds of bundles: a whole release, or models for the release that a device has."""
MODELS_FOLDER = "models"

_FORMAT = 1
_NAME_DIGITS = 12


@dataclass(frozen=True, slots=True)
class PackedFile:
    """A file of a release."""

    sha256: str
    bytes: int
    executable: bool


@dataclass(frozen=True, slots=True)
class Manifest:
    """A bundle's contents."""

    kind: str
    version: str
    commit: str
    """Of the repository, or "unknown"."""
    made_at: str
    """UTC, as in 2026-01-31T10:00:00Z: the time of the commit, or of the bundling if there were changes since."""
    architecture: str | None
    """`aarch64` or `x86_64`; None for models, which run on either."""
    python: str | None
    """As in 3.11; None for models."""
    carried: Mapping[str, str]
    """The sha256 of what lies beside the manifest in the bundle, by name."""
    files: Mapping[str, PackedFile]
    """By path from the folder of the release."""
    links: Mapping[str, str]
    """Symbolic links and what they point to."""
    sha256: str
    """Of the manifest itself."""

    @property
    def name(self) -> str:
        """What a release made of the bundle is called."""
        return f"{self.version}-{self.sha256[:_NAME_DIGITS]}"

    @property
    def age(self) -> tuple[tuple[int, ...], str]:
        """Orders bundles: a newer one has a greater age."""
        return version_parts(self.version), self.made_at

    @classmethod
    def parse(cls, content: bytes) -> "Manifest":
        """Read a manifest; `RefusedError` if it is damaged or of another format."""
        try:
            fields: dict[str, Any] = json.loads(content)
            if fields["format"] != _FORMAT:
                raise RefusedError(
                    f"the bundle has format {fields['format']}, this installer reads {_FORMAT}: use the installer in it"
                )
            manifest = cls(
                kind=fields["kind"],
                version=fields["version"],
                commit=fields["commit"],
                made_at=fields["made_at"],
                architecture=fields["architecture"],
                python=fields["python"],
                carried=dict(fields["carried"]),
                files={path: PackedFile(**facts) for path, facts in fields["files"].items()},
                links=dict(fields["links"]),
                sha256=hashlib.sha256(content).hexdigest(),
            )
            version_parts(manifest.version)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise RefusedError(f"the bundle's manifest is damaged ({error!r}): make the bundle again") from error
        if manifest.kind not in (RELEASE, MODELS):
            raise RefusedError(f"the bundle holds {manifest.kind!r}, which this installer does not know")
        for path in (*manifest.files, *manifest.links):
            _check_path(path)
            if manifest.kind == MODELS and not path.startswith(f"{MODELS_FOLDER}/"):
                raise RefusedError(f"the bundle of models holds {path!r}, which is no model: make the bundle again")
        for path, target in manifest.links.items():
            _check_target(path, target)
        return manifest

    def as_json(self) -> bytes:
        """The manifest as `parse` reads it, with the same bytes for the same contents."""
        fields = {
            "format": _FORMAT,
            "kind": self.kind,
            "version": self.version,
            "commit": self.commit,
            "made_at": self.made_at,
            "architecture": self.architecture,
            "python": self.python,
            "carried": dict(self.carried),
            "files": {
                path: {"sha256": file.sha256, "bytes": file.bytes, "executable": file.executable}
                for path, file in self.files.items()
            },
            "links": dict(self.links),
        }
        return (json.dumps(fields, indent=1, sort_keys=True) + "\n").encode()


def version_parts(version: str) -> tuple[int, ...]:
    """`0.10.2` as numbers; `ValueError` if it is none."""
    return tuple(int(part) for part in version.split("."))


def _check_path(path: str) -> None:
    parts = PurePosixPath(path).parts
    if not parts or path.startswith("/") or ".." in parts or str(PurePosixPath(path)) != path or "\0" in path:
        raise RefusedError(f"the bundle holds {path!r}, a path that leaves the release: make the bundle again")


def _check_target(path: str, target: str) -> None:
    """A link may point to what is in the release, and to nothing else."""
    depth = len(PurePosixPath(path).parts) - 1
    for part in PurePosixPath(target).parts:
        depth += -1 if part == ".." else 1
        if depth < 0 or part == "/":
            raise RefusedError(f"the bundle's link {path!r} leaves the release: make the bundle again")
