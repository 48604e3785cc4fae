"""The daemon as a process, with privacy: what it leaves in the journal, at the broker and on the disk."""

import json
from contextlib import closing
from pathlib import Path

import cv2
import pytest

from edge_app.demo import CLIP
from edge_app.evaluation.clips.truth import read_clips
from edge_app.events.hash_keys import HashKey
from edge_app.uplink.connection import Message
from tests.mosquitto import Mosquitto, Subscriber
from tests.test_end_to_end import reads_in, run_daemon

KEY = "5f" * 32
DENIED, WATCHED, IGNORED = "MH12AB1234", "DL3CAY9052", "GJ05RK8146"
VEHICLES = [vehicle for vehicle in read_clips(CLIP.parent)[0].vehicles if vehicle.plate][:6]
"""The seventh comes when they have gone."""
SHOWN = [vehicle.plate or "" for vehicle in VEHICLES]

LISTS = """
[[lists]]
name = "stolen"
kind = "deny"
file = "stolen.csv"
[[lists]]
name = "guests"
kind = "watch"
file = "guests.csv"
[[lists]]
name = "our-own"
kind = "ignore"
file = "our-own.csv"
[hook]
program = "hook"
kinds = ["deny", "watch"]
"""


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The first vehicles of the demo's clip."""
    path = tmp_path_factory.mktemp("clip") / "clip.avi"
    whole = cv2.VideoCapture(str(CLIP))
    first = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 15.0, (1280, 720))
    for _ in range(max(vehicle.last_frame for vehicle in VEHICLES) + 1):
        first.write(whole.read()[1])
    first.release()
    return path


def prepare(folder: Path) -> Path:
    """Write lists and a program that keeps what it gets; where it keeps it."""
    for name, plate in (("stolen", DENIED), ("guests", WATCHED), ("our-own", IGNORED)):
        (folder / f"{name}.csv").write_text(f"plate,note\n{plate},x\n")
    (folder / "key").write_text(KEY)
    (folder / "hooked").mkdir()
    (folder / "hook").write_text(f"#!/bin/sh\ncat | tee '{folder}'/hooked/$$.json\n")
    (folder / "hook").chmod(0o755)
    return folder / "hooked"


def play(folder: Path, broker: Mosquitto, clip: Path, privacy: str) -> tuple[str, list[Message]]:
    """The journal of a whole run, and all that was published."""
    with closing(Subscriber(broker.port)) as subscriber:
        done = run_daemon(folder, broker, f"{LISTS}\n[privacy]\n{privacy}", clip)
        assert done.returncode == 0, done.stderr
        subscriber.until(2, "/status", seconds=20)
        return done.stderr, subscriber.messages


def plates_in(*texts: bytes) -> set[str]:
    """Plates of the clip that can be found."""
    return {plate for plate in SHOWN for text in texts if plate.encode() in text}


def files_in(folder: Path) -> list[bytes]:
    """Names and contents."""
    return [part for path in folder.rglob("*") if path.is_file() for part in (path.name.encode(), path.read_bytes())]


def test_hashed_plates_are_nowhere_in_the_clear(tmp_path: Path, broker: Mosquitto, clip: Path) -> None:
    hooked = prepare(tmp_path)

    journal, messages = play(tmp_path, broker, clip, 'hash = true\nkey_file = "key"\n[log]\nlevel = "debug"\n')

    key = HashKey(KEY.encode())
    assert {read["plate"]["text"] for read in reads_in(messages)} == {
        key.hash(plate) for plate in SHOWN if plate != IGNORED
    }
    assert {json.loads(each.payload)["lists"][0]["entry"] for each in messages if each.topic.endswith("/alert")} == {
        key.hash(DENIED),
        key.hash(WATCHED),
    }
    assert len(files_in(hooked)) == 4
    assert not any("/image/" in message.topic for message in messages)
    everywhere = [part for message in messages for part in (message.topic.encode(), message.payload)]
    everywhere += [journal.encode(), *files_in(tmp_path / "state"), *files_in(hooked), broker.log_path.read_bytes()]
    assert plates_in(*everywhere) == set()


def test_of_plates_on_no_list_and_of_those_to_ignore_nothing_is_kept_and_the_journal_names_none(
    tmp_path: Path, broker: Mosquitto, clip: Path
) -> None:
    hooked = prepare(tmp_path)

    journal, messages = play(tmp_path, broker, clip, "lists_only = true\n")

    assert [read["plate"]["text"] for read in reads_in(messages)] == [DENIED, WATCHED]
    assert plates_in(*(message.payload for message in messages)) == {DENIED, WATCHED}
    assert plates_in(*files_in(hooked)) == {DENIED, WATCHED}
    assert plates_in(*files_in(tmp_path / "state")) <= {DENIED, WATCHED}
    assert plates_in(journal.encode(), *(message.topic.encode() for message in messages)) == set()
    assert sum("/image/" in message.topic for message in messages) == 2
    assert journal.count(" event ") >= 2
