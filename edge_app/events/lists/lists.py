"""All lists, and the entries that match a plate."""

import threading
from collections.abc import Callable, Sequence

from edge_app.config import ListSettings
from edge_app.events.lists import confusions
from edge_app.events.lists.watched_file import WatchedFile
from edge_app.events.messages import ListStateMessage
from edge_app.records import ListMatch

CHECK_SECONDS = 1.0
"""Time between two checks of the files."""

_ALLOW, _DENY, _IGNORE = "allow", "deny", "ignore"


class Lists:
    """The operator's lists.

    `is_valid`: whether a text fits a country's format. With `only_listed`, plates on no list must not be stored. Raises
    `ConfigurationError` if a file is wrong at the start.
    """

    def __init__(
        self,
        settings: Sequence[ListSettings],
        is_valid: Callable[[str], bool],
        only_listed: bool = False,
    ) -> None:
        self._lists = [(each, WatchedFile(each.name, each.file, confusions.shape, is_valid)) for each in settings]
        self._is_valid = is_valid
        self._only_listed = only_listed

    def match(self, text: str) -> tuple[ListMatch, ...] | None:
        """The entries nearest to the text, all equally near, deny lists first and without allow lists beside them.

        None if the plate must not be stored. An entry that differs by confusions matches the text only if one of the
        two fits no country's format, and so was misread or mistyped. Otherwise they are two real plates.
        """
        near = [match for settings, file in self._lists for match in self._matches(settings, file, text)]
        least = min((match.cost for match in near), default=0.0)
        nearest = [match for match in near if match.cost == least]
        kinds = {match.kind for match in nearest}
        if _IGNORE in kinds or (self._only_listed and not kinds):
            return None
        denied = [match for match in nearest if match.kind == _DENY]
        overruled = (_DENY, _ALLOW) if denied else ()  # a second list lets nobody in
        return (*denied, *(match for match in nearest if match.kind not in overruled))

    def run(self, stop: threading.Event) -> None:
        """Read again what has changed, until the stop event: the body of a thread, because a list may be long."""
        while not stop.wait(CHECK_SECONDS):
            self.tend()

    def tend(self) -> None:
        """Check every file once."""
        for _, file in self._lists:
            file.tend()

    def state(self) -> tuple[ListStateMessage, ...]:
        """The state of the lists, for the telemetry."""
        return tuple(ListStateMessage(each.name, each.kind, file.count, file.fault) for each, file in self._lists)

    def doubts(self) -> list[str]:
        """What is to be checked in the lists."""
        return [f"list {each.name}: {file.doubts}" for each, file in self._lists if file.doubts]

    def _matches(self, settings: ListSettings, file: WatchedFile, text: str) -> list[ListMatch]:
        found = [
            ListMatch(settings.name, settings.kind, entry, confusions.cost(text, entry)) for entry in file.like(text)
        ]
        return [match for match in found if match.cost <= settings.max_cost and not self._are_two(text, match)]

    def _are_two(self, text: str, match: ListMatch) -> bool:
        return match.cost > 0 and self._is_valid(text) and self._is_valid(match.entry)
