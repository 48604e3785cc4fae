"""The URL of a source, taken apart: text only, so that a configuration can be checked without a camera or OpenCV."""

import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

from edge_app.errors import ConfigurationError
from edge_app.printable import excerpt

FORMS = {
    "picamera2": "picamera2:0",
    "v4l2": "v4l2:/dev/video0",
    "rtsp": "rtsp://HOST/PATH",
    "rtsps": "rtsps://HOST/PATH",
    "http": "http://HOST/PATH",
    "https": "https://HOST/PATH",
    "gst": "gst:PIPELINE",
    "file": "file:clip.mp4?loop=1&speed=1",
    "images": "images:DIR",
}
"""An example of every kind of URL, by its scheme."""

NETWORK = ("rtsp", "rtsps", "http", "https")
"""Schemes whose URL is the address of a camera."""

_AUTHORITY = re.compile(
    r"\w+://(?P<user>[^/?#]*@)?(?P<name>\[[^/?#\]]*\]?|[^/?#:@]*)(?::(?P<port>[^/?#@]*))?(?P<end>[/?#]?)(?P<after>.*)",
    re.DOTALL,
)

_PATH_AND_OPTIONS = re.compile(r"(?://)?(?P<path>[^?].*?)(?:\?(?P<options>[^/?]*))?")
"""What follows the last `?` is options; one in the name of a folder is not."""


@dataclass(frozen=True, slots=True)
class SourceUrl:
    """A source of frames."""

    scheme: str
    """A key of `FORMS`."""
    place: str
    """A number, a device, the whole address of a network camera, a pipeline or a path."""
    loop: bool = False
    """A file is played again and again."""
    speed: float = 0.0
    """How many times as fast as it was taken a file is played; 0 as fast as its frames are taken."""


@dataclass(frozen=True, slots=True)
class SourceForm:
    """A limit of a settings field: a URL that `parse` takes."""

    def complaint(self, value: object) -> str | None:
        """See `edge_app.configuration.limits.Limit`."""
        try:
            parse(str(value))
        except ConfigurationError as error:
            return str(error)
        return None


def parse(url: str) -> SourceUrl:
    """Take a URL apart; `ConfigurationError` if it is unknown or incomplete."""
    scheme, colon, rest = url.partition(":")
    if not colon or scheme not in FORMS:
        begun = "this" if "@" in url else f"'{excerpt(scheme)}{colon}'"  # before it may stand a user's name
        raise ConfigurationError(f"{begun} is no kind of source; give one of {', '.join(FORMS.values())}")
    if not rest:
        raise ConfigurationError(f"'{excerpt(url)}' is cut short; write {FORMS[scheme]}")
    if scheme == "picamera2" and not rest.isdecimal():
        raise ConfigurationError(f"'{excerpt(url)}' names no camera by its number; write {FORMS[scheme]}")
    if scheme in NETWORK:
        _check_address(scheme, url)
        return SourceUrl(scheme, url)
    if scheme == "images":
        return SourceUrl(scheme, rest.removeprefix("//"))
    return _file(url, rest) if scheme == "file" else SourceUrl(scheme, rest)


def starting_at(folder: Path, url: str) -> str:
    """The URL of a file or of images with its path starting at `folder` if it is relative; others unchanged."""
    scheme, _, rest = url.partition(":")
    return f"{scheme}:{folder / rest.removeprefix('//')}" if scheme in ("file", "images") else url


def _check_address(scheme: str, url: str) -> None:
    """Complain in words of our own: those of `urllib` show parts of the address, and it may hold a password."""
    if wrong := _fault_of_address(url):
        advice = f"write {FORMS[scheme]}, and user:password into the file that password_file names"
        raise ConfigurationError(f"the address of the camera is wrong ({wrong}); {advice}")


def _fault_of_address(url: str) -> str | None:
    parts = _AUTHORITY.fullmatch(url)
    if parts is None:
        return "no host"
    host, port = parts["name"] or "", parts["port"] or ""
    if host.startswith("[") and not host.endswith("]"):
        return "a bracket is not closed"
    ended_by, after = parts["end"], parts["after"]
    is_cut = "@" in after and parts["user"] is None
    if is_cut and (ended_by == "#" or not port.isdecimal()):
        return f"what stands before the @ holds a {ended_by}, at which the address ends"
    if not host:
        return "no host"
    if port and not (port.isdecimal() and port.isascii() and 0 < int(port) < 65536):
        return "the port is no number from 1 to 65535"
    try:
        urlsplit(url)
    except ValueError:
        return "its host cannot be one"
    return None


def _file(url: str, rest: str) -> SourceUrl:
    parts = _PATH_AND_OPTIONS.fullmatch(rest)
    if parts is None:
        raise ConfigurationError(f"'{excerpt(url)}' is cut short; write {FORMS['file']}")
    options = _numbers(url, parts["options"] or "", {"loop": 0.0, "speed": 0.0})
    return SourceUrl("file", parts["path"], loop=bool(options["loop"]), speed=options["speed"])


def _numbers(url: str, query: str, defaults: dict[str, float]) -> dict[str, float]:
    """Read the options behind the `?` of a URL: each is a number of zero or more."""
    options = dict(defaults)
    for key, text in parse_qsl(query, keep_blank_values=True):
        if key not in defaults:
            raise ConfigurationError(
                f"'{excerpt(url)}': unknown option '{excerpt(key)}'; known are {', '.join(defaults)}"
            )
        try:
            options[key] = float(text)
        except ValueError:
            raise ConfigurationError(f"'{excerpt(url)}': {key} is not a number; give one, as in {key}=1") from None
        if not 0 <= options[key] < float("inf"):
            raise ConfigurationError(f"'{excerpt(url)}': {key} must be zero or more")
    return options
