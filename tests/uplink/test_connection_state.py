"""What stands between a device and its broker is named: a real mosquitto with real certificates, users and rules."""

import dataclasses
import gc
import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from edge_app.backoff import Backoff
from edge_app.commands import doctor
from edge_app.commands.finding import FAULT, OK, WARNING
from edge_app.commands.machine_checks import check_disk
from edge_app.config import DeviceSettings, MqttSettings, Settings
from edge_app.events.connection_state import ConnectionState
from edge_app.events.event import EventFactory
from edge_app.outbox.outbox import Outbox
from edge_app.system_clock import utc_now
from edge_app.uplink import connection, tls_failures
from edge_app.uplink.connection import NoConnectionError
from edge_app.uplink.publisher import Publisher
from edge_app.uplink.rehearsal import Rehearsal, rehearse
from tests.certificates import Authority, Certificate
from tests.events.passes import SOFTWARE, event, plate_pass
from tests.mosquitto import Mosquitto, Start, Subscriber, free_port, refuse_a_subscription
from tests.uplink.fault_proxy import FaultProxy

pytestmark = pytest.mark.filterwarnings(
    "ignore:Exception ignored in. <ssl.SSLSocket"  # paho forgets its socket when the handshake fails
)


@pytest.fixture(autouse=True)
def forgotten_sockets_end_here() -> Iterator[None]:
    """Not in a later test, where a warning of theirs is an error."""
    yield
    gc.collect()


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"), "authority")


@pytest.fixture(scope="module")
def rogue(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("rogue"), "rogue")


def secured(start: Start, authority: Authority, server: Certificate, *settings: str) -> Mosquitto:
    files = [f"cafile {authority.own.certificate}", f"certfile {server.certificate}", f"keyfile {server.key}"]
    return start("allow_anonymous true", *files, *settings)


def client(broker: Mosquitto, authority: Authority, own: Certificate | None = None) -> MqttSettings:
    settings = dataclasses.replace(broker.settings, tls=True, ca_file=authority.own.certificate)
    if own is None:
        return settings
    return dataclasses.replace(settings, certificate_file=own.certificate, key_file=own.key)


def fault(settings: MqttSettings) -> ConnectionState:
    """What keeps us from the broker."""
    with pytest.raises(NoConnectionError) as raised:
        rehearse(settings, "gate-01")
    assert str(raised.value).endswith(f"({raised.value.state}); {raised.value.state.advice}")
    return raised.value.state


def test_a_broker_that_lets_us_in_is_no_fault(broker: Mosquitto, subscriber: Subscriber) -> None:
    assert rehearse(broker.settings, "gate-01") == Rehearsal("5", retains=True)

    assert {message.topic for message in subscriber.until(3, "/doctor")} == {"anpr/gate-01/doctor"}


def test_nobody_at_the_port() -> None:
    assert fault(MqttSettings(host="127.0.0.1", port=free_port())) is ConnectionState.UNREACHABLE


def test_a_plain_port_that_is_spoken_to_in_tls(broker: Mosquitto) -> None:
    assert fault(dataclasses.replace(broker.settings, tls=True)) is ConnectionState.NO_TLS


def test_a_name_that_nobody_knows() -> None:
    assert fault(MqttSettings(host="broker.invalid")) is ConnectionState.UNKNOWN_HOST


def test_a_port_that_does_not_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "CONNECT_SECONDS", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        assert fault(MqttSettings(host="127.0.0.1", port=silent.getsockname()[1])) is ConnectionState.NO_ANSWER


def test_a_wrong_password(tmp_path: Path, start: Start) -> None:
    users, secret = tmp_path / "users", tmp_path / "password"
    subprocess.run(["mosquitto_passwd", "-c", "-b", users, "gate", "right"], check=True, capture_output=True)
    secret.write_text("wrong\n")
    guarded = start("allow_anonymous false", f"password_file {users}")

    assert (
        fault(dataclasses.replace(guarded.settings, username="gate", password_file=secret))
        is ConnectionState.LOGIN_REFUSED
    )


def test_an_access_list_that_does_not_know_us(tmp_path: Path, start: Start) -> None:
    (tmp_path / "acl").write_text("topic write somewhere/else\n")

    guarded = start("allow_anonymous true", f"acl_file {tmp_path / 'acl'}")

    assert fault(guarded.settings) is ConnectionState.ACCESS_REFUSED


def test_a_broker_that_takes_and_never_acknowledges(broker: Mosquitto, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edge_app.uplink.rehearsal.CONNECT_SECONDS", 0.2)
    with closing(FaultProxy(broker.port)) as proxy:
        proxy.acknowledges = False
        state = fault(MqttSettings(host="127.0.0.1", port=proxy.port))

    assert state is ConnectionState.NOT_ACKNOWLEDGED


def test_a_port_without_tls(broker: Mosquitto, authority: Authority) -> None:
    assert fault(client(broker, authority)) in (ConnectionState.NO_TLS, ConnectionState.UNREACHABLE)


def test_a_port_with_tls_that_we_speak_to_without(start: Start, authority: Authority) -> None:
    guarded = secured(start, authority, authority.issue("server"))

    assert fault(guarded.settings) is ConnectionState.NO_ANSWER


def test_a_broker_of_another_authority(start: Start, authority: Authority, rogue: Authority) -> None:
    guarded = secured(start, authority, authority.issue("server"))

    assert fault(client(guarded, rogue)) is ConnectionState.BROKER_NOT_TRUSTED


def test_a_broker_whose_certificate_has_expired(start: Start, authority: Authority) -> None:
    guarded = secured(start, authority, authority.issue("server", days=-1))

    assert fault(client(guarded, authority)) is ConnectionState.BROKER_EXPIRED


def test_a_broker_that_is_another_host(start: Start, authority: Authority) -> None:
    guarded = secured(start, authority, authority.issue("server", alternative="DNS:broker.example"))

    assert fault(client(guarded, authority)) is ConnectionState.BROKER_OF_OTHER_NAME


@pytest.mark.parametrize("tls", ["tlsv1.2", "tlsv1.3"])
@pytest.mark.parametrize(
    ("wrong", "state"),
    [
        ("none", ConnectionState.CERTIFICATE_WANTED),
        ("rogue", ConnectionState.CERTIFICATE_REFUSED),
        ("expired", ConnectionState.CERTIFICATE_EXPIRED),
    ],
)
def test_a_device_with_the_wrong_certificate(
    start: Start, authority: Authority, rogue: Authority, tls: str, wrong: str, state: ConnectionState
) -> None:
    certificates = {"none": None, "rogue": rogue.issue("gate-01"), "expired": authority.issue("gate-01", days=-1)}
    guarded = secured(start, authority, authority.issue("server"), "require_certificate true", f"tls_version {tls}")

    assert fault(client(guarded, authority, certificates[wrong])) is state


def test_what_only_a_clock_that_is_wrong_can_show() -> None:
    words = "[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: certificate is not yet valid (_ssl.c:992)"

    assert tls_failures.of_tls(words) is ConnectionState.BROKER_NOT_YET_VALID
    assert tls_failures.of_tls("[Errno 111] Connection refused") is None


def test_another_devices_certificate_can_neither_read_nor_write_ours(
    tmp_path: Path, start: Start, authority: Authority
) -> None:
    (tmp_path / "acl").write_text("user archive\ntopic read #\npattern readwrite anpr/%u/#\n")
    rules = ("require_certificate true", "use_identity_as_username true", f"acl_file {tmp_path / 'acl'}")
    guarded = secured(start, authority, authority.issue("server"), *rules)
    ours, theirs = authority.issue("gate-01"), authority.issue("gate-02")
    listening = Subscriber(guarded.port, ["anpr/gate-01/#"], "theirs", client(guarded, authority, theirs))

    assert rehearse(client(guarded, authority, ours), "gate-01").version == "5"
    with pytest.raises(NoConnectionError) as raised:
        rehearse(client(guarded, authority, theirs), "gate-01")

    assert raised.value.state is ConnectionState.ACCESS_REFUSED
    listening.listen(0.3)
    assert listening.messages == []
    listening.close()


@pytest.mark.parametrize("index", range(len(ConnectionState)))
def test_every_state_has_an_advice(index: int) -> None:
    assert list(ConnectionState)[index].advice


def test_two_devices_of_one_name_are_reported() -> None:
    """Not every mosquitto reports it; this broker does, in the bytes of MQTT 5 (3.14: DISCONNECT, 0x8E)."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def take_over() -> None:
            line, _ = server.accept()
            with line:
                line.recv(4096)
                line.sendall(b"\x20\x03\x00\x00\x00" + b"\xe0\x02\x8e\x00")

        threading.Thread(target=take_over).start()

        assert fault(MqttSettings(host="127.0.0.1", port=server.getsockname()[1])) is ConnectionState.TAKEN_OVER


def test_a_subscription_that_is_refused_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=refuse_a_subscription, args=(server, b"\x01\x87")).start()

        with pytest.raises(NoConnectionError, match=r"to let us read b/#: Not authorized \(access refused\); let its"):
            Subscriber(server.getsockname()[1], ["a/#", "b/#"])


def test_telemetry_tells_what_kept_us_away(tmp_path: Path, broker: Mosquitto) -> None:
    broker.stop()
    stop = threading.Event()
    with closing(Outbox(tmp_path / "outbox.sqlite")) as outbox:
        publisher = Publisher(broker.settings, "gate-01", outbox, stop, backoff=Backoff(0.05, 0.1))
        thread = threading.Thread(target=publisher.run)
        thread.start()
        while publisher.state is not ConnectionState.UNREACHABLE:
            stop.wait(0.02)
        broker.start()
        late = Subscriber(broker.port, ["anpr/gate-01/telemetry"])
        (telemetry,) = late.until(1, "/telemetry")
        stop.set()
        thread.join(5)

    assert b'"last_fault":"unreachable"' in telemetry.payload
    assert b'"disk":"good"' in telemetry.payload
    late.close()


def test_doctor_names_the_state_of_the_broker(tmp_path: Path, start: Start) -> None:
    (tmp_path / "acl").write_text("topic write somewhere/else\n")
    guarded = start("allow_anonymous true", f"acl_file {tmp_path / 'acl'}")

    finding = doctor.check_broker(Settings(mqtt=guarded.settings))

    assert finding.state == FAULT
    assert finding.words.startswith("the broker refuses anpr/edge-anpr/doctor: Not authorized (access refused); ")


def test_doctor_reports_that_a_broker_takes_events(broker: Mosquitto) -> None:
    assert doctor.check_broker(Settings(mqtt=broker.settings)).state == OK


def test_doctor_tells_of_an_outbox_that_was_set_aside(tmp_path: Path) -> None:
    (tmp_path / "outbox.sqlite").write_bytes(b"this is no database" * 1000)
    Outbox(tmp_path / "outbox.sqlite").close()

    finding = check_disk(Settings(device=DeviceSettings(state_directory=tmp_path)))

    assert finding.state == WARNING
    assert "a damaged outbox was recovered and kept as outbox.sqlite.recovered-2" in finding.words


def test_an_hour_set_back_changes_neither_order_nor_history(
    tmp_path: Path, broker: Mosquitto, subscriber: Subscriber
) -> None:
    hour = timedelta(hours=1)
    slow = EventFactory(Settings(), SOFTWARE, now=lambda: utc_now() - hour)
    stop = threading.Event()
    with closing(Outbox(tmp_path / "outbox.sqlite")) as outbox:
        first, second = event(), slow.make(plate_pass())
        outbox.put(first)
        outbox.put(second)
        thread = threading.Thread(target=Publisher(broker.settings, "gate-01", outbox, stop).run)
        thread.start()
        reads = subscriber.until(2, "/read")
        stop.set()
        thread.join(5)

    assert [first.event_id.encode() in reads[0].payload, second.event_id.encode() in reads[1].payload] == [True, True]
    assert all(b'"historical":false' in read.payload for read in reads)
