"""`edge-anpr recover`."""

import os
from contextlib import closing
from pathlib import Path

import pytest

from edge_app.__main__ import main
from edge_app.outbox.outbox import Outbox
from tests.events.passes import event


@pytest.fixture
def configuration(tmp_path: Path) -> Path:
    path = tmp_path / "config.toml"
    path.write_text(f'[device]\nstate_directory = "{tmp_path / "state"}"\n')
    return path


def damaged(path: Path) -> Path:
    """An outbox whose end is gone."""
    with closing(Outbox(path)) as outbox:
        outbox.put(*(event() for _ in range(200)))
    os.truncate(path, int(path.stat().st_size * 0.7))
    return path


def test_what_can_be_read_of_a_file_from_another_disk_is_put_into_the_outbox(
    tmp_path: Path, configuration: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = damaged(tmp_path / "other.sqlite")

    codes = [main(["recover", str(other), "--config", str(configuration)]) for _ in range(2)]

    printed = capsys.readouterr().out.splitlines()
    with closing(Outbox(tmp_path / "state" / "outbox.sqlite")) as outbox:
        sequences = [each.sequence for each in outbox.pending(1000)]
    assert codes == [0, 0]
    assert sequences == sorted(set(sequences)), "the second time nothing is added"
    assert len(sequences) > 100
    assert all(line.endswith(f"; {len(sequences)} events wait to be sent") for line in printed)


def test_a_file_that_is_not_there_is_an_error(
    tmp_path: Path, configuration: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code = main(["recover", str(tmp_path / "absent.sqlite"), "--config", str(configuration)])

    assert code == 2
    assert "there is no such file; give one that the service has set aside" in capsys.readouterr().err


def test_while_the_service_runs_it_asks_to_stop_it(
    tmp_path: Path, configuration: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("edge_app.outbox.spilling_queue.BUSY_SECONDS", 0.05)
    other = damaged(tmp_path / "other.sqlite")
    with closing(Outbox(tmp_path / "state" / "outbox.sqlite")) as running:
        running.put(event())

        code = main(["recover", str(other), "--config", str(configuration)])

    assert code == 1
    assert "the outbox is in use; stop the service first: `systemctl stop edge-anpr`" in capsys.readouterr().err
