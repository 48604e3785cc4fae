"""The body of a request, within bounds of size and time."""

import asyncio
from http import HTTPStatus

from starlette.requests import ClientDisconnect, Request

from edge_app.web.problems import HttpError

SECONDS = 30.0
"""For the whole body: a client that trickles is not waited for."""


async def read_body(request: Request, most_bytes: int) -> bytes:
    """The whole body.

    Raises:
        HttpError: it is too large, or comes too slowly.
    """
    too_large = HttpError(
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"the body is larger than {most_bytes / 1e6:g} MB; send less"
    )
    declared = request.headers.get("content-length", "0")
    if declared.isdecimal() and int(declared) > most_bytes:
        raise too_large

    async def collect() -> bytes:
        content = bytearray()
        async for part in request.stream():
            content += part
            if len(content) > most_bytes:
                raise too_large
        return bytes(content)

    try:
        return await asyncio.wait_for(collect(), SECONDS)
    except (TimeoutError, asyncio.TimeoutError):
        words = f"the body did not come within {SECONDS:.0f} s; send it faster, or make it smaller"
        raise HttpError(HTTPStatus.REQUEST_TIMEOUT, words, {"Connection": "close"}) from None
    except ClientDisconnect:
        raise HttpError(HTTPStatus.BAD_REQUEST, "the body was cut off") from None
