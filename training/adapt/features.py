"""Compute what a head reads of reviews, sums of pooled states, on all cores and without torch."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import numpy as np
from tqdm import tqdm

from training.adapt import phrases
from training.adapt.onnx_head import Head
from training.endpoint import inference, ngram_weights, weighing
from training.files.pool import DiedError, open_pool
from vocab import messages

# Reviews that a process reads at a time.
CHUNK = 100
# Why a review is left out; the last two are codes of warnings too.
NO_TOKEN, UNKNOWN, NOT_ENGLISH = "no_token", "no_known_words", "not_english"


class FeaturesError(Exception):
    """The network could not read the reviews."""


class Inputs(NamedTuple):
    """What a head turns into the calibrated logits of reviews.

    ``values``, float64 (reviews, pooled), sums each sentence's pooled states times its weight.
    ``weights``, float64 (reviews,), sums the sentences' weights. The calibration's temperature divides
    both. ``biases``, float64 (reviews,), are the calibration's, and what the weights of n-grams add.
    ``ngrams``, (reviews,), are each one's ``phrases.Amounts``.
    """

    values: np.ndarray
    weights: np.ndarray
    biases: np.ndarray
    ngrams: np.ndarray

    def take(self, rows: np.ndarray) -> "Inputs":
        """Return some rows, by number or by mask."""
        return Inputs(*(column[rows] for column in self))

    @property
    def means(self) -> np.ndarray:
        """Return the weighted mean of each review's pooled states, float64 (reviews, pooled)."""
        means: np.ndarray = self.values / np.maximum(self.weights, 1e-12)[:, None]
        return means

    def logits(self, head: Head) -> np.ndarray:
        """Return the reviews' calibrated logits by a head, float64 (reviews,)."""
        logits: np.ndarray = self.values @ head.weights + self.weights * head.bias + self.biases
        return logits


class Features(NamedTuple):
    """The features of reviews.

    ``unfit``, str (reviews,), is empty or one of NO_TOKEN (the inputs are 0), UNKNOWN and NOT_ENGLISH.
    ``tokens``, int (reviews,), counts tokens. ``flagged`` counts the reviews of each warning's code.
    """

    inputs: Inputs
    unfit: np.ndarray
    tokens: np.ndarray
    flagged: dict[str, int]


class ReviewFeatures(NamedTuple):
    """The features of one review: its row of Inputs, number of tokens, codes of its warnings."""

    inputs: Inputs | None
    tokens: int
    codes: tuple[str, ...]

    @property
    def unfit(self) -> str:
        """Return why the review is left out; empty when it is not."""
        return next((code for code in (NO_TOKEN, UNKNOWN, NOT_ENGLISH) if code in self.codes), "")


def read(model: inference.LoadedModel, review: str) -> ReviewFeatures:
    """Return the features of a review."""
    encoded = model.vocabulary.encode(review)
    if not encoded.ids:
        return ReviewFeatures(None, 0, (NO_TOKEN,))
    codes = tuple(warning["code"] for warning in messages.warnings_of(encoded))
    return ReviewFeatures(inputs_of(model, encoded.ids, encoded.lengths), encoded.total, codes)


def inputs_of(
    model: inference.LoadedModel, ids: Sequence[int] | np.ndarray, lengths: Sequence[int] | np.ndarray
) -> Inputs:
    """Return the row of Inputs of a review: its ids, and how many each sentence holds."""
    network = model.network
    reading = network.read(np.array(ids, dtype=np.int64), np.array(lengths, dtype=np.int64))
    weights = weighing.weights_of(network.weighing, network.understand(reading))
    temperature, bias = model.calibration.at(len(ids), len(lengths))
    values = weights @ reading.pooled.astype(np.float64) / temperature
    added = weights @ ngram_weights.sums(network.ngrams, reading.ngrams, len(lengths)) / temperature
    return Inputs(
        values[None],
        np.array([weights.sum() / temperature]),
        np.array([bias + added]),
        phrases.as_column([phrases.amounts_of(reading.ngrams, weights / temperature)]),
    )


def joined(rows: Sequence[Inputs]) -> Inputs:
    """Join the rows of reviews."""
    return Inputs(*map(np.concatenate, zip(*rows, strict=True)))


def extract(texts: Iterable[str], count: int, model: Path, workers: int) -> Features:
    """Return the features of ``count`` reviews.

    Raises FeaturesError, ModelFilesError, VocabularyError or HeadError.
    """
    loaded = inference.model_fn(model)
    width = len(loaded.network.weighing.polarity_weight)
    if workers == 1 or count <= CHUNK:
        pieces: Iterable[list[ReviewFeatures]] = ([read(loaded, text)] for text in texts)
        return _collected(pieces, count, width)
    try:
        with open_pool(_read, model, loaded, workers) as pool:
            return _collected(pool.map(_chunks(texts)), count, width)
    except DiedError as error:
        raise FeaturesError(
            "a process died, perhaps for want of memory; run it again, or give --workers 1"
        ) from error


def _collected(pieces: Iterable[list[ReviewFeatures]], count: int, width: int) -> Features:
    rows: list[ReviewFeatures] = []
    with tqdm(total=count, desc="reading", unit="review", disable=None) as bar:
        for piece in pieces:
            rows += piece
            bar.update(len(piece))
    none = Inputs(np.zeros((1, width)), np.zeros(1), np.zeros(1), phrases.as_column([phrases.NO_NGRAMS]))
    inputs = joined([row.inputs or none for row in rows]) if rows else none.take(np.zeros(0, dtype=int))
    unfit = np.array([row.unfit for row in rows], dtype=str)
    flagged = Counter(code for row in rows for code in row.codes)
    return Features(inputs, unfit, np.array([row.tokens for row in rows], dtype=int), dict(flagged))


def _chunks(texts: Iterable[str]) -> Iterator[Sequence[str]]:
    remaining = iter(texts)
    while chunk := list(islice(remaining, CHUNK)):
        yield chunk


def _read(model: inference.LoadedModel, texts: Sequence[str]) -> list[ReviewFeatures]:
    return [read(model, text) for text in texts]
