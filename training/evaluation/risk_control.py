"""Choose how sure an answer must be, so that at most a given share of the answers is wrong.

Learn then Test (Angelopoulos et al., arXiv 2110.01052) with a fixed sequence of tests. The risk is selective:
errors among the answered rows. The strictest threshold is tested first, and the first failure ends the
sequence. So all passed thresholds hold together, with the stated confidence. Each test is the exact binomial
one, as in the bound of Clopper and Pearson (1934).

One threshold serves both sides, so that one number and one bound cover all answers. SciPy and MAPIE have
these tests too. They weigh more than half of what `make run` installs.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

# The thresholds of sureness that are tested. GET /v1/metrics counts answers between them.
THRESHOLDS = (
    *(round(0.5 + step / 50, 2) for step in range(20)),
    *(round(0.9 + step / 100, 2) for step in range(10)),
    0.995,
    0.998,
    0.999,
)
# The sequence begins where so large a part of the allowed errors would still pass, but no later than at so
# large a part of the answers. In simulations, small files then get a promise most often.
SPARE, LATEST = 0.5, 0.25
# Halvings of an interval to find a bound: beyond the precision of a float.
HALVINGS = 60
INTERVAL = 0.95


class Choice(NamedTuple):
    """A threshold, the answers at or above it, the errors among them, and the bound of their share.

    ``rows`` counts all rows, answered or not.
    """

    threshold: float
    rows: int
    answered: int
    errors: int
    bound: float


class Shortage(NamedTuple):
    """Why nothing can be promised: the counts of the first test, or of all answers if too few for a test.

    ``least`` is the number of answers that would pass if none was wrong.
    """

    threshold: float
    answered: int
    errors: int
    bound: float
    least: int


def choose(sureness: np.ndarray, right: np.ndarray, wrong: float, sure: float) -> Choice | Shortage:
    """Choose the loosest threshold from which at most a share ``wrong`` of the answers is wrong.

    :param sureness: how sure the answer is, float64 (rows,); 0 without an answer
    :param right: whether the answer is right, bool (rows,)
    :param wrong: the largest share of errors, above 0 and below 0.5
    :param sure: the confidence, above 0.5 and below 1

    The rows must be independent: one of each group.
    """
    counts = [_count(sureness, right, threshold) for threshold in reversed(THRESHOLDS)]
    least = fewest(wrong, sure)
    start = first_test([answered for answered, _ in counts], wrong, sure)
    if start is None:
        answered, errors = counts[-1]
        return Shortage(THRESHOLDS[0], answered, errors, upper_bound(errors, answered, sure), least)
    passed = start - 1
    for place in range(start, len(counts)):
        answered, errors = counts[place]
        if tail(errors, answered, wrong) > 1 - sure:
            break
        passed = place
    if passed < start:
        answered, errors = counts[start]
        bound = upper_bound(errors, answered, sure)
        return Shortage(THRESHOLDS[-1 - start], answered, errors, bound, least)
    answered, errors = counts[passed]
    # Several thresholds may have the same answers above them. The strictest one says most.
    strictest = next(place for place in range(start, passed + 1) if counts[place] == counts[passed])
    bound = upper_bound(errors, answered, sure)
    return Choice(THRESHOLDS[-1 - strictest], len(sureness), answered, errors, bound)


def first_test(answered: Sequence[int], wrong: float, sure: float) -> int | None:
    """Return the place of the first test, from the answers at each threshold, the strictest first.

    It looks at no label. None means that no threshold has enough answers.
    """
    least = fewest(wrong, sure)
    enough = max(least, min(_enough(wrong, sure), int(LATEST * answered[-1])))
    return next((place for place, count in enumerate(answered) if count >= enough), None)


def fewest(wrong: float, sure: float) -> int:
    """Return the number of answers that pass a test if none is wrong.

    >>> fewest(0.05, 0.95)
    59
    """
    return math.ceil(math.log(1 - sure) / math.log(1 - wrong) - 1e-9)


def rows_needed(rate: float, wrong: float, sure: float) -> int | None:
    """Return the number of answers that pass a test at this rate of errors; None if more would not help."""
    if rate >= 0.98 * wrong:
        return None
    low = high = fewest(wrong, sure)
    while tail(math.ceil(rate * high), high, wrong) > 1 - sure:
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        passes = tail(math.ceil(rate * middle), middle, wrong) <= 1 - sure
        low, high = (low, middle) if passes else (middle, high)
    return high


def tail(errors: int, rows: int, rate: float) -> float:
    """Return P(at most so many errors) in so many independent rows, each wrong at this rate.

    >>> round(tail(0, 59, 0.05), 3)
    0.048
    """
    if errors >= rows or rate <= 0:
        return 1.0
    if rate >= 1:
        return 0.0
    counts = np.arange(errors + 1)
    factors = np.concatenate([[0.0], np.log(rows - counts[:-1]) - np.log(counts[1:])])
    logs = np.cumsum(factors) + counts * math.log(rate) + (rows - counts) * math.log1p(-rate)
    largest = float(logs.max())
    return min(1.0, math.exp(largest) * float(np.exp(logs - largest).sum()))


def upper_bound(errors: int, rows: int, sure: float) -> float:
    """Return Clopper and Pearson's upper bound of the rate of errors; 1 without rows."""
    if errors >= rows:
        return 1.0
    low, high = errors / rows, 1.0
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if tail(errors, rows, middle) > 1 - sure else (low, middle)
    return high


def lower_bound(errors: int, rows: int, sure: float) -> float:
    """Return Clopper and Pearson's lower bound of the rate of errors; 0 without rows."""
    return 1 - upper_bound(rows - errors, rows, sure)


def interval(count: int, rows: int) -> tuple[float, float]:
    """Return Clopper and Pearson's 95 % interval of a share."""
    sure = (1 + INTERVAL) / 2
    return lower_bound(count, rows, sure), upper_bound(count, rows, sure)


def one_of_each(groups: np.ndarray) -> np.ndarray:
    """Return the rows, int (groups,), that stand for their groups; always the same, drawn without a label."""
    drawn = np.random.default_rng(0).permutation(len(groups))
    _, first = np.unique(groups[drawn], return_index=True)
    rows: np.ndarray = np.sort(drawn[first])
    return rows


def histogram(sureness: np.ndarray) -> list[int]:
    """Return the rows up to the first threshold, up to each other one, and above the last.

    Prometheus counts in such bins, too: its bounds are inclusive.
    """
    places = np.searchsorted(THRESHOLDS, sureness, side="left")
    counts: list[int] = np.bincount(places, minlength=len(THRESHOLDS) + 1).tolist()
    return counts


def _count(sureness: np.ndarray, right: np.ndarray, threshold: float) -> tuple[int, int]:
    """Return the answers from a threshold on, and the errors among them."""
    answered = sureness >= threshold
    return int(answered.sum()), int((answered & ~right).sum())


def _enough(wrong: float, sure: float) -> int:
    """Return the number of answers that pass with SPARE of the allowed errors."""
    needed = rows_needed(SPARE * wrong, wrong, sure)
    assert needed is not None
    return needed
