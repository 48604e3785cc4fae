"""What is answered at which address; docs/http.md and `openapi.py` describe it."""

import asyncio
import base64
import json
import logging
import threading
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from http import HTTPStatus
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from edge_app.config import Settings
from edge_app.errors import ConfigurationError, SourceError
from edge_app.events.connection_state import ConnectionState
from edge_app.events.decoder import MessageError, as_record
from edge_app.events.event import as_plain, encode
from edge_app.events.messages import ReadMessage
from edge_app.recognizer import EFFORTS
from edge_app.service.status_socket import Status
from edge_app.web import drawn, openapi
from edge_app.web.body import read_body
from edge_app.web.desk import RETRY_SECONDS, BusyError, Desk
from edge_app.web.drawn import Drawing
from edge_app.web.feed import MOST_READS, Feed, reason_for_no_picture, reason_for_no_reads
from edge_app.web.low_priority import step_back
from edge_app.web.measures import MEDIA_TYPE, Measures
from edge_app.web.problems import HttpError, busy
from edge_app.web.viewfinder import Viewfinder

log = logging.getLogger(__name__)

MOST_RECOGNITIONS = 8
"""Pictures that are being sent, wait or are read at a time: a flood of them leaves room for other requests."""
MOST_STREAMS = 8
"""Clients of `/v1/events` at a time."""
STATUS_SECONDS = 2.0
"""Interval at which a changed status is reported to them."""
SILENT_SECONDS = 10.0
"""They hear something at least this often."""
MOST_SETTINGS_BYTES = 200_000
WAIT_SECONDS = 5.0
"""Longest wait for a newer frame."""
TURN_SECONDS = 0.04
WIDTHS = (160, 3840)
LEVELS = 5
_PAGE = Path(__file__).parent / "page"
_MEDIA_TYPES = {".html": "text/html", ".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
_STATES = {str(each): each for each in ConnectionState}


class Application:
    """The whole of it, as an ASGI application without guard."""

    def __init__(
        self,
        settings: Settings,
        feed: Feed,
        measures: Measures,
        desk: Desk,
        status: Callable[[], Status],
        configuration: Path | None,
        reload: Callable[[Callable[[], None]], None],
    ) -> None:
        self._settings = settings
        self._feed = feed
        self._measures = measures
        self._desk = desk
        self._status = status
        self._configuration = configuration
        self._reload = reload
        self._names = [each.name for each in settings.every_camera]
        self._finder = Viewfinder(settings)
        self._workers = ThreadPoolExecutor(1, "web-worker", initializer=step_back, initargs=(LEVELS,))
        self._streams = self._recognitions = 0
        self._saving = threading.Lock()
        self._page = {path.name: path.read_bytes() for path in sorted(_PAGE.iterdir())}
        self.asgi = Starlette(
            routes=[
                Route("/", self._index),
                *(Route(f"/{name}", self._file) for name in self._page if name != "index.html"),
                Route("/healthz", self._healthz),
                Route("/readyz", self._readyz),
                Route("/metrics", self._metrics),
                Route("/openapi.json", self._openapi),
                Route("/v1/status", self._v1_status),
                Route("/v1/recognize", self._recognize, methods=["POST"]),
                Route("/v1/reads", self._reads),
                Route("/v1/reads/{event_id}/picture", self._read_picture),
                Route("/v1/events", self._events),
                Route("/v1/cameras", self._cameras),
                Route("/v1/cameras/{camera}/picture", self._picture),
                Route("/v1/cameras/{camera}/view", self._view),
                Route("/v1/cameras/{camera}/settings", self._get_settings),
                Route("/v1/cameras/{camera}/settings", self._put_settings, methods=["PUT"]),
            ],
            exception_handlers={HttpError: _problem, HTTPException: _http_problem, Exception: _internal_problem},
        )

    async def _index(self, _: Request) -> Response:
        return self._static("index.html")

    async def _file(self, request: Request) -> Response:
        return self._static(request.url.path.removeprefix("/"))

    def _static(self, name: str) -> Response:
        return Response(self._page[name], media_type=_MEDIA_TYPES[Path(name).suffix])

    async def _healthz(self, _: Request) -> Response:
        return _yes_or_no(self._status().alive)

    async def _readyz(self, _: Request) -> Response:
        status = self._status()
        return _yes_or_no(status.alive and status.ready)

    async def _metrics(self, _: Request) -> Response:
        return Response(await self._aside(self._measures.text), headers={"Content-Type": MEDIA_TYPE})

    async def _openapi(self, _: Request) -> Response:
        return JSONResponse(openapi.document())

    async def _v1_status(self, _: Request) -> Response:
        return JSONResponse(await self._aside(self._whole_status))

    def _whole_status(self) -> dict[str, Any]:
        status = self._status()
        parts = dict(status.fields.get("parts", {}))
        if (broker := parts.get("broker")) and (state := _STATES.get(broker["state"])) and not broker["well"]:
            parts["broker"] = {**broker, "advice": state.advice}
        return {"alive": status.alive, "ready": status.ready, **status.fields, "parts": parts}

    async def _recognize(self, request: Request) -> Response:
        effort = _number(request, "effort", 1, *EFFORTS)
        if self._recognitions >= MOST_RECOGNITIONS:
            self._measures.recognized("busy")
            raise busy("as many pictures are being taken as may", RETRY_SECONDS)
        self._recognitions += 1
        try:
            return await self._recognized(request, effort)
        finally:
            self._recognitions -= 1

    async def _recognized(self, request: Request, effort: int) -> Response:
        content = await read_body(request, int(self._settings.web.max_megabytes * 1e6))
        try:
            future = self._desk.submit(content, effort)
        except BusyError as error:
            self._measures.recognized("busy")
            raise busy(str(error), RETRY_SECONDS) from None
        del content
        try:
            answer = await asyncio.wrap_future(future)
        except SourceError as error:
            self._measures.recognized("refused")
            raise HttpError(HTTPStatus.UNPROCESSABLE_ENTITY, str(error)) from None
        self._measures.recognized("done")
        return JSONResponse(answer)

    async def _reads(self, request: Request) -> Response:
        limit = _number(request, "limit", MOST_READS, 1, MOST_READS)
        reads = [
            {"read": as_plain(each.message), "has_picture": each.image_jpeg is not None}
            for each in self._feed.reads()[:limit]
        ]
        return JSONResponse({"reads": reads, "withheld": reason_for_no_reads(self._settings)})

    async def _read_picture(self, request: Request) -> Response:
        read = self._feed.find(request.path_params["event_id"])
        if read is None or read.image_jpeg is None:
            raise HttpError(HTTPStatus.NOT_FOUND, "there is no picture of such a read any more")
        return Response(read.image_jpeg, media_type="image/jpeg")

    async def _events(self, _: Request) -> Response:
        if self._streams >= MOST_STREAMS:
            raise busy(f"{MOST_STREAMS} programs listen to events", 10)
        return StreamingResponse(self._messages(), media_type="text/event-stream", headers={"X-Accel-Buffering": "no"})

    async def _messages(self) -> AsyncIterator[bytes]:
        """Reads as they come, and the status if it has changed."""
        loop, queue = asyncio.get_running_loop(), asyncio.Queue[ReadMessage](100)

        def put(read: ReadMessage) -> None:
            if not queue.full():  # who takes nothing misses some, and finds them in /v1/reads
                queue.put_nowait(read)

        def listen(read: ReadMessage) -> None:
            loop.call_soon_threadsafe(put, read)

        end = self._feed.listen(listen)
        self._streams += 1
        try:
            shown, silent_since = "", loop.time()
            while True:
                status = json.dumps(await self._aside(self._brief_status))
                if status != shown or loop.time() - silent_since >= SILENT_SECONDS:
                    shown, silent_since = status, loop.time()
                    yield f"event: status\ndata: {status}\n\n".encode()
                try:
                    read = await asyncio.wait_for(queue.get(), STATUS_SECONDS)
                except (TimeoutError, asyncio.TimeoutError):
                    continue
                yield b"event: read\ndata: " + encode(read) + b"\n\n"
        finally:
            self._streams -= 1
            end()

    def _brief_status(self) -> dict[str, Any]:
        """The status without what changes all the time."""
        status = self._whole_status()
        vitals = (status.get("telemetry") or {}).get("vitals") or {}
        cameras = [
            {key: each[key] for key in ("name", "state", "since", "reason")} for each in vitals.get("cameras", ())
        ]
        keys = ("alive", "ready", "parts", "configuration")
        telemetry = status.get("telemetry") or {}
        named = {
            "device": self._settings.device.name,
            "waiting": telemetry.get("events_waiting", 0),
            "board": telemetry.get("board"),
        }
        return {**{key: status.get(key) for key in keys}, **named, "cameras": cameras}

    async def _cameras(self, _: Request) -> Response:
        reason = reason_for_no_picture(self._settings)
        return JSONResponse({"cameras": [{"name": name} for name in self._names], "withheld": reason})

    async def _picture(self, request: Request) -> Response:
        camera, width = self._camera(request), _number(request, "width", 0, *WIDTHS)
        view = self._shown(camera)
        jpeg = await self._aside(lambda: self._finder.jpeg(view.frame, width or None))
        return Response(jpeg, media_type="image/jpeg", headers={"ETag": f'"{view.frame.sequence}"'})

    async def _view(self, request: Request) -> Response:
        camera, width = self._camera(request), _number(request, "width", 960, *WIDTHS)
        after, focus = _number(request, "after", -1, 0, 2**62), _number(request, "focus", 0, 0, 1)
        ends_at = asyncio.get_running_loop().time() + WAIT_SECONDS
        while (view := self._shown(camera)).frame.sequence == after:
            if asyncio.get_running_loop().time() > ends_at:
                return Response(status_code=HTTPStatus.NO_CONTENT)
            await asyncio.sleep(TURN_SECONDS)
        jpeg = await self._aside(lambda: self._finder.jpeg(view.frame, width))
        described = await self._aside(lambda: self._finder.describe(view, bool(focus)))
        return JSONResponse({**described, "jpeg": base64.b64encode(jpeg).decode()})

    async def _get_settings(self, request: Request) -> Response:
        return JSONResponse(as_plain(drawn.drawing_of(self._settings, self._camera(request))))

    async def _put_settings(self, request: Request) -> Response:
        camera = self._camera(request)
        content = await read_body(request, MOST_SETTINGS_BYTES)
        try:
            drawing = as_record(Drawing, json.loads(content))
        except (ValueError, RecursionError) as error:
            raise HttpError(HTTPStatus.BAD_REQUEST, "the body is not JSON; send an object") from error
        except MessageError as error:
            raise HttpError(HTTPStatus.UNPROCESSABLE_ENTITY, f"wrong settings: {error}") from error
        return await self._aside(lambda: self._save(camera, drawing))

    def _save(self, camera: str, drawing: Drawing) -> Response:
        path = self._configuration
        if path is None:
            raise HttpError(HTTPStatus.CONFLICT, "this service runs without a configuration file; nothing is saved")
        with self._saving:
            if (self._status().fields.get("configuration") or {}).get("state") == "trial":
                raise HttpError(HTTPStatus.CONFLICT, "other settings are being tried; wait until they are in use")
            try:
                before = path.read_text(encoding="utf-8")
                text = drawn.drawn(before, self._settings, camera, drawing)
                drawn.save(path, before, text)
            except OSError as error:
                raise HttpError(HTTPStatus.CONFLICT, f"{path.name} cannot be read ({error.strerror})") from error
            except ConfigurationError as error:
                words = "nothing was saved: the configuration would be wrong"
                raise HttpError(HTTPStatus.UNPROCESSABLE_ENTITY, words, errors=str(error).splitlines()) from error
            except drawn.UnwritableError as error:
                raise HttpError(HTTPStatus.CONFLICT, str(error), errors=[error.text]) from error
        self._reload(partial(drawn.restore, path, text, before))
        words = "saved; the settings are tried now, and the former ones come back if no picture comes under them"
        return JSONResponse({"detail": words}, HTTPStatus.ACCEPTED)

    def _camera(self, request: Request) -> str:
        name: str = request.path_params["camera"]
        if name not in self._names:
            raise HttpError(HTTPStatus.NOT_FOUND, f"there is no such camera; take one of: {', '.join(self._names)}")
        return name

    def _shown(self, camera: str) -> Any:
        if reason := reason_for_no_picture(self._settings):
            raise HttpError(HTTPStatus.FORBIDDEN, f"a picture would show what {reason} holds back; there is none")
        if (view := self._feed.views.get(camera)) is None:
            raise busy("no picture comes from this camera, /v1/status has the reason", 2)
        return view

    async def _aside(self, work: Callable[[], Any]) -> Any:
        """Done by a thread of low priority."""
        return await asyncio.get_running_loop().run_in_executor(self._workers, work)


def _number(request: Request, name: str, default: int, least: int, most: int) -> int:
    given = request.query_params.get(name)
    if given is None:
        return default
    if not given.isascii() or not given.isdecimal() or len(given) > 19 or not least <= int(given) <= most:
        raise HttpError(HTTPStatus.BAD_REQUEST, f"`{name}` is a whole number from {least} to {most}; give one")
    return int(given)


def _yes_or_no(good: bool) -> Response:
    return JSONResponse({"ok": good}, HTTPStatus.OK if good else HTTPStatus.SERVICE_UNAVAILABLE)


async def _problem(_: Request, error: Exception) -> Response:
    assert isinstance(error, HttpError)
    return error.answer()


async def _http_problem(_: Request, error: Exception) -> Response:
    """Of Starlette: an unknown address or method."""
    assert isinstance(error, HTTPException)
    words = {404: "there is nothing at this address; /openapi.json lists what there is"}
    status = HTTPStatus(error.status_code)
    what = words.get(status, f"{status.phrase}; /openapi.json lists what there is")
    return HttpError(status, what, error.headers).answer()


async def _internal_problem(_: Request, __: Exception) -> Response:
    return HttpError(HTTPStatus.INTERNAL_SERVER_ERROR, "an error of the program; the device's log has it").answer()
