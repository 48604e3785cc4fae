"""What a network camera's answers are called, each by a server that gives it over a real socket."""

import hashlib
import re
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from edge_app.capture import network_probe, network_source
from edge_app.config import CameraSettings
from edge_app.errors import RefusedPasswordError, SourceError
from tests.certificates import Authority

SDP = "v=0\r\nm=video 0 RTP/AVP 96\r\na=rtpmap:96 {}/90000\r\n"
DIGEST = 'WWW-Authenticate: Digest realm="cam", nonce="abc"\r\nWWW-Authenticate: Basic realm="cam"\r\n'


def rtsp(code: int, headers: str = "", body: str = "") -> str:
    return f"RTSP/1.0 {code} Words\r\nCSeq: 1\r\n{headers}Content-Length: {len(body)}\r\n\r\n{body}"


@contextmanager
def camera(answer: Callable[[str], str], tls: ssl.SSLContext | None = None) -> Iterator[int]:
    """A server that answers each request, one a connection; its port."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            while True:
                try:
                    connection, _ = server.accept()
                except OSError:
                    return
                with connection, tls.wrap_socket(connection, server_side=True) if tls else connection as stream:
                    stream.sendall(answer(stream.recv(4096).decode()).encode())

        threading.Thread(target=serve, daemon=True).start()
        yield server.getsockname()[1]
        server.shutdown(socket.SHUT_RDWR)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (rtsp(401, DIGEST), r"asks for a user and a password \(401\); correct user:password in camera.password_file"),
        (rtsp(403), r"may not see the stream \(403\)"),
        (rtsp(404), r"has no stream of this path \(404\); take the path from the camera's manual"),
        (rtsp(503), "answers 503"),
        (rtsp(200, body=SDP.format("X-SECRET")), "its video is X-SECRET, which is not known here; set the camera to H"),
        (rtsp(200, body="v=0\r\nm=audio 0 RTP/AVP 0\r\n"), "its stream has no video"),
        ("SSH-2.0-OpenSSH\r\n\r\n", "it speaks another protocol; check scheme and port"),
        ("", "it closes the connection; check scheme and port"),
    ],
)
def test_every_wrong_answer_is_put_in_words(answer: str, words: str) -> None:
    with camera(lambda _: answer) as port, pytest.raises(SourceError, match=words) as error:
        network_probe.check(f"rtsp://127.0.0.1:{port}/main")

    assert str(error.value).startswith(f"rtsp://127.0.0.1:{port}/…: ")


@pytest.mark.parametrize("codec", ["H264", "H265", "JPEG"])
def test_a_stream_that_can_be_decoded_is_no_error(codec: str) -> None:
    with camera(lambda _: rtsp(200, body=SDP.format(codec))) as port:
        network_probe.check(f"rtsp://127.0.0.1:{port}/main?channel=1")


def answer_to_the_right_digest(request: str) -> str:
    """As a camera with the user `gate` and the password `p@ss/word`."""
    found = re.search(r'username="gate", realm="cam", nonce="abc", uri="([^"]+)", response="(\w+)"', request)
    if found is None:
        return rtsp(401, DIGEST)
    halves = [hashlib.md5(text.encode()).hexdigest() for text in ("gate:cam:p@ss/word", f"DESCRIBE:{found[1]}")]
    right = hashlib.md5(f"{halves[0]}:abc:{halves[1]}".encode()).hexdigest()
    return rtsp(200, body=SDP.format("H264")) if found[2] == right else rtsp(401, DIGEST)


def test_the_password_is_proved_by_digest_and_a_wrong_one_is_refused_without_being_shown() -> None:
    with camera(answer_to_the_right_digest) as port:
        network_probe.check(f"rtsp://gate:p%40ss%2Fword@127.0.0.1:{port}/main")
        with pytest.raises(RefusedPasswordError, match=r"refuses user and password \(401\)") as error:
            network_probe.check(f"rtsp://gate:wr0ng@127.0.0.1:{port}/main")

    assert "wr0ng" not in str(error.value)
    assert "gate" not in str(error.value)


def test_a_password_may_be_proved_by_basic_alone_over_http() -> None:
    def answer(request: str) -> str:
        if "Authorization: Basic Z2F0ZTpzZWNyZXQ=" in request:
            return "HTTP/1.1 200 OK\r\nContent-Type: multipart/x-mixed-replace\r\n\r\n"
        return 'HTTP/1.1 401 No\r\nWWW-Authenticate: Basic realm="cam"\r\n\r\n'

    with camera(answer) as port:
        network_probe.check(f"http://gate:secret@127.0.0.1:{port}/video")


def test_a_page_is_no_stream() -> None:
    with (
        camera(lambda _: "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n") as port,
        pytest.raises(SourceError, match="sends text/html and no pictures; give the address of its MJPEG stream"),
    ):
        network_probe.check(f"http://127.0.0.1:{port}/")


def test_a_camera_with_a_certificate_of_its_own_making_is_asked_over_tls(tmp_path: Path) -> None:
    made = Authority(tmp_path).issue("camera")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(made.certificate, made.key)

    with camera(lambda _: rtsp(404), context) as port, pytest.raises(SourceError, match="404"):
        network_probe.check(f"rtsps://127.0.0.1:{port}/main")


def test_nobody_at_the_port_and_an_unknown_name_are_put_in_words() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]

    with pytest.raises(SourceError, match=f"nothing listens at port {port}; check the port"):
        network_probe.check(f"rtsp://127.0.0.1:{port}/main")
    with pytest.raises(SourceError, match="its name is not known to the network"):
        network_probe.check("rtsp://camera.invalid/main")


def test_a_credential_of_the_camera_itself_goes_before_the_common_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    (tmp_path / "camera-password").write_text("all:1")
    (tmp_path / "camera-password-yard").write_text("yard:2")

    names = ("north", "yard")
    addresses = [network_source._with_password(CameraSettings(name=name), "rtsp://host/x") for name in names]

    assert addresses == ["rtsp://all:1@host/x", "rtsp://yard:2@host/x"]


def test_the_transport_goes_to_ffmpeg_behind_the_address() -> None:
    with_transport = network_source._with_transport

    assert with_transport("rtsp://host/x", "tcp") == "rtsp://host/x?tcp"
    assert with_transport("rtsp://host/x?channel=1", "udp") == "rtsp://host/x?channel=1&udp"
    assert with_transport("http://host/x", "tcp") == "http://host/x"
