"""Finds the version of MQTT that the broker speaks, and whether it keeps retained messages."""

import logging
import threading
from dataclasses import replace

from edge_app.config import MqttSettings
from edge_app.events.connection_state import ConnectionState
from edge_app.uplink.connection import (
    MQTT_3_1_1,
    MQTT_5,
    BrokerRefusedError,
    Connection,
    Message,
    NoAnswerError,
    NoConnectionError,
    NoRetainError,
    Terms,
    Version,
)
from edge_app.uplink.credentials import Credentials
from edge_app.uplink.waker import Waker

log = logging.getLogger(__name__)


class Dialler:
    """Makes connections: MQTT 5 first, 3.1.1 if the broker does not take it; what worked is tried first."""

    def __init__(
        self,
        settings: MqttSettings,
        credentials: Credentials,
        client_id: str,
        waker: Waker,
        stop: threading.Event,
        terms: Terms = Terms(),  # noqa: B008 - frozen
    ) -> None:
        self._settings = settings
        self._credentials = credentials
        self._client_id = client_id
        self._waker = waker
        self._stop = stop
        self._terms = terms
        self._version, self._retains = MQTT_5, True
        self._last: Connection | None = None
        self._retained: dict[str, Message] = {}
        self._has_warned = False

    def dial(self) -> Connection:
        """Connect.

        Raises:
            UnreachableError: it may work later.
            UplinkError: it will not, until somebody mends the settings.
        """
        last = self._last
        if last is not None and last.version == MQTT_3_1_1 and not last.is_acknowledged:
            self._retains = not last.retains  # 3.1.1 refuses a retained message by hanging up, without a reason
        try:
            connection = self._connect(self._version)
        except NoAnswerError:
            connection = self._connect(MQTT_3_1_1 if self._version == MQTT_5 else MQTT_5)
        self._last, self._version, self._retains = connection, connection.version, connection.retains
        if not (connection.retains or self._has_warned):
            self._has_warned = True
            log.warning(
                "the broker keeps no retained messages: who subscribes later hears of this device's state only when it"
                " is sent again; allow them at the broker (mosquitto: `retain_available`)"
            )
        return connection

    def _connect(self, version: Version) -> Connection:
        try:
            return self._log_in(version, self._retains)
        except NoRetainError:
            return self._log_in(version, retains=False)
        except NoAnswerError as error:
            if version == MQTT_5 or not (error.has_hung_up and self._retains):
                raise
        try:
            return self._log_in(version, retains=False)
        except NoAnswerError as error:
            if error.has_hung_up and self._is_let_in_without_acknowledgements(version):
                where = f"{self._settings.host}:{self._settings.port}"
                what = f"the broker at {where} lets us in only with a last will of QoS 0"
                raise BrokerRefusedError(ConnectionState.NO_ACKNOWLEDGEMENTS, what) from error
            raise

    def _is_let_in_without_acknowledgements(self, version: Version) -> bool:
        """Whether it is the QoS of our last will that a broker hangs up on: 3.1.1 gives no reason."""
        if self._terms.will is None:
            return False
        terms = replace(self._terms, will=replace(self._terms.will, qos=0))
        try:
            connection = self._log_in(version, False, terms)
        except NoConnectionError:
            return False
        connection.log_out()
        connection.close()
        return True

    def _log_in(self, version: Version, retains: bool, terms: Terms | None = None) -> Connection:
        return Connection(
            self._settings,
            self._credentials,
            self._client_id,
            version,
            self._waker,
            self._stop,
            terms or self._terms,
            retains,
            self._retained,
        )
