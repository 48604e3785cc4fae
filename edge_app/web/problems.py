"""Errors of the HTTP API, as problem details (RFC 9457)."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from starlette.responses import JSONResponse, Response

MEDIA_TYPE = "application/problem+json"


class HttpError(Exception):
    """A request that is not answered as wished."""

    def __init__(
        self,
        status: HTTPStatus,
        detail: str,
        headers: Mapping[str, str] | None = None,
        errors: Sequence[str] = (),
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        """What happened and what to do, without anything that the request contained."""
        self.headers = dict(headers or {})
        self.errors = tuple(errors)
        """Each single fault, if there are several."""

    def answer(self) -> Response:
        """The answer."""
        content: dict[str, Any] = {
            "type": "about:blank",
            "title": self.status.phrase,
            "status": int(self.status),
            "detail": self.detail,
        }
        if self.errors:
            content["errors"] = list(self.errors)
        return JSONResponse(content, int(self.status), self.headers, MEDIA_TYPE)


def busy(what: str, seconds: int) -> HttpError:
    """Too much at once; try again after so many seconds."""
    return HttpError(HTTPStatus.SERVICE_UNAVAILABLE, f"{what}; try again later", {"Retry-After": str(seconds)})
