"""HostName: what names a broker alone, and what to write in place of the rest."""

import pytest

from edge_app.configuration.limits import HostName


@pytest.mark.parametrize(
    "host",
    [
        "localhost",
        "broker.lan",
        "192.0.2.7",
        "::1",
        "fe80::1%eth0",
        "mqtt_broker",
        "bröker.example",
        "broker.",
        "a-b",
        "1a",
    ],
)
def test_a_name_or_an_address_alone_will_do(host: str) -> None:
    assert HostName().complaint(host) is None


@pytest.mark.parametrize(
    ("host", "written"),
    [
        ("mqtt://broker", 'write `host = "broker"`'),
        ("MQTTS://broker:8883", 'write `host = "broker"` and `port = 8883` and `tls = true`'),
        ("tcp://192.0.2.7:1883/", 'write `host = "192.0.2.7"` and `port = 1883`'),
        ("broker:1883", 'write `host = "broker"` and `port = 1883`'),
        ("[::1]", 'write `host = "::1"`'),
        ("[::1]:1883", 'write `host = "::1"` and `port = 1883`'),
        ("mqtt:broker", 'write `host = "broker"`'),
        ("ws:broker:9001", "WebSockets are not spoken here"),
        ("//broker", 'write `host = "broker"`'),
        ("tcp:1883", 'write `host = "tcp"` and `port = 1883`'),  # a host may be called so
        ("broker/mqtt", 'write `host = "broker"`'),
        (" broker ", 'write `host = "broker"`'),
        ("gate:Hunter2Secret@broker", 'write `host = "broker"` and username and password_file for the user'),
        ("wss://broker/mqtt", "WebSockets are not spoken here"),
        ("", "there is no host in it"),
        ("mqtt://", "there is no host in it"),
        ("192.0.2.300", "it is no address"),
        ("192.0.2", "it is no address"),
        ("two brokers", "it is no host name"),
        ("a..b", "it is no host name"),
        ("-broker", "it is no host name"),
        ("::zz", "it is no address"),
        ("$BROKER", "it is no host name"),
    ],
)
def test_anything_else_is_refused_with_what_to_write_and_without_a_secret(host: str, written: str) -> None:
    complaint = HostName().complaint(host)

    assert complaint is not None
    assert written in complaint
    assert "Hunter2" not in complaint
