"""Text from elsewhere, and numbers, made fit to be shown."""

import re

_USER = re.compile(r"(//|^(?!.*//)).*@", re.DOTALL)
"""Up to the last `@`: a password may hold what else ends an address."""
_OPTION = re.compile(r"([?&;][\w.-]+=)(?![\d.]{1,3}(?:[&;#]|$))[^&;#\s]+")
"""What stands behind a `?`, if it is more than a small number: any word may be a camera's token."""
_PATH = re.compile(r"(?<!file)(?<!images)(://[^/?#\s]+)[/?#][^\s'\"]+")
"""What follows the host and port of an address: any part of it may be a camera's token."""
_SECRET = re.compile(r"(?i)\b((?:user|pass|pwd|token|secret|auth|key)[\w-]*=)[^&\s!]+")


def printable(text: str) -> str:
    """The text without what could steer a terminal."""
    return "".join(each if each.isprintable() else "\N{REPLACEMENT CHARACTER}" for each in text)


def printable_lines(text: str) -> str:
    """The same of a text of several lines."""
    return "\n".join(printable(line.replace("\t", " ")) for line in text.split("\n"))


def without_secrets(text: str) -> str:
    """A URL, or what was meant to be one, without user, password and token.

    Of an address only scheme, host and port are left, of a pipeline its elements.
    """
    scheme, colon, pipeline = text.partition(":")
    if scheme == "gst":
        elements = [part.split() for part in pipeline.split(" ! ")]
        names = [words[0] if words and words[0].isalnum() else "…" for words in elements]
        return f"{scheme}{colon}{' ! '.join(names)}"
    return _SECRET.sub(r"\1…", _OPTION.sub(r"\1…", _PATH.sub(r"\1/…", _USER.sub(r"\1", text))))


def excerpt(text: str, most: int = 64) -> str:
    """Its beginning, if it is too long to show."""
    text = without_secrets(text)
    return printable(text if len(text) <= most else f"{text[: most - 1]}…")


def counted(number: int, noun: str) -> str:
    """A count with its noun: `1 plate`, `2 plates`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
