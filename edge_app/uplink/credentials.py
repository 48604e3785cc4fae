"""Who we are to the broker: user, password and TLS, read once at the start and checked before anything is sent."""

import ssl
from dataclasses import dataclass

from edge_app.config import MqttSettings, password_complaint
from edge_app.configuration import secret_files, systemd_credentials
from edge_app.errors import ConfigurationError

_CREDENTIAL = "mqtt-password"
"""The name of the systemd credential."""


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a connection needs to be let in."""

    username: str | None
    password: str | None
    tls: ssl.SSLContext | None


def load(settings: MqttSettings) -> Credentials:
    """Read the secrets' files.

    Raises:
        ConfigurationError: a file cannot be used, or the password would cross the network in clear text.
    """
    password = _password(settings)
    if password is not None and (complaint := password_complaint(settings)):
        raise ConfigurationError(f"[mqtt]: {complaint}")
    return Credentials(settings.username, password, _tls_context(settings) if settings.tls else None)


def _password(settings: MqttSettings) -> str | None:
    path = settings.password_file or systemd_credentials.file_of(_CREDENTIAL)
    if path is None:
        return None
    return secret_files.read_line(path, "mqtt.password_file")


def _tls_context(settings: MqttSettings) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=settings.ca_file)
        if settings.certificate_file is not None:
            context.load_cert_chain(settings.certificate_file, settings.key_file)
    except (OSError, ssl.SSLError) as error:
        raise ConfigurationError(
            f"mqtt.ca_file, certificate_file or key_file cannot be used: {error}; check that they exist, are PEM and"
            " belong together"
        ) from error
    return context
