"""`edge-anpr listen`, as a process beside a real mosquitto."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from edge_app.commands.listen import as_json, as_line
from edge_app.uplink.connection import Message
from tests.mosquitto import Mosquitto
from tests.uplink.passes import event
from tests.uplink.test_publisher import Running

TOPIC = "anpr/gate-01/north/read"


def command(*arguments: object) -> list[str]:
    return [sys.executable, "-m", "edge_app", "listen", *map(str, arguments)]


@contextmanager
def listening(broker: Mosquitto, *arguments: object) -> Iterator[subprocess.Popen[str]]:
    """The command, subscribed."""
    process = subprocess.Popen(
        command("--host", "127.0.0.1", "--port", broker.port, *arguments), stdout=subprocess.PIPE, text=True
    )
    with process:
        while "Received SUBSCRIBE" not in broker.log_path.read_text():
            assert process.poll() is None
        yield process
        process.terminate()


def test_a_read_is_printed_when_it_arrives(tmp_path: Path, broker: Mosquitto) -> None:
    running = Running(tmp_path / "outbox.sqlite3", broker.settings)
    with listening(broker) as process:
        running.start()
        running.put()

        assert process.stdout is not None
        line = process.stdout.readline()

    assert "gate-01/north  MH12AB1234" in line
    assert "IN standard, seen in 14 frames" in line
    running.close()


def test_json_prints_what_was_sent(tmp_path: Path, broker: Mosquitto) -> None:
    running = Running(tmp_path / "outbox.sqlite3", broker.settings)
    with listening(broker, "--json") as process:
        running.start()
        (event_id,) = running.put()

        assert process.stdout is not None
        document = json.loads(process.stdout.readline())

    assert document["event_id"] == event_id
    running.close()


def test_no_broker_is_an_error_and_not_a_wait() -> None:
    done = subprocess.run(command("--host", "127.0.0.1", "--port", 1), capture_output=True, text=True, check=False)

    assert done.returncode == 1
    assert "127.0.0.1:1 cannot be reached" in done.stderr


def test_what_is_no_read_is_shown_by_its_topic() -> None:
    assert as_line(Message("anpr/gate-01/status", b"online")) == "anpr/gate-01/status  online"
    assert as_line(Message("anpr/gate-01/north/image/1", b"\xff\xd8\xff")) == "anpr/gate-01/north/image/1  3 bytes"
    assert as_json(Message("anpr/gate-01/status", b"online")) is None


def test_a_late_read_says_so() -> None:
    late = json.loads(event().payload()) | {"historical": True}

    assert as_line(Message(TOPIC, json.dumps(late).encode())).endswith("late")
