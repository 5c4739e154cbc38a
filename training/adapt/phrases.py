"""Learn which words, pairs and triples lean to a side more than a model knows, from labelled reviews.

A network's table gives each n-gram a weight. Two changes of that table take part in a fit, each by one
factor: what the labels say of these reviews' n-grams, and the valences of a general lexicon. So few labels
move many weights, without a parameter for each.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from training.endpoint import ngram_weights
from training.evaluation import metrics

# An n-gram's weight is held near 0 as by so many reviews of undecided probability.
CAUTION = 0.1
# A change whose sums differ less than this between reviews tells none of them apart.
LEAST_SPREAD = 1e-9
# The share of the positive is fitted by so many steps, and by this doubt or more.
MAX_STEPS, LEAST_DOUBT = 30, 1e-6


class Amounts(NamedTuple):
    """The n-grams of a review: their columns, int32 (n-grams,), and how much a weight of 1 adds to the logit.

    ``amounts`` is float32 (n-grams,); each column comes once.
    """

    columns: np.ndarray
    amounts: np.ndarray


class Change(NamedTuple):
    """What is added to the weights of some n-grams: columns in order, int64, and weights, float64."""

    columns: np.ndarray
    weights: np.ndarray

    def sums(self, ngrams: np.ndarray) -> np.ndarray:
        """Return what this adds to the logits of reviews, float64 (reviews,)."""
        flat = _flatten(ngrams)
        most = max(int(columns.max(initial=0)) for columns in (flat.columns, self.columns))
        table = np.zeros(most + 1)
        table[self.columns] = self.weights
        return np.bincount(flat.reviews, flat.amounts * table[flat.columns], len(ngrams))

    def times(self, factor: float) -> "Change":
        """Return the change with its weights times a factor."""
        return Change(self.columns, self.weights * factor)


class Learned(NamedTuple):
    """Changes that a fit weighs, and their sums in the reviews that they were learned from.

    ``sums``, float64 (reviews, changes), has a spread of 1. The labels of a review and of its group have no
    part in its sums.
    """

    changes: tuple[Change, ...]
    sums: np.ndarray

    def sums_of(self, ngrams: np.ndarray) -> np.ndarray:
        """Return the sums of the changes in other reviews, float64 (reviews, changes)."""
        return np.column_stack([change.sums(ngrams) for change in self.changes])


class _Flat(NamedTuple):
    """N-grams of many reviews in one row: each one's review, column and amount."""

    reviews: np.ndarray
    columns: np.ndarray
    amounts: np.ndarray


NOTHING = Change(np.zeros(0, dtype=np.int64), np.zeros(0))
NO_NGRAMS = Amounts(np.zeros(0, dtype=np.int32), np.zeros(0, dtype=np.float32))


def as_column(rows: Sequence[Amounts]) -> np.ndarray:
    """Return the n-grams of reviews as an array of objects, (reviews,)."""
    column = np.empty(len(rows), dtype=object)
    for place, row in enumerate(rows):
        column[place] = row
    return column


def amounts_of(found: ngram_weights.Found, weights: np.ndarray) -> Amounts:
    """Return the n-grams of a review by the weights of its sentences, float64 (sentences,)."""
    columns, places = np.unique(found.columns, return_inverse=True)
    amounts = np.bincount(places, weights[found.sentences], len(columns))
    return Amounts(columns.astype(np.int32), amounts.astype(np.float32))


def learn(
    ngrams: np.ndarray, labels: np.ndarray, groups: np.ndarray, logits: np.ndarray, lexicon: Change
) -> Learned:
    """Return the changes for reviews with labels and groups, int (reviews,), and the model's logits.

    The labels' change is one step of Newton's method for each n-gram by itself, from what the model's
    probabilities leave over.
    """
    probabilities = _shifted(logits, labels)
    left, doubt = labels - probabilities, probabilities * (1 - probabilities)
    flat = _flatten(ngrams)
    push = flat.amounts * left[flat.reviews]
    hold = flat.amounts**2 * doubt[flat.reviews]
    pushes, holds = (np.bincount(flat.columns, values) for values in (push, hold))
    columns = np.unique(flat.columns).astype(np.int64)
    own = Change(columns, pushes[columns] / (CAUTION + holds[columns]))
    others = pushes[flat.columns] - _of_group(flat, groups, push)
    held = CAUTION + holds[flat.columns] - _of_group(flat, groups, hold)
    unseen = np.bincount(flat.reviews, flat.amounts * others / held, len(labels))
    scaled = [_scaled(own, unseen), _scaled(lexicon, lexicon.sums(ngrams))]
    return Learned(tuple(change for change, _ in scaled), np.column_stack([sums for _, sums in scaled]))


def merge(changes: Sequence[Change], factors: np.ndarray) -> Change:
    """Return the sum of changes, each times its factor, with weights as precise as float32."""
    columns = np.concatenate([change.columns for change in changes])
    weights = np.concatenate(
        [change.weights * factor for change, factor in zip(changes, factors, strict=True)]
    )
    merged, places = np.unique(columns, return_inverse=True)
    sums = np.bincount(places, weights, len(merged))
    return Change(merged, sums.astype(np.float32).astype(np.float64))


def _shifted(logits: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Return probabilities, float64 (reviews,), with a bias by which they fit the share of the positive."""
    bias = 0.0
    for _ in range(MAX_STEPS):
        probabilities = metrics.probabilities_of(logits + bias)
        doubt = max(float((probabilities * (1 - probabilities)).sum()), LEAST_DOUBT)
        step = float(np.clip((labels - probabilities).sum() / doubt, -1, 1))
        bias += step
        if abs(step) < LEAST_SPREAD:
            break
    return metrics.probabilities_of(logits + bias)


def _of_group(flat: _Flat, groups: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Return for each n-gram of a review the sum of its values in the review's group, float64 (n-grams,)."""
    names, numbers = np.unique(groups, return_inverse=True)
    if len(names) == len(groups):
        return values
    pairs = numbers[flat.reviews] * (int(flat.columns.max(initial=0)) + 1) + flat.columns
    _, places = np.unique(pairs, return_inverse=True)
    sums: np.ndarray = np.bincount(places, values)[places]
    return sums


def _scaled(change: Change, sums: np.ndarray) -> tuple[Change, np.ndarray]:
    """Return a change and its sums, float64 (reviews,), scaled so that the sums have a spread of 1."""
    spread = float(sums.std()) if len(sums) else 0.0
    if spread < LEAST_SPREAD:
        return NOTHING, np.zeros(len(sums))
    return change.times(1 / spread), sums / spread


def _flatten(ngrams: np.ndarray) -> _Flat:
    sizes = [len(one.columns) for one in ngrams]
    rows = [NO_NGRAMS, *ngrams]
    return _Flat(
        np.repeat(np.arange(len(ngrams)), sizes),
        np.concatenate([one.columns for one in rows]),
        np.concatenate([one.amounts for one in rows]).astype(np.float64),
    )
