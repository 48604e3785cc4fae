"""Who is let in, and what is done about bad guests, against the real server."""

import socket
import time
from pathlib import Path

import pytest

from edge_app.config import WebSettings
from edge_app.errors import ConfigurationError
from edge_app.web import body, guard, server
from edge_app.web.token import FORGIVE_SECONDS, MOST_FAILURES, MOST_FAILURES_OF_ALL, Doorkeeper, load
from tests.web.conftest import OpenSite
from tests.web.site import TOKEN, Site, jpeg


def raw(site: Site, *parts: bytes, pause: float = 0.0) -> bytes:
    """What comes back to these bytes, sent with pauses, until the server ends the connection."""
    with socket.create_connection(("127.0.0.1", site.port), timeout=30) as connection:
        try:
            for part in parts:
                connection.sendall(part)
                time.sleep(pause)
            received = b""
            while more := connection.recv(65536):
                received += more
        except (ConnectionError, BrokenPipeError):
            return b""
        return received


def test_the_token_opens_what_is_closed_without_it(guarded: Site) -> None:
    closed = {path: guarded.ask(path).status for path in ("/v1/status", "/v1/reads", "/metrics", "/openapi.json")}
    opened = {path: guarded.ask(path, token=TOKEN).status for path in closed}
    wrong = guarded.ask("/v1/status", token="f" * 16)

    assert set(closed.values()) == {401}
    assert set(opened.values()) == {200}
    assert wrong.status == 401
    assert wrong.headers["www-authenticate"].startswith("Bearer")
    assert wrong.headers["content-type"] == "application/problem+json"
    assert {path: guarded.ask(path).status for path in ("/", "/healthz")} == {"/": 200, "/healthz": 200}


def test_who_guesses_is_not_heard_for_a_while_even_with_the_token(guarded: Site) -> None:
    guesses = [guarded.ask("/v1/status", token=f"{number:016}").status for number in range(MOST_FAILURES + 1)]
    after = guarded.ask("/v1/status", token=TOKEN)

    assert guesses == [401] * MOST_FAILURES + [429]
    assert after.status == 429
    assert 0 < int(after.headers["retry-after"]) <= FORGIVE_SECONDS + 1


def test_guessing_from_many_addresses_does_not_shut_out_who_knows_the_token() -> None:
    now = 0.0
    keeper = Doorkeeper(TOKEN, lambda: now)
    keeper.admits(f"Bearer {TOKEN}", "192.0.2.1")

    for number in range(MOST_FAILURES_OF_ALL):
        keeper.admits("Bearer wrong", f"198.51.100.{number}")

    assert keeper.wait_seconds("203.0.113.9") > 0
    assert keeper.wait_seconds("192.0.2.1") == 0
    now = FORGIVE_SECONDS + 1
    assert keeper.wait_seconds("203.0.113.9") == 0


@pytest.mark.parametrize("listen", ["0.0.0.0:8080", "192.0.2.7:80", "[::]:8080"])
def test_without_a_token_only_this_machine_may_ask(listen: str) -> None:
    with pytest.raises(ConfigurationError, match="set `token_file`, or listen on"):
        load(WebSettings(listen=listen))

    assert load(WebSettings(listen="[::1]:8080")) is None


@pytest.mark.parametrize("content", ["short", "with a space in it", "ünbekannt-0123456789"])
def test_a_token_that_will_not_do_is_named_without_being_shown(content: str, tmp_path: Path) -> None:
    (tmp_path / "token").write_text(content)

    with pytest.raises(ConfigurationError) as refusal:
        load(WebSettings(listen="127.0.0.1:1", token_file=tmp_path / "token"))

    assert content not in str(refusal.value)


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("127.0.0.1", 200),
        ("127.0.0.1:8080", 200),
        ("[::1]:80", 200),
        ("localhost:8080", 200),
        ("gate.example.org", 200),
        ("GATE.example.org.:80", 200),
        ("evil.example", 421),
        ("127.0.0.1.evil.example:8080", 421),
        ("gate.example.org@evil.example", 421),
        ("", 421),
    ],
)
def test_a_name_that_an_attacker_lets_lead_here_is_refused(host: str, status: int, open_site: OpenSite) -> None:
    site = open_site(web=WebSettings(listen="127.0.0.1:0", host_names=("gate.example.org",)))

    answer = raw(site, f"GET /v1/status HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())

    assert answer.startswith(f"HTTP/1.1 {status} ".encode())


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Sec_Fetch_Site": "cross-site"},
        {"Sec_Fetch_Site": "same-site"},
        {"Origin": "http://127.0.0.1:1"},
    ],
)
def test_a_request_from_another_sites_page_changes_nothing(headers: dict[str, str], site: Site) -> None:
    put = site.ask("/v1/cameras/north/settings", "PUT", b"{}", **headers)
    post = site.ask("/v1/recognize", "POST", jpeg(), **headers)

    assert (put.status, post.status) == (403, 403)


@pytest.mark.parametrize(
    "path",
    [
        "/../../etc/passwd",
        "/%2e%2e/%2e%2e/etc/passwd",
        "/..%2f..%2fetc/passwd",
        "/page/",
        "/page.js/..",
        "//etc/passwd",
        "/window.py",
        "/v1/reads/..%2f..%2f/picture",
        "/v1/cameras/..%2f/picture",
        "/index.html/",
        "/\x00",
    ],
)
def test_no_path_leads_out_of_the_page(path: str, site: Site) -> None:
    answer = raw(site, f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())

    assert answer.split(b" ")[1] in (b"404", b"400", b"307")
    assert b"root:" not in answer


def test_every_answer_has_the_strict_headers_and_shows_no_software(site: Site) -> None:
    answers = [site.ask(path) for path in ("/", "/v1/status", "/nothing", "/metrics")]
    answers.append(site.ask("/v1/status", "DELETE"))

    assert [answer.status for answer in answers] == [200, 200, 404, 200, 405]
    for answer in answers:
        assert "default-src 'none'" in answer.headers["content-security-policy"]
        assert "unsafe" not in answer.headers["content-security-policy"]
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert "server" not in answer.headers
        assert "access-control-allow-origin" not in answer.headers


def test_who_never_finishes_the_head_is_cut_off(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "HEAD_SECONDS", 0.3)

    received = raw(site, b"GET /v1/status HTTP/1.1\r\n", *[b"X-More: 1\r\n"] * 20, pause=0.1)

    assert not received
    assert site.ask("/healthz").status == 200


def test_who_asks_nothing_is_cut_off(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "HEAD_SECONDS", 0.2)

    assert raw(site) == b""


def test_a_body_that_trickles_is_not_waited_for(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(body, "SECONDS", 0.3)
    head = b"POST /v1/recognize HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5000\r\n\r\n"

    received = raw(site, head, b"\xff", b"\xd8", pause=0.1)

    assert received.startswith(b"HTTP/1.1 408 ")


def test_a_body_that_is_too_large_is_refused_before_it_comes_and_while_it_comes(open_site: OpenSite) -> None:
    site = open_site(web=WebSettings(listen="127.0.0.1:0", max_megabytes=0.1))
    head = b"POST /v1/recognize HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"

    declared = raw(site, head + b"Content-Length: 99999999999\r\n\r\n")
    chunked = raw(site, head + b"Transfer-Encoding: chunked\r\n\r\n", *[b"ffff\r\n" + b"x" * 65535 + b"\r\n"] * 3)

    assert declared.startswith(b"HTTP/1.1 413 ")
    assert chunked.startswith(b"HTTP/1.1 413 ") or chunked == b""


def test_more_requests_than_can_be_answered_are_told_when_to_come_again(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(guard, "MOST_REQUESTS", 0)

    answer = site.ask("/v1/status")

    assert answer.status == 503
    assert answer.headers["retry-after"] == "1"


def test_a_head_that_does_not_end_is_refused(site: Site) -> None:
    head = b"GET / HTTP/1.1\r\nHost: localhost\r\nX-Large: "

    answer = raw(site, head, *[b"x" * 10_000] * 20, pause=0.01)

    assert answer.split(b" ")[1:2] in ([b"400"], [])
