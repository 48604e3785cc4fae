"""The OpenAPI document, and whether the server keeps to it."""

import warnings
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.routing import Route

from edge_app.demo.self_test import FOLDER
from edge_app.web import openapi
from tests.events.passes import event
from tests.web.site import Site

METHODS = ("get", "put", "post")


def test_the_document_names_every_address_of_the_api(site: Site) -> None:
    assert site.window.application is not None
    app = site.window.application.asgi
    routes = {
        (route.path, method.lower())
        for route in app.routes
        if isinstance(route, Route)
        for method in route.methods or ()
        if method != "HEAD"
    }
    page = {("/", "get"), ("/openapi.json", "get")} | {route for route in routes if "/page" in route[0]}
    page |= {route for route in routes if route[0].endswith((".js", ".css", ".svg", ".html"))}

    documented = {(path, method) for path, each in openapi.document()["paths"].items() for method in each}

    assert documented == routes - page


def operations(path: str, method: str) -> Any:
    schema = schemathesis.openapi.from_dict(openapi.document())
    return schema[path][method]


CASES = [
    (path, method)
    for path, each in openapi.document()["paths"].items()
    for method in METHODS
    if method in each and path not in ("/v1/events", "/v1/recognize")
]


@pytest.mark.parametrize(("path", "method"), CASES)
def test_the_server_keeps_to_its_document(path: str, method: str, site: Site) -> None:
    site.show()
    site.publish(event())
    operation = operations(path, method.upper())

    @settings(max_examples=15, suppress_health_check=list(HealthCheck), deadline=None)
    @given(data=st.data())
    def check(data: Any) -> None:
        case = data.draw(operation.as_strategy())
        response = case.call(base_url=f"http://127.0.0.1:{site.port}", timeout=30)
        case.validate_response(response)

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        check()


def test_an_answer_of_recognition_is_as_documented(site: Site) -> None:
    operation = operations("/v1/recognize", "POST")
    case = operation.Case(body=(FOLDER / "frame-60.png").read_bytes(), media_type="image/png")

    response = case.call(base_url=f"http://127.0.0.1:{site.port}", timeout=120)

    assert response.status_code == 200
    case.validate_response(response)
