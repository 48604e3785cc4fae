"""So many a second."""

from edge_app.uplink.rate_limit import RateLimit


def test_the_messages_of_a_second_may_go_at_once_and_then_what_the_rate_allows() -> None:
    now = 0.0
    limit = RateLimit(10, lambda: now)

    at_once = limit.left()
    limit.take(at_once)
    emptied = limit.left()
    now = 0.55
    later = limit.left()
    now = 60

    assert (at_once, emptied, later, limit.left()) == (10, 0, 5, 10)


def test_less_than_one_a_second_lets_one_go_in_time() -> None:
    now = 0.0
    limit = RateLimit(0.1, lambda: now)

    limit.take(limit.left())
    now = 9.9
    early = limit.left()
    now = 10.1

    assert (early, limit.left()) == (0, 1)
