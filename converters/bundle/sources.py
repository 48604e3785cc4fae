"""What of this repository goes into a bundle, and which state of it."""

import subprocess
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path

from edge_app.errors import UsageError

_TIME = "%Y-%m-%dT%H:%M:%SZ"
DEVICE = ("edge_app", "models", "systemd", "config/default.toml", "requirements", "LICENSE", "README.md")
"""What a bundle is made of: a change elsewhere makes no other bundle."""


@dataclass(frozen=True, slots=True)
class Sources:
    """A state of the repository."""

    root: Path
    commit: str
    """"unknown" if this is no git checkout; with "+changes" if files differ from it."""
    made_at: str
    """UTC: of the commit, or now if files differ from it."""
    files: tuple[str, ...]
    """Of edge_app/, as paths from the root."""

    @classmethod
    def of(cls, root: Path) -> "Sources":
        """The state that the repository is in."""
        now = datetime.now(timezone.utc).strftime(_TIME)
        if not (root / ".git").exists():
            there = [path for path in (root / "edge_app").rglob("*") if path.is_file() and path.suffix != ".pyc"]
            return cls(root, "unknown", now, tuple(sorted(str(path.relative_to(root)) for path in there)))
        files = tuple(sorted(_git(root, "ls-files", "edge_app").splitlines()))
        commit = _git(root, "rev-parse", "HEAD").strip()
        if _git(root, "status", "--porcelain", "--", *DEVICE):
            return cls(root, f"{commit}+changes", now, files)
        seconds = int(_git(root, "show", "--no-patch", "--format=%ct", "HEAD"))
        return cls(root, commit, datetime.fromtimestamp(seconds, timezone.utc).strftime(_TIME), files)


def _git(root: Path, *words: str) -> str:
    ended = subprocess.run(["git", *words], cwd=root, capture_output=True, text=True, check=False)
    if ended.returncode != 0:
        raise UsageError(f"git {words[0]}: {ended.stderr.strip()}")
    return ended.stdout
