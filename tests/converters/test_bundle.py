"""What goes into a bundle, and that the same state of the repository gives the same bundle."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from converters.bundle import archive, sbom
from converters.bundle.making import make_models
from converters.bundle.packages import Package
from converters.bundle.signing import make_key, sign
from converters.bundle.sources import Sources
from edge_app.errors import ModelError, RefusedError, UsageError
from edge_app.service.release.bundle import Bundle
from edge_app.service.release.signature import check, public_keys

ROOT = Path(__file__).parents[2]


def git(folder: Path, *words: str) -> None:
    who = ["-c", "user.name=n", "-c", "user.email=e@localhost", "-c", "init.defaultBranch=main"]
    environment = {**os.environ, "GIT_COMMITTER_DATE": "2026-01-31T10:00:00+01:00"}
    subprocess.run(["git", *who, *words], cwd=folder, env=environment, check=True, capture_output=True)


def test_the_state_of_a_repository_is_its_commit_or_else_now(tmp_path: Path) -> None:
    (tmp_path / "edge_app").mkdir()
    (tmp_path / "edge_app/app.py").touch()
    outside = Sources.of(tmp_path)
    git(tmp_path, "init")
    git(tmp_path, "add", "--all")
    git(tmp_path, "commit", "--message", "First")

    committed = Sources.of(tmp_path)
    (tmp_path / "notes").touch()  # no part of a bundle
    beside = Sources.of(tmp_path)
    (tmp_path / "edge_app/app.py").write_text("changed")
    changed = Sources.of(tmp_path)

    assert outside.commit == "unknown"
    assert committed.made_at == "2026-01-31T09:00:00Z"
    assert committed.files == ("edge_app/app.py",)
    assert beside == committed
    assert changed.commit == f"{committed.commit}+changes"
    assert changed.made_at > committed.made_at


def test_the_bill_of_materials_is_cyclonedx() -> None:
    pytest.importorskip("cyclonedx")
    from cyclonedx.schema import SchemaVersion
    from cyclonedx.validation.json import JsonStrictValidator

    packages = [Package("numpy", "2.4.6", "BSD-3-Clause", True), Package("odd", "1", "A licence", False)]
    packages.append(Package("none", "1", None, False))
    content = sbom.as_json(
        Sources(ROOT, "0" * 40, "2026-01-31T09:00:00Z", ()), packages, {"plate_reader.tflite": "5f" * 32}, "aarch64"
    )

    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(content.decode()) is None
    assert [component["name"] for component in json.loads(content)["components"]] == [
        "numpy",
        "odd",
        "none",
        "plate_reader",
    ]


def test_a_signature_counts_for_its_message_and_key_alone(tmp_path: Path) -> None:
    make_key(tmp_path / "key")
    make_key(tmp_path / "other")
    known = public_keys([tmp_path / "key.pub"])

    signature = sign(b"message", tmp_path / "key")

    check(b"message", signature, known)
    with pytest.raises(RefusedError, match="is not that of a key"):
        check(b"Message", signature, known)
    with pytest.raises(RefusedError, match="is not that of a key"):
        check(b"message", signature, public_keys([tmp_path / "other.pub"]))
    assert sign(b"message", tmp_path / "key") == signature


def test_a_key_is_never_written_over_and_is_its_owners_alone(tmp_path: Path) -> None:
    make_key(tmp_path / "keys/key")

    with pytest.raises(UsageError, match="is there already"):
        make_key(tmp_path / "keys/key")
    assert (tmp_path / "keys/key").stat().st_mode & 0o777 == 0o600


def test_a_file_that_is_no_ed25519_key_is_named(tmp_path: Path) -> None:
    (tmp_path / "rsa.pub").write_text("ssh-rsa AAAA me")

    with pytest.raises(RefusedError, match=r"rsa\.pub: no Ed25519 public key"):
        public_keys([tmp_path / "rsa.pub"])


def test_models_alone_carry_the_outputs_that_they_give(tmp_path: Path) -> None:
    bundle = Bundle.open(make_models(Sources(ROOT, "0" * 40, "2026-01-31T09:00:00Z", ()), tmp_path, None))
    bundle.unpack(tmp_path / "unpacked")

    assert set(bundle.manifest.files) == {
        "models/golden.json",
        "models/plate_aligner.json",
        "models/plate_aligner.tflite",
        "models/plate_detector.json",
        "models/plate_detector.tflite",
        "models/plate_reader.json",
        "models/plate_reader.tflite",
    }
    assert len(json.loads((tmp_path / "unpacked/models/golden.json").read_text())) == 9


def test_models_that_have_not_passed_the_parity_gate_are_not_bundled(tmp_path: Path) -> None:
    (tmp_path / "models").mkdir()
    (tmp_path / "models/plate_reader.tflite").touch()
    (tmp_path / "models/plate_reader.json").write_text('{"scores": {}}')

    with pytest.raises(ModelError, match="pass the parity gate first"):
        make_models(Sources(tmp_path, "0" * 40, "2026-01-31T09:00:00Z", ()), tmp_path, None)


def test_the_installer_needs_nothing_but_python(tmp_path: Path) -> None:
    from converters.bundle.making import _installer

    _installer(Sources.of(ROOT), tmp_path / "installer.pyz")

    helped = subprocess.run(
        [sys.executable, "-I", "-S", tmp_path / "installer.pyz", "release", "--help"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )

    assert helped.returncode == 0, helped.stderr
    assert "rollback" in helped.stdout


def test_what_lies_in_a_folder_is_listed_with_its_links(tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/program").write_text("#!/bin/sh\n")
    (tmp_path / "bin/program").chmod(0o755)
    (tmp_path / "link").symlink_to("bin")

    files, links = archive.contents_of(tmp_path)

    assert (list(files), files["bin/program"].executable, links) == (["bin/program"], True, {"link": "bin"})
