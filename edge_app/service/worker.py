"""A thread whose death is noticed."""

import threading
from collections.abc import Callable

from edge_app.errors import EdgeAnprError


class Worker(threading.Thread):
    """A thread that keeps the error that ended it, for the main thread."""

    def __init__(self, name: str, body: Callable[[], None]) -> None:
        super().__init__(name=name, daemon=True)  # a driver that hangs must not keep the process
        self.error: Exception | None = None
        self._body = body

    def run(self) -> None:
        """Run the body."""
        try:
            self._body()
        except Exception as error:  # noqa: BLE001 - raised again by `check`
            self.error = error

    def check(self) -> None:
        """Raise the error that ended the thread, if any."""
        if isinstance(self.error, EdgeAnprError):
            raise self.error
        if self.error is not None:
            raise EdgeAnprError(f"the {self.name} thread died: {self.error!r}") from self.error
