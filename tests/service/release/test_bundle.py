"""A bundle is believed only as far as its signature goes."""

import dataclasses
import tarfile
from pathlib import Path

import pytest

from converters.bundle.archive import write_outer
from converters.bundle.signing import sign
from edge_app.errors import RefusedError
from edge_app.service.release.bundle import PAYLOAD, SIGNATURE, SUMS, Bundle
from edge_app.service.release.installation import Installation, Wishes
from edge_app.service.release.manifest import MANIFEST, Manifest, PackedFile
from tests.service.release import packed


def members_of(bundle: Path) -> dict[str, bytes]:
    with tarfile.open(bundle) as archive:
        files = {name: archive.extractfile(name) for name in archive.getnames()}
        return {name: file.read() for name, file in files.items() if file is not None}


def flipped(content: bytes, place: int) -> bytes:
    return content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :]


def refuse(folder: Path, key: Path, members: dict[str, bytes]) -> str:
    """The installer.s opinion of a bundle with these members."""
    bundle = folder / "altered.tar"
    write_outer(members.items(), bundle)
    installation = Installation(packed.image_in(folder, key), lambda _: None)
    with pytest.raises(RefusedError) as refusal:
        installation.install(bundle, Wishes())
    assert installation.releases.current is None
    assert "\n" not in str(refusal.value)
    return str(refusal.value)


@pytest.mark.parametrize("name", [MANIFEST, SIGNATURE, PAYLOAD])
def test_one_bit_is_enough_to_be_refused(tmp_path: Path, name: str) -> None:
    key = packed.key_in(tmp_path)
    members = members_of(packed.release(tmp_path, key))

    members[name] = flipped(members[name], len(members[name]) // 2)

    assert refuse(tmp_path, key, members)


def test_payload_and_manifest_altered_alike_are_refused_for_the_signature(tmp_path: Path) -> None:
    key = packed.key_in(tmp_path)
    good = members_of(packed.release(tmp_path, key))

    evil = members_of(packed.release(tmp_path, key, verdict="good "))

    assert "the signature is not that of a key" in refuse(tmp_path, key, {**evil, SIGNATURE: good[SIGNATURE]})


def test_a_bundle_without_signature_or_with_a_strangers_is_refused(tmp_path: Path) -> None:
    key, stranger = packed.key_in(tmp_path), packed.key_in(tmp_path, "stranger")
    members = members_of(packed.release(tmp_path, key))
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()

    unsigned = refuse(tmp_path / "a", key, {name: each for name, each in members.items() if name != SIGNATURE})
    strange = refuse(tmp_path / "b", key, {**members, SIGNATURE: sign(members[MANIFEST], stranger)})

    assert "not signed" in unsigned
    assert "the signature is not that of a key" in strange


def test_a_member_that_the_manifest_does_not_list_is_refused(tmp_path: Path) -> None:
    key = packed.key_in(tmp_path)

    words = refuse(tmp_path, key, {**members_of(packed.release(tmp_path, key)), "more": b"1"})

    assert "'more' is not in the manifest" in words


@pytest.mark.parametrize("path", ["../evil", "/etc/passwd", "a/../../b", "", "a//b", "./a"])
def test_a_path_that_leaves_the_release_is_refused_even_if_it_is_signed(path: str) -> None:
    manifest = Manifest("release", "0.1.0", "0", "2026", "x86_64", "3.11", {}, {path: PackedFile("", 0, False)}, {}, "")

    with pytest.raises(RefusedError, match="leaves the release"):
        Manifest.parse(manifest.as_json())


@pytest.mark.parametrize(("path", "target"), [("a", "/etc/passwd"), ("a", ".."), ("a/b", "../../c")])
def test_a_link_that_leaves_the_release_is_refused(path: str, target: str) -> None:
    manifest = Manifest("release", "0.1.0", "0", "2026", "x86_64", "3.11", {}, {}, {path: target}, "")

    with pytest.raises(RefusedError, match="leaves the release"):
        Manifest.parse(manifest.as_json())


def test_a_manifest_is_read_as_it_was_written(tmp_path: Path) -> None:
    bundle = Bundle.open(packed.release(tmp_path, None))

    again = Manifest.parse(bundle.manifest.as_json())

    assert again == bundle.manifest
    assert dataclasses.replace(again, sha256="").as_json() == bundle.signed


def test_newer_is_by_version_and_then_by_time() -> None:
    manifest = Manifest("release", "0.9.0", "0", "2026-01-02T00:00:00Z", "x86_64", "3.11", {}, {}, {}, "")

    assert manifest.age < dataclasses.replace(manifest, version="0.10.0", made_at="2026-01-01T00:00:00Z").age
    assert manifest.age < dataclasses.replace(manifest, made_at="2026-01-02T00:00:01Z").age


@pytest.mark.parametrize("content", [b"", b"no archive" * 100])
def test_what_is_no_bundle_is_called_so(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "file").write_bytes(content)

    with pytest.raises(RefusedError, match="no bundle"):
        Bundle.open(tmp_path / "file")


def test_the_checksums_are_those_of_the_members(tmp_path: Path) -> None:
    members = members_of(packed.release(tmp_path, packed.key_in(tmp_path)))

    listed = [line.split("  ") for line in members[SUMS].decode().splitlines()]

    assert {name for _, name in listed} == set(members) - {SUMS}


def test_the_same_contents_give_the_same_bytes(tmp_path: Path) -> None:
    key = packed.key_in(tmp_path)
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()

    first, second = (packed.release(tmp_path / name, key) for name in "ab")

    assert first.read_bytes() == second.read_bytes()
