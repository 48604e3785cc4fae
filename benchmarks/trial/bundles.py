"""Bundles to deploy: good ones, broken ones, altered ones. What takes long is made once and kept for the commit."""

import json
import os
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from converters.bundle import signing
from converters.bundle.archive import write_outer
from converters.bundle.making import INSTALL_SCRIPT, INSTALLER, SBOM, Target, make_models, pack
from converters.bundle.sources import DEVICE, Sources
from edge_app.service.release.bundle import PAYLOAD, SIGNATURE, Bundle
from edge_app.service.release.manifest import MANIFEST, MODELS, RELEASE
from training.repository import REPOSITORY

BROKEN_RUN = "\n\nraise RuntimeError('broken on purpose')\n"
"""At the end of edge_app/commands/run.py: the self-test passes, and the service ends as soon as it starts."""
_QUICKLY = 1
"""Compressed no more than is quick: these bundles go nowhere."""
_CARRIED = (INSTALL_SCRIPT, INSTALLER, SBOM)


@dataclass(frozen=True, slots=True)
class Bundler:
    """Makes them in a folder, signed with a key of the trial's."""

    folder: Path
    key: Path

    @classmethod
    def begin(cls, folder: Path) -> "Bundler":
        """The folder and key of the bundles; they go as soon as a commit has changed what they are made of, or how."""
        command = ["git", "log", "-1", "--format=%H", "--", *DEVICE, "converters/bundle"]
        commit = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=True).stdout.strip()
        note = folder / "commit"
        if not note.exists() or note.read_text(encoding="utf-8") != commit:
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(parents=True)
            signing.make_key(folder / "key")
            signing.make_key(folder / "stranger")
            note.write_text(commit, encoding="utf-8")
        return cls(folder, folder / "key")

    def made(self, target: Target, name: str = "release") -> Path:
        """A bundle of the last commit, by the repository's own command in a checkout."""
        out = self.folder / f"{name}-{target}"
        return self._once(out, lambda: self._make(self._checkout(f"checkout-{name}-{target}"), target, out))

    def second(self, target: Target) -> Path:
        """Another release, newer by a day."""
        out = self.folder / f"second-{target}"
        return self._once(out, lambda: self._changed(target, {"README.md": "\nSecond.\n"}, "2997-01-02", out))

    def broken(self, target: Target) -> Path:
        """A newer one that ends as soon as it runs."""
        out = self.folder / f"broken-{target}"
        change = {"site/edge_app/commands/run.py": BROKEN_RUN}
        return self._once(out, lambda: self._changed(target, change, "2997-01-03", out))

    def models(self) -> Path:
        """The models alone, newer than any release."""
        out = self.folder / "models"
        return self._once(out, lambda: make_models(self._newer(), out, self.key))

    def bad_models(self) -> Path:
        """Signed models that misread: the reader's alphabet is turned by one."""
        out = self.folder / "bad-models"
        return self._once(out, lambda: self._misreading(out))

    def refusals(self, python: str) -> dict[str, Path]:
        """What no device with this Python may take, by what is wrong with it."""
        good = self.models()
        members = _members(good)
        manifest, payload = members[MANIFEST], members[PAYLOAD]
        middle = len(payload) // 2
        alike = {SIGNATURE: members[SIGNATURE]}  # as somebody would who has no key: all else fits
        stranger = {SIGNATURE: signing.sign(manifest, self.folder / "stranger")}
        return {
            "an altered payload": self._with(good, "payload", {PAYLOAD: _flipped(payload, middle)}),
            "an altered manifest": self._with(good, "manifest", {MANIFEST: manifest.replace(b'"0.1.0"', b'"9.1.0"')}),
            "payload and manifest altered alike": self._with(self.bad_models(), "alike", alike),
            "an altered signature": self._with(good, "signature", {SIGNATURE: _flipped(members[SIGNATURE], 150)}),
            "no signature": self._with(good, "unsigned", {SIGNATURE: None}),
            "another key's signature": self._with(good, "stranger", stranger),
            "an older version": self._tiny(Target("x86_64", python), "2020-01-01T00:00:00Z"),
            "another architecture": self._tiny(Target("aarch64", python), "2999-01-01T00:00:00Z"),
            "another Python": self._tiny(Target("x86_64", "3.9"), "2999-01-01T00:00:00Z"),
            "a file cut off": self._cut(good),
        }

    def _once(self, out: Path, make: Callable[[], Path]) -> Path:
        """What was made before in this folder, or is now."""
        made = sorted(out.glob("*.tar"))
        return made[0] if made else make()

    def _checkout(self, name: str) -> Path:
        """A copy of the repository's last commit."""
        copy = self.folder / name
        shutil.rmtree(copy, ignore_errors=True)
        subprocess.run(["git", "clone", "--quiet", "--shared", str(REPOSITORY), str(copy)], check=True)
        return copy

    def _make(self, checkout: Path, target: Target, out: Path) -> Path:
        command = [sys.executable, "-m", "converters.bundle", "--arch", target.architecture, "--python", target.python]
        command += ["--key", str(self.key), "--out", str(out)]
        environment = {**os.environ, "PYTHONPATH": str(checkout)}
        made = subprocess.run(command, cwd=checkout, env=environment, capture_output=True, text=True, check=False)
        if made.returncode != 0:
            raise RuntimeError(made.stderr.strip())
        return Path(made.stdout.strip())

    def _changed(self, target: Target, added: Mapping[str, str], day: str, out: Path) -> Path:
        """The release with something added to its files, as another day's."""
        first = self.made(target)
        content = self.folder / "changed"
        shutil.rmtree(content, ignore_errors=True)
        Bundle.open(first).unpack(content / "release")
        for name, words in added.items():
            with (content / "release" / name).open("a", encoding="utf-8") as file:
                file.write(words)
        members = _members(first)
        carried = {name: members[name] for name in _CARRIED}
        sources = replace(Sources.of(REPOSITORY), made_at=f"{day}T00:00:00Z")
        made = pack(sources, content / "release", RELEASE, target, carried, out, self.key, _QUICKLY)
        shutil.rmtree(content)
        return made

    def _misreading(self, out: Path) -> Path:
        content = self.folder / "misreading"
        shutil.rmtree(content, ignore_errors=True)
        Bundle.open(self.models()).unpack(content / "release")
        manifest = content / "release/models/plate_reader.json"
        facts = json.loads(manifest.read_text(encoding="utf-8"))
        facts["alphabet"] = facts["alphabet"][1:] + facts["alphabet"][0]
        manifest.write_text(json.dumps(facts), encoding="utf-8")
        return pack(self._newer(), content / "release", MODELS, None, {}, out, self.key, _QUICKLY)

    def _newer(self) -> Sources:
        return replace(Sources.of(REPOSITORY), made_at="2998-01-01T00:00:00Z")

    def _tiny(self, target: Target, made_at: str) -> Path:
        content = self.folder / "tiny" / str(target)
        content.mkdir(parents=True, exist_ok=True)
        (content / "python-version").write_text(target.python, encoding="utf-8")
        sources = replace(Sources.of(REPOSITORY), made_at=made_at)
        return pack(sources, content, RELEASE, target, {}, self.folder / f"tiny-{target}-{made_at[:4]}", self.key)

    def _with(self, bundle: Path, name: str, changes: Mapping[str, bytes | None]) -> Path:
        members = {**_members(bundle), **changes}
        out = self.folder / f"refused-{name}.tar"
        write_outer([(each, content) for each, content in members.items() if content is not None], out)
        return out

    def _cut(self, bundle: Path) -> Path:
        out = self.folder / "refused-cut.tar"
        out.write_bytes(bundle.read_bytes()[:-600_000])
        return out


def _members(bundle: Path) -> dict[str, bytes]:
    with tarfile.open(bundle) as archive:
        files = {name: archive.extractfile(name) for name in archive.getnames()}
        return {name: file.read() for name, file in files.items() if file is not None}


def _flipped(content: bytes, place: int) -> bytes:
    return content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :]
