"""Two models on the same reviews: by how much they differ, and how much of that could be chance.

``before`` and ``after`` are P(positive), float64 (reviews,); ``labels`` 0 or 1, ``groups`` int (reviews,).
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from training.evaluation import metrics

DRAWS = 1000
# Of the draws, 95 in 100 lie between these.
LOW, HIGH = 0.025, 0.975
METRICS = ("accuracy", "ece", "nll")


class Figure(NamedTuple):
    """One measure of both models, their difference (after - before), and a 95 % interval of each."""

    before: float
    after: float
    difference: float
    before_interval: tuple[float, float]
    after_interval: tuple[float, float]
    interval: tuple[float, float]


def compare(
    before: np.ndarray, after: np.ndarray, labels: np.ndarray, groups: np.ndarray | None = None
) -> dict[str, Figure]:
    """Give accuracy, ECE and mean surprise (nats) of both, with intervals by the paired bootstrap.

    Reviews are drawn with replacement, a group as a whole, and both models judged on the same draw.
    """
    every = np.arange(len(labels))
    draws = (every, *_draws(groups, len(labels)))
    table = np.array([[_measured(one[rows], labels[rows]) for one in (before, after)] for rows in draws])
    return {name: _figure(table[:, :, index]) for index, name in enumerate(METRICS)}


def mcnemar(before: np.ndarray, after: np.ndarray, labels: np.ndarray) -> tuple[int, int, float]:
    """Give how many reviews only the first is right on, how many only the second, and p (two-sided).

    McNemar's exact test: were both as good, each such review would fall to either like a coin's side.
    """
    right_before, right_after = (_right(one, labels) for one in (before, after))
    lost, won = int((right_before & ~right_after).sum()), int((~right_before & right_after).sum())
    ways = tail = 1  # whole numbers: nothing is rounded but the quotient
    for count in range(min(lost, won)):
        ways = ways * (lost + won - count) // (count + 1)
        tail += ways
    return lost, won, min(1.0, 2 * tail / 2 ** (lost + won))


def outcome(figures: dict[str, Figure]) -> str:
    """Say "better", "no different" or "worse": by accuracy, and where that can't tell, by the surprise."""
    accuracy, surprise = figures["accuracy"].interval, figures["nll"].interval
    if accuracy[0] > 0 or (figures["accuracy"].difference >= 0 and surprise[1] < 0):
        return "better"
    if accuracy[1] < 0 or surprise[0] > 0:
        return "worse"
    return "no different"


def is_below_guessing(probabilities: np.ndarray, labels: np.ndarray, groups: np.ndarray) -> bool:
    """Say whether a model is right less often than a coin, beyond chance; each label counts for half."""
    right = _right(probabilities, labels)
    shares = [_by_label(right[rows], labels[rows]) for rows in _draws(groups, len(labels))]
    return float(np.quantile(shares, HIGH)) < 0.5


def by_what(outcome: str, figures: dict[str, Figure]) -> str:
    """Give what qualifies "better" or "worse" where accuracy alone could not tell; else nothing."""
    low, high = figures["accuracy"].interval
    if outcome == "no different" or not low <= 0 <= high:
        return ""
    return " in how well the probabilities fit, while accuracy may differ by chance"


def _draws(groups: np.ndarray | None, reviews: int) -> Iterator[np.ndarray]:
    random = np.random.default_rng(0)
    if groups is None:
        groups = np.arange(reviews)
    _, number = np.unique(groups, return_inverse=True)
    count = int(number.max()) + 1
    for _ in range(DRAWS):
        times = np.bincount(random.integers(0, count, count), minlength=count)
        yield np.repeat(np.arange(reviews), times[number])


def _measured(probabilities: np.ndarray, labels: np.ndarray) -> list[float]:
    """Give METRICS of one model."""
    likelihood = np.where(labels == 1, probabilities, 1 - probabilities)
    return [
        float(_right(probabilities, labels).mean()),
        metrics.expected_calibration_error(probabilities, labels),
        float(-np.log(np.maximum(likelihood, 1e-12)).mean()),
    ]


def _figure(pairs: np.ndarray) -> Figure:
    before, after = pairs[:, 0], pairs[:, 1]
    first, second, gap = (_interval(values) for values in (before, after, after - before))
    return Figure(float(before[0]), float(after[0]), float(after[0] - before[0]), first, second, gap)


def _by_label(right: np.ndarray, labels: np.ndarray) -> float:
    """Give the mean of the shares right of each label that comes up."""
    return float(np.mean([right[labels == label].mean() for label in np.unique(labels)]))


def _interval(values: np.ndarray) -> tuple[float, float]:
    """Give where a measure lies: its own value comes first, then those of the draws.

    A calibration error grows by drawing twice; what the draws have more on average is taken off.
    """
    own, draws = values[0], values[1:]
    low, high = np.quantile(draws, (LOW, HIGH)) - (draws.mean() - own)
    return min(float(low), float(own)), max(float(high), float(own))


def _right(probabilities: np.ndarray, labels: np.ndarray) -> np.ndarray:
    return (probabilities >= 0.5) == (labels == 1)
