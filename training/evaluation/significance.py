"""Two models on the same reviews: their difference, and how much of it could be chance.

``before`` and ``after`` are P(positive), float64 (reviews,); ``labels`` 0 or 1, ``groups`` int (reviews,).
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from training.evaluation import metrics

DRAWS = 1000
# 95 of 100 draws lie between these quantiles.
LOW, HIGH = 0.025, 0.975
METRICS = ("accuracy", "ece", "nll")
NAMES = {"accuracy": "accuracy", "ece": "calibration error", "nll": "log loss"}
HIGHER_IS_BETTER = frozenset({"accuracy"})
# The outcomes. MIXED is better beyond chance by one metric, and worse by another.
BETTER, WORSE, MIXED, ALIKE = "better", "worse", "mixed", "no different"


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


def changes(figures: dict[str, Figure]) -> dict[str, int]:
    """Return 1 for each metric that is better beyond chance, -1 for worse, and 0 otherwise."""
    found = {}
    for name in METRICS:
        low, high = figures[name].interval
        rose = int(low > 0) - int(high < 0)
        found[name] = rose if name in HIGHER_IS_BETTER else -rose
    return found


def outcome(figures: dict[str, Figure]) -> str:
    """Return BETTER or WORSE if each metric that differs beyond chance agrees; otherwise MIXED or ALIKE."""
    signs = set(changes(figures).values())
    if {1, -1} <= signs:
        return MIXED
    return BETTER if 1 in signs else WORSE if -1 in signs else ALIKE


def is_below_guessing(probabilities: np.ndarray, labels: np.ndarray, groups: np.ndarray) -> bool:
    """Return whether a model is worse than guessing, beyond chance. Each label counts for half."""
    right = _right(probabilities, labels)
    shares = [_by_label(right[rows], labels[rows]) for rows in _draws(groups, len(labels))]
    return float(np.quantile(shares, HIGH)) < 0.5


def describe(figures: dict[str, Figure], than: str = "") -> str:
    """Return the outcome with the metrics that decided it; ``than`` follows "better" or "worse"."""
    found = changes(figures)
    parts = [
        f"{word}{than} in {_listed([NAMES[name] for name in METRICS if found[name] == sign])}"
        for word, sign in ((BETTER, 1), (WORSE, -1))
        if sign in found.values()
    ]
    if not parts:
        return ALIKE
    doubt = "" if found["accuracy"] else ", while accuracy may differ by chance"
    return " and ".join(parts) + doubt


def difference(name: str, figure: Figure) -> str:
    """Return a metric's difference and its interval in words, as in "+2.0 points, 95 % interval ..."."""
    low, high = figure.interval
    if name == "nll":
        return f"{figure.difference:+.3f}, 95 % interval {low:+.3f} to {high:+.3f}"
    gap = 100 * figure.difference
    return f"{gap:+.1f} points, 95 % interval {100 * low:+.1f} to {100 * high:+.1f}"


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


def _listed(names: Sequence[str]) -> str:
    """Return names as words, as in "accuracy, calibration error and log loss"."""
    return " and ".join(filter(None, (", ".join(names[:-1]), names[-1])))


def _right(probabilities: np.ndarray, labels: np.ndarray) -> np.ndarray:
    right: np.ndarray = (probabilities >= 0.5) == (labels == 1)
    return right
