"""A new release is kept if the service is well in it, whatever was amiss before."""

from collections.abc import Iterator

import pytest

from edge_app.service.release.health import Health, fault, watch


def health(release: str = "new", state: str = "active", restarts: int = 0, **parts: bool) -> Health:
    states = {name: {"well": well, "state": "gone"} for name, well in parts.items()}
    return Health(state, restarts, {"release": release, "parts": states})


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (health(camera=True, broker=True), None),
        (health(camera=False, broker=True), None),
        (health(camera=True, broker=False), "broker worked before the switch and does not now: gone"),
        (health(state="failed"), "the service is failed"),
        (health(release="old", broker=True), "the service that answers runs old"),
        (Health("active", 0, None), "the service does not answer on its socket"),
    ],
)
def test_what_worked_before_has_to_work_after(found: Health, words: str | None) -> None:
    assert fault("new", ("broker",), found) == words


class Minute:
    """A clock that moves by sleeping, and what is seen from second to second."""

    def __init__(self, *seen: Health) -> None:
        self.now = 0.0
        self._seen: Iterator[Health] = iter(seen)
        self._last = seen[-1]

    def look(self) -> Health:
        self._last = next(self._seen, self._last)
        return self._last

    def sleep(self, seconds: float) -> None:
        self.now += seconds

    def watch(self, until_well: bool = False) -> str | None:
        return watch("new", (), 60, until_well, self.look, self.sleep, lambda: self.now)


def test_a_service_that_is_slow_to_start_has_the_whole_minute() -> None:
    minute = Minute(*[health(state="activating")] * 59, health())

    assert minute.watch() is None
    assert minute.now == 60


def test_a_service_that_fails_or_starts_again_has_had_its_chance() -> None:
    fails, ends = Minute(health(), health(state="failed")), Minute(health(), health(state="ended"))
    starts_again = Minute(health(), health(restarts=1))

    assert "is failed" in str(fails.watch())
    assert "the service ended" in str(ends.watch())
    assert "was started again 1 times" in str(starts_again.watch())
    assert fails.now == ends.now == starts_again.now == 1


def test_a_service_that_is_well_only_for_a_while_is_not_well() -> None:
    assert Minute(*[health()] * 50, Health("active", 0, None)).watch() == "the service does not answer on its socket"


def test_after_a_rollback_the_first_good_moment_is_enough() -> None:
    minute = Minute(health(state="activating"), health())

    assert minute.watch(until_well=True) is None
    assert minute.now == 1
