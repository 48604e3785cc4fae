"""Releases are put into an image as onto a device; what is refused, cut off or undone leaves the old one running."""

import hashlib
import subprocess
import sys
from pathlib import Path

import pytest

from converters.bundle.making import Target
from edge_app.errors import EdgeAnprError, RefusedError
from edge_app.service.release.installation import Installation, Wishes, _is_overlay_in_memory
from tests.service.release import packed

ROOT = Path(__file__).parents[3]


class Device:
    """An image, and what was reported about it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.key = packed.key_in(folder)
        self.root = packed.image_in(folder, self.key)
        self.words: list[str] = []
        self.installation = Installation(self.root, self.words.append)

    def install(self, bundle: Path, wishes: Wishes = Wishes()) -> None:  # noqa: B008 - a frozen record
        assert self.installation.install(bundle, wishes) == 0

    def current(self) -> str:
        """When what is current was made."""
        release = self.installation.releases.current
        assert release is not None
        assert release.altered() == []
        return release.manifest().made_at[:10]


@pytest.fixture
def device(tmp_path: Path) -> Device:
    return Device(tmp_path)


def test_a_first_installation_leaves_release_units_command_and_the_commented_configuration(device: Device) -> None:
    device.install(packed.release(device.folder, device.key))

    assert device.current() == "2026-01-01"
    assert (device.root / "opt/edge-anpr/current").readlink().parts[0] == "releases"
    assert (device.root / "etc/systemd/system/edge-anpr.service").read_text() == "# 2026-01-01T00:00:00Z\n"
    assert (device.root / "etc/systemd/system/multi-user.target.wants/edge-anpr.service").is_symlink()
    assert (device.root / "usr/local/bin/edge-anpr").readlink() == Path("/opt/edge-anpr/current/bin/edge-anpr")
    assert (device.root / "etc/edge-anpr/config.default.toml").exists()
    assert not (device.root / "etc/edge-anpr/config.toml").exists(), "what is not configured waits"


def test_an_update_keeps_the_configuration_and_a_unit_that_was_disabled(device: Device) -> None:
    device.install(packed.release(device.folder, device.key))
    (device.root / "etc/edge-anpr/config.toml").write_text("mine")
    (device.root / "etc/systemd/system/multi-user.target.wants/edge-anpr.service").unlink()

    device.install(packed.release(device.folder, device.key, "2026-01-02T00:00:00Z"))

    assert device.current() == "2026-01-02"
    assert (device.root / "etc/edge-anpr/config.toml").read_text() == "mine"
    assert (device.root / "etc/systemd/system/edge-anpr.service").read_text() == "# 2026-01-02T00:00:00Z\n"
    assert not (device.root / "etc/systemd/system/multi-user.target.wants/edge-anpr.service").exists()


def test_the_way_back_leads_to_the_release_before_and_no_further(device: Device) -> None:
    for day in ("01", "02", "03"):
        device.install(packed.release(device.folder, device.key, f"2026-01-{day}T00:00:00Z"))

    device.installation.rollback()

    assert device.current() == "2026-01-02"
    assert len([path for path in device.installation.releases.folder.iterdir() if path.name[0] != "."]) == 2
    device.installation.rollback()
    assert device.current() == "2026-01-03"


def test_there_is_no_way_back_from_the_first_release(device: Device) -> None:
    device.install(packed.release(device.folder, device.key))

    with pytest.raises(EdgeAnprError, match="no previous release"):
        device.installation.rollback()


def test_models_alone_make_a_release_that_shares_the_code(device: Device) -> None:
    device.install(packed.release(device.folder, device.key))
    code = device.root / "opt/edge-anpr/current/site/edge_app/made_at.py"
    before = code.stat().st_ino

    device.install(packed.models(device.folder, device.key))

    assert code.stat().st_ino == before
    assert (device.root / "opt/edge-anpr/current/models/new").exists()
    assert device.current() == "2026-01-01"
    device.installation.rollback()
    assert not (device.root / "opt/edge-anpr/current/models/new").exists()


def test_what_is_installed_already_is_left_alone_unless_it_was_damaged(device: Device) -> None:
    bundle = packed.release(device.folder, device.key)
    device.install(bundle)
    first = device.installation.releases.current
    device.install(bundle)
    assert device.installation.releases.current == first
    (device.root / "opt/edge-anpr/current/models/verdict").write_text("evil")

    device.install(bundle)

    assert device.current() == "2026-01-01"
    assert device.installation.releases.current != first


@pytest.mark.parametrize(
    ("made_at", "target", "verdict", "why"),
    [
        ("2026-01-01T00:00:00Z", packed.HERE, "good", "is older than what is installed"),
        ("2026-02-01T00:00:00Z", Target("riscv64", packed.HERE.python), "good", "the bundle is for riscv64"),
        ("2026-02-01T00:00:00Z", Target(packed.HERE.architecture, "3.9"), "good", "the bundle is for Python 3.9"),
        ("2026-02-01T00:00:00Z", packed.HERE, "bad", "the self-test fails on this machine: bad"),
    ],
)
def test_what_does_not_fit_is_refused_in_one_sentence_and_changes_nothing(
    device: Device, made_at: str, target: Target, verdict: str, why: str
) -> None:
    device.install(packed.release(device.folder, device.key, "2026-01-15T00:00:00Z"))

    with pytest.raises(RefusedError, match=why) as refusal:
        device.install(packed.release(device.folder, device.key, made_at, target, verdict))

    assert "\n" not in str(refusal.value)
    assert device.current() == "2026-01-15"
    assert list(device.installation.releases.folder.glob(".*")) == []


def test_an_older_release_is_taken_if_that_is_asked_for(device: Device) -> None:
    device.install(packed.release(device.folder, device.key, "2026-01-15T00:00:00Z"))

    device.install(packed.release(device.folder, device.key), Wishes(allow_older=True))

    assert device.current() == "2026-01-01"


def test_a_device_that_knows_no_key_takes_the_one_that_it_is_ordered_to_trust(device: Device) -> None:
    (device.root / "etc/edge-anpr/keys.d/key.pub").unlink()
    bundle = packed.release(device.folder, device.key)
    with pytest.raises(RefusedError, match="knows no key"):
        device.install(bundle)

    device.install(bundle, Wishes(trust=device.key.with_name("key.pub")))

    device.install(packed.release(device.folder, device.key, "2026-01-02T00:00:00Z"))


def test_bad_models_are_refused_and_models_alone_need_a_release(device: Device) -> None:
    with pytest.raises(RefusedError, match="need a release to go with"):
        device.install(packed.models(device.folder, device.key))
    device.install(packed.release(device.folder, device.key))

    with pytest.raises(RefusedError, match="self-test fails"):
        device.install(packed.models(device.folder, device.key, verdict="bad"))

    assert not (device.root / "opt/edge-anpr/current/models/new").exists()


@pytest.mark.parametrize("purge", [False, True])
def test_uninstalling_leaves_what_is_the_operators_by_default(device: Device, purge: bool) -> None:
    device.install(packed.release(device.folder, device.key))
    (device.root / "etc/edge-anpr/config.toml").write_text("mine")
    drop_in = device.root / "etc/systemd/system/edge-anpr.service.d/override.conf"
    drop_in.parent.mkdir()
    drop_in.write_text("[Service]\n")

    device.installation.uninstall(purge)

    assert (device.root / "etc/edge-anpr/config.toml").exists() is not purge
    left = {path for path in device.root.rglob("*edge-anpr*") if path != device.root / "etc/edge-anpr"}
    assert left == set()


def test_an_installation_cut_off_at_any_moment_leaves_a_whole_release_and_can_be_done_again(device: Device) -> None:
    device.install(packed.release(device.folder, device.key))
    bundle = packed.release(device.folder, device.key, "2026-01-02T00:00:00Z")

    tried = subprocess.run(
        [sys.executable, "-c", _CUT_OFF, str(device.root), str(bundle)],
        env={"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )

    assert tried.returncode == 0, tried.stderr
    moments = [line.split() for line in tried.stdout.splitlines()]
    assert len(moments) > 20
    assert {made_at for _, made_at, _ in moments} == {"2026-01-01", "2026-01-02"}
    assert {again for _, _, again in moments} == {"2026-01-02"}


_CUT_OFF = """
import os, shutil, sys
from pathlib import Path
from edge_app.service.release.installation import Installation, Wishes

MUTATIONS = {"open", "os.rename", "os.symlink", "os.remove", "os.mkdir", "os.rmdir", "os.link", "os.chmod"}
root, bundle = Path(sys.argv[1]), Path(sys.argv[2])
saved = root.with_name("saved")
shutil.copytree(root, saved, symlinks=True)


def current():
    release = Installation(root, print).releases.current
    assert release.altered() == [], release.altered()
    return release.manifest().made_at[:10]


def install(moment):
    pid = os.fork()
    if pid:
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    left = moment

    def cut(event, arguments):
        nonlocal left
        if event in MUTATIONS and not (event == "open" and arguments[1] in ("r", "rb")):
            left -= 1
            if left == 0:
                os._exit(9)

    sys.addaudithook(cut)
    os._exit(Installation(root, lambda _: None).install(bundle, Wishes()))


moment = 1
while install(moment):
    after = current()
    install(0)
    print(moment, after, current())
    shutil.rmtree(root)
    shutil.copytree(saved, root, symlinks=True)
    moment += 3
"""


def test_an_overlay_in_memory_is_distinguished_from_one_on_a_disk() -> None:
    disk = "/dev/sda1 / ext4 rw 0 0\n"
    memory = "tmpfs /media/root-rw tmpfs rw 0 0\noverlay / overlay rw,lowerdir=/a,upperdir=/media/root-rw/overlay 0 0\n"
    kept = "/dev/sda2 /data ext4 rw 0 0\noverlay / overlay rw,lowerdir=/a,upperdir=/data/overlay 0 0\n"

    assert [_is_overlay_in_memory(mounts) for mounts in (disk, memory, kept)] == [False, True, False]


def test_damaged_files_bring_the_previous_release_back_and_what_is_whole_stays(device: Device) -> None:
    for day in ("01", "02"):
        device.install(packed.release(device.folder, device.key, f"2026-01-{day}T00:00:00Z"))
    assert device.installation.rescue() == 0
    assert device.current() == "2026-01-02"

    (device.root / "opt/edge-anpr/current/models/verdict").write_text("goof")

    assert device.installation.rescue() == 0
    assert device.current() == "2026-01-01"
    assert device.installation.releases.previous is None, "nobody goes back to what is damaged"
    assert "models/verdict" in device.words[-1]


def test_damaged_files_stay_if_there_is_nothing_whole_to_go_back_to(device: Device) -> None:
    device.install(packed.release(device.folder, device.key))
    (device.root / "opt/edge-anpr/current/models/verdict").unlink()

    assert device.installation.rescue() == 1
    assert "deploy one" in device.words[-1]


def test_a_model_altered_with_its_manifest_is_no_release_that_anybody_signed(device: Device) -> None:
    device.install(packed.release(device.folder, device.key))
    release = device.installation.releases.current
    assert release is not None
    device.installation.check(release)

    model, manifest = release.folder / "models/verdict", release.folder / "MANIFEST.json"
    before = hashlib.sha256(model.read_bytes()).hexdigest()
    model.write_text("nice")
    manifest.write_text(manifest.read_text().replace(before, hashlib.sha256(b"nice").hexdigest()))

    assert release.altered() == []
    with pytest.raises(RefusedError, match="the signature is not that of a key"):
        device.installation.check(release)
