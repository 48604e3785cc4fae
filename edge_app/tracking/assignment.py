"""Pairs the rows and columns of a matrix of costs at the least total cost."""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def assign(costs: Floats, limit: float) -> list[tuple[int, int]]:
    """Pairs (row, column) that cost at most `limit` each; an unpaired row or column costs half of it."""
    rows, columns = costs.shape
    size = rows + columns
    square = np.full((size, size), limit / 2)
    square[rows:, columns:] = 0.0
    square[:rows, :columns] = np.where(costs <= limit, costs, size * limit + 1)
    return [(row, column) for row, column in enumerate(_hungarian(square)) if row < rows and column < columns]


def _hungarian(costs: Floats) -> list[int]:
    """The column of each row (Kuhn 1955, in the shortest-path form of Jonker and Volgenant 1987)."""
    size = len(costs)
    row_price, column_price = np.zeros(size + 1), np.zeros(size + 1)
    row_of = np.full(size + 1, size)
    for row in range(size):
        row_of[size] = row
        column = size
        slack, before = np.full(size, np.inf), np.full(size, size)
        done = np.zeros(size + 1, bool)
        while row_of[column] != size:
            done[column] = True
            reduced = costs[row_of[column]] - row_price[row_of[column]] - column_price[:size]
            closer = ~done[:size] & (reduced < slack)
            slack[closer], before[closer] = reduced[closer], column
            nearest = int(np.where(done[:size], np.inf, slack).argmin())
            step = slack[nearest]
            row_price[row_of[done]] += step
            column_price[done] -= step
            slack[~done[:size]] -= step
            column = nearest
        while column != size:
            row_of[column] = row_of[before[column]]
            column = before[column]
    found = np.empty(size, np.int64)
    found[row_of[:size]] = np.arange(size)
    return [int(column) for column in found]
