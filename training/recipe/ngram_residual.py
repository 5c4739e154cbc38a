"""Fit the weights of n-grams that a network's package holds.

    python -m training.recipe.ngram_residual --network DIR --ngrams FILE --soft-targets FILE --out FILE

The n-gram model knows nothing of the network, and learned from whole reviews alone. So a second fit adds
what the sum of both gets wrong, in reviews, single sentences, swapped reviews and lessons. It sees each
review with weights that did not learn from it (Wolpert, "Stacked Generalization", Neural Networks 1992).
"""

import argparse
import io
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import scipy.sparse as sparse
import torch
from scipy.optimize import minimize
from tqdm import tqdm

from training.data import corpus as corpora
from training.data import dataset
from training.endpoint import ngram_weights
from training.recipe import augment, export, ngrams
from training.recipe.augment import Examples
from training.recipe.network import Network
from training.recipe.train import to_texts
from training.recipe.train_flags import add_without_lessons
from vocab import vocabulary
from vocab.files import write_atomic

# What the n-gram model's weights are multiplied by; chosen on the development split, among 3.4 to 10.
STRENGTH = 10.0
# Of the squared corrections, beside the sum of all losses; chosen there too, among 0.3 to 20.
PENALTY = 1.0
ITERATIONS = 60
# As for the student: the share of reviews that is swapped, and how far labels move towards one half.
SWAPS, LABEL_SMOOTHING = 0.5, 0.05
# Draws swaps and lessons.
SEED = 7
# The network reads about so many tokens at once.
BATCH_TOKENS = 24_000


class Rows(NamedTuple):
    """Hold what texts give a fit.

    ``counts`` is float32 (texts, columns): how often a text holds an n-gram, each time by the weight of
    its sentence. ``logits``, float32 (texts,), are the network's, ``targets``, float32 (texts,), P(positive).
    """

    counts: sparse.csr_matrix
    logits: np.ndarray
    targets: np.ndarray


def rows_of(network: Network, examples: Examples, columns: int) -> Rows:
    """Return the rows of texts; the network reads them without its own n-grams."""
    logits, weights = _read(network, examples)
    is_read = ngram_weights.mask_of(network.size.unread)
    found = [
        ngram_weights.find(ids, lengths, ngram_weights.read_tokens(is_read, ids, lengths)[0], columns)
        for ids, lengths in zip(examples.ids, examples.lengths, strict=True)
    ]
    starts = np.cumsum([0] + [len(one.columns) for one in found])
    held = np.concatenate([one.columns.astype(np.int32) for one in found])
    values = np.concatenate([rows[one.sentences] for rows, one in zip(weights, found, strict=True)])
    counts = sparse.csr_matrix((values, held, starts), shape=(len(found), columns))
    counts.sum_duplicates()
    return Rows(counts, logits, examples.targets)


def _read(network: Network, examples: Examples) -> tuple[np.ndarray, list[np.ndarray]]:
    """Return logits, float32 (texts,), and the weight of each text's sentences, float32 (sentences,) each."""
    order = np.argsort([len(ids) for ids in examples.ids], kind="stable")
    logits, weights = np.zeros(len(order), dtype=np.float32), [np.zeros(0, dtype=np.float32)] * len(order)
    network.eval()
    with tqdm(total=len(order), desc="read", mininterval=5) as progress, torch.inference_mode():
        at = 0
        while at < len(order):
            rows = order[at : at + max(16, BATCH_TOKENS // max(1, len(examples.ids[order[at]])))]
            ids, lengths = ([part[row] for row in rows] for part in (examples.ids, examples.lengths))
            reading = network.read(to_texts(ids, lengths, torch.device("cpu")))
            logits[rows] = reading.logits.numpy()
            parts = np.split(reading.weights.numpy(), np.cumsum([len(part) for part in lengths])[:-1])
            for row, part in zip(rows, parts, strict=True):
                weights[row] = part
            at += len(rows)
            progress.update(len(rows))
    return logits, weights


def fit(rows: Sequence[Rows], scale: np.ndarray, penalty: float = PENALTY) -> np.ndarray:
    """Return weights by column, float32 (columns,), that lower the log loss of ``logits`` on all rows.

    :param scale: of each column, float32 (columns,); a column of a larger one moves more easily
    """
    counts = sparse.vstack([one.counts for one in rows]).tocsr()
    columns = counts.T.tocsr()
    logits = np.concatenate([one.logits for one in rows])
    targets = np.concatenate([one.targets for one in rows])

    def loss(moves: np.ndarray) -> tuple[float, np.ndarray]:
        sums = logits + counts @ (scale * moves.astype(np.float32))
        errors = 1 / (1 + np.exp(-sums)) - targets
        total = (np.logaddexp(0, sums) - targets * sums).sum(dtype=np.float64) + penalty / 2 * moves @ moves
        return float(total), (columns @ errors * scale + penalty * moves).astype(np.float64)

    found = minimize(
        loss,
        np.zeros(len(scale)),
        jac=True,
        method="L-BFGS-B",
        options={"maxiter": ITERATIONS, "maxcor": 6, "ftol": 1e-7, "gtol": 1e-3},
    )
    weights: np.ndarray = scale * found.x.astype(np.float32)
    return weights


def correct(model: ngrams.Part, reviews: Rows, others: Sequence[Rows]) -> np.ndarray:
    """Return the n-gram model's weights, times STRENGTH, and their correction, float32 (columns,).

    :param reviews: those that the model learned from, in that order
    :param others: texts that it never saw
    """
    apart = np.where(
        ngrams.halves(len(reviews.targets)),
        reviews.counts @ model.of_half[0],
        reviews.counts @ model.of_half[1],
    )
    rows = [reviews._replace(logits=reviews.logits + STRENGTH * apart)]
    rows += [one._replace(logits=one.logits + STRENGTH * (one.counts @ model.weights)) for one in others]
    scale = np.abs(ngrams.log_ratio(reviews.counts, (reviews.targets > 0.5).astype(np.int8)))
    weights: np.ndarray = STRENGTH * model.weights + fit(rows, scale)
    return weights


def write(options: argparse.Namespace) -> None:
    """Read all texts by the network, fit, and write the weights."""
    words, corpus = vocabulary.load(), corpora.load(options.archive)
    _, network = export.read_network(options.network, words.fingerprint)
    model, train, unsup = ngrams.load(options.ngrams), corpus.train, corpus.unsup
    reviews = Examples(train.ids, train.lengths, augment.smoothed(train.labels, LABEL_SMOOTHING))
    others = [augment.swapped_examples(train, SWAPS, words, SEED)]
    if options.soft_targets:
        soft_targets = augment.load_soft_targets(options.soft_targets)
        reviews += Examples(unsup.ids, unsup.lengths, soft_targets.unsup)
        others.append(soft_targets.sentences)
    if options.lessons:
        others.append(augment.lesson_examples(options.lessons, words, SEED, options.without_lessons))
    columns = len(model.weights)
    weights = correct(
        model, rows_of(network, reviews, columns), [rows_of(network, one, columns) for one in others]
    )
    buffer = io.BytesIO()
    np.savez_compressed(buffer, weights=weights)
    write_atomic(options.out, buffer.getvalue())


def main() -> None:
    parser = argparse.ArgumentParser(description="Fit the weights of n-grams that a network's package holds.")
    parser.add_argument("--network", type=Path, required=True, help="folder that train.py wrote")
    parser.add_argument("--ngrams", type=Path, required=True, help="the file of ngrams.py")
    parser.add_argument("--soft-targets", type=Path, help="the file of distill.py or soft_targets.py")
    parser.add_argument("--lessons", type=int, default=0, help="number of lessons")
    add_without_lessons(parser)
    parser.add_argument("--out", type=Path, required=True, help="the file to write (.npz)")
    parser.add_argument("--archive", help="path of aclImdb_v1.tar.gz (default: IMDB_ARCHIVE, or download)")
    options = parser.parse_args()
    try:
        write(options)
    except OSError as error:
        sys.exit(f"ngram_residual: {error.filename}: {error.strerror}")
    except (dataset.DataError, vocabulary.VocabularyError, export.ExportError) as error:
        sys.exit(f"ngram_residual: {error}")


if __name__ == "__main__":
    main()
