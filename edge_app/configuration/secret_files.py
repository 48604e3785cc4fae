"""Files that hold a password: one line of text, of which no message shows a part."""

from pathlib import Path

from edge_app.errors import ConfigurationError


def read_line(path: Path, key: str) -> str:
    """The one line of the file, without the invisible mark with which some editors begin it.

    Raises:
        ConfigurationError: it cannot be read, or holds no line, or several.
    """
    try:
        text = path.read_bytes().decode("utf-8-sig").rstrip("\r\n")
    except OSError as error:
        raise ConfigurationError(f"{key}: {path} cannot be read ({error.strerror}); put it there") from error
    except UnicodeDecodeError:  # its words show a part of the secret
        raise ConfigurationError(f"{key}: {path} is not UTF-8 text; save it as UTF-8") from None
    if not text:
        raise ConfigurationError(f"{key}: {path} is empty; write the password in its first line")
    if "\n" in text or "\r" in text or "\0" in text:
        raise ConfigurationError(f"{key}: {path} holds more than one line; leave the password alone in it")
    return text
