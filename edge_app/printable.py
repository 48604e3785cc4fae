"""Text from elsewhere, and numbers, made fit to be shown."""


def printable(text: str) -> str:
    """The text without what could steer a terminal."""
    return "".join(each if each.isprintable() else "\N{REPLACEMENT CHARACTER}" for each in text)


def excerpt(text: str, most: int = 64) -> str:
    """Its beginning, if it is too long to show."""
    return printable(text if len(text) <= most else f"{text[: most - 1]}…")


def counted(number: int, noun: str) -> str:
    """So many of them: `1 plate`, `2 plates`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
