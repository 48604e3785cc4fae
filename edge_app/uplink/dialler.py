"""Finds the version of MQTT that the broker speaks."""

import threading

from edge_app.config import MqttSettings
from edge_app.uplink.connection import MQTT_3_1_1, MQTT_5, Connection, NoAnswerError, Terms, Version
from edge_app.uplink.credentials import Credentials
from edge_app.uplink.waker import Waker


class Dialler:
    """Makes connections: MQTT 5 first, 3.1.1 where the broker does not take it; what worked is tried first."""

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
        self._versions = (MQTT_5, MQTT_3_1_1)

    def dial(self) -> Connection:
        """Connect.

        Raises:
            UnreachableError: it may work later.
            UplinkError: it will not, until somebody mends the settings.
        """
        first, second = self._versions
        try:
            return self._connect(first)
        except NoAnswerError:
            connection = self._connect(second)
            self._versions = (second, first)
            return connection

    def _connect(self, version: Version) -> Connection:
        return Connection(
            self._settings, self._credentials, self._client_id, version, self._waker, self._stop, self._terms
        )
