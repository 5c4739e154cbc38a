"""The figures of cells: a net score with its interval, counts, and the rows that show it best."""

from typing import Any

import numpy as np

from training.report.resampling import REPLICATES, interval
from training.report.table import MILLION, MIXED, NO_OPINION

EXAMPLES = 10
# Where all rows of a cell agree, a larger share of others would have shown up but for this chance (Clopper &
# Pearson, 1934).
UNSEEN = 0.05


def rounded(value: float) -> float:
    """Return a number with four decimals, as JavaScript rounds it too."""
    return float(np.floor(value * 1e4 + 0.5) / 1e4) + 0.0


def rounded_pair(pair: tuple[float, float] | None) -> list[float] | None:
    """Return both ends of an interval with four decimals."""
    return None if pair is None else [rounded(end) for end in pair]


class Extremes:
    """The rows with the lowest and the highest value in each of many cells, ``most`` of each."""

    def __init__(self, most: int) -> None:
        self._most = most
        empty = np.zeros(0, dtype=np.int64)
        self._kept = [(empty, empty, empty), (empty, empty, empty)]

    def add(self, cells: np.ndarray, values: np.ndarray, numbers: np.ndarray) -> None:
        """Add rows by their cells, int (rows,), values, int64 (rows,), and numbers."""
        rows = (cells.astype(np.int64), values.astype(np.int64), numbers.astype(np.int64))
        self._kept = [
            self._first(*(np.concatenate(pair) for pair in zip(kept, new, strict=True)))
            for kept, new in zip(self._kept, (rows, (rows[0], -rows[1], rows[2])), strict=True)
        ]

    def low(self, cell: int) -> list[int]:
        """Return the rows with the lowest values of a cell, the lowest first; ties by number."""
        return self._of(0, cell)

    def high(self, cell: int) -> list[int]:
        """Return the rows with the highest values of a cell, the highest first; ties by number."""
        return self._of(1, cell)

    def values(self, cell: int, highest: bool) -> list[int]:
        """Return the values of ``high`` or of ``low``."""
        cells, values, _ = self._kept[highest]
        first, last = np.searchsorted(cells, [cell, cell + 1])
        found: list[int] = ((-values if highest else values)[first:last]).tolist()
        return found

    def both(self, cell: int) -> list[int]:
        """Return the lowest, then the highest, none twice."""
        return list(dict.fromkeys(self.low(cell) + self.high(cell)))

    def _of(self, side: int, cell: int) -> list[int]:
        cells, _, numbers = self._kept[side]
        first, last = np.searchsorted(cells, [cell, cell + 1])
        found: list[int] = numbers[first:last].tolist()
        return found

    def _first(
        self, cells: np.ndarray, values: np.ndarray, numbers: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        order = np.lexsort((numbers, values, cells))
        cells, values, numbers = cells[order], values[order], numbers[order]
        rank = np.arange(len(cells)) - np.searchsorted(cells, cells)
        kept = rank < self._most
        return cells[kept], values[kept], numbers[kept]


class Cells:
    """Sums over the rows of each of ``count`` cells, and over their replicates."""

    def __init__(self, count: int) -> None:
        self.rows = np.zeros(count, dtype=np.int64)
        self.positive, self.negative = np.zeros_like(self.rows), np.zeros_like(self.rows)
        self.mixed, self.no_opinion = np.zeros_like(self.rows), np.zeros_like(self.rows)
        self.logits, self.pulls = np.zeros_like(self.rows), np.zeros_like(self.rows)
        # Sums of weights, and of weights times signs.
        self.weighed = np.zeros((count, 2, 1 + REPLICATES))
        self.examples = Extremes(EXAMPLES)

    def add(
        self,
        cells: np.ndarray,
        signs: np.ndarray,
        opinions: np.ndarray,
        logits: np.ndarray,
        weights: np.ndarray,
        numbers: np.ndarray,
        pulls: np.ndarray | None = None,
    ) -> None:
        """Add rows to their cells, int (rows,); a row of cell -1 is in none.

        ``weights`` is float32 (rows, 1 + replicates). With ``pulls`` the examples are chosen by them.
        """
        order = np.argsort(cells, kind="stable")[np.count_nonzero(cells < 0) :]
        if not len(order):
            return
        cells, signs, opinions, logits = cells[order], signs[order], opinions[order], logits[order]
        for total, values in (
            (self.rows, np.ones_like(cells)),
            (self.positive, signs > 0),
            (self.negative, signs < 0),
            (self.mixed, opinions == MIXED),
            (self.no_opinion, opinions == NO_OPINION),
            (self.logits, logits),
            (self.pulls, logits * 0 if pulls is None else pulls[order]),
        ):
            np.add.at(total, cells, values.astype(np.int64))
        both = np.stack([np.ones(len(order), dtype=np.float32), signs.astype(np.float32)])
        present, starts = np.unique(cells, return_index=True)
        for cell, first, last in zip(present, starts, [*starts[1:], len(cells)], strict=True):
            self.weighed[cell] += both[:, first:last] @ weights[order[first:last]]
        by = logits if pulls is None else pulls[order]
        self.examples.add(cells, by, numbers[order])

    def unanimous(self) -> np.ndarray:
        """Return which cells have rows of one verdict alone, bool (cells,)."""
        uncertain = self.rows - self.positive - self.negative
        most = np.stack([self.positive, self.negative, uncertain]).max(axis=0)
        found: np.ndarray = (self.rows > 0) & (most == self.rows)
        return found

    def net(self, cell: int) -> float | None:
        """Return a cell's net score, -100 to 100; None without a row."""
        if not self.rows[cell]:
            return None
        return rounded(100 * float(self.positive[cell] - self.negative[cell]) / float(self.rows[cell]))

    def figures(self, cell: int, independent: int | None = None) -> dict[str, Any]:
        """Return a cell's figures.

        ``independent`` is the number of groups in a unanimous cell, where groups are resampled.
        """
        rows = int(self.rows[cell])
        positive, negative = int(self.positive[cell]), int(self.negative[cell])
        return {
            "rows": rows,
            "net": self.net(cell),
            "interval": rounded_pair(self._interval(cell, independent)),
            "positive": positive,
            "negative": negative,
            "uncertain": rows - positive - negative,
            "mixed": int(self.mixed[cell]),
            "no_opinion": int(self.no_opinion[cell]),
            "mean_logit": rounded(int(self.logits[cell]) / rows / MILLION) if rows else None,
            "examples": self.examples.both(cell),
        }

    def _interval(self, cell: int, independent: int | None) -> tuple[float, float] | None:
        rows = int(self.rows[cell])
        if not rows:
            return None
        if self.unanimous()[cell]:
            return _unanimous(int(self.positive[cell]), int(self.negative[cell]), independent or rows)
        weights, signs = self.weighed[cell, :, 1:]
        with np.errstate(invalid="ignore", divide="ignore"):
            return interval(100 * signs / weights)


def _unanimous(positive: int, negative: int, count: int) -> tuple[float, float]:
    unseen = 1 - UNSEEN ** (1 / count)
    if positive:
        return 100 * (1 - 2 * unseen), 100.0
    return (-100.0, -100 * (1 - 2 * unseen)) if negative else (-100 * unseen, 100 * unseen)
