"""A linear model on words, pairs and triples, weighted by naive Bayes: a teacher and a baseline.

Source: Wang & Manning, "Baselines and Bigrams", ACL 2012, with logistic regression (Mesnil et al.,
ICLR 2015). It knows phrases that the network saw too rarely, and makes other errors.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import scipy.sparse as sparse
from sklearn.linear_model import LogisticRegression

# n-grams share this many columns by hash; 75,000 reviews hold some 12 million different ones.
COLUMNS = 1 << 22
# Chosen on the development split among 0.02, 0.05 and 0.1.
STRENGTH = 0.05
MIN_REVIEWS = 2


class Ngrams(NamedTuple):
    """Hold a fitted model: the weight of each column, float32 (COLUMNS,), and the bias."""

    weights: np.ndarray
    bias: float

    def logits(self, reviews: Sequence[np.ndarray]) -> np.ndarray:
        """Return logits, float32 (reviews,), of reviews as ids, int32 (tokens,) each."""
        products: np.ndarray = matrix(reviews) @ self.weights
        return (products + self.bias).astype(np.float32)


def fit(reviews: Sequence[np.ndarray], labels: np.ndarray, strength: float = STRENGTH) -> Ngrams:
    """Fit on reviews as ids, int32 (tokens,) each, and labels 0 or 1, (reviews,)."""
    counts = matrix(reviews)
    ratio = _log_ratio(counts, labels)
    model = LogisticRegression(C=strength, solver="liblinear", dual=True, max_iter=200, random_state=0)
    model.fit(counts @ sparse.diags(ratio), labels)
    return Ngrams((model.coef_[0] * ratio).astype(np.float32), float(model.intercept_[0]))


def matrix(reviews: Sequence[np.ndarray]) -> sparse.csr_matrix:
    """Return which n-grams each review holds, 0 or 1, float32 (reviews, COLUMNS)."""
    columns = [_columns(ids) for ids in reviews]
    starts = np.cumsum([0] + [len(held) for held in columns])
    present = np.ones(starts[-1], dtype=np.float32)
    return sparse.csr_matrix((present, np.concatenate(columns), starts), shape=(len(columns), COLUMNS))


def _log_ratio(counts: sparse.csr_matrix, labels: np.ndarray) -> np.ndarray:
    """Return naive Bayes' log-ratio of each column, float32 (COLUMNS,), smoothed by one.

    It is 0 for columns that fewer than MIN_REVIEWS reviews hold.
    """
    positive = np.asarray(counts[labels == 1].sum(axis=0)).ravel() + 1
    negative = np.asarray(counts[labels == 0].sum(axis=0)).ravel() + 1
    ratio: np.ndarray = np.log(positive / positive.sum()) - np.log(negative / negative.sum())
    ratio[positive + negative - 2 < MIN_REVIEWS] = 0
    return ratio.astype(np.float32)


def _columns(ids: np.ndarray) -> np.ndarray:
    """Hash the 1-, 2- and 3-grams of a review into distinct columns, int32 (columns,), in order."""
    words = ids.astype(np.uint64) + np.uint64(1)
    keys = [words]
    for _ in range(2):
        longer = keys[-1][:-1] * np.uint64(0x9E3779B97F4A7C15) ^ words[len(keys) :]
        keys.append(longer)
    key = np.concatenate(keys)
    # The finalizer of MurmurHash3 (Appleby, public domain) spreads keys that lie close together.
    key ^= key >> np.uint64(33)
    key *= np.uint64(0xFF51AFD7ED558CCD)
    key ^= key >> np.uint64(33)
    return np.unique(key % np.uint64(COLUMNS)).astype(np.int32)
