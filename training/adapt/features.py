"""Compute the features of reviews, the network's pooled states, on all cores and without torch."""

from collections import Counter, deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures.process import BrokenProcessPool
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import numpy as np
from tqdm import tqdm

from training.adapt.onnx_head import STATES, with_states
from training.endpoint import inference
from training.files.processes import follow_parent, result_of, start_pool, submit
from vocab import messages

# Reviews that a process reads at a time.
CHUNK = 100
# Why a review is left out; the last two are codes of warnings too.
NO_TOKEN, UNKNOWN, NOT_ENGLISH = "no_token", "no_known_words", "not_english"


class FeaturesError(Exception):
    """The network could not read the reviews."""


class Features(NamedTuple):
    """The features of reviews.

    ``values``, float32 (reviews, 2 x states), are the maximum and then the mean over a review's tokens.
    ``unfit``, str (reviews,), is empty or one of NO_TOKEN (the values are 0), UNKNOWN and NOT_ENGLISH.
    ``tokens``, int (reviews,), counts tokens. ``flagged`` counts the reviews of each warning's code.
    """

    values: np.ndarray
    unfit: np.ndarray
    tokens: np.ndarray
    flagged: dict[str, int]


class ReviewFeatures(NamedTuple):
    """The features of one review: values, float32 (2 x states,), number of tokens, codes of its warnings."""

    values: np.ndarray
    tokens: int
    codes: tuple[str, ...]

    @property
    def unfit(self) -> str:
        """Return why the review is left out; empty when it is not."""
        return next((code for code in (NO_TOKEN, UNKNOWN, NOT_ENGLISH) if code in self.codes), "")


class Reader:
    """A model whose network outputs its states too."""

    def __init__(self, model: Path) -> None:
        self.model = inference.model_fn(model)
        network = with_states((model / "model.onnx").read_bytes())
        self.session = inference.load_session(network, model)

    def read(self, review: str) -> ReviewFeatures:
        """Return the features of a review."""
        encoded = self.model.vocabulary.encode(review)
        if not encoded.ids:
            return ReviewFeatures(np.zeros(0, dtype=np.float32), 0, (NO_TOKEN,))
        codes = tuple(warning["code"] for warning in messages.warnings_of(encoded))
        return ReviewFeatures(self.values(encoded.ids), encoded.total, codes)

    def values(self, ids: Sequence[int] | np.ndarray) -> np.ndarray:
        """Return the feature values of a review, float32 (2 x states,), from its ids, int64 (tokens,)."""
        states, maximum = self.session.run(STATES, {"ids": np.array(ids, dtype=np.int64)})
        pooled: np.ndarray = np.concatenate([maximum, states.mean(axis=0)])
        return pooled


def extract(texts: Iterable[str], count: int, model: Path, workers: int) -> Features:
    """Return the features of ``count`` reviews.

    Raises FeaturesError, ModelFilesError, VocabularyError or HeadError.
    """
    reader = Reader(model)
    if workers == 1 or count <= CHUNK:
        pieces: Iterable[list[ReviewFeatures]] = ([reader.read(text)] for text in texts)
        return _joined(pieces, count)
    pool = start_pool(workers, _start, model)
    try:
        reading = deque(submit(pool, _read, chunk) for chunk in _chunks(texts))
        return _joined((result_of(reading.popleft()) for _ in range(len(reading))), count)
    except BrokenProcessPool as error:
        raise FeaturesError(
            "a process died, perhaps for want of memory; run it again, or give --workers 1"
        ) from error
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _joined(pieces: Iterable[list[ReviewFeatures]], count: int) -> Features:
    rows: list[ReviewFeatures] = []
    with tqdm(total=count, desc="reading", unit="review", disable=None) as bar:
        for piece in pieces:
            rows += piece
            bar.update(len(piece))
    width = max((len(row.values) for row in rows), default=0)
    values = np.zeros((len(rows), width), dtype=np.float32)
    for place, row in zip(values, rows, strict=True):
        place[: len(row.values)] = row.values
    unfit = np.array([row.unfit for row in rows], dtype=str)
    flagged = Counter(code for row in rows for code in row.codes)
    return Features(values, unfit, np.array([row.tokens for row in rows], dtype=int), dict(flagged))


def _chunks(texts: Iterable[str]) -> Iterator[Sequence[str]]:
    remaining = iter(texts)
    while chunk := list(islice(remaining, CHUNK)):
        yield chunk


_reader: Reader


def _start(model: str) -> None:
    global _reader
    follow_parent()
    _reader = Reader(Path(model))


def _read(texts: Sequence[str]) -> list[ReviewFeatures]:
    return [_reader.read(text) for text in texts]
