"""The broker's example files, in a real mosquitto: `config/broker` as docs/scaling.md describes it."""

import dataclasses
import json
import re
import shutil
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

from edge_app import config
from edge_app.config import CommandSettings, DeviceSettings, MqttSettings, Settings
from edge_app.events import topics
from edge_app.newer_python import tomllib
from edge_app.uplink import credentials
from edge_app.uplink.commander import Commander
from edge_app.uplink.connection import MQTT_5, Connection, Message, UnreachableError
from edge_app.uplink.waker import Waker
from tests import mosquitto
from tests.certificates import Authority
from tests.events.passes import event
from tests.mosquitto import Mosquitto, Subscriber
from tests.test_docs import blocks
from tests.uplink.fault_proxy import FaultProxy
from tests.uplink.test_publisher import Running

CONFIG = Path(__file__).parent.parent / "config"
READ = topics.read(topics.root("anpr", "gate-01"), "north")

pytestmark = pytest.mark.skipif(mosquitto.PROGRAM is None, reason="mosquitto is not installed")


def lines(name: str, folder: Path) -> list[str]:
    """A file's settings, with its folders moved to ours; the test's broker has a listener of its own."""
    text = (CONFIG / "broker" / name).read_text()
    text = text.replace("/etc/mosquitto/edge-anpr", str(folder)).replace("/var/lib/mosquitto", str(folder))
    return [line for line in text.splitlines() if not line.startswith(("#", "listener"))]


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path / "edge-anpr")


@pytest.fixture
def guarded(authority: Authority) -> Iterator[Mosquitto]:
    """The broker as the example sets it up."""
    authority.issue("server")
    (authority.directory / "acl").write_text((CONFIG / "broker" / "acl").read_text())
    broker = Mosquitto(authority.directory, lines("mosquitto.conf", authority.directory))
    broker.start()
    yield broker
    broker.stop()


def settings_of(name: str, authority: Authority, broker: Mosquitto) -> MqttSettings:
    made = authority.issue(name)
    return dataclasses.replace(
        broker.settings,
        tls=True,
        ca_file=authority.own.certificate,
        certificate_file=made.certificate,
        key_file=made.key,
    )


@contextmanager
def connected(settings: MqttSettings, client_id: str = "test") -> Iterator[Connection]:
    connection = Connection(settings, credentials.load(settings), client_id, MQTT_5, Waker(), threading.Event())
    yield connection
    connection.log_out()
    connection.close()


def received(connection: Connection, count: int, seconds: float = 10.0) -> list[Message]:
    """The first messages that arrive."""
    deadline = time.monotonic() + seconds
    while len(connection.received) < count:
        assert time.monotonic() < deadline, f"{len(connection.received)} of {count} messages arrived"
        connection.exchange(0.05)
    return list(connection.received)


def refusal_of(connection: Connection, message: Message) -> str | None:
    number = connection.send(message)
    while True:
        for acknowledgement in connection.exchange(5):
            if acknowledgement.number == number:
                return acknowledgement.refusal


def test_a_device_delivers_and_the_archive_reads(tmp_path: Path, authority: Authority, guarded: Mosquitto) -> None:
    running = Running(tmp_path / "outbox.sqlite", settings_of("gate-01", authority, guarded))
    with connected(settings_of("archive-1", authority, guarded)) as archive, closing(running):
        archive.subscribe([READ])
        running.start()
        (event_id,) = running.put()

        (message,) = received(archive, 1)
        running.waits_until(running.is_drained)

    assert json.loads(message.payload)["event_id"] == event_id


def test_another_device_can_neither_read_nor_write_ours(authority: Authority, guarded: Mosquitto) -> None:
    with (
        connected(settings_of("gate-01", authority, guarded)) as ours,
        connected(settings_of("gate-02", authority, guarded)) as other,
    ):
        other.subscribe(["anpr/#", READ, f"$share/archive/{READ}"])

        assert refusal_of(ours, Message(READ, b"{}", retain=True)) is None
        assert refusal_of(other, Message(READ, b"{}")) == "Not authorized"
        assert refusal_of(other, Message("homeassistant/device/edge-anpr-gate-01/config", b"{}")) == "Not authorized"
        assert refusal_of(other, Message("anpr/gate-02/north/read", b"{}")) is None
        other.exchange(0.3)

    assert not other.received


def test_no_device_takes_the_place_of_another_client(authority: Authority, guarded: Mosquitto) -> None:
    with connected(settings_of("archive-1", authority, guarded), "archive") as archive:
        archive.subscribe([READ])

        with connected(settings_of("gate-01", authority, guarded), "archive") as device:
            assert refusal_of(device, Message(READ, b"{}")) is None

        assert len(received(archive, 1)) == 1


def test_the_archive_cannot_write_reads(authority: Authority, guarded: Mosquitto) -> None:
    with connected(settings_of("archive-1", authority, guarded)) as archive:
        assert refusal_of(archive, Message(READ, b"{}")) == "Not authorized"


def test_the_operator_gives_commands_and_the_archive_does_not(
    tmp_path: Path, authority: Authority, guarded: Mosquitto
) -> None:
    settings = Settings(device=DeviceSettings(name="gate-01"), commands=CommandSettings(allow=("ping",)))
    ping, answer = topics.command(topics.root("anpr", "gate-01"), "ping"), "anpr/gate-01/answer/operator"
    running = Running(
        tmp_path / "outbox.sqlite",
        settings_of("gate-01", authority, guarded),
        commander=Commander(settings, tmp_path / "config.toml"),
    )
    with (
        connected(settings_of("operator", authority, guarded)) as operator,
        connected(settings_of("archive-1", authority, guarded)) as archive,
        closing(running),
    ):
        operator.subscribe([answer])
        running.start()
        running.put(images=False)
        running.waits_until(running.is_drained)

        operator.send(Message(ping, b"", response_topic=answer))
        (message,) = received(operator, 1)

        assert json.loads(message.payload)["ok"]
        assert refusal_of(archive, Message(ping, b"")) == "Not authorized"


@pytest.mark.filterwarnings("ignore:Exception ignored in. <ssl.SSLSocket")  # paho forgets it when the handshake fails
def test_without_a_certificate_of_ours_nobody_gets_in(tmp_path: Path, authority: Authority, guarded: Mosquitto) -> None:
    ours = settings_of("gate-01", authority, guarded)
    rogue = Authority(tmp_path / "rogue").issue("gate-01")

    for settings in (
        dataclasses.replace(ours, certificate_file=None, key_file=None),
        dataclasses.replace(ours, certificate_file=rogue.certificate, key_file=rogue.key),
    ):
        with pytest.raises(UnreachableError), connected(settings):
            pass


def test_the_page_makes_certificates_that_the_broker_takes(
    tmp_path: Path, authority: Authority, guarded: Mosquitto
) -> None:
    page = CONFIG.parent / "docs" / "scaling.md"
    for name in ("ca.crt", "ca.key"):
        shutil.copy(authority.directory / name, tmp_path)
    ca, device = re.findall(r"openssl(?:[^\\\n]|\\\n)+", blocks(page, "sh")[0])
    subprocess.run(["bash", "-ec", device], cwd=tmp_path, check=True, capture_output=True)
    (tmp_path / "device.toml").write_text(blocks(page, "toml")[0].replace("/etc/edge-anpr", str(tmp_path)))
    device = config.load(tmp_path / "device.toml")

    with connected(dataclasses.replace(device.mqtt, host="127.0.0.1", port=guarded.port)) as connection:
        refusal = refusal_of(connection, Message(READ, b"{}"))

    assert "-out ca.crt" in ca
    assert refusal is None


def test_a_shared_subscription_gives_each_read_to_one_consumer(
    tmp_path: Path, authority: Authority, guarded: Mosquitto
) -> None:
    shared = [telegraf()["topics"][0]]
    running = Running(tmp_path / "outbox.sqlite", settings_of("gate-01", authority, guarded))
    with (
        connected(settings_of("archive-1", authority, guarded)) as first,
        connected(settings_of("archive-2", authority, guarded)) as second,
        closing(running),
    ):
        first.subscribe(shared)
        second.subscribe(shared)
        running.start()
        ids = running.put(100, images=False)
        running.waits_until(running.is_drained)
        while len(first.received) + len(second.received) < 100:
            first.exchange(0.02)
            second.exchange(0.02)

    assert first.received
    assert second.received
    got = [json.loads(message.payload)["event_id"] for message in (*first.received, *second.received)]
    assert sorted(got) == sorted(ids)


def test_a_site_hands_on_to_the_centre_what_came_while_the_line_was_down(
    tmp_path: Path, broker: Mosquitto, subscriber: Subscriber
) -> None:
    with closing(FaultProxy(broker.port)) as line, site_behind(line, tmp_path) as site:
        running = Running(tmp_path / "outbox.sqlite", site.settings)
        with closing(running):
            running.start()
            ids = running.put(50, images=False)
            running.waits_until(running.is_drained)
            assert not subscriber.on("/read")

            line.withhold.clear()
            line.cut()
            reads = subscriber.until(50, "/read", seconds=20)

    assert [json.loads(message.payload)["event_id"] for message in reads] == ids


@contextmanager
def site_behind(line: FaultProxy, folder: Path) -> Iterator[Mosquitto]:
    """A site's broker as the example sets it up, but in the clear, whose line to the centre is silent yet."""
    line.withhold.set()
    bridge = [each for each in lines("bridge.conf", folder) if not each.startswith(("bridge_c", "bridge_k"))]
    address = bridge.index("address centre.example:8883")
    bridge[address] = f"address 127.0.0.1:{line.port}"
    site = Mosquitto(folder, ["allow_anonymous true", *bridge])
    site.start()
    yield site
    site.stop()


def telegraf() -> dict[str, Any]:
    """The example's one input."""
    settings = tomllib.loads((CONFIG / "telegraf.conf").read_text())
    consumer: dict[str, Any] = settings["inputs"]["mqtt_consumer"][0]
    return consumer


def test_telegraf_takes_reads_and_keys_that_they_have() -> None:
    consumer = telegraf()
    (parser,) = consumer["json_v2"]
    read = json.loads(event().payload())

    for path in [parser["timestamp_path"], *(each["path"] for each in parser["tag"] + parser["field"])]:
        value = read
        for step in path.split("."):
            value = value[step]
        assert not isinstance(value, dict), path
    assert consumer["topics"] == [f"$share/archive/{topics.read(topics.root('anpr', '+'), '+')}"]
    assert (consumer["qos"], consumer["persistent_session"]) == (1, True)
