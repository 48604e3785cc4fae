"""Hosts behind an ssh that runs its command here, in a home folder of the test's."""

import io
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from converters.deploy.fleet import DONE, FAILED, NOT_BEGUN, Table, work_on
from converters.deploy.host import CACHE, DeployError, Host


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the commands for the host run."""
    home = tmp_path / "home"
    home.mkdir()
    ssh = tmp_path / "ssh"
    ssh.write_text(f'#!/bin/sh\nwhile [ "$1" = -o ]; do shift 2; done\ncd {home} && HOME={home} exec sh -c "$2"\n')
    ssh.chmod(0o755)
    monkeypatch.setenv("EDGE_ANPR_SSH", str(ssh))
    return home


def test_a_copy_that_was_cut_off_goes_on_where_it_was(home: Path, tmp_path: Path) -> None:
    bundle = tmp_path / "bundle.tar"
    bundle.write_bytes(bytes(range(256)) * 4000)
    there = home / CACHE / "bundle.tar"
    there.parent.mkdir(parents=True)
    there.write_bytes(bundle.read_bytes()[:600_000])
    sent: list[int] = []

    Host("gate").copy(bundle, lambda done, _: sent.append(done))

    assert there.read_bytes() == bundle.read_bytes()
    assert min(sent) > 600_000
    sent.clear()
    Host("gate").copy(bundle, lambda done, _: sent.append(done))
    assert sent == [], "what is there already is not sent again"


def test_a_copy_whose_beginning_is_another_files_is_found_out_and_made_anew(home: Path, tmp_path: Path) -> None:
    bundle = tmp_path / "bundle.tar"
    bundle.write_bytes(b"new" * 1000)
    there = home / CACHE / "bundle.tar"
    there.parent.mkdir(parents=True)
    there.write_bytes(b"old" * 100)

    with pytest.raises(DeployError, match="arrived altered"):
        Host("gate").copy(bundle, lambda *_: None)
    Host("gate").copy(bundle, lambda *_: None)

    assert there.read_bytes() == bundle.read_bytes()


def test_the_last_words_of_a_host_are_its_error(home: Path) -> None:
    assert home.is_dir()
    heard: list[str] = []

    with pytest.raises(DeployError, match=r"^refused: too old$"):
        Host("gate").stream("echo '==> Unpacking'; echo 'edge-anpr: refused: too old' >&2; exit 1", heard.append)
    with pytest.raises(DeployError, match=r"^no such thing$"):
        Host("gate").output("echo no such thing >&2; exit 3")

    assert heard[0] == "Unpacking"


def hosts(*names: str) -> list[Host]:
    return [Host(name) for name in names]


def fails_on(name: str) -> Callable[[Host, Callable[[str], None]], str]:
    def work(host: Host, hear: Callable[[str], None]) -> str:
        hear("works")
        if host.name == name:
            raise DeployError("no disk")
        return "0.1.0"

    return work


def test_the_first_failure_keeps_those_from_beginning_that_have_not() -> None:
    out = io.StringIO()

    ends = work_on(hosts("a", "b", "c"), fails_on("b"), 1, False, Table(["a", "b", "c"], out))

    assert ends == {"a": DONE, "b": FAILED, "c": NOT_BEGUN}
    assert "b  failed: no disk\n" in out.getvalue()
    assert "c  not begun: another failed" in out.getvalue()


def test_the_others_go_on_if_that_is_asked_for() -> None:
    ends = work_on(hosts("a", "b", "c"), fails_on("a"), 1, True, Table(["a", "b", "c"], io.StringIO()))

    assert ends == {"a": FAILED, "b": DONE, "c": DONE}


def test_several_are_worked_on_at_a_time() -> None:
    together = threading.Barrier(3, timeout=30)

    def work(_: Host, __: Callable[[str], None]) -> str:
        together.wait()
        return "0.1.0"

    ends = work_on(hosts("a", "b", "c"), work, 3, False, Table(["a", "b", "c"], io.StringIO()))

    assert set(ends.values()) == {DONE}
