"""Bundles to deploy: good ones, broken ones, altered ones, each made by the repository's own commands."""

import json
import os
import shutil
import subprocess
import sys
import tarfile
from dataclasses import dataclass, replace
from pathlib import Path

from converters.bundle import signing
from converters.bundle.archive import write_outer
from converters.bundle.making import Target, make_models, pack
from converters.bundle.sources import Sources
from edge_app.service.release.bundle import PAYLOAD, SIGNATURE
from edge_app.service.release.manifest import MANIFEST, MODELS, RELEASE
from training.repository import REPOSITORY

BROKEN_RUN = 'raise RuntimeError("broken on purpose")\n'


@dataclass(frozen=True, slots=True)
class Bundler:
    """Makes them in a folder, signed with a key of the trial's."""

    folder: Path
    key: Path

    @classmethod
    def begin(cls, folder: Path) -> "Bundler":
        """A fresh folder and key."""
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        signing.make_key(folder / "key")
        signing.make_key(folder / "stranger")
        return cls(folder, folder / "key")

    def checkout(self, name: str, change: tuple[str, str] | None = None) -> Path:
        """A copy of the repository's last commit; `change`: a file and what is added to it, in a commit of its own."""
        copy = self.folder / name
        subprocess.run(["git", "clone", "--quiet", "--shared", str(REPOSITORY), str(copy)], check=True)
        if change is not None:
            file, words = change
            with (copy / file).open("a", encoding="utf-8") as text:
                text.write(words)
            who = ["-c", "user.name=trial", "-c", "user.email=trial@localhost"]
            subprocess.run(["git", *who, "commit", "--quiet", "--all", "--message", "Trial"], cwd=copy, check=True)
        return copy

    def release(self, checkout: Path, target: Target, out: str) -> Path:
        """A bundle of a checkout, made by the code in it."""
        command = [sys.executable, "-m", "converters.bundle", "--arch", target.architecture, "--python", target.python]
        command += ["--key", str(self.key), "--out", str(self.folder / out)]
        environment = {**os.environ, "PYTHONPATH": str(checkout)}
        made = subprocess.run(command, cwd=checkout, env=environment, capture_output=True, text=True, check=False)
        if made.returncode != 0:
            raise RuntimeError(made.stderr.strip())
        return Path(made.stdout.strip())

    def models(self, out: str = "models") -> Path:
        """The models alone, newer than any release."""
        return make_models(self._newer(), self.folder / out, self.key)

    def bad_models(self, name: str) -> Path:
        """Signed models that misread: the reader's alphabet is turned by one."""
        good = self.folder / f"bad-{name}/models"
        with (
            tarfile.open(self.models(f"for-bad-{name}")) as outer,
            tarfile.open(fileobj=outer.extractfile(PAYLOAD)) as payload,
        ):
            payload.extractall(good.parent, filter="data")
        manifest = good / "plate_reader.json"
        facts = json.loads(manifest.read_text(encoding="utf-8"))
        facts["alphabet"] = facts["alphabet"][1:] + facts["alphabet"][0]
        manifest.write_text(json.dumps(facts), encoding="utf-8")
        return pack(self._newer(), good.parent, MODELS, None, {}, self.folder / f"bad-models-{name}", self.key)

    def refusals(self, name: str, python: str) -> dict[str, Path]:
        """What no device with this Python may take, by what is wrong with it."""
        good = self.models(f"for-refusals-{name}")
        members = _members(good)
        manifest, payload = members[MANIFEST], members[PAYLOAD]
        middle = len(payload) // 2
        return {
            "an altered payload": self._with(good, "payload", {PAYLOAD: _flipped(payload, middle)}),
            "an altered manifest": self._with(good, "manifest", {MANIFEST: manifest.replace(b'"0.1.0"', b'"9.1.0"')}),
            "payload and manifest altered alike": self._altered_alike(name),
            "an altered signature": self._with(good, "signature", {SIGNATURE: _flipped(members[SIGNATURE], 150)}),
            "no signature": self._with(good, "unsigned", {SIGNATURE: None}),
            "another key's signature": self._with(
                good, "stranger", {SIGNATURE: signing.sign(manifest, self.folder / "stranger")}
            ),
            "an older version": self._tiny(RELEASE, Target("x86_64", python), "2020-01-01T00:00:00Z"),
            "another architecture": self._tiny(RELEASE, Target("aarch64", python), "2999-01-01T00:00:00Z"),
            "another Python": self._tiny(RELEASE, Target("x86_64", "3.9"), "2999-01-01T00:00:00Z"),
            "a file cut off": self._cut(good),
        }

    def _newer(self) -> Sources:
        return replace(Sources.of(REPOSITORY), made_at="2998-01-01T00:00:00Z")

    def _altered_alike(self, name: str) -> Path:
        """As somebody would who has no key: everything fits, but for the signature, which is the old one."""
        bad = self.bad_models(f"alike-{name}")
        with tarfile.open(self.models(f"for-alike-{name}")) as outer:
            signature = outer.extractfile(SIGNATURE)
            return self._with(bad, "alike", {SIGNATURE: signature.read() if signature else None})

    def _tiny(self, kind: str, target: Target, made_at: str) -> Path:
        content = self.folder / "tiny" / str(target)
        content.mkdir(parents=True, exist_ok=True)
        (content / "python-version").write_text(target.python, encoding="utf-8")
        sources = replace(Sources.of(REPOSITORY), made_at=made_at)
        return pack(sources, content, kind, target, {}, self.folder / f"tiny-{target}-{made_at[:4]}", self.key)

    def _with(self, bundle: Path, name: str, changes: dict[str, bytes | None]) -> Path:
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
