"""The state of the connection to the broker, in names that the log, the telemetry and `edge-anpr doctor` share."""

from edge_app.newer_python import StrEnum


class ConnectionState(StrEnum):
    """One name for each state with a remedy of its own."""

    CONNECTING = "connecting"
    CONNECTED = "connected"
    UNREACHABLE = "unreachable"
    UNKNOWN_HOST = "unknown host"
    NO_ANSWER = "no answer"
    LOST = "lost"
    TAKEN_OVER = "taken over"
    VERSION_REFUSED = "version refused"
    LOGIN_REFUSED = "login refused"
    REFUSED = "refused"
    NO_TLS = "no TLS"
    BROKER_NOT_TRUSTED = "broker certificate not trusted"
    BROKER_EXPIRED = "broker certificate expired"
    BROKER_NOT_YET_VALID = "broker certificate not yet valid"
    BROKER_OF_OTHER_NAME = "broker certificate of another host"
    CERTIFICATE_WANTED = "device certificate wanted"
    CERTIFICATE_REFUSED = "device certificate refused"
    CERTIFICATE_EXPIRED = "device certificate expired"
    ACCESS_REFUSED = "access refused"
    NOT_ACKNOWLEDGED = "not acknowledged"
    NO_ACKNOWLEDGEMENTS = "no acknowledgements"
    TOO_LARGE = "too large"

    @property
    def advice(self) -> str:
        """What to do about it."""
        return _ADVICE[self]


_LOG = "the broker's own log gives the reason"
_ADVICE = {
    ConnectionState.CONNECTING: "wait a moment",
    ConnectionState.CONNECTED: "all is well",
    ConnectionState.UNREACHABLE: "check `host` and `port`, the network between, and that the broker runs",
    ConnectionState.UNKNOWN_HOST: "check `host` and this machine's name server",
    ConnectionState.NO_ANSWER: "check that `port` is one for MQTT, and that `tls` is as the broker has it",
    ConnectionState.LOST: f"check the network between; {_LOG}",
    ConnectionState.TAKEN_OVER: "another client has logged in by the same name; give each device its own [device] name",
    ConnectionState.VERSION_REFUSED: "the broker has to know MQTT 5 or 3.1.1",
    ConnectionState.LOGIN_REFUSED: "check `username` and `password_file`, and the broker's users and client names",
    ConnectionState.REFUSED: _LOG,
    ConnectionState.NO_TLS: "give the broker's port for TLS (often 8883; this one has none), or set `tls = false`",
    ConnectionState.BROKER_NOT_TRUSTED: "set `ca_file` to the authority that signed the broker's certificate",
    ConnectionState.BROKER_EXPIRED: "have the broker's certificate renewed, or set this machine's clock right",
    ConnectionState.BROKER_NOT_YET_VALID: "set this machine's clock right, or wait until the certificate is valid",
    ConnectionState.BROKER_OF_OTHER_NAME: "set `host` to a name that is in the broker's certificate",
    ConnectionState.CERTIFICATE_WANTED: "set `certificate_file` and `key_file`: the broker admits nobody without",
    ConnectionState.CERTIFICATE_REFUSED: "have `certificate_file` signed by an authority that the broker trusts",
    ConnectionState.CERTIFICATE_EXPIRED: "renew `certificate_file`",
    ConnectionState.ACCESS_REFUSED: "let its access list allow this user the topic, for a device <prefix>/<device>/#",
    ConnectionState.NOT_ACKNOWLEDGED: f"the broker takes what is sent and acknowledges none of it; {_LOG}",
    ConnectionState.NO_ACKNOWLEDGEMENTS: "let the broker take QoS 1 (mosquitto: `max_qos`): it acknowledges no other",
    ConnectionState.TOO_LARGE: "let the broker take larger (mosquitto: `max_packet_size`, `message_size_limit`)",
}
