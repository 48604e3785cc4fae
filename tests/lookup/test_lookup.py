"""Answers beside the cameras: in time, late, never; the cache; and the whole way to the broker."""

import json
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from edge_app import app, daemon
from edge_app.camera_settings import CameraSettings
from edge_app.config import DeviceSettings, LookupSettings, MqttSettings, Settings
from edge_app.demo import CLIP
from edge_app.events.event import as_plain
from edge_app.lookup import lookup as module
from edge_app.lookup.lookup import Lookup, LookupState
from edge_app.lookup.sources import Details, LookupFailedError
from edge_app.outbox.outbox import Outbox
from tests.lookup.test_sources import PLATE, database

SETTINGS = LookupSettings(source="sqlite", fields=("owner",))


class Answers:
    """A source that answers when it may."""

    def __init__(self, found: Details | None = None, failure: Exception | None = None) -> None:
        self.asked = 0
        self.may = threading.Event()
        self._found, self._failure = found, failure

    def find(self, plate: str, ends_at: float) -> Details | None:
        """See `Source`."""
        self.asked += 1
        assert self.may.wait(20)
        if self._failure is not None:
            raise self._failure
        return self._found


def until(done: Callable[[], bool]) -> None:
    ends_at = time.monotonic() + 30
    while not done():
        assert time.monotonic() < ends_at
        time.sleep(0.005)


def settled(source: Answers, settings: LookupSettings = SETTINGS, clock: Callable[[], float] = lambda: 0.0) -> Lookup:
    lookup = Lookup(settings, source, clock)
    source.may.set()
    lookup.ask(PLATE)
    until(lambda: not lookup._asked)
    return lookup


def test_an_answer_that_has_come_is_part_of_the_read() -> None:
    lookup = settled(Answers({"owner": "Asha"}))

    answer = lookup.answer(PLATE, "event-1")

    assert answer is not None
    assert (answer.found, answer.fields[0].value) == (True, "Asha")
    assert lookup.late() == []
    assert lookup.state() == LookupState(found=1, unknown=0, failed=0, late=0)


def test_an_unknown_plate_is_an_answer_too() -> None:
    answer = settled(Answers(None)).answer(PLATE)

    assert answer is not None
    assert (answer.found, answer.fields) == (False, ())


def test_a_late_answer_is_given_with_its_event() -> None:
    source = Answers({"owner": "Asha"})
    lookup = Lookup(SETTINGS, source)

    first, early = lookup.answer(PLATE, "event-1"), lookup.answer(PLATE)
    source.may.set()
    until(lambda: bool(lookup._late))

    ((event_id, answer),) = lookup.late()
    assert (first, early) == (None, None)
    assert (event_id, answer.found) == ("event-1", True)
    assert lookup.is_idle
    assert source.asked == 1


def test_a_late_answer_is_nothing_if_that_is_set() -> None:
    source = Answers({"owner": "Asha"})
    lookup = Lookup(LookupSettings(source="sqlite", fields=("owner",), late="nothing"), source)
    lookup.answer(PLATE, "event-1")

    source.may.set()
    until(lambda: not lookup._asked)

    assert lookup.late() == []


@pytest.mark.parametrize("failure", [LookupFailedError("it is down"), TimeoutError(PLATE), KeyError(PLATE)])
def test_a_failure_costs_nothing_but_the_details_and_is_logged_once(
    failure: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    now = 0.0
    source = Answers(failure=failure)
    lookup = settled(source, clock=lambda: now)

    in_pause = lookup.answer(PLATE, "event-1")
    now = module.PAUSE_SECONDS + 1
    lookup.ask(PLATE)
    until(lambda: not lookup._asked)

    assert in_pause is None
    assert lookup.late() == []
    assert source.asked == 2
    assert lookup.state().failed == 2
    assert caplog.text.count("reads go on") == 1
    assert PLATE not in caplog.text


def test_an_answer_is_kept_for_a_while() -> None:
    now = 0.0
    source = Answers({"owner": "Asha"})
    lookup = settled(source, LookupSettings(source="csv", cache_minutes=1), lambda: now)

    now = 59.0
    lookup.answer(PLATE)
    before = source.asked
    now = 61.0
    lookup.answer(PLATE)
    until(lambda: source.asked == 2)

    assert before == 1


def test_questions_without_end_are_bounded() -> None:
    lookup = Lookup(SETTINGS, source := Answers())

    for number in range(module.MOST_WAITING + 10):
        lookup.ask(f"XX{number}")

    assert len(lookup._asked) == module.MOST_WAITING
    assert lookup.state().failed == 10
    source.may.set()
    lookup.close()


def test_ten_thousand_plates_are_asked_for_without_keeping_anybody_waiting(tmp_path: Path) -> None:
    settings = database(tmp_path / "v.sqlite", rows=10_001)
    lookup = Lookup(settings, app.open_lookup(Settings(lookup=settings))._source)  # type: ignore[union-attr]

    for number in range(10_000):
        plate = f"XX{number:06}"
        lookup.ask(plate)
        until(lambda: not lookup._asked)
        assert lookup.answer(plate, plate) is not None

    assert lookup.state() == LookupState(found=10_000, unknown=0, failed=0, late=0)


def run_clip(folder: Path, lookup: LookupSettings) -> list[dict[str, Any]]:
    """The events of the demo clip, from the outbox."""
    settings = Settings(
        device=DeviceSettings(state_directory=folder),
        camera=CameraSettings(name="north", source=f"file:{CLIP}"),
        mqtt=MqttSettings(host="127.0.0.1", port=1),
        lookup=lookup,
    )
    app.build_daemon(settings).run()
    outbox = Outbox(folder / app.OUTBOX_FILE)
    try:
        return [as_plain(each.read) for each in outbox.pending(100)]
    finally:
        outbox.close()


def test_the_events_of_a_clip_carry_what_the_source_has(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(daemon, "DRAIN_SECONDS", 5.0)
    path = tmp_path / "v.sqlite"
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE v (plate TEXT PRIMARY KEY, owner TEXT)")
        connection.execute("INSERT INTO v VALUES ('DL3CAY9052', 'Asha')")
    connection.close()
    query = "SELECT owner FROM v WHERE plate = ?"

    events = run_clip(tmp_path, LookupSettings(source="sqlite", file=path, query=query, fields=("owner",)))

    found = {each["plate"]["text"]: each["registration"] for each in events}
    assert found.pop("DL3CAY9052") == {"found": True, "fields": [{"name": "owner", "value": "Asha"}]}
    assert found
    assert all(each == {"found": False, "fields": []} for each in found.values())


def test_the_command_prints_what_the_source_has(tmp_path: Path) -> None:
    (tmp_path / "vehicles.csv").write_text("plate,owner\nMH12AB1234,Asha\n")
    (tmp_path / "config.toml").write_text('[lookup]\nsource = "csv"\nfile = "vehicles.csv"\nfields = ["owner"]\n')

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "edge_app", "lookup", "--config", str(tmp_path / "config.toml"), *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    known, unknown = run("mh 12 ab 1234"), run("DL3CAY9052", "--json")
    (tmp_path / "vehicles.csv").unlink()
    failed = run("MH12AB1234")

    assert known.stdout.startswith("owner: Asha\nknown to ")
    assert json.loads(unknown.stdout)["found"] is False
    assert (known.returncode, unknown.returncode, failed.returncode) == (0, 0, 2)
