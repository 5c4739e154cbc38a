"""Check whether a model's promise still holds: by its traffic, or by new labelled rows.

Traffic has no labels. So it says only that reviews are no longer like the receipt's rows: another share of
them is answered, or the sureness is spread differently. New labelled rows test the promise itself. The
receipt is that of training/endpoint/receipt.py.
"""

import math
from collections.abc import Callable, Sequence
from itertools import accumulate
from typing import Any, NamedTuple

import numpy as np

from training.evaluation import risk_control
from training.files.labelled import Labelled
from training.files.rows import parts

# A difference counts above so many standard errors and above this share, as in drift.py.
SURE, LARGE = 3.0, 0.05
# The largest gap of two distributions by chance (Kolmogorov and Smirnov), as rare as SURE standard errors.
GAP = math.sqrt(-math.log(math.erfc(SURE / math.sqrt(2)) / 2) / 2)
# A batch of the API: 100 reviews and 1 MB at most.
BATCH_ROWS, BATCH_BYTES = 100, 950_000


class Promise(NamedTuple):
    """The part of a receipt that traffic and new rows are compared with."""

    wrong: float
    sure: float
    threshold: float
    rows: int
    answered: int
    sureness: tuple[int, ...]

    @property
    def name(self) -> str:
        """Return the answers that the promise is about."""
        return f"answered at {100 * self.threshold:g} % sureness or more"


class Finding(NamedTuple):
    """A line to print, and whether it speaks against the promise."""

    line: str
    against: bool


class Answer(NamedTuple):
    """An API's verdict on a row: its side, None without one, and P(positive)."""

    positive: bool | None
    probability: float


# Returns the answers to some reviews, in order.
Asker = Callable[[Sequence[str]], Sequence[Answer]]


def parse_promise(card: dict[str, Any]) -> Promise | None:
    """Parse a card's promise; None without one. Raises KeyError, TypeError or ValueError."""
    receipt = card.get("promise")
    if receipt is None:
        return None
    sureness = tuple(map(int, receipt["sureness"]))
    promise = Promise(
        float(receipt["wrong"]),
        float(receipt["sure"]),
        float(receipt["threshold"]),
        int(receipt["rows"]),
        int(receipt["answered"]),
        sureness,
    )
    if promise.threshold not in risk_control.THRESHOLDS or sum(sureness) != promise.rows or not promise.rows:
        raise ValueError("the receipt's numbers do not fit together")
    return promise


def compare_traffic(promise: Promise, sureness: Sequence[int]) -> list[Finding]:
    """Compare the traffic's sureness with that of the receipt's rows.

    ``sureness`` counts reviews as ``risk_control.histogram`` does.
    """
    reviews = sum(sureness)
    first = risk_control.THRESHOLDS.index(promise.threshold) + 1
    share, promised = sum(sureness[first:]) / reviews, promise.answered / promise.rows
    error = math.sqrt(sum(_variance(promised, count) for count in (reviews, promise.rows)))
    leaves = abs(share - promised) > max(SURE * error, LARGE)
    gap = _gap(sureness, promise.sureness)
    differs = gap > max(GAP * math.sqrt(1 / reviews + 1 / promise.rows), LARGE)
    return [
        Finding(
            f"{_percent(share)} {promise.name}; {_percent(promised).strip()} on the promise's rows", leaves
        ),
        Finding(f"{_percent(gap)} is the largest gap between the spreads of sureness", differs),
    ]


def check_rows(promise: Promise, rows: Labelled, ask: Asker) -> Finding:
    """Test the promise on new labelled rows, one of each group."""
    rows = rows.take(np.isin(np.arange(len(rows.labels)), risk_control.one_of_each(rows.groups)))
    labels = dict(zip(rows.numbers.tolist(), rows.labels.tolist(), strict=True))
    answered = errors = 0
    for part in parts(rows.rows(), BATCH_ROWS, BATCH_BYTES):
        for number, answer in zip(part.ids, ask(part.reviews), strict=True):
            sureness = max(answer.probability, 1 - answer.probability)
            if answer.positive is not None and sureness >= promise.threshold:
                answered += 1
                errors += answer.positive != (labels[number] == 1)
    low = risk_control.lower_bound(errors, answered, promise.sure) if answered else 0.0
    rate = f" ({100 * errors / answered:.1f} %)" if answered else ""
    return Finding(
        f"Of {len(rows.labels):,} new rows, {answered:,} are {promise.name}, and {errors:,} of those answers"
        f" are wrong{rate}. Promised were at most {100 * promise.wrong:g} %; with {100 * promise.sure:g} %"
        f" confidence it is at least {100 * low:.1f} %.",
        low > promise.wrong,
    )


def _variance(share: float, count: int) -> float:
    return max(share * (1 - share), 1 / count) / count


def _gap(one: Sequence[int], other: Sequence[int]) -> float:
    """Return the largest difference of two cumulative distributions, from counts of the same bins."""
    pairs = zip(accumulate(one), accumulate(other), strict=True)
    return max(abs(left / sum(one) - right / sum(other)) for left, right in pairs)


def _percent(share: float) -> str:
    return f"{100 * share:5.1f} %"
