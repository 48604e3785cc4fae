"""What a failure of TLS means, by the words of OpenSSL."""

import ssl

from edge_app.events.connection_state import ConnectionState

# The messages of OpenSSL, as `ssl.SSLError` has them; alerts by their names in RFC 8446, section 6.2. The first counts.
_TLS_SIGNS = (
    ("certificate has expired", ConnectionState.BROKER_EXPIRED),
    ("certificate is not yet valid", ConnectionState.BROKER_NOT_YET_VALID),
    ("mismatch, certificate is not valid for", ConnectionState.BROKER_OF_OTHER_NAME),
    ("certificate verify failed", ConnectionState.BROKER_NOT_TRUSTED),
    ("alert certificate required", ConnectionState.CERTIFICATE_WANTED),
    ("alert handshake failure", ConnectionState.CERTIFICATE_WANTED),  # what TLS 1.2 sends in place of it
    ("alert certificate expired", ConnectionState.CERTIFICATE_EXPIRED),
    ("alert", ConnectionState.CERTIFICATE_REFUSED),
    ("wrong version number", ConnectionState.NO_TLS),
)


def is_plain(error: Exception) -> bool:
    """Whether a handshake failed as one with a port that speaks no TLS does.

    Such a port closes the line, resets it or waits for a packet that we never send.
    """
    if isinstance(error, ConnectionResetError | BrokenPipeError | ssl.SSLEOFError | ssl.SSLZeroReturnError):
        return True
    return isinstance(error, TimeoutError) and "handshake" in str(error)


def of_tls(words: str) -> ConnectionState | None:
    """What a failure of TLS means; None if the words are about something else."""
    if "SSL" not in words:
        return None
    return next((state for sign, state in _TLS_SIGNS if sign in words), ConnectionState.NO_TLS)
