"""The operator's program, run for real."""

import json
import os
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from edge_app.config import HookSettings
from edge_app.errors import ConfigurationError
from edge_app.events.lists.hook import STALE_SECONDS, Hook
from edge_app.events.messages import HookStateMessage
from edge_app.records import ListMatch

DOCS = Path(__file__).parents[3] / "docs"


def program(folder: Path, body: str) -> Path:
    """A shell script."""
    path = folder / "open gate; $HOME"  # a name that a shell would take apart
    path.write_text(f"#!/bin/sh\ncd '{folder}'\n{body}\n")
    path.chmod(0o755)
    return path


@contextmanager
def running(hook: Hook, stop: threading.Event) -> Iterator[None]:
    """Its thread."""
    thread = threading.Thread(target=hook.run)
    with ExitStack() as at_the_end:
        at_the_end.callback(thread.join, 10)
        at_the_end.callback(stop.set)
        thread.start()
        yield
    assert not thread.is_alive()


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_it_gets_the_event_on_its_standard_input_and_nothing_else(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    stop = threading.Event()
    hook = Hook(HookSettings(program(tmp_path, "cat > got; echo $# > count; cat got; cat got >&2")), stop)

    with running(hook, stop):
        hook.ask("event-1", b'{"plate":"MH12AB1234"}')
        until(lambda: hook.state().done == 1)

    assert (tmp_path / "got").read_bytes() == b'{"plate":"MH12AB1234"}'
    assert (tmp_path / "count").read_text() == "0\n"
    assert "MH12AB1234" not in caplog.text + "".join(capfd.readouterr())


def test_a_program_that_takes_too_long_is_killed_with_what_it_has_started(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    stop = threading.Event()
    settings = HookSettings(program(tmp_path, "sleep 60 & echo $! > child; wait"), timeout_seconds=0.5)
    hook = Hook(settings, stop)

    with running(hook, stop):
        hook.ask("event-1", b"{}")
        until(lambda: hook.state().failed == 1)

    child = int((tmp_path / "child").read_text())
    until(lambda: is_gone(child))
    assert "the hook failed for event event-1" in caplog.text
    assert "took longer than 0.5 s and was killed" in caplog.text


def test_a_run_that_goes_on_when_the_service_stops_is_killed_soon(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    stop = threading.Event()
    hook = Hook(HookSettings(program(tmp_path, "sleep 60 & echo $! > child; wait"), timeout_seconds=60), stop)

    with running(hook, stop):
        hook.ask("event-1", b"{}")
        until(lambda: (tmp_path / "child").exists() and (tmp_path / "child").read_text().endswith("\n"))

    until(lambda: is_gone(int((tmp_path / "child").read_text())))
    assert "was still running when the service stopped and was killed" in caplog.text
    assert hook.state().failed == 1


def is_gone(process_id: int) -> bool:
    try:
        state = Path(f"/proc/{process_id}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return True
    return state == "Z"


@pytest.mark.parametrize(("body", "fault"), [("exit 3", "ended with code 3"), ("kill -9 $$", "ended with code -9")])
def test_a_failure_is_logged_and_the_next_event_runs_it_again(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, body: str, fault: str
) -> None:
    stop = threading.Event()
    hook = Hook(HookSettings(program(tmp_path, body)), stop)

    with running(hook, stop):
        hook.ask("event-1", b"{}" * 100_000)  # more than a pipe takes from a program that does not listen
        hook.ask("event-2", b"{}")
        until(lambda: hook.state().failed == 2)

    assert caplog.text.count(fault) == 2


def test_a_program_that_is_no_program_is_a_failure_like_others(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    stop = threading.Event()
    path = program(tmp_path, "true")
    hook = Hook(HookSettings(path), stop)
    path.write_bytes(b"\x7fELF")

    with running(hook, stop):
        hook.ask("event-1", b"{}")
        until(lambda: hook.state().failed == 1)

    assert "could not be started (Exec format error)" in caplog.text


def test_asking_never_waits_and_what_does_not_fit_is_logged(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    hook = Hook(HookSettings(program(tmp_path, "true")), threading.Event())

    for number in range(10):
        hook.ask(f"event-{number}", b"{}")

    assert hook.state() == HookStateMessage(done=0, failed=0, skipped=2)
    assert "the hook is not run for event event-9: 8 wait already" in caplog.text


def test_an_event_that_has_waited_opens_no_gate(tmp_path: Path) -> None:
    now, stop = 0.0, threading.Event()
    hook = Hook(HookSettings(program(tmp_path, "touch opened")), stop, clock=lambda: now)
    hook.ask("event-1", b"{}")
    now = STALE_SECONDS + 1

    with running(hook, stop):
        until(lambda: hook.state().skipped == 1)

    assert not (tmp_path / "opened").exists()


def test_it_is_run_for_the_kinds_that_were_set(tmp_path: Path) -> None:
    hook = Hook(HookSettings(program(tmp_path, "true"), kinds=("allow", "watch")), threading.Event())

    assert hook.wants([ListMatch("stolen", "deny", "MH12AB1234", 0.0), ListMatch("guests", "watch", "MH12AB1234", 0.0)])
    assert not hook.wants([ListMatch("stolen", "deny", "MH12AB1234", 0.0)])
    assert not hook.wants([])


def test_a_program_that_is_not_there_or_may_not_be_run_is_wrong_configuration(tmp_path: Path) -> None:
    plain = tmp_path / "plain"
    plain.write_text("#!/bin/sh\n")

    for path in (tmp_path / "absent", plain, tmp_path):
        with pytest.raises(ConfigurationError, match=r"program: .* cannot be run; put a program there, `chmod \+x`"):
            Hook(HookSettings(path), threading.Event())


def test_what_waits_when_the_service_stops_is_logged_and_counted(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    stop = threading.Event()
    hook = Hook(HookSettings(program(tmp_path, "touch started; sleep 0.5")), stop)

    with running(hook, stop):
        for number in range(3):
            hook.ask(f"event-{number}", b"{}")
        until((tmp_path / "started").exists)
        was_idle = hook.is_idle
    hook.end()

    assert hook.state() == HookStateMessage(done=1, failed=0, skipped=2)
    assert (was_idle, hook.is_idle) == (False, True)
    for number in (1, 2):
        assert f"the hook is not run for event event-{number}: the service stops" in caplog.text


@pytest.mark.skipif(shutil.which("jq") is None, reason="the program in the documentation needs jq")
def test_the_program_in_the_documentation_opens_for_sure_reads_and_ends_well_for_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    relay = tmp_path / "gpioset"
    relay.write_text(f"#!/bin/sh\necho $* >> '{tmp_path}/opened'\n")
    relay.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    path = tmp_path / "open-gate"
    path.write_text((DOCS / "lists.md").read_text().split("```sh\n")[1].split("```")[0])
    path.chmod(0o755)
    stop = threading.Event()
    hook = Hook(HookSettings(path), stop)

    with running(hook, stop):
        for confidence in (0.5, 0.9):
            hook.ask("event", json.dumps({"plate": {"confidence": confidence}}).encode())
        until(lambda: hook.is_idle)

    assert hook.state() == HookStateMessage(done=2, failed=0, skipped=0)
    assert (tmp_path / "opened").read_text() == "--mode=time --sec=1 gpiochip0 17=1\n"
