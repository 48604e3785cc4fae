"""Each source with real files, a real database and a real server: answers, slowness, nonsense."""

import http.server
import json
import os
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from edge_app.config import LookupSettings
from edge_app.errors import ConfigurationError
from edge_app.lookup import sources
from edge_app.lookup.sources import LookupFailedError, bare, open_source

PLATE = "MH12AB1234"
FIELDS = ("owner", "model")


def soon() -> float:
    return time.monotonic() + 20


def csv_settings(path: Path, **more: Any) -> LookupSettings:
    return LookupSettings(source="csv", file=path, fields=FIELDS, **more)


def database(path: Path, rows: int = 1) -> LookupSettings:
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE vehicles (plate TEXT PRIMARY KEY, owner TEXT, model TEXT, secret TEXT)")
        plates = [(PLATE, "Asha", None, "x"), *((f"XX{number:06}", "other", "m", "x") for number in range(rows - 1))]
        connection.executemany("INSERT INTO vehicles VALUES (?, ?, ?, ?)", plates)
    connection.close()
    query = "SELECT owner, model, secret FROM vehicles WHERE plate = ?"
    return LookupSettings(source="sqlite", file=path, query=query, fields=FIELDS)


@contextmanager
def service(answer: Any) -> Iterator[tuple[str, list[Any]]]:
    """A server whose every answer `answer(handler)` gives; its address, and what was asked."""
    asked: list[Any] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append((self.path, dict(self.headers)))
            answer(self)

        def log_message(self, *_: object) -> None:
            """Nothing."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/v1/{{plate}}", asked
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def says(code: int, content: bytes = b"", **headers: str) -> Any:
    def answer(handler: Any) -> None:
        handler.send_response(code)
        for name, value in headers.items():
            handler.send_header(name, value)
        handler.send_header("Content-Length", str(len(content)))
        handler.end_headers()
        handler.wfile.write(content)

    return answer


def http_settings(url: str, **more: Any) -> LookupSettings:
    return LookupSettings(source="http", url=url, fields=FIELDS, **more)


def test_a_csv_file_answers_and_is_read_again_when_it_changes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sources, "CHECK_SECONDS", 0.0)
    path = tmp_path / "vehicles.csv"
    path.write_text("\ufeffplate,owner,model,secret\nmh-12 ab 1234,Asha,,x\n")
    source = open_source(csv_settings(path))

    before, unknown = source.find(PLATE, soon()), source.find("DL3CAY9052", soon())
    path.write_text("plate,owner,model\nDL3CAY9052,Bela,Van\n")
    os.utime(path, ns=(1, 1))

    assert before == {"owner": "Asha", "model": None}
    assert unknown is None
    assert source.find("DL3CAY9052", soon()) == {"owner": "Bela", "model": "Van"}


def test_a_csv_file_that_has_become_wrong_is_a_failure_that_names_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sources, "CHECK_SECONDS", 0.0)
    path = tmp_path / "vehicles.csv"
    path.write_text("plate,owner,model\n")
    source = open_source(csv_settings(path))

    path.unlink()

    with pytest.raises(LookupFailedError, match=r"vehicles\.csv cannot be read"):
        source.find(PLATE, soon())


@pytest.mark.parametrize("content", ["plate,owner\n", "number,owner,model\n", "", "\udcff"])
def test_a_csv_file_without_the_columns_is_refused_at_the_start(content: str, tmp_path: Path) -> None:
    path = tmp_path / "vehicles.csv"
    path.write_bytes(content.encode(errors="surrogateescape"))

    with pytest.raises(ConfigurationError, match=r"\[lookup\]"):
        open_source(csv_settings(path))


def test_sqlite_answers_with_the_listed_fields_alone(tmp_path: Path) -> None:
    source = open_source(database(tmp_path / "v.sqlite"))

    assert source.find(PLATE, soon()) == {"owner": "Asha", "model": None}
    assert source.find("NONE", soon()) is None


def test_a_database_that_is_replaced_is_opened_anew(tmp_path: Path) -> None:
    settings = database(tmp_path / "v.sqlite")
    source = open_source(settings)
    source.find(PLATE, soon())

    database(tmp_path / "new.sqlite", rows=3)
    (tmp_path / "new.sqlite").replace(tmp_path / "v.sqlite")

    assert source.find("XX000001", soon()) == {"owner": "other", "model": "m"}


def test_a_query_that_takes_too_long_is_interrupted(tmp_path: Path) -> None:
    settings = database(tmp_path / "v.sqlite")
    endless = (
        "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT count(*) AS owner FROM n, vehicles"
    )
    query = f"{endless} WHERE plate <> ? OR x > 0"
    slow = LookupSettings(
        source="sqlite", file=settings.file, query="SELECT 1 AS owner WHERE ? = ''", fields=("owner",)
    )
    source = open_source(slow)
    source._query = query  # type: ignore[attr-defined]  # opening would try it, and never return

    with pytest.raises(LookupFailedError, match="have an index"):
        source.find(PLATE, time.monotonic() + 0.1)


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("SELECT owner FROM vehicles WHERE plate = ?", "gives no column `model`"),
        ("SELECT owner, model FROM cars WHERE plate = ?", "no such table"),
        ("DELETE FROM vehicles WHERE plate = ?", "readonly"),
    ],
)
def test_a_query_that_will_not_do_is_refused_at_the_start(query: str, words: str, tmp_path: Path) -> None:
    settings = database(tmp_path / "v.sqlite")

    with pytest.raises(ConfigurationError, match=words):
        open_source(LookupSettings(source="sqlite", file=settings.file, query=query, fields=FIELDS))


def test_a_service_answers_at_the_pointer(tmp_path: Path) -> None:
    document = {"data": [{"a/b": {"owner": "Asha", "model": 7, "secret": "x"}}]}
    (tmp_path / "headers").write_text("Authorization: Bearer k3y\n\n")
    with service(says(200, json.dumps(document).encode())) as (url, asked):
        source = open_source(http_settings(url, pointer="/data/0/a~1b", headers_file=tmp_path / "headers"))

        found = source.find(PLATE, soon())

    assert found == {"owner": "Asha", "model": "7"}
    ((path, headers),) = asked
    assert (path, headers["Authorization"]) == (f"/v1/{PLATE}", "Bearer k3y")


@pytest.mark.parametrize("answer", [says(404), says(410), says(200, b"null")])
def test_a_plate_that_the_service_does_not_know_is_no_failure(answer: Any) -> None:
    with service(answer) as (url, _):
        assert open_source(http_settings(url)).find(PLATE, soon()) is None


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (says(500), "answers 500"),
        (says(401), "answers 401"),
        (says(302, Location="http://127.0.0.1:1/"), "answers 302"),
        (says(200, b"<html>"), "not JSON"),
        (says(200, b"[]"), "no object"),
        (says(200, b'"x"'), "no object"),
        (says(200, b"{" * 50_000), "not JSON"),
        (says(200, b" " * 1_100_000), "larger than 1 MB"),
    ],
)
def test_a_service_that_answers_nonsense_is_a_failure_without_the_plate(answer: Any, words: str) -> None:
    with service(answer) as (url, _), pytest.raises(LookupFailedError, match=words) as failure:
        open_source(http_settings(url)).find(PLATE, soon())

    assert PLATE not in str(failure.value)


def test_a_pointer_to_nothing_is_a_failure() -> None:
    with service(says(200, b'{"a": 1}')) as (url, _), pytest.raises(LookupFailedError, match="nothing at `/b`"):
        open_source(http_settings(url, pointer="/b")).find(PLATE, soon())


def trickle(handler: Any) -> None:
    handler.send_response(200)
    handler.end_headers()
    for _ in range(200):
        try:
            handler.wfile.write(b" ")
        except OSError:
            return
        time.sleep(0.02)


@pytest.mark.parametrize("answer", [lambda _: time.sleep(1), trickle])
def test_a_service_that_is_slow_is_not_waited_for(answer: Any) -> None:
    with service(answer) as (url, _):
        began = time.monotonic()
        with pytest.raises((LookupFailedError, TimeoutError)):
            open_source(http_settings(url)).find(PLATE, began + 0.2)


def test_a_service_that_is_down_is_a_failure() -> None:
    with pytest.raises(LookupFailedError, match="cannot be asked"):
        open_source(http_settings("http://127.0.0.1:1/{plate}")).find(PLATE, soon())


@pytest.mark.parametrize("content", ["no colon", "Bad Name: x", "Name: va\x07lue"])
def test_headers_that_are_none_are_refused_without_being_shown(content: str, tmp_path: Path) -> None:
    (tmp_path / "headers").write_text(content)

    with pytest.raises(ConfigurationError, match=":1: write `Name: value`") as refusal:
        open_source(http_settings("http://h/{plate}", headers_file=tmp_path / "headers"))

    assert content not in str(refusal.value)


def test_a_plate_is_asked_for_without_what_people_put_in_between() -> None:
    assert bare(" mh-12 ab·1234") == PLATE
