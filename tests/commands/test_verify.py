"""`edge-anpr make-key`, a device that signs, `listen --output`, and `edge-anpr verify`."""

import json
from contextlib import closing
from pathlib import Path

import pytest

from edge_app.__main__ import main
from edge_app.config import EvidenceSettings
from edge_app.events.evidence import keys
from edge_app.events.evidence.seal import Sealer
from tests.commands.test_listen import listening
from tests.mosquitto import Mosquitto
from tests.uplink.test_publisher import Running


@pytest.fixture
def journal(tmp_path: Path, broker: Mosquitto, capsys: pytest.CaptureFixture[str]) -> Path:
    """Five signed reads, as `listen` writes them."""
    assert main(["make-key", str(tmp_path / "gate-01.key")]) == 0
    assert "gate-01.key.pub" in capsys.readouterr().out
    sealer = Sealer(keys.load(EvidenceSettings(enabled=True, key_file=tmp_path / "gate-01.key")))
    running = Running(tmp_path / "outbox.sqlite", broker.settings, sealer=sealer)
    with closing(running), listening(broker, "--output", tmp_path / "reads.jsonl", "--count", 5) as process:
        running.start()
        running.put(5)
        process.communicate(timeout=60)
    return tmp_path / "reads.jsonl"


def verify(journal: Path, *more: str) -> int:
    return main(["verify", str(journal), "--key", str(journal.parent / "gate-01.key.pub"), *more])


def test_what_listen_writes_is_found_good_and_whole(journal: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code = verify(journal)

    assert capsys.readouterr().out.splitlines() == [
        "5 good reads, 0 bad, 0 repeats",
        "gate-01: sequence 1 to 5, chain unbroken",
    ]
    assert code == 0


def test_a_changed_read_is_named_with_its_line_and_so_is_the_break_that_it_leaves(
    journal: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    journal.write_text(journal.read_text().replace("MH12AB1234", "DL8CAF5030", 1))

    code = verify(journal)

    printed = capsys.readouterr().out.splitlines()
    assert code == 1
    assert printed[:3] == [
        "4 good reads, 1 bad, 0 repeats",
        "first bad read: line 1: its signature is wrong: something in it was changed after it was signed",
        "gate-01: sequence 2 to 5, chain unbroken",
    ]


def test_a_line_that_was_taken_out_breaks_the_chain(journal: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lines = journal.read_text().splitlines(keepends=True)
    journal.write_text("".join(lines[:2] + lines[3:]))

    code = verify(journal)

    printed = capsys.readouterr().out.splitlines()
    event_id = json.loads(lines[3])["event_id"]
    assert code == 1
    assert printed == [
        "4 good reads, 0 bad, 0 repeats",
        "gate-01: sequence 1 to 5, chain broken 1 times",
        f"gate-01: break at line 3: sequence 4 (event {event_id}): sequence 3 is not here, or not good",
    ]


def test_of_several_devices_one_can_be_asked_for(journal: Path, capsys: pytest.CaptureFixture[str]) -> None:
    others = journal.read_text().replace('"device": "gate-01"', '"device": "gate-02"')
    journal.write_text(journal.read_text() + others)

    code = verify(journal, "--device", "gate-01")

    assert capsys.readouterr().out.splitlines() == [
        "5 good reads, 0 bad, 0 repeats, 5 other messages skipped",
        "gate-01: sequence 1 to 5, chain unbroken",
    ]
    assert code == 0
    assert verify(journal, "--device", "gate-02") == verify(journal, "--device", "gate-03") == 1
    assert "there is no read of gate-03 in it" in capsys.readouterr().err


def test_a_file_without_a_read_proves_nothing_which_is_a_failure_and_no_wrong_usage(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    keys.make(tmp_path / "gate-01.key")
    (tmp_path / "empty.jsonl").touch()

    assert verify(tmp_path / "empty.jsonl") == 1
    assert "empty.jsonl: there is no read in it" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("file", "key", "fault"),
    [
        ("absent.jsonl", "gate-01.key.pub", "absent.jsonl: cannot be read (No such file or directory)"),
        ("empty.jsonl", "gate-01.key", "gate-01.key: this is no public key; give the `.pub` file"),
        ("empty.jsonl", "absent.pub", "absent.pub: the key cannot be read"),
    ],
)
def test_what_cannot_be_used_is_wrong_usage(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], file: str, key: str, fault: str
) -> None:
    keys.make(tmp_path / "gate-01.key")
    (tmp_path / "empty.jsonl").touch()

    code = main(["verify", str(tmp_path / file), "--key", str(tmp_path / key)])

    assert code == 2
    assert fault in capsys.readouterr().err
