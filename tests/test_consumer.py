"""The consumer in docs/events.md does what the page describes."""

import dataclasses
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from edge_app.events.event import encode
from edge_app.uplink.connection import Message
from tests.events.passes import factory, plate_pass
from tests.mosquitto import Mosquitto, Subscriber
from tests.test_docs import ROOT, blocks

TOPIC = "anpr/gate-01/north/read"


def read(sequence: int, text: str, historical: bool = False) -> Message:
    made = factory().make(plate_pass(text)).message
    return Message(TOPIC, encode(dataclasses.replace(made, sequence=sequence, historical=historical)))


@contextmanager
def consuming(broker: Mosquitto, folder: Path) -> Iterator[subprocess.Popen[str]]:
    """The page's program, subscribed."""
    (program,) = blocks(ROOT / "docs" / "events.md", "python")
    (folder / "consumer.py").write_text(program)
    before = broker.log_path.read_text().count("Received SUBSCRIBE from archive")
    process = subprocess.Popen(
        [sys.executable, "-W", "error", "consumer.py", "127.0.0.1", str(broker.port)],
        cwd=folder,
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        try:
            while broker.log_path.read_text().count("Received SUBSCRIBE from archive") == before:
                assert process.poll() is None
            yield process
        finally:
            process.kill()


def printed_by(process: subprocess.Popen[str], lines: int) -> list[str]:
    assert process.stdout is not None
    return [process.stdout.readline().rstrip() for _ in range(lines)]


def test_it_drops_repeats_and_reports_gaps_and_late_reads(broker: Mosquitto, tmp_path: Path) -> None:
    with consuming(broker, tmp_path) as process, closing(Subscriber(broker.port)) as device:
        first, second = read(41, "MH12AB0001"), read(42, "MH12AB0002")

        for message in (first, second, first, second, read(45, "MH12AB0003", historical=True), read(1, "MH12AB0004")):
            device.publish(message)
        device.listen(0.1)

        assert printed_by(process, 6) == [
            "gate-01/north MH12AB0001",
            "gate-01/north MH12AB0002",
            "gate-01: 2 reads are missing",
            "gate-01/north MH12AB0003 (late: open no gate)",
            "gate-01 has begun a new outbox",
            "gate-01/north MH12AB0004",
        ]


def test_an_update_takes_the_place_of_its_read_and_is_no_gap(broker: Mosquitto, tmp_path: Path) -> None:
    with consuming(broker, tmp_path) as process, closing(Subscriber(broker.port)) as device:
        early = factory().make(plate_pass("MH12AB0001")).message
        plate = dataclasses.replace(early.plate, text="MH12AB0007")
        update = dataclasses.replace(early, plate=plate, sequence=3, revision="corrected")
        first = Message(TOPIC, encode(dataclasses.replace(early, sequence=1)))
        second = Message(TOPIC, encode(update))

        for message in (first, read(2, "MH12AB0002"), second, second, first, read(4, "MH12AB0004")):
            device.publish(message)
        device.listen(0.1)

        assert printed_by(process, 4) == [
            "gate-01/north MH12AB0001",
            "gate-01/north MH12AB0002",
            f"gate-01/north MH12AB0007 (update of {early.event_id}: corrected)",
            "gate-01/north MH12AB0004",
        ]


def test_what_came_while_it_was_away_is_waiting(broker: Mosquitto, tmp_path: Path) -> None:
    with consuming(broker, tmp_path):
        pass
    with closing(Subscriber(broker.port)) as device:
        device.publish(read(1, "MH12AB0001"))
        device.until(1, "/read")

    with consuming(broker, tmp_path) as process:
        assert printed_by(process, 1) == ["gate-01/north MH12AB0001"]


def test_it_passes_over_what_it_does_not_know(broker: Mosquitto, tmp_path: Path) -> None:
    with consuming(broker, tmp_path) as process, closing(Subscriber(broker.port)) as device:
        device.publish(Message(TOPIC, b'{"schema": "edge-anpr/read/2"}'))
        device.publish(read(1, "MH12AB0001"))
        device.listen(0.1)

        assert printed_by(process, 1) == ["gate-01/north MH12AB0001"]
