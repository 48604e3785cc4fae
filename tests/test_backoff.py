"""How long to wait before the next try."""

from edge_app.backoff import Backoff


def test_the_wait_doubles_up_to_its_ceiling_and_begins_anew() -> None:
    backoff = Backoff(first_seconds=1, most_seconds=8, jitter=lambda: 1.0)

    waits = [backoff.next_seconds() for _ in range(5)]
    backoff.reset()

    assert waits == [1, 2, 4, 8, 8]
    assert backoff.next_seconds() == 1


def test_jitter_takes_off_up_to_a_half() -> None:
    assert Backoff(first_seconds=4, jitter=lambda: 0.0).next_seconds() == 2
