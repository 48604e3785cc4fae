"""Put a release onto a device: check, unpack beside the running one, try, switch, watch, keep or go back."""

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from edge_app.errors import EdgeAnprError, RefusedError
from edge_app.service.release import signature, systemctl
from edge_app.service.release.bundle import SIGNATURE, Bundle
from edge_app.service.release.health import Health, watch
from edge_app.service.release.machine import Machine
from edge_app.service.release.manifest import MANIFEST, MODELS, MODELS_MANIFEST, Manifest
from edge_app.service.release.releases import Release, Releases, Trial, copy_without_models

CONFIGURATION = Path("etc/edge-anpr")
STATE = (Path("var/lib/edge-anpr"), Path("var/lib/private/edge-anpr"))
COMMAND = Path("usr/local/bin/edge-anpr")
WATCH_SECONDS = 60.0
"""How long a new release is watched before it is kept."""
_LOST_ON_OVERLAY = (
    "the root file system is an overlay in memory, and what is installed would be gone after the next boot"
)


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the operator asks for beside the bundle."""

    trust: Path | None = None
    """A public key to accept from now on."""
    unsigned: bool = False
    allow_older: bool = False
    watch_seconds: float = WATCH_SECONDS


class Installation:
    """What is installed below `root`, which is `/` or an image's folder."""

    def __init__(self, root: Path, report: Callable[[str], object]) -> None:
        self.root = root
        self.releases = Releases(root)
        self._report = report
        self._is_image = root != Path("/")

    @property
    def configuration(self) -> Path:
        """The file that the service is configured with, if it is there."""
        return self.root / CONFIGURATION / "config.toml"

    def install(self, path: Path, wishes: Wishes) -> int:
        """Install a bundle; 0 if its release runs at the end, 1 if the old one had to come back.

        Raises:
            RefusedError: the bundle is not taken; nothing has changed.
        """
        self._check_root()
        bundle = Bundle.open(path)
        if not wishes.unsigned:
            signature.check(bundle.signed, self._signature_of(bundle), self._keys(wishes.trust))
        bundle.check_carried()
        Machine.check_fits(Machine.of_image(self.root) if self._is_image else Machine.here(), bundle.manifest)
        with self.releases.locked():
            if self.releases.trial is not None:
                raise EdgeAnprError("a release is still being watched on this device: wait for the end of its minute")
            old = self.releases.current
            if old is not None and not wishes.allow_older:
                _check_newer(bundle.manifest, old)
            if old is not None and _holds(old, bundle.manifest):
                self._report(f"{old.name} is installed already, and unaltered")
                self._finish_files(old)
                self._start("start")
                return 0
            release = self._unpack(bundle, old)
            self._keep_key(wishes.trust)
            return self._switch(release, old, wishes.watch_seconds)

    def watch(self) -> int:
        """Watch the service after a switch, and keep the new release or go back; 0 if it is kept, or none is new."""
        with self.releases.locked():
            trial = self.releases.trial
            if trial is None:
                return 0
            # The switch may have been cut off right after the rename, with the old release's unit still in place.
            self._finish_files(self.releases.current)
            self._start("restart")
            return self._judge(trial)

    def rollback(self) -> int:
        """Go back to the previous release; 0 if the service is well in it."""
        self._check_root()
        with self.releases.locked():
            trial = self.releases.trial
            release = self.releases.undo(trial) if trial is not None else self.releases.swap()
            if release is None:
                raise EdgeAnprError("there is no previous release on this device: install the one that you want")
            self._finish_files(release)
            self._report(f"{release.name} is current again")
            if not self._start("restart"):
                return 0
            found = watch(release.name, (), seconds=20.0, until_well=True)
        self._report(f"{release.name} runs and is well" if found is None else f"{release.name}: {found}")
        return 0 if found is None else 1

    def check(self, release: Release) -> None:
        """Refuse a release in which a file differs from the manifest, or whose manifest nobody known has signed."""
        if altered := release.altered():
            several = f" and {len(altered) - 1} more" if altered[1:] else ""
            raise RefusedError(f"{release.name}: {altered[0]}{several} altered or gone: deploy it again")
        signed = release.signatures()
        keys = self._keys(None) if signed else []
        for message, written in signed:
            signature.check(message, written, keys)

    def rescue(self) -> int:
        """Take the previous release if files of the present one are damaged; 1 if they are, and there is none."""
        with self.releases.locked():
            current, previous = self.releases.current, self.releases.previous
            if current is None or not (altered := current.altered()):
                self._report("every file is as it was packed: the service failed for another reason, see its log")
                return 0
            found = f"{current.name}: {altered[0]} and {len(altered) - 1} other files are altered or gone"
            if previous is None or previous.altered():
                self._report(f"{found}, and there is no whole release to go back to: deploy one")
                return 1
            self.releases.abandon(current, previous)
            self._finish_files(previous)
            self._report(f"{found}: {previous.name} is current again")
            self._start("restart")
            return 0

    def uninstall(self, purge: bool) -> None:
        """Take program and units off; with `purge` the configuration and what waits for the broker, too."""
        self._check_root()
        if not self._is_image and systemctl.runs_here():
            systemctl.call("disable", "--quiet", "--now", systemctl.SERVICE, systemctl.WATCH)
        folder = self.root / systemctl.UNITS
        for unit in (systemctl.SERVICE, systemctl.WATCH, systemctl.RESCUE):
            for place in (folder, *folder.glob("*.wants")):
                (place / unit).unlink(missing_ok=True)
            shutil.rmtree(folder / f"{unit}.d", ignore_errors=True)
        (self.root / COMMAND).unlink(missing_ok=True)
        shutil.rmtree(self.releases.home, ignore_errors=True)
        if not self._is_image and systemctl.runs_here():
            systemctl.call("daemon-reload")
        if not purge:
            kept = f"{self.root / CONFIGURATION} and {self.root / STATE[0]}"
            self._report(f"edge-anpr is off; {kept} stay (with --purge they go)")
            return
        for folder in (CONFIGURATION, *STATE):
            path = self.root / folder
            path.unlink() if path.is_symlink() else shutil.rmtree(path, ignore_errors=True)
        self._report("edge-anpr is off, and its configuration and the reads that waited are deleted")

    # ---- steps --------------------------------------------------------------------------------------

    def _check_root(self) -> None:
        if not self._is_image and os.geteuid() != 0:
            raise EdgeAnprError("this changes the system: run it as root, with sudo")
        place = next(each for each in (self.releases.home, *self.releases.home.parents) if each.exists())
        if not os.access(place, os.W_OK) or os.statvfs(place).f_flag & os.ST_RDONLY:
            raise EdgeAnprError(f"{place} is read-only: make it writable first (docs/operating.md, read-only root)")
        if not self._is_image and _is_overlay_in_memory(Path("/proc/mounts").read_text(encoding="utf-8")):
            raise EdgeAnprError(f"{_LOST_ON_OVERLAY}: switch the overlay off first (docs/operating.md, read-only root)")

    def _keys(self, trust: Path | None) -> list[str]:
        """The public keys that this device accepts bundles of."""
        files = sorted((self.root / CONFIGURATION / "keys.d").glob("*.pub"))
        if trust is not None:
            files.append(trust)
        if not files:
            raise RefusedError(
                "this device knows no key that may sign bundles: name the public one with --trust FILE.pub"
            )
        return signature.public_keys(files)

    def _signature_of(self, bundle: Bundle) -> bytes:
        if bundle.signature is None:
            raise RefusedError(f"{bundle.path.name}: not signed; make the bundle with a key (--key, make-signing-key)")
        return bundle.signature

    def _keep_key(self, trust: Path | None) -> None:
        if trust is not None:
            folder = self.root / CONFIGURATION / "keys.d"
            folder.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(trust, folder / f"{trust.name.removesuffix('.pub')}.pub")

    def _unpack(self, bundle: Bundle, old: Release | None) -> Release:
        """A complete release in its place, which has passed its self-test."""
        manifest = bundle.manifest
        with self.releases.incoming() as folder:
            self._report(f"Unpacking {manifest.kind} {manifest.name}")
            bundle.unpack(folder)
            name, manifest_file = manifest.name, MANIFEST
            if manifest.kind == MODELS:
                if old is None:
                    raise RefusedError("models alone need a release to go with: install a whole bundle first")
                copy_without_models(old, folder)
                name, manifest_file = _name_with_models(old.manifest(), manifest), MODELS_MANIFEST
            (folder / manifest_file).write_bytes(bundle.signed)
            if bundle.signature is not None:
                (folder / SIGNATURE.replace(MANIFEST, manifest_file)).write_bytes(bundle.signature)
            self._try(folder)
            return self.releases.add(folder, name)

    def _try(self, folder: Path) -> None:
        """Let a release prove itself on this machine before it is one."""
        if self._is_image and Machine.of_image(self.root) != Machine.here():
            self._report("The image is for another machine: its self-test is left to the first boot")
            return
        home = Path("/") / self.releases.home.relative_to(self.root) / "current"
        compiling = [sys.executable, "-I", "-m", "compileall", "-q", "-j", "0", "-s", str(folder), "-p", str(home)]
        subprocess.run([*compiling, str(folder)], check=False, stdout=subprocess.DEVNULL)
        program = folder / "bin/edge-anpr"
        self._report("Testing it on this machine")
        # As nobody: the service's user has to be able to read it all, too.
        _run_or_refuse([program, "self-test"], "the self-test fails on this machine", as_nobody=not self._is_image)
        if self.configuration.exists() and not self._is_image:
            _run_or_refuse(
                [program, "check-config", self.configuration],
                "its program does not take this device's configuration; mend that first, it was written for another",
            )

    def _switch(self, release: Release, old: Release | None, watch_seconds: float) -> int:
        """Make a release current, and keep it if the service is well in it."""
        is_to_run = self._is_to_run()
        was_well = Health.now().well if is_to_run and old is not None else ()
        trial = Trial(release.name, old.name if old is not None else None, was_well, watch_seconds)
        self.releases.begin_trial(trial)
        self._finish_files(release)
        self._report(f"{release.name} is current")
        if not is_to_run:
            self.releases.settle(trial)
            self._start("restart")
            return 0
        self._start("restart")
        return self._judge(trial)

    def _judge(self, trial: Trial) -> int:
        """Watch, then settle or undo."""
        self._report(f"Watching the service for {trial.seconds:.0f} s")
        found = watch(trial.new, trial.was_well, trial.seconds)
        if found is None:
            self.releases.settle(trial)
            self._report(f"{trial.new} runs and is well")
            return 0
        if trial.old is None:
            self.releases.settle(trial)
            self._report(f"{trial.new} is not well: {found}; it stays, for there is none to go back to")
            return 1
        back = self.releases.undo(trial)
        self._finish_files(back)
        self._start("restart")
        self._report(f"{trial.new} is not well: {found}; {trial.old} is current again")
        return 1

    def _is_to_run(self) -> bool:
        return not self._is_image and systemctl.runs_here() and self.configuration.exists()

    def _finish_files(self, release: Release | None) -> None:
        """What lies outside the release: its units, the command, and the commented configuration."""
        if release is None:
            return
        for unit in (systemctl.SERVICE, systemctl.WATCH):
            path = self.root / systemctl.UNITS / unit
            if not path.exists():  # later it is the operator's to enable and to disable
                _link(path.parent / "multi-user.target.wants" / unit, Path("/") / systemctl.UNITS / unit)
            _copy(release.folder / "systemd" / unit, path)
        _copy(release.folder / "systemd" / systemctl.RESCUE, self.root / systemctl.UNITS / systemctl.RESCUE)
        home = Path("/") / self.releases.home.relative_to(self.root)
        _link(self.root / COMMAND, home / "current/bin/edge-anpr")
        _copy(release.folder / "config/default.toml", self.root / CONFIGURATION / "config.default.toml")

    def _start(self, verb: str) -> bool:
        """Start or restart the service; whether it is to run at all."""
        if self._is_image or not systemctl.runs_here():
            return False
        systemctl.call("daemon-reload")
        if not self.configuration.exists():
            self._report(
                f"The service waits for {self.configuration}: copy config.default.toml there, set camera and broker,"
                " then: systemctl start edge-anpr"
            )
            return False
        systemctl.call("reset-failed", systemctl.SERVICE)
        systemctl.call(verb, "--no-block", systemctl.SERVICE)
        return True


def _check_newer(manifest: Manifest, old: Release) -> None:
    running = old.models_manifest() if manifest.kind == MODELS else old.manifest()
    if manifest.age < running.age:
        raise RefusedError(
            f"the bundle ({manifest.version} of {manifest.made_at}) is older than what is installed"
            f" ({running.version} of {running.made_at}): --allow-older takes it all the same"
        )


def _holds(release: Release, manifest: Manifest) -> bool:
    """Whether a release is exactly what the bundle would make."""
    installed = release.models_manifest() if manifest.kind == MODELS else release.manifest()
    same_models = manifest.kind == MODELS or release.models_manifest() == release.manifest()
    return installed.sha256 == manifest.sha256 and same_models and not release.altered()


def _name_with_models(code: Manifest, models: Manifest) -> str:
    return replace(code, sha256=hashlib.sha256(f"{code.sha256} {models.sha256}".encode()).hexdigest()).name


def _run_or_refuse(command: Sequence[str | Path], why: str, as_nobody: bool = False) -> None:
    """Run a program of the new release."""
    user = "nobody" if as_nobody else None
    tried = subprocess.run(command, capture_output=True, text=True, check=False, user=user, cwd="/")
    if tried.returncode != 0:
        words = (tried.stderr.strip() or tried.stdout.strip() or f"exit code {tried.returncode}").splitlines()[-1]
        raise RefusedError(f"the new release is not taken: {why}: {words}")


def _copy(source: Path, path: Path) -> None:
    """A whole file, or the one that was there."""
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_name(f".{path.name}.new")
    shutil.copyfile(source, new)
    new.chmod(0o644)
    new.replace(path)


def _link(path: Path, target: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.is_symlink() and path.readlink() == target:
        return
    new = path.with_name(f".{path.name}.new")
    new.unlink(missing_ok=True)
    new.symlink_to(target)
    new.replace(path)


def _is_overlay_in_memory(mounts: str) -> bool:
    """Whether `/` is an overlay whose upper part is on a tmpfs, as overlayroot and raspi-config make it."""
    fields = [line.split() for line in mounts.splitlines()]
    in_memory = [place for _, place, kind, *_ in fields if kind == "tmpfs"]
    root_options = [options for _, place, kind, options, *_ in fields if (place, kind) == ("/", "overlay")]
    uppers = [option[9:] for each in root_options for option in each.split(",") if option.startswith("upperdir=")]
    return any(upper.startswith(f"{place}/") for upper in uppers for place in in_memory if place != "/")
