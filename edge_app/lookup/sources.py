"""The operator's sources: a CSV file, a SQLite database, an HTTP service. Errors name neither a plate nor a detail."""

import csv
import http.client
import json
import re
import sqlite3
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Mapping
from email.message import Message
from pathlib import Path
from typing import IO, Any, Protocol

from edge_app.config import LookupSettings
from edge_app.errors import ConfigurationError, EdgeAnprError
from edge_app.printable import without_secrets

Details = Mapping[str, str | None]
"""By the names of fields."""

CHECK_SECONDS = 1.0
"""Time between two looks at whether a file has changed."""
MOST_ANSWER_BYTES = 1_000_000
_STEPS = 1000
"""Of SQLite's machine between two looks at the clock."""
_NO_PLATE = re.compile(r"[^A-Z0-9]")


class LookupFailedError(EdgeAnprError):
    """The source has not answered."""


class Source(Protocol):
    """Asked from several threads."""

    def find(self, plate: str, ends_at: float) -> Details | None:
        """The wanted fields; None if the source does not know the plate. `ends_at`: by `time.monotonic`.

        Raises:
            LookupFailedError: it cannot be asked, answers nonsense, or takes too long.
        """


def open_source(settings: LookupSettings) -> Source:
    """The one that is set.

    Raises:
        ConfigurationError: its file cannot be read or lacks a wanted field.
    """
    if settings.source == "csv":
        return CsvSource(_file(settings), settings.plate_column, settings.fields)
    if settings.source == "sqlite":
        assert settings.query is not None
        return SqliteSource(_file(settings), settings.query, settings.fields)
    return HttpSource(settings)


def bare(plate: str) -> str:
    """A plate in capitals, without spaces and hyphens."""
    return _NO_PLATE.sub("", plate.upper())


class CsvSource:
    """A file held in memory, and read again when it changes."""

    def __init__(self, path: Path, plate_column: str, fields: tuple[str, ...]) -> None:
        self._path = path
        self._plate_column = plate_column
        self._fields = fields
        self._lock = threading.Lock()
        self._checked_at = time.monotonic()
        self._stamp = _stamp(path)
        self._rows = self._read()
        self._fault: str | None = None

    def find(self, plate: str, ends_at: float) -> Details | None:  # noqa: ARG002 - as every source
        """See `Source`; a file that has become wrong leaves what was read of it before."""
        with self._lock:
            now = time.monotonic()
            if now - self._checked_at >= CHECK_SECONDS:
                self._checked_at = now
                self._read_again()
            values = self._rows.get(plate)
        return None if values is None else dict(zip(self._fields, values, strict=True))

    def _read_again(self) -> None:
        try:
            stamp = _stamp(self._path)
            if stamp != self._stamp:
                self._rows, self._stamp = self._read(), stamp
        except ConfigurationError as error:
            raise LookupFailedError(str(error)) from error

    def _read(self) -> dict[str, tuple[str | None, ...]]:
        try:
            with self._path.open(encoding="utf-8-sig", newline="") as file:
                rows = csv.DictReader(file)
                names = rows.fieldnames or ()
                for name in (self._plate_column, *self._fields):
                    if name not in names:
                        raise ConfigurationError(f"[lookup] {self._path}: its first line names no column `{name}`")
                return {
                    bare(row[self._plate_column] or ""): tuple(row[name] or None for name in self._fields)
                    for row in rows
                }
        except (OSError, UnicodeDecodeError, csv.Error) as error:
            raise ConfigurationError(f"[lookup] {self._path}: cannot be read as CSV in UTF-8; mend it") from error


class SqliteSource:
    """A database, asked read-only by each thread over a connection of its own."""

    def __init__(self, path: Path, query: str, fields: tuple[str, ...]) -> None:
        self._path = path
        self._query = query
        self._fields = fields
        self._own = threading.local()
        try:
            found = self._connection().execute(query, ("",))
        except sqlite3.Error as error:
            raise ConfigurationError(
                f"[lookup] query: SQLite refuses it for {path} ({error}); try it with the sqlite3 program"
            ) from error
        names = [each[0] for each in found.description]
        for name in fields:
            if name not in names:
                raise ConfigurationError(f"[lookup] fields: the query gives no column `{name}`; name it with AS")

    def find(self, plate: str, ends_at: float) -> Details | None:
        """See `Source`."""
        try:
            connection = self._connection()
            connection.set_progress_handler(lambda: time.monotonic() > ends_at, _STEPS)
            cursor = connection.execute(self._query, (plate,))
            row = cursor.fetchone()
            names = [each[0] for each in cursor.description]
            cursor.close()
        except sqlite3.Error as error:
            slow = isinstance(error, sqlite3.OperationalError) and "interrupted" in str(error)
            words = "the query takes too long; does the column with the plates have an index?"
            raise LookupFailedError(words if slow else f"SQLite: {type(error).__name__}: {error}") from None
        if row is None:
            return None
        values = dict(zip(names, row, strict=True))
        return {name: _as_text(values[name]) for name in self._fields}

    def _connection(self) -> sqlite3.Connection:
        """That of this thread, to the file that is there now."""
        stamp = _stamp(self._path)[:2]
        if getattr(self._own, "stamp", None) != stamp:
            where = f"file:{urllib.parse.quote(str(self._path))}?mode=ro"
            self._own.connection = sqlite3.connect(where, uri=True, timeout=0.2)
            self._own.stamp = stamp
        connection: sqlite3.Connection = self._own.connection
        return connection


class HttpSource:
    """A service that answers with JSON; neither redirections nor more than a megabyte are followed."""

    def __init__(self, settings: LookupSettings) -> None:
        assert settings.url is not None
        self._url = settings.url
        self._pointer = settings.pointer
        self._fields = settings.fields
        self._headers = {"Accept": "application/json", **_headers(settings.headers_file)}
        self._opener = urllib.request.build_opener(_NoRedirection)

    def find(self, plate: str, ends_at: float) -> Details | None:
        """See `Source`."""
        url = self._url.replace("{plate}", urllib.parse.quote(plate, safe=""))
        request = urllib.request.Request(url, headers=self._headers)  # noqa: S310 - http or https, as configured
        try:
            with self._opener.open(request, timeout=_left(ends_at)) as response:
                content = _read_within(response, ends_at)
        except urllib.error.HTTPError as error:
            error.close()
            if error.code in (404, 410):
                return None
            raise LookupFailedError(f"the service answers {error.code}") from None
        except (OSError, http.client.HTTPException) as error:
            reason = getattr(error, "reason", error)
            words = (
                "took too long" if isinstance(reason, TimeoutError) else f"cannot be asked ({type(reason).__name__})"
            )
            raise LookupFailedError(f"the service {words}") from None
        return self._fields_in(content)

    def _fields_in(self, content: bytes) -> Details | None:
        try:
            found = _at(json.loads(content), self._pointer)
        except (ValueError, RecursionError):
            raise LookupFailedError("the service's answer is not JSON") from None
        except LookupError:
            raise LookupFailedError(f"the service's answer has nothing at `{self._pointer}`") from None
        if found is None:
            return None
        if not isinstance(found, dict):
            raise LookupFailedError("the service's answer is no object; set `pointer` to the one with the fields")
        return {name: _as_text(found.get(name)) for name in self._fields}


class _NoRedirection(urllib.request.HTTPRedirectHandler):
    """Another host would get the plate and the key."""

    def redirect_request(
        self, req: urllib.request.Request, fp: IO[bytes], code: int, msg: str, headers: Message, newurl: str
    ) -> None:
        """None follows."""


def _read_within(response: Any, ends_at: float) -> bytes:
    """The answer, though it trickles."""
    content = bytearray()
    while part := response.read1(65536):
        content += part
        if len(content) > MOST_ANSWER_BYTES:
            raise LookupFailedError("the service's answer is larger than 1 MB")
        _left(ends_at)
    return bytes(content)


def _left(ends_at: float) -> float:
    left = ends_at - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left


def _at(document: Any, pointer: str) -> Any:
    """RFC 6901; `LookupError` if nothing is there."""
    for step in pointer.split("/")[1:]:
        key = step.replace("~1", "/").replace("~0", "~")
        if isinstance(document, list):
            if not key.isdecimal():
                raise LookupError
            document = document[int(key)]
        elif isinstance(document, dict):
            document = document[key]
        else:
            raise LookupError
    return document


def _as_text(value: Any) -> str | None:
    """Texts, numbers, yes and no; nothing that has parts of its own."""
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, str | int | float) else None


def _headers(path: Path | None) -> dict[str, str]:
    if path is None:
        return {}
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError):
        raise ConfigurationError(f"[lookup] headers_file: {path} cannot be read as UTF-8 text; put it there") from None
    headers = {}
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        name, colon, value = line.partition(":")
        if not colon or not re.fullmatch(r"[A-Za-z0-9-]+", name.strip()) or not value.strip().isprintable():
            raise ConfigurationError(f"[lookup] headers_file: {path}:{number}: write `Name: value`")
        headers[name.strip()] = value.strip()
    return headers


def _file(settings: LookupSettings) -> Path:
    assert settings.file is not None
    _stamp(settings.file)
    return settings.file


def _stamp(path: Path) -> tuple[int, int, int, int]:
    """Changes with the file."""
    try:
        found = path.stat()
    except OSError as error:
        words = f"[lookup] file: {path} cannot be read ({error.strerror}); put it there"
        raise ConfigurationError(words) from error
    return found.st_dev, found.st_ino, found.st_mtime_ns, found.st_size


def shown(settings: LookupSettings) -> str:
    """The source, for people, without secrets."""
    return without_secrets(settings.url) if settings.source == "http" and settings.url else str(settings.file)
