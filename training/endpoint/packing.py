"""Pack sentences into the rows of a grid, so that the network reads several at once.

A row holds one sentence after the other, and resets between them: tokens that close the LSTM's gates, so
that its states are as at the start. ONNX Runtime takes int8's scale over all rows at each step. The gauge,
two states that stay at both ends of their range, keeps it the same. So do the resets' inputs. Thus a
sentence gives the same bits alone, among others and in any place.
"""

import math
from heapq import heapify, heapreplace
from typing import NamedTuple

import numpy as np

# Two close the gates for certain: the first one still sees the states of the sentence before it.
RESETS = 2
# States of the gauge in each direction, after those that mean something.
GAUGES = 2


class Grid(NamedTuple):
    """Hold ids in rows, int64 (steps, rows), and where each token stands, int64 (tokens,) both."""

    ids: np.ndarray
    steps: np.ndarray
    rows: np.ndarray


def pack(ids: np.ndarray, lengths: np.ndarray, reset: int) -> Grid:
    """Pack sentences: their ids, int64 (tokens,), and how many each holds, int64 (sentences,).

    ``reset`` is the id of a reset.
    """
    sizes = (lengths + RESETS).tolist()
    rows = rows_for(sum(sizes), max(sizes))
    # Longest first, each into the shortest row (Graham 1969).
    ends = [(RESETS, row) for row in range(rows)]
    heapify(ends)
    places = np.empty((2, len(sizes)), dtype=np.int64)
    for number in sorted(range(len(sizes)), key=sizes.__getitem__, reverse=True):
        end, row = ends[0]
        places[:, number] = end, row
        heapreplace(ends, (end + sizes[number], row))
    starts = np.cumsum(lengths) - lengths
    first_steps, own_rows = np.repeat(places - (starts, np.zeros_like(starts)), lengths, axis=1)
    grid = np.full((max(ends)[0], rows), reset, dtype=np.int64)
    steps = first_steps + np.arange(len(ids))
    grid[steps, own_rows] = ids
    return Grid(grid, steps, own_rows)


def rows_for(total: int, longest: int) -> int:
    """Return the number of rows for sentences of ``total`` tokens.

    So many rows of the longest sentence's length are full, and more would hold many resets. Many short
    sentences get about as many rows as steps: neither may be few, since each step and each run has its cost.
    """
    return max(1, min(total // longest, math.isqrt(total)))
