"""Errors that edge-anpr raises: each message states what happened and what to do next."""


class EdgeAnprError(Exception):
    """Anything that ends a command with exit code 1."""


class UsageError(EdgeAnprError):
    """Wrong usage or configuration: exit code 2, and systemd does not restart."""


class ConfigurationError(UsageError):
    """The configuration file is wrong; the message names file, line and key."""


class ModelError(EdgeAnprError):
    """A model file is missing, truncated, altered or of the wrong kind."""


class RefusedError(EdgeAnprError):
    """A bundle that this device does not take; what is installed goes on."""


class SourceError(EdgeAnprError):
    """A camera, stream, video or image cannot be opened or read."""


class RefusedPasswordError(SourceError):
    """A camera does not take the user and password; too many attempts may lock the account."""


class ImageError(EdgeAnprError, ValueError):
    """An array that was passed in is no picture."""


class OutboxError(EdgeAnprError):
    """The outbox cannot be opened, or an event cannot be committed to it."""


class UplinkError(EdgeAnprError):
    """The broker refuses us in a way that waiting will not repair."""
