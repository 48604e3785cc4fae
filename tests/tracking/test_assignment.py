"""Who is who."""

from itertools import permutations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_app.tracking.assignment import Floats, assign


def cheapest(costs: Floats, limit: float) -> float:
    """The least total of all ways to pair rows with columns or leave them alone."""
    rows, columns = costs.shape
    places = [*range(columns), *[-1] * rows]
    return min(
        sum(costs[row, column] if column >= 0 else limit / 2 for row, column in enumerate(order))
        + limit / 2 * (columns - sum(column >= 0 for column in order))
        for order in permutations(places, rows)
    )


@settings(max_examples=100)
@given(st.integers(0, 3), st.integers(0, 3), st.integers(0, 10**6))
def test_no_other_pairing_costs_less(rows: int, columns: int, seed: int) -> None:
    costs = np.random.default_rng(seed).uniform(0, 2, (rows, columns))

    pairs = assign(costs, limit=1.0)

    total = sum(costs[pair] for pair in pairs) + 0.5 * (rows + columns - 2 * len(pairs))
    assert abs(total - cheapest(costs, 1.0)) < 1e-9
    assert all(costs[pair] <= 1.0 for pair in pairs)
    assert len({row for row, _ in pairs}) == len({column for _, column in pairs}) == len(pairs)


def test_the_impossible_is_not_paired() -> None:
    costs = np.array([[np.inf, 0.2], [np.inf, 0.1]])

    assert assign(costs, limit=1.0) == [(1, 1)]
