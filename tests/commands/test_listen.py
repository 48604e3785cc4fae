"""`edge-anpr listen`, as a process beside a real mosquitto."""

import dataclasses
import json
import re
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from itertools import islice, pairwise
from pathlib import Path

import pytest

from edge_app.commands.listen import as_json, as_line
from edge_app.commands.read_filter import ReadFilter
from edge_app.commands.sequence_gaps import SequenceGaps
from edge_app.config import MqttSettings
from edge_app.events.event import encode
from edge_app.events.messages import ReadMessage
from edge_app.records import ListMatch
from edge_app.uplink import credentials
from edge_app.uplink import subscriber as uplink
from edge_app.uplink.connection import MQTT_5, BrokerRefusedError, Connection, Message, Terms
from edge_app.uplink.waker import Waker
from tests.certificates import Authority
from tests.events.passes import event, factory, plate_pass
from tests.mosquitto import Mosquitto, Start, Subscriber, refuse_a_subscription
from tests.uplink.fault_proxy import FaultProxy
from tests.uplink.test_publisher import Running

TOPIC = "anpr/gate-01/north/read"


def command(*arguments: object) -> list[str]:
    return [sys.executable, "-m", "edge_app", "listen", *map(str, arguments)]


@contextmanager
def listening(broker: Mosquitto, *arguments: object) -> Iterator[subprocess.Popen[str]]:
    """The command, subscribed."""
    process = subprocess.Popen(
        command("--host", "127.0.0.1", "--port", broker.port, *arguments),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    with process:
        try:
            until_subscribed(broker, process)
            yield process
        finally:
            process.kill()


def until_subscribed(broker: Mosquitto, process: subprocess.Popen[str], times: int = 1) -> None:
    while broker.log_path.read_text().count("Received SUBSCRIBE from edge-anpr-listen") < times:
        assert process.poll() is None


def has_session(broker: Mosquitto) -> bool:
    """Whether the broker has a session of the command, which has ended."""
    (client_id,) = set(re.findall(r" as (edge-anpr-listen-\w+)", broker.log_path.read_text()))
    nobody, terms = credentials.load(broker.settings), Terms(session_seconds=1)
    again = Connection(broker.settings, nobody, client_id, MQTT_5, Waker(), threading.Event(), terms)
    with closing(again):
        again.log_out()
        return again.has_resumed


@pytest.fixture
def running(tmp_path: Path, broker: Mosquitto) -> Iterator[Running]:
    publishing = Running(tmp_path / "outbox.sqlite3", broker.settings)
    publishing.start()
    yield publishing
    publishing.close()


def test_a_read_is_printed_when_it_arrives(running: Running, broker: Mosquitto) -> None:
    with listening(broker) as process:
        running.put()

        assert process.stdout is not None
        line = process.stdout.readline()

    assert "gate-01/north  MH12AB1234" in line
    assert "IN standard, seen in 14 frames" in line


def test_json_prints_what_was_sent(running: Running, broker: Mosquitto) -> None:
    with listening(broker, "--json") as process:
        (event_id,) = running.put()

        assert process.stdout is not None
        document = json.loads(process.stdout.readline())

    assert document["event_id"] == event_id


def test_the_output_file_grows_by_a_line_each_and_is_never_begun_anew(
    running: Running, broker: Mosquitto, tmp_path: Path
) -> None:
    journal = tmp_path / "reads.jsonl"
    journal.write_text('{"earlier": true}\n')
    with listening(broker, "--output", journal) as process:
        first, second = running.put(2)

        assert process.stdout is not None
        process.stdout.readline()
        process.stdout.readline()
        running.put()
        process.stdout.readline()
        lines = [json.loads(line) for line in journal.read_text().splitlines()[:3]]  # while the command still runs

    assert [line.get("event_id") for line in lines] == [None, first, second]


def test_after_the_count_it_ends(running: Running, broker: Mosquitto) -> None:
    with listening(broker, "--count", 2, "--json") as process:
        ids = running.put(3)

        output, _ = process.communicate(timeout=20)

    assert [json.loads(line)["event_id"] for line in output.splitlines()] == ids[:2]
    assert process.returncode == 0


def test_only_what_is_wished_for_counts(running: Running, broker: Mosquitto) -> None:
    with listening(broker, "--plate", "dl*", "--count", 1) as process:
        running.put()
        running.outbox.put(factory().make(plate_pass("DL3CAB1234")))
        running.publisher.wake()

        output, _ = process.communicate(timeout=20)

    assert "DL3CAB1234" in output
    assert len(output.splitlines()) == 1


def test_device_and_camera_become_part_of_the_subscription(broker: Mosquitto) -> None:
    with listening(broker, "--device", "gate-01", "--camera", "north"):
        pass

    assert TOPIC in broker.log_path.read_text()


def test_it_subscribes_again_when_the_broker_is_back(running: Running, broker: Mosquitto) -> None:
    with listening(broker, "--json", "--count", 1) as process:
        broker.stop()
        broker.start()
        until_subscribed(broker, process, times=2)
        (event_id,) = running.put()

        output, errors = process.communicate(timeout=20)

    assert json.loads(output)["event_id"] == event_id
    assert "the broker is back" in errors


def test_each_reason_of_an_outage_is_reported_once_and_its_end_too(broker: Mosquitto) -> None:
    with listening(broker) as process:
        assert process.stderr is not None
        reported = [process.stderr.readline()]
        broker.stop()
        reported += islice(process.stderr, 2)
        with socket.create_server(("127.0.0.1", broker.port)) as server:
            for _ in range(4):  # two tries, each in both versions of MQTT
                with server.accept()[0] as line:
                    line.recv(1024)
        broker.start()
        for words in islice(process.stderr, 10):
            reported.append(words)
            if "is back" in words:
                break

    where = f"edge-anpr: the broker at 127.0.0.1:{broker.port}"
    assert reported[1].startswith(f"{where} is gone: ")
    assert reported[2].startswith(
        f"{where} cannot be reached: nothing listens at this port (unreachable); check `host`"
    )
    assert sum("hangs up" in line for line in reported) == 1
    assert all(line != next_line for line, next_line in pairwise(reported))
    assert re.fullmatch(r"edge-anpr: the broker is back after \d+ s\n", reported[-1])


def test_it_is_not_deaf_after_the_line_broke_between_the_session_and_its_subscription(
    running: Running, broker: Mosquitto
) -> None:
    with closing(FaultProxy(broker.port)) as proxy, listening(broker, "--port", proxy.port, "--count", 1) as process:
        assert process.stderr is not None
        process.stderr.readline()  # connected
        broker.stop()  # which forgets the session
        proxy.cuts_at = b"anpr/+/+/read"
        broker.start()
        running.waits_until(lambda: proxy.cuts == 1)
        proxy.cuts_at = None
        while "the broker is back" not in process.stderr.readline():
            assert process.poll() is None
        running.put()

        output, _ = process.communicate(timeout=20)

    assert "gate-01/north  MH12AB1234" in output


@pytest.fixture
def hears_ctrl_c() -> Iterator[None]:
    """Programs started from here hear SIGINT even where the tests run in the background, which ignores it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("hears_ctrl_c")
def test_ctrl_c_ends_it_politely(running: Running, broker: Mosquitto) -> None:
    with listening(broker) as process:
        running.put()
        assert process.stdout is not None
        process.stdout.readline()  # now it is surely waiting for messages
        process.send_signal(signal.SIGINT)

        _, errors = process.communicate(timeout=20)

    reported = f"connected to 127.0.0.1:{broker.port} with MQTT 5, waiting for anpr/+/+/read; Ctrl-C ends"
    assert (process.returncode, errors) == (0, f"edge-anpr: {reported}\n")
    assert "Received DISCONNECT from edge-anpr-listen" in broker.log_path.read_text()


def test_no_broker_is_an_error_and_not_a_wait() -> None:
    done = subprocess.run(command("--host", "127.0.0.1", "--port", 1), capture_output=True, text=True, check=False)

    assert done.returncode == 1
    assert "127.0.0.1:1 cannot be reached: nothing listens at this port (unreachable); check `host`" in done.stderr


def with_users(folder: Path, start: Start) -> Mosquitto:
    """A broker that lets in `gate` with the password `right`, to be read from `right.secret`."""
    (folder / "right.secret").write_text("right\n")
    (folder / "wrong.secret").write_text("wrong\n")
    line = ["mosquitto_passwd", "-c", "-b", str(folder / "users"), "gate", "right"]
    subprocess.run(line, check=True, capture_output=True)
    return start("allow_anonymous false", f"password_file {folder / 'users'}")


def test_user_and_password_file_log_in_and_a_wrong_password_is_reported(tmp_path: Path, start: Start) -> None:
    guarded = with_users(tmp_path, start)

    with listening(guarded, "--username", "gate", "--password-file", tmp_path / "right.secret"):
        pass
    wrong = ["--port", guarded.port, "--username", "gate", "--password-file", tmp_path / "wrong.secret"]
    done = subprocess.run(command("--host", "127.0.0.1", *wrong), capture_output=True, text=True, check=False)

    assert done.returncode == 1
    assert "refuses us: Not authorized (login refused); check `username` and `password_file`" in done.stderr


def test_an_authoritys_file_is_enough_to_speak_tls(tmp_path: Path, start: Start) -> None:
    authority = Authority(tmp_path / "tls")
    server = authority.issue("server")
    files = [f"cafile {authority.own.certificate}", f"certfile {server.certificate}", f"keyfile {server.key}"]

    with listening(start("allow_anonymous true", *files), "--ca-file", authority.own.certificate) as process:
        assert process.stderr is not None
        assert "connected to" in process.stderr.readline()


def test_what_is_sent_while_the_broker_is_away_comes_when_it_is_back(tmp_path: Path, start: Start) -> None:
    broker = start("allow_anonymous true", "persistence true", f"persistence_location {tmp_path}/")
    with (
        closing(Running(tmp_path / "outbox.sqlite3", broker.settings)) as running,
        listening(broker, "--json", "--count", 5) as process,
    ):
        running.start()
        broker.stop(signal.SIGTERM)
        ids = running.put(5)
        broker.start()
        running.waits_until(running.is_drained)

        output, errors = process.communicate(timeout=20)

    assert [json.loads(line)["event_id"] for line in output.splitlines()] == ids
    assert "missing" not in errors


def test_no_session_is_left_at_the_broker_when_it_is_terminated(broker: Mosquitto) -> None:
    with listening(broker) as process:
        assert process.stderr is not None
        process.stderr.readline()  # now it is surely waiting for messages
        process.terminate()
        process.communicate(timeout=20)

    assert process.returncode == 0
    assert not has_session(broker)


@pytest.mark.usefixtures("hears_ctrl_c")
@pytest.mark.parametrize("acknowledgement", ["CONNACK", "SUBACK"])
def test_no_session_is_left_at_the_broker_by_ctrl_c_before_it_has_answered(
    broker: Mosquitto, acknowledgement: str
) -> None:
    with closing(FaultProxy(broker.port)) as proxy:
        proxy.acknowledges = False
        if acknowledgement == "CONNACK":
            proxy.withhold.set()
        process = subprocess.Popen(command("--host", "127.0.0.1", "--port", proxy.port))
        while f"Sending {acknowledgement} to edge-anpr-listen" not in broker.log_path.read_text():
            assert process.poll() is None
        process.send_signal(signal.SIGINT)
        process.wait(20)

    assert process.returncode == 0
    assert not has_session(broker)


def test_a_refused_subscription_leaves_no_session_at_the_broker() -> None:
    heard: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as server:
        broker = threading.Thread(target=lambda: heard.append(refuse_a_subscription(server, b"\x87")))
        broker.start()
        settings = MqttSettings(host="127.0.0.1", port=server.getsockname()[1])

        with pytest.raises(BrokerRefusedError):
            uplink.Subscriber(settings, [TOPIC], threading.Event(), session_seconds=60)
        broker.join()

    session_expiry_of_0 = b"\x11\x00\x00\x00\x00"  # MQTT 5, 3.14.2.2.2
    assert heard == [b"\xe0\x07\x00\x05" + session_expiry_of_0]


def test_missing_reads_are_reported(broker: Mosquitto) -> None:
    with listening(broker, "--plate", "DL*", "--count", 1) as process, closing(Subscriber(broker.port)) as device:
        for sequence, text in ((41, "MH12AB1234"), (44, "MH12AB1234"), (45, "DL3CAB1234")):
            device.publish(Message(TOPIC, factory().make(plate_pass(text)).payload(sequence)))
        device.listen(0.1)

        _, errors = process.communicate(timeout=20)

    assert "edge-anpr: gate-01: 2 reads are missing before sequence 44\n" in errors
    assert errors.count("missing") == 1


def test_repeats_and_a_new_outbox_are_no_gap() -> None:
    gaps = SequenceGaps()

    missing = [list(gaps.before(dataclasses.replace(read(), sequence=n))) for n in (7, 8, 9, 8, 9, 12, 1, 2, 4)]

    assert missing == [[], [], [], [], [], [10, 11], [], [], [3]]


@pytest.mark.parametrize(
    ("boot_id", "historical"),
    [("after", False), ("after", True), ("before", False)],  # another card, twice; the file was deleted
)
def test_gaps_of_a_new_outbox_whose_first_read_was_missed_are_reported(boot_id: str, historical: bool) -> None:
    gaps = SequenceGaps()
    old = dataclasses.replace(read(), boot_id="before")
    new = dataclasses.replace(read(), boot_id=boot_id, historical=historical)

    before = [list(gaps.before(dataclasses.replace(old, sequence=n))) for n in (5000, 5001)]
    after = [list(gaps.before(dataclasses.replace(new, sequence=n))) for n in (3, 4, 6)]

    assert (before, after) == ([[], []], [[], [], [5]])


def test_what_is_repeated_from_before_a_reboot_is_no_new_outbox() -> None:
    gaps = SequenceGaps()
    old, new = (dataclasses.replace(read(), boot_id=boot_id) for boot_id in ("before", "after"))
    for sent in (dataclasses.replace(old, sequence=7), dataclasses.replace(new, sequence=8)):
        gaps.before(sent)

    missing = [
        list(gaps.before(dataclasses.replace(old, sequence=7, historical=True))),
        list(gaps.before(dataclasses.replace(new, sequence=9))),
    ]

    assert missing == [[], []]


def test_an_output_that_cannot_be_written_is_an_error_before_connecting(tmp_path: Path) -> None:
    done = subprocess.run(command("--output", tmp_path), capture_output=True, text=True, check=False)

    assert done.returncode == 2
    assert "give another path" in done.stderr


def test_a_full_disk_ends_it_with_a_word(running: Running, broker: Mosquitto) -> None:
    with listening(broker, "--output", "/dev/full") as process:
        running.put()

        _, errors = process.communicate(timeout=20)

    assert process.returncode == 1
    (_, fault) = errors.splitlines()
    assert fault.startswith("edge-anpr: /dev/full: cannot be written (No space left on device); give another path")


@pytest.mark.parametrize(
    "wrong", [("--count", "0"), ("--port", "99999"), ("--min-confidence", "97"), ("--min-confidence", "high")]
)
def test_a_wrong_number_is_wrong_usage(wrong: tuple[str, str]) -> None:
    done = subprocess.run(command(*wrong), capture_output=True, text=True, check=False)

    assert done.returncode == 2


def read(text: str = "MH12AB1234", valid: bool = True) -> ReadMessage:
    return dataclasses.replace(factory().make(plate_pass(text, valid)).message, sequence=1)


@pytest.mark.parametrize(
    "wishes",
    [
        ReadFilter(),
        ReadFilter(device="gate-01", camera="north"),
        ReadFilter(plate="mh12??12[0-9]4"),
        ReadFilter(country="in", min_confidence=0.97, only_valid=True),
    ],
)
def test_a_read_that_meets_every_wish_is_shown(wishes: ReadFilter) -> None:
    assert wishes.admits(read())


@pytest.mark.parametrize(
    "wishes",
    [
        ReadFilter(device="gate-02"),
        ReadFilter(device="gate-01", camera="south"),
        ReadFilter(plate="MH12"),
        ReadFilter(country="NL"),
        ReadFilter(min_confidence=0.98),
    ],
)
def test_a_read_that_misses_one_is_not(wishes: ReadFilter) -> None:
    assert not wishes.admits(read())


def test_a_text_that_fits_no_format_is_shown_unless_only_valid_ones_are_wanted() -> None:
    unknown = read("XYZ", valid=False)

    assert ReadFilter().admits(unknown)
    assert not ReadFilter(only_valid=True).admits(unknown)
    assert not ReadFilter(country="IN").admits(unknown)


def test_with_a_wish_only_reads_are_shown(running: Running, broker: Mosquitto, subscriber: Subscriber) -> None:
    subscriber.until(1, "/status")
    with listening(broker, "--topic", "anpr/#", "--valid", "--count", 1) as process:
        running.put()

        output, _ = process.communicate(timeout=20)

    assert "MH12AB1234" in output


def test_what_is_no_read_is_shown_by_its_topic() -> None:
    assert as_line(Message("anpr/gate-01/status", b"online")) == "anpr/gate-01/status  online"
    assert as_line(Message("anpr/gate-01/north/image/1", b"\xff\xd8\xff")) == "anpr/gate-01/north/image/1  3 bytes"
    assert as_json(Message("anpr/gate-01/status", b"online")) is None


@pytest.mark.parametrize("payload", [b'{"schema": "edge-anpr/read/1"}', b"[" * 100_000, b'"\\ud800"'])
def test_what_only_resembles_a_read_does_no_harm(payload: bytes) -> None:
    assert as_line(Message(TOPIC, payload)).startswith(TOPIC)


def test_nothing_that_arrives_can_steer_the_terminal() -> None:
    assert "\x1b" not in as_line(Message(TOPIC, b"\x1b[2J"))


def test_a_late_read_is_marked() -> None:
    late = json.loads(event().payload()) | {"historical": True, "sequence": 1}

    assert as_line(Message(TOPIC, json.dumps(late).encode())).endswith("late")


def test_an_update_is_marked() -> None:
    update = dataclasses.replace(read(), revision="corrected")

    assert as_line(Message(TOPIC, encode(update))).endswith("14 frames  update: corrected")


def test_the_list_that_counts_is_named() -> None:
    made = factory().make(plate_pass(), [ListMatch("stolen", "deny", "MH12AB1234", 0.0)])

    assert as_line(Message(TOPIC, made.payload(sequence=1))).endswith("14 frames  deny: stolen")
