"""What the network makes of reviews before its head: the pooled states, on all cores, without torch."""

from collections import Counter, deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures.process import BrokenProcessPool
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import numpy as np
from tqdm import tqdm

from training.adapt.onnx_head import POOLED, with_pooled
from training.endpoint import inference
from training.files.processes import follow_parent, result_of, start_pool, submit
from vocab import messages

# Reviews that a process reads at a time.
CHUNK = 100
# What a review can't teach for; the last two are warnings that come with a verdict.
NO_TOKEN, UNKNOWN, NOT_ENGLISH = "no_token", "no_known_words", "not_english"


class PooledError(Exception):
    """The reviews could not be read through the network."""


class Pooled(NamedTuple):
    """What was read of reviews.

    ``features``, float32 (reviews, 2 x states), are max and then mean over a review's tokens. ``unfit`` is
    empty, or one of NO_TOKEN (its features are 0), UNKNOWN and NOT_ENGLISH. ``tokens``, int (reviews,), are
    those that it has. ``flagged`` says of each warning's code how many reviews have it.
    """

    features: np.ndarray
    unfit: np.ndarray
    tokens: np.ndarray
    flagged: dict[str, int]


class Read(NamedTuple):
    """What was read of one review: features, float32 (2 x states,), tokens, and its warnings' codes."""

    features: np.ndarray
    tokens: int
    codes: tuple[str, ...]

    @property
    def unfit(self) -> str:
        """Say why it can't teach; empty when it can."""
        return next((code for code in (NO_TOKEN, UNKNOWN, NOT_ENGLISH) if code in self.codes), "")


class Reader:
    """A model's network with its pooled states let out."""

    def __init__(self, model: Path) -> None:
        self.model = inference.model_fn(model)
        network = with_pooled((model / "model.onnx").read_bytes())
        self.session = inference.session_of(network, model)

    def read(self, review: str) -> Read:
        """Read a review through the network."""
        encoded = self.model.vocabulary.encode(review)
        if not encoded.ids:
            return Read(np.zeros(0, dtype=np.float32), 0, (NO_TOKEN,))
        codes = tuple(warning["code"] for warning in messages.warnings_of(encoded))
        return Read(self.states(encoded.ids), encoded.total, codes)

    def states(self, ids: Sequence[int]) -> np.ndarray:
        """Give the features of a review's ids, float32 (2 x states,)."""
        states, maximum = self.session.run(POOLED, {"ids": np.array(ids, dtype=np.int64)})
        return np.concatenate([maximum, states.mean(axis=0)])


def pool(texts: Iterable[str], count: int, model: Path, workers: int) -> Pooled:
    """Read ``count`` reviews. Raises PooledError, ModelFilesError, VocabularyError or HeadError."""
    reader = Reader(model)
    if workers == 1 or count <= CHUNK:
        pieces: Iterable[list[Read]] = ([reader.read(text)] for text in texts)
        return _joined(pieces, count)
    pool = start_pool(workers, _start, model)
    try:
        reading = deque(submit(pool, _read, chunk) for chunk in _chunks(texts))
        return _joined((result_of(reading.popleft()) for _ in range(len(reading))), count)
    except BrokenProcessPool as error:
        raise PooledError(
            "a process died, perhaps for want of memory; run it again, or give --workers 1"
        ) from error
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _joined(pieces: Iterable[list[Read]], count: int) -> Pooled:
    rows: list[Read] = []
    with tqdm(total=count, desc="reading", unit="review", disable=None) as bar:
        for piece in pieces:
            rows += piece
            bar.update(len(piece))
    width = max((len(one.features) for one in rows), default=0)
    features = np.zeros((len(rows), width), dtype=np.float32)
    for place, one in zip(features, rows, strict=True):
        place[: len(one.features)] = one.features
    unfit = np.array([one.unfit for one in rows], dtype=str)
    flagged = Counter(code for one in rows for code in one.codes)
    return Pooled(features, unfit, np.array([one.tokens for one in rows], dtype=int), dict(flagged))


def _chunks(texts: Iterable[str]) -> Iterator[Sequence[str]]:
    left = iter(texts)
    while chunk := list(islice(left, CHUNK)):
        yield chunk


_reader: Reader


def _start(model: str) -> None:
    global _reader
    follow_parent()
    _reader = Reader(Path(model))


def _read(texts: Sequence[str]) -> list[Read]:
    return [_reader.read(text) for text in texts]
