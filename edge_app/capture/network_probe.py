"""Asks a network camera for its stream in the few lines that say what is wrong, which FFmpeg does not.

Sources: RFC 2326 (RTSP; DESCRIBE), RFC 7617 and RFC 7616 (Basic and Digest authentication), RFC 4566 (SDP).
"""

import base64
import errno
import hashlib
import re
import secrets
import socket
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from urllib.parse import SplitResult, unquote, urlsplit

from edge_app.errors import RefusedPasswordError, SourceError
from edge_app.printable import excerpt, without_secrets

PORTS = {"rtsp": 554, "rtsps": 322, "http": 80, "https": 443}
TIMEOUT_SECONDS = 3.0
VIDEO_CODECS = {"H264", "H265", "HEVC", "JPEG", "MP4V-ES", "H263", "H263-1998", "VP8", "VP9", "AV1", "MPV", "MP2T"}
"""Encodings of RTP that FFmpeg can decode."""
_HEAD_BYTES = 65_536


@dataclass(frozen=True, slots=True)
class Answer:
    """What a camera answered."""

    code: int
    headers: Mapping[str, list[str]]
    """By their names in small letters."""
    body: str


def reach(address: str) -> None:
    """Connect, and say nothing.

    Raises:
        SourceError: it cannot be reached.
    """
    parts = urlsplit(address)
    try:
        with socket.create_connection(_place(parts), TIMEOUT_SECONDS):
            pass
    except (OSError, ValueError) as error:
        raise SourceError(f"{without_secrets(address)}: {_why_unreachable(parts, error)}") from error


def check(address: str) -> None:
    """Ask for the stream of an address, which may hold user and password.

    Raises:
        RefusedPasswordError: the camera does not take them.
        SourceError: anything else is wrong; no message shows user or password.
    """
    parts, label = urlsplit(address), without_secrets(address)
    try:
        answer = _ask(parts, {})
        if answer.code == HTTPStatus.UNAUTHORIZED and parts.username:
            answer = _ask(parts, _authorization(parts, answer))
    except ssl.SSLError as error:
        what = f"cannot be reached with TLS ({error.reason}); check port and scheme"
        raise SourceError(f"{label}: {what}") from error
    except (OSError, ValueError) as error:
        raise SourceError(f"{label}: {_why_unreachable(parts, error)}") from error
    if answer.code == HTTPStatus.UNAUTHORIZED:
        what = "refuses user and password" if parts.username else "asks for a user and a password"
        raise RefusedPasswordError(f"{label}: {what} (401); correct user:password in camera.password_file")
    if answer.code == HTTPStatus.FORBIDDEN:
        raise RefusedPasswordError(f"{label}: this user may not see the stream (403); give the user that right")
    if answer.code == HTTPStatus.NOT_FOUND:
        raise SourceError(f"{label}: has no stream of this path (404); take the path from the camera's manual")
    if answer.code != HTTPStatus.OK:
        raise SourceError(f"{label}: answers {answer.code}; check path and settings of the camera")
    if wrong := _wrong_content(parts.scheme, answer):
        raise SourceError(f"{label}: {wrong}")


def _ask(parts: SplitResult, more: Mapping[str, str]) -> Answer:
    with socket.create_connection(_place(parts), TIMEOUT_SECONDS) as plain:
        is_tls = parts.scheme in ("rtsps", "https")
        stream = _tls().wrap_socket(plain, server_hostname=parts.hostname) if is_tls else plain
        with stream:
            stream.sendall(_request(parts, more))
            return _answer(stream)


def _place(parts: SplitResult) -> tuple[str, int]:
    return parts.hostname or "", parts.port or PORTS[parts.scheme]


def _tls() -> ssl.SSLContext:
    """Cameras sign their certificates themselves: FFmpeg checks none, and neither do we."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


def _uri(parts: SplitResult) -> str:
    if parts.scheme in ("http", "https"):
        return f"{parts.path or '/'}{'?' * bool(parts.query)}{parts.query}"
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()


def _method(parts: SplitResult) -> str:
    return "GET" if parts.scheme in ("http", "https") else "DESCRIBE"


def _request(parts: SplitResult, more: Mapping[str, str]) -> bytes:
    is_http = _method(parts) == "GET"
    lines = [f"{_method(parts)} {_uri(parts)} {'HTTP/1.1' if is_http else 'RTSP/1.0'}"]
    lines += [f"Host: {parts.netloc.rpartition('@')[2]}", "Connection: close"] if is_http else ["CSeq: 1"]
    lines += [f"{name}: {value}" for name, value in {"User-Agent": "edge-anpr", **more}.items()]
    if not is_http:
        lines.append("Accept: application/sdp")
    return "\r\n".join([*lines, "", ""]).encode()


def _answer(stream: socket.socket) -> Answer:
    """The head of the answer and, of RTSP, the description of the stream.

    Raises:
        ValueError: it is of another protocol.
    """
    received = b""
    while b"\r\n\r\n" not in received and len(received) < _HEAD_BYTES and (more := stream.recv(4096)):
        received += more
    head, _, body = received.partition(b"\r\n\r\n")
    first, *lines = head.decode("utf-8", "replace").split("\r\n")
    status = re.fullmatch(r"(?:RTSP|HTTP)/\d\.\d (\d{3})(?: .*)?", first)
    if status is None:
        raise ValueError("it closes the connection" if not received else "it speaks another protocol")
    headers: dict[str, list[str]] = {}
    for line in lines:
        name, _, value = line.partition(":")
        headers.setdefault(name.strip().lower(), []).append(value.strip())
    length = int(headers.get("content-length", ["0"])[0] or 0) if first.startswith("RTSP") else 0
    while len(body) < min(length, _HEAD_BYTES) and (more := stream.recv(4096)):
        body += more
    return Answer(int(status[1]), headers, body.decode("utf-8", "replace"))


def _authorization(parts: SplitResult, refusal: Answer) -> dict[str, str]:
    user, password = unquote(parts.username or ""), unquote(parts.password or "")
    challenges = refusal.headers.get("www-authenticate", [])
    for challenge in challenges:
        kind, _, rest = challenge.partition(" ")
        fields = {key.lower(): quoted or bare for key, quoted, bare in _FIELDS.findall(rest)}
        if kind.lower() == "digest" and (digest := _digest(parts, fields, user, password)):
            return {"Authorization": digest}
    if any(challenge.lower().startswith("basic") for challenge in challenges):
        return {"Authorization": "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()}
    return {}


_FIELDS = re.compile(r'(\w+)=(?:"([^"]*)"|([^\s,]+))')


def _digest(parts: SplitResult, fields: Mapping[str, str], user: str, password: str) -> str | None:
    """RFC 7616, without the parts that no camera uses; None if the algorithm is not known here."""
    algorithm = {"": "md5", "MD5": "md5", "SHA-256": "sha256"}.get(fields.get("algorithm", "").upper())
    if algorithm is None:
        return None

    def digest(text: str) -> str:
        return hashlib.new(algorithm, text.encode(), usedforsecurity=False).hexdigest()

    realm, nonce, uri = fields.get("realm", ""), fields.get("nonce", ""), _uri(parts)
    whose, what = digest(f"{user}:{realm}:{password}"), digest(f"{_method(parts)}:{uri}")
    between, qop = nonce, ""
    if "auth" in fields.get("qop", "").split(","):
        client = secrets.token_hex(8)
        between, qop = f"{nonce}:00000001:{client}:auth", f', qop=auth, nc=00000001, cnonce="{client}"'
    response = digest(f"{whose}:{between}:{what}")
    given = "".join(f', {key}="{fields[key]}"' for key in ("opaque", "algorithm") if key in fields)
    return f'Digest username="{user}", realm="{realm}", nonce="{nonce}", uri="{uri}", response="{response}"{qop}{given}'


def _wrong_content(scheme: str, answer: Answer) -> str | None:
    kind = answer.headers.get("content-type", [""])[0].lower()
    if scheme in ("http", "https"):
        is_video = kind.startswith(("multipart/", "video/", "image/", "application/octet-stream")) or not kind
        return None if is_video else f"sends {excerpt(kind)} and no pictures; give the address of its MJPEG stream"
    media = re.split(r"(?m)^m=", answer.body)[1:]
    video = [each for each in media if each.startswith("video")]
    if not video:
        return "its stream has no video; take the path of a video stream from the camera's manual"
    codecs = [codec.upper() for each in video for codec in re.findall(r"(?m)^a=rtpmap:\d+ ([\w.-]+)/", each)]
    if codecs and not VIDEO_CODECS.intersection(codecs):
        return f"its video is {excerpt(codecs[0])}, which is not known here; set the camera to H.264 or H.265"
    return None


def _why_unreachable(parts: SplitResult, error: Exception) -> str:
    port = parts.port or PORTS[parts.scheme]
    if isinstance(error, socket.gaierror):
        return "its name is not known to the network; check the host in camera.source, or give its address"
    if isinstance(error, TimeoutError):
        return f"no answer within {TIMEOUT_SECONDS:g} s; check the camera's power, the network and the port ({port})"
    if isinstance(error, ConnectionRefusedError):
        return f"nothing listens at port {port}; check the port, and that the camera's service for it is on"
    if isinstance(error, ConnectionResetError):
        return "it closes the connection; it may serve too many viewers: end some, or start it again"
    if isinstance(error, OSError) and error.errno in (errno.EHOSTUNREACH, errno.ENETUNREACH, errno.ENETDOWN):
        return "there is no route to it; check the network of this device and the camera's address"
    if isinstance(error, OSError):
        return f"cannot be reached ({error.strerror or type(error).__name__}); check address and network"
    return f"{error}; check scheme and port"
