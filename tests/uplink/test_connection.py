"""How a broker is reached: versions, users, TLS."""

import dataclasses
import gc
import socket
import subprocess
import threading
import time
from contextlib import closing
from pathlib import Path

import pytest

from edge_app.config import MqttSettings
from edge_app.demo.embedded_broker import EmbeddedBroker
from edge_app.errors import ConfigurationError, UplinkError
from edge_app.uplink import credentials
from edge_app.uplink.connection import MQTT_3_1_1, MQTT_5, Connection, Message, Terms, UnreachableError
from edge_app.uplink.dialler import Dialler
from edge_app.uplink.waker import Waker
from tests.certificates import Authority
from tests.mosquitto import Mosquitto, Start, Subscriber
from tests.uplink.fault_proxy import FaultProxy


def dial(settings: MqttSettings, stop: threading.Event | None = None) -> Connection:
    stop = stop or threading.Event()
    return Dialler(settings, credentials.load(settings), "test", Waker(), stop).dial()


def hang_up(connection: Connection) -> None:
    connection.log_out()
    connection.close()


def test_mqtt_5_is_spoken_where_the_broker_knows_it(broker: Mosquitto) -> None:
    connection = dial(broker.settings)

    assert connection.version == MQTT_5
    hang_up(connection)


def test_3_1_1_is_spoken_where_the_broker_refuses_5() -> None:
    with EmbeddedBroker() as old:
        connection = dial(MqttSettings(host=old.host, port=old.port))

        number = connection.send(Message("a", b"b"))

        assert connection.version == MQTT_3_1_1
        assert [each.number for each in connection.exchange(5)] == [number]
        hang_up(connection)


def test_3_1_1_is_spoken_where_the_broker_hangs_up_on_5_and_the_next_time_at_once(broker: Mosquitto) -> None:
    with closing(FaultProxy(broker.port)) as old:
        old.hangs_up_on_mqtt_5 = True
        settings = MqttSettings(host="127.0.0.1", port=old.port)
        dialler = Dialler(settings, credentials.load(settings), "test", Waker(), threading.Event())

        first = dialler.dial()
        hang_up(first)
        hang_up(dialler.dial())

        assert first.version == MQTT_3_1_1
        assert old.connections == 3


def test_nobody_there_is_reported_with_the_address() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]

        with pytest.raises(UnreachableError, match=rf"127\.0\.0\.1:{port} cannot be reached: nothing listens"):
            dial(MqttSettings(host="127.0.0.1", port=port))


def test_a_port_that_does_not_answer_does_not_hold_up_stopping() -> None:
    stop = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as silent:
        threading.Timer(0.2, stop.set).start()
        began = time.monotonic()

        with pytest.raises(UnreachableError, match="stopped"):
            dial(MqttSettings(host="127.0.0.1", port=silent.getsockname()[1]), stop)

    assert time.monotonic() - began < 2


def password_file(tmp_path: Path, password: str) -> Path:
    path = tmp_path / f"{password}.secret"
    path.write_text(password + "\n")
    return path


def test_user_and_password_let_us_in_and_a_wrong_one_is_a_clear_refusal(tmp_path: Path, start: Start) -> None:
    users = tmp_path / "users"
    subprocess.run(["mosquitto_passwd", "-c", "-b", users, "gate", "right"], check=True, capture_output=True)
    guarded = start("allow_anonymous false", f"password_file {users}")
    settings = dataclasses.replace(guarded.settings, username="gate", password_file=password_file(tmp_path, "right"))

    hang_up(dial(settings))

    with pytest.raises(UplinkError, match=r"Not authorized|Bad user name"):
        dial(dataclasses.replace(settings, password_file=password_file(tmp_path, "wrong")))


def test_a_refused_publish_is_reported(tmp_path: Path, start: Start) -> None:
    rules = tmp_path / "acl"
    rules.write_text("topic write allowed\n")
    guarded = start("allow_anonymous true", f"acl_file {rules}")
    connection = dial(guarded.settings)

    connection.send(Message("forbidden", b""))

    (acknowledgement,) = connection.exchange(5)
    assert (acknowledgement.refusal, acknowledgement.is_lasting) == ("Not authorized", True)
    hang_up(connection)


def test_more_than_the_broker_takes_at_once_is_sent_bit_by_bit(start: Start) -> None:
    narrow = start("allow_anonymous true", "max_inflight_messages 2")
    connection = dial(narrow.settings)

    numbers = [connection.send(Message("a", b"b" * 1000)) for _ in range(20)]

    acknowledged: list[int] = []
    while len(acknowledged) < 20:
        acknowledged += [each.number for each in connection.exchange(5)]
    assert acknowledged == numbers
    hang_up(connection)


def test_what_is_larger_than_the_broker_allows_is_refused_here(start: Start) -> None:
    narrow = start("allow_anonymous true", "max_packet_size 2000")
    connection = dial(narrow.settings)

    number = connection.send(Message("a", b"b" * 3000))

    (acknowledgement,) = connection.exchange(5)
    assert (acknowledgement.number, acknowledgement.refusal) == (
        number,
        "Packet too large: 3065 bytes, the broker takes 2000",
    )
    hang_up(connection)


def test_what_is_larger_than_we_allow_the_broker_does_not_hand_on(broker: Mosquitto) -> None:
    terms, stop = Terms(most_bytes=2000), threading.Event()
    small = Dialler(broker.settings, credentials.load(broker.settings), "small", Waker(), stop, terms).dial()
    small.subscribe(["a"])

    with closing(Subscriber(broker.port)) as other:
        for payload in (b"b" * 3000, b"b"):
            other.publish(Message("a", payload))
        other.listen(0.1)
    while not small.received:
        small.exchange(5)

    assert [message.payload for message in small.received] == [b"b"]
    hang_up(small)


@pytest.fixture
def certificates(tmp_path: Path) -> Path:
    """A test CA with a server's certificate for 127.0.0.1 and a client's."""
    authority = Authority(tmp_path / "tls")
    authority.issue("server")
    authority.issue("client")
    return authority.directory


@pytest.mark.filterwarnings("ignore:Exception ignored in. <ssl.SSLSocket")  # paho forgets it when the handshake fails
def test_tls_with_certificates_on_both_sides(certificates: Path, start: Start) -> None:
    files = [f"{option} {certificates / name}" for option, name in TLS_FILES]
    guarded = start("allow_anonymous true", "require_certificate true", *files)
    settings = dataclasses.replace(
        guarded.settings,
        tls=True,
        ca_file=certificates / "ca.crt",
        certificate_file=certificates / "client.crt",
        key_file=certificates / "client.key",
    )

    connection = dial(settings)
    connection.send(Message("a", b"b" * 100_000))

    assert len(connection.exchange(5) or connection.exchange(5)) == 1
    hang_up(connection)
    with pytest.raises(UnreachableError):
        dial(dataclasses.replace(settings, certificate_file=None, key_file=None))
    with pytest.raises(UnreachableError, match="certificate verify failed"):
        dial(dataclasses.replace(settings, ca_file=None))
    gc.collect()


TLS_FILES = [("cafile", "ca.crt"), ("certfile", "server.crt"), ("keyfile", "server.key")]


def test_a_ca_file_that_is_not_there_is_a_matter_of_configuration(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"mqtt\.ca_file"):
        credentials.load(MqttSettings(tls=True, ca_file=tmp_path / "none.crt"))


def test_a_password_file_that_is_not_there_is_a_matter_of_configuration(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="password_file"):
        credentials.load(MqttSettings(username="gate", password_file=tmp_path / "none"))


def test_systemd_can_hand_over_the_password(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "mqtt-password").write_text("secret\n")
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))

    assert credentials.load(MqttSettings(username="gate")).password == "secret"


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.3.4.5", "::1"])
def test_a_password_may_stay_clear_on_this_machine(tmp_path: Path, host: str) -> None:
    settings = MqttSettings(host=host, username="gate", password_file=password_file(tmp_path, "secret"))

    assert credentials.load(settings).password == "secret"


def test_a_password_may_cross_the_network_where_that_is_allowed(tmp_path: Path) -> None:
    settings = MqttSettings(host="broker.example", username="gate", password_file=password_file(tmp_path, "secret"))

    with pytest.raises(ConfigurationError, match="clear text"):
        credentials.load(settings)

    assert credentials.load(dataclasses.replace(settings, allow_plaintext_password=True)).password == "secret"
