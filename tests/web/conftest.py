"""Pages for tests."""

from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any, Protocol

import pytest

from edge_app.config import WebSettings
from edge_app.web import application, desk
from tests.web.site import TOKEN, Site


@pytest.fixture(scope="session", autouse=True)
def impatient() -> Iterator[None]:
    """No lower priority: the machine of the tests is busy with others, too."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(desk, "LEVELS", 0)
        patch.setattr(application, "LEVELS", 0)
        yield


class OpenSite(Protocol):
    """Opens a page with settings of its own."""

    def __call__(self, **settings: Any) -> Site:
        """See `Site`."""


@pytest.fixture
def open_site(tmp_path: Path) -> Iterator[OpenSite]:
    """Opens pages that are closed at the end."""
    with ExitStack() as ending:
        yield lambda **settings: ending.enter_context(closing(Site(tmp_path, **settings)))


@pytest.fixture
def site(open_site: OpenSite) -> Site:
    """A page without a token."""
    return open_site()


@pytest.fixture
def guarded(open_site: OpenSite, tmp_path: Path) -> Site:
    """A page with a token."""
    (tmp_path / "token").write_text(f"{TOKEN}\n")
    return open_site(web=WebSettings(listen="127.0.0.1:0", token_file=tmp_path / "token"))
