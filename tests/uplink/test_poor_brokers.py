"""Brokers that lack something: retained messages, their memory, QoS 1, room for large messages, names of their own."""

import contextlib
import dataclasses
import logging
import subprocess
import threading
from functools import partial
from pathlib import Path

import pytest

from edge_app.commands import doctor
from edge_app.commands.finding import FAULT, OK, WARNING
from edge_app.config import MqttSettings, Settings
from edge_app.errors import ConfigurationError
from edge_app.events.connection_state import ConnectionState
from edge_app.uplink import credentials
from edge_app.uplink.connection import Message
from edge_app.uplink.home_assistant import HomeAssistant
from edge_app.uplink.rehearsal import has_namesake, rehearse
from edge_app.uplink.subscriber import Subscriber as Listener
from tests.mosquitto import Mosquitto, Start, Subscriber
from tests.uplink import test_home_assistant
from tests.uplink.fault_proxy import FaultProxy
from tests.uplink.test_publisher import Running

NO_RETAIN = ("allow_anonymous true", "retain_available false")


@pytest.mark.parametrize("is_old", [False, True])
def test_a_broker_without_retained_messages_gets_every_read(
    tmp_path: Path, start: Start, caplog: pytest.LogCaptureFixture, is_old: bool
) -> None:
    poor = start(*NO_RETAIN)
    with contextlib.closing(FaultProxy(poor.port)) as between:
        between.hangs_up_on_mqtt_5 = is_old
        settings = MqttSettings(host="127.0.0.1", port=between.port)
        with (
            contextlib.closing(Running(tmp_path / "outbox.sqlite", settings)) as running,
            contextlib.closing(Subscriber(poor.port)) as subscriber,
        ):
            running.start()
            running.put(3)

            subscriber.until(3, "/read")
            running.waits_until(running.is_drained)

            assert [each.payload for each in subscriber.until(1, "/status")] == [b"online"]
    assert caplog.text.count("the broker keeps no retained messages") == 1


def test_the_will_is_kept_by_a_broker_without_retained_messages(tmp_path: Path, start: Start) -> None:
    poor = start(*NO_RETAIN)
    with contextlib.closing(FaultProxy(poor.port)) as between, contextlib.closing(Subscriber(poor.port)) as subscriber:
        settings = MqttSettings(host="127.0.0.1", port=between.port)
        with contextlib.closing(Running(tmp_path / "outbox.sqlite", settings)) as running:
            running.start()
            subscriber.until(1, "/status")

            between.cut()

            assert [each.payload for each in subscriber.until(3, "/status")][:2] == [b"online", b"offline"]


def test_doctor_reports_what_a_broker_without_retained_messages_lacks(start: Start) -> None:
    finding = doctor.check_broker(Settings(mqtt=start(*NO_RETAIN).settings))

    assert (finding.state, "keeps no retained messages" in finding.words) == (WARNING, True)


@pytest.mark.parametrize("is_old", [False, True])
def test_a_broker_that_acknowledges_nothing_is_named_by_doctor(start: Start, is_old: bool) -> None:
    poor = start("allow_anonymous true", "max_qos 0")
    with contextlib.closing(FaultProxy(poor.port)) as between:
        between.hangs_up_on_mqtt_5 = is_old

        finding = doctor.check_broker(Settings(mqtt=MqttSettings(host="127.0.0.1", port=between.port)))

    assert finding.state == FAULT
    assert "let the broker take QoS 1" in finding.words


def test_a_listener_learns_that_the_broker_keeps_nothing_for_it(start: Start) -> None:
    reports: list[str] = []
    poor, rich = start("allow_anonymous true", "max_qos 0"), start("allow_anonymous true")

    for broker in (poor, rich):
        Listener(broker.settings, ["anpr/#"], threading.Event(), report=reports.append).close()

    assert [each.partition(":")[0] for each in reports] == ["the broker sends at QoS 0 only"]


def test_a_packet_limit_is_named_with_both_sizes(start: Start) -> None:
    narrow = start("allow_anonymous true", "max_packet_size 1500")

    finding = doctor.check_broker(Settings(mqtt=narrow.settings))

    assert finding.state == FAULT
    assert (
        "Packet too large: 2585 bytes, the broker takes 1500 (too large); let the broker take larger" in finding.words
    )


def test_a_limit_that_only_pictures_exceed_is_reported_by_doctor(start: Start) -> None:
    narrow = start("allow_anonymous true", "message_size_limit 3000")

    with_pictures = doctor.check_broker(Settings(mqtt=narrow.settings))
    without = doctor.check_broker(Settings(mqtt=dataclasses.replace(narrow.settings, images=False)))

    assert (with_pictures.state, without.state) == (FAULT, OK)
    assert "takes reads but no pictures" in with_pictures.words


def test_everything_retained_is_sent_again_when_home_assistant_starts(tmp_path: Path, broker: Mosquitto) -> None:
    running = Running(
        tmp_path / "outbox.sqlite", broker.settings, home_assistant=HomeAssistant(test_home_assistant.settings())
    )
    with contextlib.closing(running), contextlib.closing(Subscriber(broker.port, ["#"])) as listening:
        running.start()
        running.put()
        listening.until(1, "/last")
        running.waits_until(lambda: "Sending SUBACK to edge-anpr-gate-01" in broker.log_path.read_text())
        for topic in ("anpr/gate-01/status", "anpr/gate-01/north/last", test_home_assistant.TOPIC):
            listening.publish(Message(topic, b"", retain=True))  # as if the broker had lost them

        listening.publish(Message("homeassistant/status", b"online"))

        assert listening.until(3, "gate-01/status")[-1].payload == b"online"
        assert listening.until(3, "/last")[-1].payload == listening.on("/last")[0].payload
        assert listening.until(3, "/config")[-1].payload == listening.on("/config")[0].payload
        listening.until(2, "/telemetry")


@pytest.mark.parametrize("is_old", [False, True])
def test_a_broker_that_comes_back_without_its_memory_learns_all_that_is_retained_again(
    tmp_path: Path, broker: Mosquitto, is_old: bool
) -> None:
    with contextlib.closing(FaultProxy(broker.port)) as between:
        between.hangs_up_on_mqtt_5 = is_old
        home_assistant = HomeAssistant(test_home_assistant.settings())
        settings = MqttSettings(host="127.0.0.1", port=between.port)
        running = Running(tmp_path / "outbox.sqlite", settings, home_assistant=home_assistant)
        with contextlib.closing(running):
            running.start()
            running.put()
            running.waits_until(running.is_drained)

            broker.stop()
            broker.start()

            with contextlib.closing(Subscriber(broker.port, ["#"])) as late:
                for ending in ("gate-01/status", "/last", "/config", "/telemetry"):
                    late.until(1, ending)


def test_two_devices_of_one_name_learn_of_each_other_and_do_not_hurry(
    tmp_path: Path, broker: Mosquitto, caplog: pytest.LogCaptureFixture
) -> None:
    """This mosquitto reports neither in MQTT 5 nor in 3.1.1 that a session was taken over."""
    (tmp_path / "other").mkdir()
    caplog.set_level(logging.WARNING)
    with (
        contextlib.closing(Running(tmp_path / "outbox.sqlite", broker.settings)) as ours,
        contextlib.closing(Running(tmp_path / "other" / "outbox.sqlite", broker.settings)) as theirs,
    ):
        ours.start()
        ours.waits_until(lambda: ours.publisher.state is ConnectionState.CONNECTED)
        theirs.start()

        ours.waits_until(lambda: ours.publisher.state is ConnectionState.TAKEN_OVER)

    assert "another device has logged in as edge-anpr-gate-01 and pushed us off (taken over); " in caplog.text
    assert "next try in 1 s" not in caplog.text


def test_a_password_file_may_begin_with_the_mark_of_an_editor(tmp_path: Path, start: Start) -> None:
    users, secret = tmp_path / "users", tmp_path / "password"
    subprocess.run(["mosquitto_passwd", "-c", "-b", users, "gate", "right"], check=True, capture_output=True)
    secret.write_bytes(b"\xef\xbb\xbfright\r\n")
    guarded = start("allow_anonymous false", f"password_file {users}")

    assert rehearse(dataclasses.replace(guarded.settings, username="gate", password_file=secret), "gate-01").retains


@pytest.mark.parametrize("content", [b"", b"\n", b"gate\nright\n", "right".encode("utf-16"), b"ri\xdfght"])
def test_a_password_file_that_cannot_be_right_is_named_without_its_content(tmp_path: Path, content: bytes) -> None:
    secret = tmp_path / "password"
    secret.write_bytes(content)

    with pytest.raises(ConfigurationError, match=r"mqtt\.password_file: .*password") as raised:
        credentials.load(MqttSettings(host="localhost", username="gate", password_file=secret))

    assert "right" not in str(raised.value)
    assert "xdf" not in str(raised.value)


@pytest.mark.parametrize(
    ("device", "status", "telemetry", "is_another"),
    [
        ("gate-01", b"online", b"theirs", True),
        ("gate-01", b"online", b"ours", False),  # the broker has not noticed yet that we are gone
        ("gate-01", b"offline", b"theirs", False),  # that device has left
        ("gate-01", b"online", b"", False),
        ("gate-02", b"online", b"theirs", False),
    ],
)
def test_another_device_of_our_name_is_known_by_telemetry_that_is_not_ours(
    broker: Mosquitto, device: str, status: bytes, telemetry: bytes, is_another: bool
) -> None:
    with contextlib.closing(Subscriber(broker.port, [f"anpr/{device}/#"])) as somebody:
        somebody.publish(Message(f"anpr/{device}/status", status, retain=True))
        somebody.publish(Message(f"anpr/{device}/telemetry", telemetry, retain=True))
        somebody.until(2, "")

        assert has_namesake(broker.settings, "gate-01", [b"ours"], threading.Event()) is is_another


def has_connected(running: Running, times: int) -> bool:
    return running.publisher.telemetry().connections == times


def test_a_line_that_is_cut_again_and_again_is_looked_into_once(tmp_path: Path, broker: Mosquitto) -> None:
    with contextlib.closing(FaultProxy(broker.port)) as between:
        settings = MqttSettings(host="127.0.0.1", port=between.port)
        with contextlib.closing(Running(tmp_path / "outbox.sqlite", settings)) as running:
            running.start()
            for count in range(1, 4):
                running.waits_until(partial(has_connected, running, count))
                running.waits_until(lambda: running.publisher.state is ConnectionState.CONNECTED)
                between.cut()
            running.waits_until(partial(has_connected, running, 4))

    assert broker.log_path.read_text().count("as edge-anpr-gate-01-doctor") == 1
