"""Two models on the same reviews: their difference, and how much of it could be chance.

``before`` and ``after`` are P(positive), float64 (reviews,); ``labels`` 0 or 1, ``groups`` int (reviews,).
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from training.evaluation import metrics

DRAWS = 1000
# 95 of 100 draws lie between these quantiles.
LOW, HIGH = 0.025, 0.975
METRICS = ("accuracy", "ece", "nll")


class Figure(NamedTuple):
    """One metric of both models, their difference (after - before), and a 95 % interval of each."""

    before: float
    after: float
    difference: float
    before_interval: tuple[float, float]
    after_interval: tuple[float, float]
    interval: tuple[float, float]


def compare(
    before: np.ndarray, after: np.ndarray, labels: np.ndarray, groups: np.ndarray | None = None
) -> dict[str, Figure]:
    """Return accuracy, ECE and mean log loss (nats) of both, with intervals by the paired bootstrap.

    Groups are drawn whole, with replacement, and both models are measured on the same draw.
    """
    all_rows = np.arange(len(labels))
    draws = (all_rows, *_draws(groups, len(labels)))
    table = np.array([[_metrics_of(one[rows], labels[rows]) for one in (before, after)] for rows in draws])
    return {name: _figure(table[:, :, index]) for index, name in enumerate(METRICS)}


def share(hits: np.ndarray, groups: np.ndarray | None = None) -> tuple[float, tuple[float, float]]:
    """Return the share of ``hits``, bool (reviews,), and its 95 % interval; groups are drawn whole."""
    own = float(hits.mean())
    draws = [float(hits[rows].mean()) for rows in _draws(groups, len(hits))]
    return own, _interval(np.array([own, *draws]))


def mcnemar(before: np.ndarray, after: np.ndarray, labels: np.ndarray) -> tuple[int, int, float]:
    """Return how many reviews only ``before`` and only ``after`` gets right, and p (two-sided).

    McNemar's exact test: if both were as good, each such review would be a toss of a coin.
    """
    right_before, right_after = (_right(one, labels) for one in (before, after))
    lost, won = int((right_before & ~right_after).sum()), int((~right_before & right_after).sum())
    ways = tail = 1  # whole numbers, so only the quotient is rounded
    for count in range(min(lost, won)):
        ways = ways * (lost + won - count) // (count + 1)
        tail += ways
    return lost, won, min(1.0, 2 * tail / 2 ** (lost + won))


def outcome(figures: dict[str, Figure]) -> str:
    """Return "better", "no different" or "worse", by accuracy, or by log loss if accuracy is no help."""
    accuracy, log_loss = figures["accuracy"].interval, figures["nll"].interval
    if accuracy[0] > 0 or (figures["accuracy"].difference >= 0 and log_loss[1] < 0):
        return "better"
    if accuracy[1] < 0 or log_loss[0] > 0:
        return "worse"
    return "no different"


def is_below_guessing(probabilities: np.ndarray, labels: np.ndarray, groups: np.ndarray) -> bool:
    """Return whether a model is worse than guessing, beyond chance. Each label counts for half."""
    right = _right(probabilities, labels)
    shares = [_by_label(right[rows], labels[rows]) for rows in _draws(groups, len(labels))]
    return float(np.quantile(shares, HIGH)) < 0.5


def qualifier(outcome: str, figures: dict[str, Figure]) -> str:
    """Return what to add to "better" or "worse" if log loss alone decided; empty otherwise."""
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


def _metrics_of(probabilities: np.ndarray, labels: np.ndarray) -> list[float]:
    """Return METRICS of one model."""
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
    """Return the mean, over labels, of the share right."""
    return float(np.mean([right[labels == label].mean() for label in np.unique(labels)]))


def _interval(values: np.ndarray) -> tuple[float, float]:
    """Return a metric's interval. Its own value comes first in ``values``, then those of the draws.

    Drawing a review twice raises the calibration error, so the draws' mean excess is subtracted.
    """
    own, draws = values[0], values[1:]
    low, high = np.quantile(draws, (LOW, HIGH)) - (draws.mean() - own)
    return min(float(low), float(own)), max(float(high), float(own))


def _right(probabilities: np.ndarray, labels: np.ndarray) -> np.ndarray:
    right: np.ndarray = (probabilities >= 0.5) == (labels == 1)
    return right
