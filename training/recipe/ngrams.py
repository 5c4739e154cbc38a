"""Linear models on words, pairs and triples, weighted by naive Bayes: a teacher, a baseline, and a part.

    python -m training.recipe.ngrams --out FILE --soft-targets FILE    # for ngram_residual.py

Source: Wang & Manning, "Baselines and Bigrams", ACL 2012, with logistic regression (Mesnil et al.,
ICLR 2015). They know phrases that the network saw too rarely, and make other errors. The teacher and
baseline counts what a review holds; the part adds up sentence by sentence, as the endpoint does.
"""

import argparse
import io
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import scipy.sparse as sparse
from sklearn.linear_model import LogisticRegression

from training.data import corpus as corpora
from training.data import dataset
from training.endpoint import ngram_weights
from training.recipe import augment
from training.recipe.network import unread_ids
from vocab import vocabulary
from vocab.files import write_atomic

# n-grams share this many columns by hash; 75,000 reviews hold some 12 million different ones.
COLUMNS = 1 << 22
# Those of the part, a byte each in the package.
PART_COLUMNS = 1 << 20
# Chosen on the development split, each among 0.02 to 0.2.
STRENGTH, PART_STRENGTH = 0.05, 0.1
MIN_REVIEWS = 2


class Ngrams(NamedTuple):
    """Hold a fitted model: the weight of each column, float32 (columns,), and the bias."""

    weights: np.ndarray
    bias: float

    def logits(self, reviews: Sequence[np.ndarray]) -> np.ndarray:
        """Return logits, float32 (reviews,), of reviews as ids, int32 (tokens,) each."""
        products: np.ndarray = matrix(reviews) @ self.weights
        return (products + self.bias).astype(np.float32)


class Part(NamedTuple):
    """Hold the weights of n-grams within sentences, float32 (columns,).

    ``of_half`` has those of two models, each fitted to the half of the reviews that the other never saw.
    """

    weights: np.ndarray
    of_half: tuple[np.ndarray, np.ndarray]


def fit(reviews: Sequence[np.ndarray], labels: np.ndarray, strength: float = STRENGTH) -> Ngrams:
    """Fit on reviews as ids, int32 (tokens,) each, and labels 0 or 1, (reviews,)."""
    return _fit(matrix(reviews), labels, strength)


def fit_part(
    splits: Sequence[corpora.Split], labels: np.ndarray, unread: Sequence[int], columns: int = PART_COLUMNS
) -> Part:
    """Fit the part on all reviews, and on each half of them.

    :param labels: of all splits' reviews, 0 or 1, (reviews,)
    :param unread: the ids that the network never reads
    """
    is_read = ngram_weights.mask_of(unread)
    rows = (
        _columns_within(ids, lengths, is_read, columns)
        for split in splits
        for ids, lengths in zip(split.ids, split.lengths, strict=True)
    )
    counts, first = _to_matrix(rows, columns), halves(len(labels))
    whole, one, other = (
        _fit(counts[kept], labels[kept], PART_STRENGTH).weights for kept in (first | ~first, ~first, first)
    )
    return Part(whole, (one, other))


def halves(count: int) -> np.ndarray:
    """Return which reviews are the first half, bool (reviews,): the first model never saw them."""
    first: np.ndarray = np.arange(count) % 2 == 0
    return first


def save(part: Part, out: Path) -> None:
    """Write a part."""
    buffer = io.BytesIO()
    np.savez_compressed(buffer, weights=part.weights, of_half=np.stack(part.of_half))
    write_atomic(out, buffer.getvalue())


def load(path: Path) -> Part:
    """Load a part that ``save`` wrote."""
    with np.load(path, allow_pickle=False) as arrays:
        return Part(arrays["weights"], tuple(arrays["of_half"]))


def matrix(reviews: Sequence[np.ndarray]) -> sparse.csr_matrix:
    """Return which n-grams each review holds, 0 or 1, float32 (reviews, COLUMNS)."""
    return _to_matrix(map(_columns, reviews), COLUMNS)


def _to_matrix(rows: Iterable[np.ndarray], columns: int) -> sparse.csr_matrix:
    """Return how often each row holds a column, float32 (rows, columns)."""
    held = list(rows)
    starts = np.cumsum([0] + [len(row) for row in held])
    ones = np.ones(starts[-1], dtype=np.float32)
    counts = sparse.csr_matrix((ones, np.concatenate(held), starts), shape=(len(held), columns))
    counts.sum_duplicates()
    return counts


def _fit(counts: sparse.csr_matrix, labels: np.ndarray, strength: float) -> Ngrams:
    ratio = log_ratio(counts, labels)
    model = LogisticRegression(C=strength, solver="liblinear", dual=True, max_iter=200, random_state=0)
    model.fit(counts @ sparse.diags(ratio), labels)
    return Ngrams((model.coef_[0] * ratio).astype(np.float32), float(model.intercept_[0]))


def log_ratio(counts: sparse.csr_matrix, labels: np.ndarray) -> np.ndarray:
    """Return naive Bayes' log-ratio of each column, float32 (columns,), smoothed by one.

    It is 0 for columns that fewer than MIN_REVIEWS reviews hold.
    """
    held = sparse.csr_matrix((np.ones_like(counts.data), counts.indices, counts.indptr), counts.shape)
    positive = np.asarray(held[labels == 1].sum(axis=0)).ravel() + 1
    negative = np.asarray(held[labels == 0].sum(axis=0)).ravel() + 1
    ratio: np.ndarray = np.log(positive / positive.sum()) - np.log(negative / negative.sum())
    ratio[positive + negative - 2 < MIN_REVIEWS] = 0
    return ratio.astype(np.float32)


def _columns(ids: np.ndarray) -> np.ndarray:
    """Return the distinct columns of a review's n-grams, int32 (columns,), in order."""
    hashed = ngram_weights.hashes(ids)
    keys = np.concatenate([row[: max(0, len(ids) - at)] for at, row in enumerate(hashed)])
    return np.unique(keys % np.uint64(COLUMNS)).astype(np.int32)


def _columns_within(ids: np.ndarray, lengths: np.ndarray, is_read: np.ndarray, columns: int) -> np.ndarray:
    """Return the column of each n-gram within a sentence, int32 (n-grams,)."""
    read, _ = ngram_weights.read_tokens(is_read, ids, lengths)
    return ngram_weights.find(ids, lengths, read, columns).columns.astype(np.int32)


def write(out: Path, targets: Path | None, archive: str | None) -> None:
    """Fit the part on the labelled reviews, and on the unsup reviews by their soft targets; write it."""
    corpus = corpora.load(archive)
    splits, labels = [corpus.train], [corpus.train.labels]
    if targets:
        splits.append(corpus.unsup)
        labels.append((augment.load_soft_targets(targets).unsup > 0.5).astype(np.int8))
    save(fit_part(splits, np.concatenate(labels), unread_ids(vocabulary.load())), out)


def main() -> None:
    parser = argparse.ArgumentParser(description="Fit the n-gram model that ngram_residual.py starts from.")
    parser.add_argument("--out", type=Path, required=True, help="the file to write (.npz)")
    parser.add_argument("--soft-targets", type=Path, help="the file of distill.py or soft_targets.py")
    parser.add_argument("--archive", help="path of aclImdb_v1.tar.gz (default: IMDB_ARCHIVE, or download)")
    options = parser.parse_args()
    try:
        write(options.out, options.soft_targets, options.archive)
    except OSError as error:
        sys.exit(f"ngrams: {error.filename}: {error.strerror}")
    except (dataset.DataError, vocabulary.VocabularyError) as error:
        sys.exit(f"ngrams: {error}")


if __name__ == "__main__":
    main()
