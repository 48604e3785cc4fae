"""`/opt/edge-anpr`: whole releases in folders that never change, and links to the one that runs and the one before."""

import contextlib
import dataclasses
import fcntl
import hashlib
import itertools
import json
import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edge_app.errors import EdgeAnprError
from edge_app.service.release.manifest import MANIFEST, MODELS_FOLDER, MODELS_MANIFEST, Manifest

HOME = Path("opt/edge-anpr")
_INCOMING, _OUTGOING = ".incoming-", ".outgoing-"


@dataclass(frozen=True, slots=True)
class Release:
    """A whole release on disk."""

    folder: Path

    @property
    def name(self) -> str:
        """What its folder is called."""
        return self.folder.name

    @classmethod
    def running(cls) -> "Release | None":
        """The release that this module belongs to; None in a checkout or in the installer."""
        folder = Path(__file__).parents[4]
        return cls(folder) if (folder / MANIFEST).is_file() else None

    @property
    def program(self) -> Path:
        """The command `edge-anpr` of this release."""
        return self.folder / "bin/edge-anpr"

    def manifest(self) -> Manifest:
        """What it was unpacked from."""
        return Manifest.parse((self.folder / MANIFEST).read_bytes())

    def models_manifest(self) -> Manifest:
        """What its models were unpacked from: a bundle of models, or that of the whole release."""
        path = self.folder / MODELS_MANIFEST
        return Manifest.parse(path.read_bytes()) if path.exists() else self.manifest()

    def altered(self) -> list[str]:
        """The files that are not as they were unpacked, or are gone."""
        code = [path for path in self.manifest().files if not _is_model(path)]
        return sorted([*self._differing(self.manifest(), code), *self.altered_models()])

    def altered_models(self) -> list[str]:
        """Those of the networks and what belongs to them."""
        manifest = self.models_manifest()
        return self._differing(manifest, [path for path in manifest.files if _is_model(path)])

    def signatures(self) -> list[tuple[bytes, bytes]]:
        """What was signed, and the signatures; none if the release was installed without."""
        files = [self.folder / name for name in (MANIFEST, MODELS_MANIFEST)]
        signed = [(file, file.with_name(f"{file.name}.sig")) for file in files if file.exists()]
        return [(file.read_bytes(), signature.read_bytes()) for file, signature in signed if signature.exists()]

    def _differing(self, manifest: Manifest, paths: Iterable[str]) -> list[str]:
        return sorted(path for path in paths if _sha256(self.folder / path) != manifest.files[path].sha256)


@dataclass(frozen=True, slots=True)
class Trial:
    """A switch that is not settled yet: it is watched, and undone if the service is not well."""

    new: str
    old: str | None
    """None after the first installation: there is nothing to go back to."""
    was_well: tuple[str, ...]
    """What worked before the switch and has to work after it."""
    seconds: float
    """How long it is watched."""


class Releases:
    """Those of one device or image."""

    def __init__(self, root: Path) -> None:
        self.home = root / HOME
        self.folder = self.home / "releases"
        self._trial = self.home / "trial.json"

    @property
    def current(self) -> Release | None:
        """The release that runs, or is to run."""
        return self._linked("current")

    @property
    def previous(self) -> Release | None:
        """The release to go back to."""
        found = self._linked("previous")
        return None if found == self.current else found

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Keep a second installer out while this one works."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with (self.home / ".lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                raise EdgeAnprError("another installation is under way on this device: wait for its end") from error
            yield

    @contextlib.contextmanager
    def incoming(self) -> Iterator[Path]:
        """An empty folder to unpack into; deleted if it is not added before the end, or by the next installation."""
        self._sweep()
        folder = Path(tempfile.mkdtemp(prefix=_INCOMING, dir=self.folder))
        folder.chmod(0o755)
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def add(self, folder: Path, name: str) -> Release:
        """Make a release of a folder that is complete; one of this name that is there already stays beside it."""
        os.sync()  # the contents reach the disk before the name does
        names = itertools.chain([name], (f"{name}.{number}" for number in itertools.count(2)))
        release = next(Release(place) for each in names if not (place := self.folder / each).exists())
        folder.rename(release.folder)
        _sync(self.folder)
        return release

    def begin_trial(self, trial: Trial) -> None:
        """Note the switch that is about to come, and make it."""
        _write(self._trial, dataclasses.asdict(trial))
        self._link("current", trial.new)

    @property
    def trial(self) -> Trial | None:
        """The switch that is not settled, if the release that it made current still is."""
        try:
            fields = json.loads(self._trial.read_text(encoding="utf-8"))
            trial = Trial(fields["new"], fields["old"], tuple(fields["was_well"]), float(fields["seconds"]))
        except FileNotFoundError:
            return None
        except (ValueError, KeyError, TypeError):
            return None  # cut off while it was written: the switch had not begun
        return trial if self.current is not None and self.current.name == trial.new else None

    def settle(self, trial: Trial) -> None:
        """Keep the new release; the old one is the way back, and all others go."""
        if trial.old is not None and trial.old != trial.new:
            self._link("previous", trial.old)
        self._trial.unlink(missing_ok=True)
        self._prune()

    def undo(self, trial: Trial) -> Release | None:
        """Go back to the old release, if there is one."""
        if trial.old is not None:
            self._link("current", trial.old)
        self._trial.unlink(missing_ok=True)
        return self.current

    def swap(self) -> Release:
        """Go back to the previous release, which then is the one to come back to."""
        current, previous = self.current, self.previous
        if current is None or previous is None:
            raise EdgeAnprError("there is no previous release on this device: install the one that you want")
        self._link("current", previous.name)
        self._link("previous", current.name)
        return previous

    def abandon(self, damaged: Release, previous: Release) -> None:
        """Go back from a damaged release, which is deleted."""
        self._link("current", previous.name)
        (self.home / "previous").unlink(missing_ok=True)
        self._trial.unlink(missing_ok=True)
        self._delete(damaged.folder)

    def _linked(self, name: str) -> Release | None:
        link = self.home / name
        folder = self.folder / link.readlink().name if link.is_symlink() else None
        return Release(folder) if folder is not None and folder.is_dir() else None

    def _link(self, name: str, release: str) -> None:
        """Point a link at a release, by one rename."""
        new = self.home / f".{name}"
        new.unlink(missing_ok=True)
        new.symlink_to(Path("releases", release))
        new.replace(self.home / name)
        _sync(self.home)

    def _prune(self) -> None:
        kept = {release.name for release in (self.current, self.previous) if release is not None}
        for folder in self.folder.iterdir():
            if folder.name not in kept and not folder.name.startswith("."):
                self._delete(folder)
        self._sweep()

    def _delete(self, folder: Path) -> None:
        """Take the name away first, so that no half of a release bears it."""
        if folder.exists():
            gone = self.folder / f"{_OUTGOING}{folder.name}"
            shutil.rmtree(gone, ignore_errors=True)
            folder.rename(gone)
            shutil.rmtree(gone)

    def _sweep(self) -> None:
        """Delete what interrupted installations left."""
        for prefix in (_INCOMING, _OUTGOING):
            for folder in self.folder.glob(f"{prefix}*"):
                shutil.rmtree(folder, ignore_errors=True)


def copy_without_models(release: Release, into: Path) -> None:
    """The release again, without its models: files are shared, not copied, for they never change."""
    top = str(release.folder)

    def left_out(folder: str, names: list[str]) -> list[str]:
        return [name for name in names if folder == top and name in (MODELS_FOLDER, MODELS_MANIFEST)]

    shutil.copytree(
        release.folder, into, symlinks=True, ignore=left_out, copy_function=os.link, dirs_exist_ok=True
    )  # fmt: skip


def _is_model(path: str) -> bool:
    return path.startswith(f"{MODELS_FOLDER}/")


def _sha256(path: Path) -> str | None:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError:
        return None


def _write(path: Path, fields: dict[str, Any]) -> None:
    new = path.with_suffix(".new")
    with new.open("w", encoding="utf-8") as file:
        json.dump(fields, file)
        file.flush()
        os.fsync(file.fileno())
    new.replace(path)
    _sync(path.parent)


def _sync(folder: Path) -> None:
    """Bring renames in a folder to the disk."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
